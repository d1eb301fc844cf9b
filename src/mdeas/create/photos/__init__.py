"""Composites: cut-outs on photographs."""
