"""One statistic or detector a file: mergeable, of bounded memory, each with its paper.

Statistics of words take the words' hashes as `streams.words` makes them; those of latent space take vectors.
"""
