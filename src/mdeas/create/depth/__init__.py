"""Depth of composites: from a sensor, or from a network that sees each layer or the whole."""
