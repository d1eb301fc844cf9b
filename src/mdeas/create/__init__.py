"""Makers of samples: rendered scenes, composites of photos, your own pictures and pairs."""
