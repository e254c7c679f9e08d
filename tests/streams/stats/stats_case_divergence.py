from stats_laws import Case
from stats_texts import flat, flat_batches

from streams.stats.divergence import Divergence, binned

CASES = [
    Case(
        f"divergence {length}", lambda n=length: Divergence(binned(flat(1_000), 4096, n), 4096, n), flat_batches, 33_000
    )
    for length in (1, 2)
]
