"""Runs untrusted Python programs, each shut in on its own, and tells how they ended."""
