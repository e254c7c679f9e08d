"""Texts and ids that are known, in memory: exact sets, and an index that finds near-duplicates."""
