from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from stats_laws import Case
from stats_texts import flat_batches

from streams.stats.sketch import Distinct, Quantiles
from streams.words import Hashes


def hashes(rng: np.random.Generator, count: int) -> Sequence[Hashes]:
    return [batch.hashes for batch in flat_batches(rng, count)]


def values(rng: np.random.Generator, count: int) -> Sequence[NDArray[np.float64]]:
    """Return values whose relative error is at most that of their rank."""
    batches = [1 + rng.random(25) for _ in range(count)]
    if count > 2:
        batches[1] = batches[1][:0]
        batches[2][3] = np.nan
    return batches


CASES = [
    Case("distinct", Distinct, hashes, most_bytes=5_000),
    Case("quantiles", Quantiles, values, most_bytes=5_000, tolerance=2 * 0.0165),
]
