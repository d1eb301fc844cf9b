"""What a run leaves to look at: log, curves, pictures, tables of stages."""
