from collections.abc import Sequence

import numpy as np
from stats_laws import Case
from stats_texts import documents

from streams.stats.repetition import Repetition, Texts
from streams.words import hashed, words


def batches(rng: np.random.Generator, count: int) -> Sequence[Texts]:
    """Return batches with documents that come again in others, one of them empty and one with next to no words."""
    texts = [[documents()[place] for place in rng.integers(0, 600, 25)] for _ in range(count)]
    if count > 2:
        texts[1] = []
        texts[2] = ["Lo!", "", "...", "lo " * 90, *texts[0][:3]]
    return [Texts(batch, hashed([words(text) for text in batch])) for batch in texts]


CASES = [Case("repetition", Repetition, batches, most_bytes=40 * 25 * 80 * 8)]
