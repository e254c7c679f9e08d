"""The page for reviewers, as HTML that works without any network."""
