"""This machine: files, locks, signals, names, progress, optional packages."""
