"""Figures of one picture: mask and depth, in numpy alone."""
