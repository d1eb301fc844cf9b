"""From a scene to pixels: rays, surfaces, light; in torch."""
