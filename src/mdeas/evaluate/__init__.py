"""Measure models on data sets, with the baselines beside them."""
