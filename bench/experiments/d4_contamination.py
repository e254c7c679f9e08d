"""D4: copies of the seeds are found by a flag whose rate of false alarms is certified, not guessed.

Setting: 9,000 documents of the plays are the seeds. A document is flagged that has a smaller share of new word 3-grams
than every seed has against the other seeds. So no seed is flagged, and by Clopper and Pearson (1934, Biometrika 26) the
rate for other human documents is at most q = 3.3e-4 in 95 of 100 cases: 1e-4 would take 30,000 seeds. Flags are bets:
an e-value of a flag is a, of none (1 - a q) / (1 - q), for a from 2 to 1,000, and the product's e-SR test takes their
mean, one document after the other. Its bound, 100,000 documents between two false alarms, holds for every true rate up
to q. Streams are of flags, the worst that the certificate allows: one copy, verbatim, in 100 or 1,000 documents and no
other flag, for the delays; and for false alarms, clean documents that are flagged at the rate q itself. There up to a
quarter of the streams of 25,000 documents may alarm. Of the documents of the plays that are no seeds at most 2 may be
flagged: at the rate q it would be 3 or more once in 100 times.
An n-gram source of order 3 copies 3-grams by its nature and would be flagged as a whole, as it should be.
"""

from math import inf

import numpy as np
from numpy.typing import NDArray

from experiments.bar import Bar
from experiments.plays import documents, flat
from streams.stats.copying import Copying, fit
from streams.stats.documents import WORDS
from streams.stats.sequential import Evidence
from streams.words import words

SEEDS, BETWEEN = 9_000, 100_000
WITHIN = {0.01: (500, 4), 0.001: (15_000, 1)}  # documents, and how many times as many runs as asked for
RATIOS = np.array([2, 5, 10, 20, 50, 100, 300, 1_000])  # as many as the test has bets
FLAGGED, RUNS, CLEAN_RUNS, CLEAN = 2, 25, 20, 25_000

Flags = NDArray[np.bool_]


def run(seed: int, runs: int = RUNS) -> list[Bar]:
    """Certify the flag, count false alarms, and measure delays."""
    rng = np.random.default_rng(seed)
    plays = [text for text in dict.fromkeys(documents()) if len(words(text)) >= WORDS]
    order = rng.permutation(len(plays))
    seeds, others = (flat([plays[place] for place in some]) for some in (order[:SEEDS], order[SEEDS:]))
    copying = Copying(fit(seeds), flag=0.0)
    certified = copying.get()["certified"]
    false = [_delay(rng.random(CLEAN) < certified, certified) for _ in range(CLEAN_RUNS)]
    bars = [
        Bar("certified rate of false flags", certified, 1 - 0.05 ** (1 / SEEDS), 0.001),
        Bar("copies that are flagged", float(copying.flags(seeds).mean()), 1, kind="at least"),
        Bar("other documents that are flagged", float(copying.flags(others).sum()), FLAGGED, kind="at most"),
        Bar(f"no copies: streams of {CLEAN:,} with an alarm", _share(false), CLEAN / BETWEEN, kind="at most"),
    ]
    for share, (within, more) in WITHIN.items():
        delays = [_delay(rng.random(4 * within) < share, certified) for _ in range(more * runs)]
        bars.append(
            Bar(f"{share:.1%} copied: documents to the alarm", float(np.median(delays)), within, kind="at most")
        )
    return bars


def _share(delays: list[float]) -> float:
    return sum(each < inf for each in delays) / len(delays)


def _delay(flags: Flags, rate: float) -> float:
    """Return after how many documents of a stream the alarm comes."""
    wins, loses = np.log(RATIOS)[np.newaxis], np.log((1 - RATIOS * rate) / (1 - rate))[np.newaxis]
    evidence = Evidence(1)
    for number, flag in enumerate(flags.tolist(), 1):
        evidence.update(wins if flag else loses)
        if evidence.get()["evidence"] >= BETWEEN:
            return number
    return inf
