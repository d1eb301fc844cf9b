"""The subject and what is behind it: colours, depths, pieces, cut-outs."""
