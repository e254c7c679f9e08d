"""The stage monitor: judges the streams by their sketches and sets the mixture's policy."""
