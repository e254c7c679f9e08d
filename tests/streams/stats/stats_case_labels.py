import numpy as np
from stats_laws import Case

from streams.stats.labels import Labels

NAMES = ("sum", "product", "quotient", "difference")


def label_batches(rng: np.random.Generator, count: int) -> list[list[str]]:
    return [rng.choice(NAMES, int(rng.integers(0, 25))).tolist() for _ in range(count)]


CASES = [Case("labels", lambda: Labels({"sum": 0.5, "product": 0.2, "quotient": 0.2}), label_batches, most_bytes=100)]
