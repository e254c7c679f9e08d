from stats_laws import Case
from stats_texts import flat_batches

from streams.stats.diversity import Diversity

CASES = [Case("diversity", Diversity, flat_batches, most_bytes=300)]
