from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from stats_laws import Case
from stats_texts import flat_batches

from streams.stats.novelty import Novelty
from streams.stats.sequential import BETS, Evidence


def cells(rng: np.random.Generator, count: int) -> Sequence[NDArray[np.float64]]:
    return [rng.normal(-0.1, 0.5, (3, BETS)) for _ in range(count)]


CASES = [
    Case("novelty", lambda: Novelty(memory=50), flat_batches, most_bytes=250_000, ordered=True),
    Case("evidence", lambda: Evidence(3), cells, most_bytes=3 * BETS * 8 + 200, ordered=True),
]
