"""The stage `ingest`: files and data sets become samples in the pools."""
