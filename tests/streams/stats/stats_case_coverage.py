import numpy as np
from stats_laws import Case
from stats_vectors import vector_batches, vectors

from streams.stats.coverage import Coverage, Keyed, fit


def keyed_batches(rng: np.random.Generator, count: int) -> list[Keyed]:
    """Return batches of vectors, the keys being rising numbers of documents."""
    found = vector_batches(rng, count)
    ends = np.cumsum([len(part) for part in found])
    return [
        Keyed(np.arange(end - len(part), end, dtype=np.uint64), part) for end, part in zip(ends, found, strict=True)
    ]


# The sample is full after six batches, so that the laws see it both filling and full.
CASES = [Case("coverage", lambda: Coverage(fit(vectors()[:1_000], most=150)), keyed_batches, most_bytes=40_500)]
