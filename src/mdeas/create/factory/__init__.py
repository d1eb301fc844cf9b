"""From a maker to a data set: plan, worker processes or Ray, shards."""
