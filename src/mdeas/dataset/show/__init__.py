"""What a data set looks like: statistics, contact sheets, leaks between splits, licences."""
