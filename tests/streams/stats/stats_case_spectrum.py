from stats_laws import Case
from stats_vectors import vector_batches, vectors

from streams.stats.spectrum import Spectrum, fit

CASES = [Case("spectrum", lambda: Spectrum(fit(vectors()[:1_000])), vector_batches, most_bytes=17_500)]
