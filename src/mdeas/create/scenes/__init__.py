"""Rendered scenes with exact mask and metric depth."""
