"""The demonstration: a whole pipeline on real text, its live view, and a trainer that reads the mix."""
