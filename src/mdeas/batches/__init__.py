"""From data sets to torch batches, and the random changes of training."""
