from stats_laws import Case
from stats_vectors import vector_batches, vectors

from streams.stats.discrepancy import Discrepancy, fit

CASES = [Case("discrepancy", lambda: Discrepancy(fit(vectors()[:500], seed=1)), vector_batches, most_bytes=9_000)]
