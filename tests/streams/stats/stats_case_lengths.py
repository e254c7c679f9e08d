from stats_laws import Case
from stats_texts import flat_batches

from streams.stats.lengths import Lengths

CASES = [Case("lengths", Lengths, flat_batches, most_bytes=5_000)]
