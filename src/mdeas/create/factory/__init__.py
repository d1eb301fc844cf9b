"""Turn a maker into a data set: plan, worker processes or Ray, shards."""
