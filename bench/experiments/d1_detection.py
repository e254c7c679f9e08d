"""D1: on the plays, a source that trains on its own output is found within some hundred documents, and no other is.

Setting: streams in 4 partitions as `sketch` sees them: novelty remembers 500 documents of each. The first 2,000
documents fill that memory, the next 1,000 are the baseline, then cells of 25 are tested on the three novelty shares
with the product's threshold for 25 million documents between false alarms and 6 alarmed groups. Human streams are 20
splits of 5,000 documents; healthy ones 6,000 documents of three n-gram sources at T = 1, trained on 6,000 plays'
documents; then each source is trained on its own last 2,000 documents, with no sharpening.
"""

import numpy as np
from numpy.typing import NDArray

from experiments.bar import Bar
from experiments.plays import PARTITIONS, documents, flat
from services.generate.ngram import NgramModel
from streams.stats.documents import WORDS
from streams.stats.novelty import MEMORY, Novelty
from streams.stats.sequential import CELL, Baseline, Evidence, threshold

FILLED, CALIBRATION = MEMORY + MEMORY // 10, 1_000  # a tenth more than the memory, for partitions do not fill alike
HUMAN_STREAMS, HUMAN_DOCUMENTS = 20, 5_000
HEALTHY_DOCUMENTS, RETRAINED_DOCUMENTS = 6_000, 1_500
LEARNT = 2_000
REPEATS = 3
WITHIN = 500
SOURCES = {"order 3": (3, 0.0), "order 3, 30 % back-off": (3, 0.3), "order 2": (2, 0.0)}
LIMIT = threshold(25_000_000, 6)


def run(seed: int, human_streams: int = HUMAN_STREAMS, repeats: int = REPEATS) -> list[Bar]:
    """Count false alarms and measure delays."""
    rng, plays = np.random.default_rng(seed), documents()
    human = [
        _alarm(rng, [plays[n] for n in rng.permutation(len(plays))[:HUMAN_DOCUMENTS]]) for _ in range(human_streams)
    ]
    bars = [Bar(f"human: alarms in {human_streams} streams of {HUMAN_DOCUMENTS:,}", _alarms(human), 0, kind="at most")]
    for name, (order, backoff) in SOURCES.items():
        learnt = [plays[n] for n in rng.permutation(len(plays))[:HEALTHY_DOCUMENTS]]
        model = NgramModel(learnt, order=order, backoff=backoff)
        healthy, delays = [], []
        for _ in range(repeats):
            said = _said(model, rng, HEALTHY_DOCUMENTS)
            healthy.append(_alarm(rng, said))
            echo = NgramModel(said[-LEARNT:], order=order, backoff=backoff)
            found = _alarm(rng, [*said[-FILLED - CALIBRATION :], *_said(echo, rng, RETRAINED_DOCUMENTS)])
            delays.append(found if found is not None else np.inf)
        bars.append(Bar(f"{name}: alarms in {repeats} healthy streams", _alarms(healthy), 0, kind="at most"))
        bars.append(Bar(f"{name}: documents to the alarm", float(np.median(delays)), WITHIN, kind="at most"))
    return bars


def _said(model: NgramModel, rng: np.random.Generator, count: int) -> list[str]:
    seeds = rng.integers(0, 1 << 62, count).tolist()
    return [model.document(seed=seed, temperature=1.0, words=80) for seed in seeds]


def _alarm(rng: np.random.Generator, said: list[str]) -> int | None:
    """Return after how many tested documents the alarm comes."""
    shares = _novelty(rng, said)
    baseline = Baseline(shares[FILLED : FILLED + CALIBRATION])
    tested = shares[FILLED + CALIBRATION :]
    logs = baseline.log_e(baseline.p_values(tested, rng.random(len(tested))))
    evidence = Evidence(tested.shape[1])
    for end in range(CELL, len(tested) + 1, CELL):
        evidence.update(logs[end - CELL : end].sum(axis=0))
        if evidence.get()["evidence"] >= LIMIT:
            return end
    return None


def _novelty(rng: np.random.Generator, said: list[str]) -> NDArray[np.float64]:
    """Return (documents, 3) shares of a stream whose documents fall into partitions at random."""
    texts = flat(said)
    rows = texts.hashes.reshape(-1, WORDS)
    part = rng.integers(0, PARTITIONS, len(rows))
    shares = np.empty((len(rows), 3))
    for number in range(PARTITIONS):
        mine = rows[part == number]
        ends = np.arange(len(mine) + 1) * WORDS
        shares[part == number] = Novelty(MEMORY // PARTITIONS).score(texts._replace(hashes=mine.ravel(), starts=ends))
    return shares


def _alarms(found: list[int | None]) -> float:
    return float(sum(each is not None for each in found))
