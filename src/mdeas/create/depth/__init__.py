"""Depth of composites: from a sensor, from layers, or from a network of the Hugging Face hub."""
