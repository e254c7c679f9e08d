from stats_laws import Case
from stats_texts import flat, flat_batches

from streams.stats.copying import Copying, fit

CASES = [Case("copying", lambda: Copying(fit(flat(2_000)), flag=0.05), flat_batches, most_bytes=300)]
