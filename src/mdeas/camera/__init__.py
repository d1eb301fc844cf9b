"""What is known of a fixed camera: its empty scene, its rays, its metres, its points."""
