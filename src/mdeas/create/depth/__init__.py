"""Depth for composites: from a sensor, or from a network that sees each layer or each finished composite."""
