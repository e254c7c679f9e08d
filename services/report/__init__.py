"""The report: one HTML file with the curves of a pipeline, for people who decide."""
