"""Scores a model, or a small proxy of one, on sets that it never trained on: real, safety and synthetic."""
