from collections.abc import Sequence

import numpy as np
from stats_laws import Case
from stats_texts import flat_batches

from streams.stats.c2st import Labelled, TwoSample


def batches(rng: np.random.Generator, count: int) -> Sequence[Labelled]:
    return [Labelled(texts, rng.random(len(texts.starts) - 1) < 0.4) for texts in flat_batches(rng, count)]


CASES = [Case("c2st", TwoSample, batches, most_bytes=140_000, ordered=True)]
