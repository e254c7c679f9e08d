"""Which strata the reference can tell about: those of which it has documents enough, alone or together.

The others are uncalibrated: what is said in them is neither tested for change nor compared with human text.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.artefact import UNLABELLED

LEAST = 300  # documents of a stratum in the whole reference
UNCALIBRATED, UNKNOWN = -1, -2  # UNKNOWN: nobody said which stratum, so it may be any

Pools = NDArray[np.int64]
ONE_POOL: Pools = np.zeros(1, np.int64)


def pools_of(counts: Sequence[int]) -> Pools:
    """Return the pool of each stratum from its documents in the reference; the last, of no stratum in it, has none.

    Strata with fewer than LEAST documents share a pool, if they have as many together.
    """
    sizes = np.array(counts, np.int64)
    large = sizes >= LEAST
    of_small = int(large.sum()) if sizes[~large].sum() >= LEAST else UNCALIBRATED
    return np.asarray(np.append(np.where(large, np.cumsum(large) - 1, of_small), UNCALIBRATED), np.int64)


def pooled(strata: NDArray[np.uint16], pools: Pools) -> Pools:
    """Return the pool of each document from its stratum."""
    found = pools[np.minimum(strata, len(pools) - 1)]
    return np.asarray(np.where(strata == UNLABELLED, UNKNOWN, found), np.int64)


def moved(counts: NDArray[np.int64], there: NDArray[np.int64]) -> float:
    """Return how far the proportions of counts are from those there (total variation), beyond what chance does.

    Chance does the sum of its mean absolute deviations, sqrt(2 p (1 - p) / (pi n)) each, halved as the distance is.
    """
    shares = there / there.sum()
    by_chance = np.sqrt(2 * shares * (1 - shares) / (np.pi * counts.sum())).sum() / 2
    return float(np.abs(counts / counts.sum() - shares).sum() / 2 - by_chance)


def apportioned(shares: NDArray[np.float64], total: int) -> NDArray[np.int64]:
    """Return whole numbers as near to the shares as can be that add up to the total (largest remainders)."""
    wanted = shares / shares.sum() * total
    found: NDArray[np.int64] = np.floor(wanted).astype(np.int64)
    found[np.argsort(found - wanted, kind="stable")[: total - found.sum()]] += 1
    return found
