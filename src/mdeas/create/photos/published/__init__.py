"""The data sets of the published systems 1 to 5: every background with every foreground at every place."""
