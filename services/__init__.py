"""The application: one package a stage, and the commands that run them."""
