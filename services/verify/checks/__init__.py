"""The checks, one a file, each named as in its verdicts."""
