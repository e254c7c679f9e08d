"""Starts, watches and stops the processes of a pipeline, and finds them again for other commands."""
