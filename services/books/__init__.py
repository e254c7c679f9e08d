"""Counts and finds what the log holds: the tally and its audit, lag, dead letters, the way of one sample."""
