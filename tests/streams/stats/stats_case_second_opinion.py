import numpy as np
from stats_laws import Case

from streams.stats.second_opinion import MEMORY, SecondOpinion

CALIBRATION = np.random.default_rng(1).normal(3.0, 2.0, (1_000, 3))


def batches(rng: np.random.Generator, count: int) -> list[np.ndarray]:
    """Return means of cells which jump now and then in the first statistic, and never in the others."""
    found = rng.normal(3.0, 0.4, (count, 70, 3))
    found[..., 0] += 2.0 * (np.arange(count)[:, np.newaxis] % 2)
    return list(found)


CASES = [
    Case("second opinion", lambda: SecondOpinion(CALIBRATION), batches, most_bytes=MEMORY * 3 * 4 + 500, ordered=True)
]
