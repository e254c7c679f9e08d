from collections.abc import Sequence

import numpy as np
from stats_laws import Case
from stats_texts import flat_batches

from streams.stats.overlap import Overlap
from streams.words import Flat


def with_copies(rng: np.random.Generator, count: int) -> Sequence[Flat]:
    """Return batches of which every third comes twice."""
    batches = flat_batches(rng, count)
    return [batches[place - 1] if place % 3 == 1 else batch for place, batch in enumerate(batches)]


CASES = [Case("overlap", Overlap, with_copies, most_bytes=150_000)]
