"""generate: makes candidates from seeds with several models, by a plan, until enough are accepted."""
