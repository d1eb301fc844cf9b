"""Meshes from GLB files, and where such things stand."""
