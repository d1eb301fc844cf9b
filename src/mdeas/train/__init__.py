"""Training: recipe, losses, schedule, loop, checkpoints, reports."""
