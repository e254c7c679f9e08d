from collections.abc import Sequence

import numpy as np
from stats_laws import Case
from stats_texts import documents

from streams.stats.syntax import Rows, Syntax, symbols


def texts(rng: np.random.Generator, count: int, size: int = 25) -> Sequence[Rows]:
    found = [documents()[place] for place in rng.permutation(count * size)]
    batches = [found[start : start + size] for start in range(0, len(found), size)]
    if count > 2:
        batches[1] = []
        batches[2] = ["", "Lo!", *found[:3]]
    return [symbols(batch) for batch in batches]


CASES = [Case("syntax", Syntax, texts, most_bytes=1_000_000)]
