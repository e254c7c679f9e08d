from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from stats_laws import Case
from stats_texts import flat_batches

from streams.stats.counts import Counts
from streams.stats.vocabulary import Vocabulary


def keys(rng: np.random.Generator, count: int) -> Sequence[NDArray[np.uint64]]:
    return [rng.zipf(1.5, 500).astype(np.uint64) % 1_000 for _ in range(count)]


CASES = [
    Case("counts", Counts, keys, most_bytes=1_000 * 16),
    Case("vocabulary", Vocabulary, flat_batches, most_bytes=2_000_000),
]
