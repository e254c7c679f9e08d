"""Seeded experiments on model collapse: each module has a `run` that measures, beside what is to be reached.

They show that the numbers which the policy rests on can be had on any machine in seconds, without a model.
"""
