"""The stage sketch: documents as columns, in cells of 25, for the monitor."""
