from stats_laws import Case
from stats_texts import flat, flat_batches

from streams.stats.surprisal import Surprisal, fit

CASES = [Case("surprisal", lambda: Surprisal(fit(flat(500))), flat_batches, most_bytes=2_500)]
