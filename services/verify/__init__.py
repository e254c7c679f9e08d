"""The stage that decides about candidates: one file a check, cheap ones first."""
