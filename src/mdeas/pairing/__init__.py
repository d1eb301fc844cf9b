"""What is wrong between the two photos of a pair, and the background brought to fit where it can be."""
