from stats_laws import Case
from stats_texts import flat_batches

from streams.stats.growth import CAPACITY, Growth

CASES = [
    Case("growth", Growth, flat_batches, most_bytes=CAPACITY * 16),
    Case("growth that samples", lambda: Growth(capacity=300), flat_batches, most_bytes=300 * 16 + 300),
]
