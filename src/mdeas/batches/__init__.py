"""From a data set to torch batches, and the random changes of training."""
