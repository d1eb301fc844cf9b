"""Composites: RGBA cut-outs on photographs."""
