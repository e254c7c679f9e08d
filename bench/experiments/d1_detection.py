"""D1: on the plays, a source that trains on its own output is found within some hundred documents, and no other is.

Setting: streams in 4 partitions as `sketch` sees them: novelty remembers 500 documents of each. The first 2,200
documents fill that memory, the next 2,000 are the baseline, then cells of 25 are tested on the three novelty shares
with the product's threshold for 25 million documents between false alarms and 6 alarmed groups. Of human text 20 times
5,000 documents are tested, each time others of the plays' or in another order; of three n-gram sources at T = 1,
trained on 6,000 of the plays' documents, 6,000; then each is trained on its own last 2,000, with no sharpening.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.bar import Bar
from experiments.detectors import Scores, evidence_alarms
from experiments.plays import PARTITIONS, documents, flat
from services.generate.ngram import NgramModel
from services.monitor.change import ADMISSION
from streams.stats.documents import WORDS
from streams.stats.novelty import MEMORY, Novelty
from streams.stats.sequential import threshold

FILLED = MEMORY + MEMORY // 10  # a tenth more than the memory, for partitions do not fill alike
HUMAN_STREAMS = 20
HUMAN_DOCUMENTS, HEALTHY_DOCUMENTS, RETRAINED_DOCUMENTS = 5_000, 6_000, 1_500  # that are tested
TRAINED_ON = 6_000
BEFORE = FILLED + ADMISSION
LEARNT = 2_000
REPEATS = 3
WITHIN = 500
SOURCES = {"order 3": (3, 0.0), "order 3, 30 % back-off": (3, 0.3), "order 2": (2, 0.0)}
LIMIT = threshold(25_000_000, 6)


class Stream(NamedTuple):
    """Scores of documents, of a source in some state; the baseline comes before what is tested."""

    source: str
    state: Literal["human", "healthy", "retrained"]
    baseline: Scores
    tested: Scores
    draws: Scores


def run(seed: int, human_streams: int = HUMAN_STREAMS, repeats: int = REPEATS, unit: int = WORDS) -> list[Bar]:
    """Count false alarms and measure delays."""
    found: dict[tuple[str, str], list[float]] = {}
    for stream in streams(seed, human_streams, repeats, unit):
        alarms = evidence_alarms(stream.baseline, stream.tested, stream.draws, LIMIT)
        found.setdefault((stream.source, stream.state), []).append(alarms[0] if alarms else np.inf)
    human = _alarms(found["human", "human"])
    bars = [Bar(f"human: alarms in {human_streams} streams of {HUMAN_DOCUMENTS:,}", human, 0, kind="at most")]
    for name in SOURCES:
        healthy, delay = _alarms(found[name, "healthy"]), float(np.median(found[name, "retrained"]))
        bars.append(Bar(f"{name}: alarms in {repeats} healthy streams", healthy, 0, kind="at most"))
        bars.append(Bar(f"{name}: documents to the alarm", delay, WITHIN, kind="at most"))
    return bars


def streams(
    seed: int, human_streams: int = HUMAN_STREAMS, repeats: int = REPEATS, unit: int = WORDS
) -> Iterator[Stream]:
    """Yield the human streams, then of each source a healthy one and one that is retrained, in turns."""
    length = unit * 5 // 4  # words: 80, of which the first 64 are counted
    rng, plays = np.random.default_rng(seed), [" ".join(text.split()[:length]) for text in documents()]
    for _ in range(human_streams):
        said = [plays[n] for n in rng.permutation(len(plays))[: BEFORE + HUMAN_DOCUMENTS]]
        yield _stream(rng, "human", "human", said, unit)
    for name, (order, backoff) in SOURCES.items():
        learnt = [plays[n] for n in rng.permutation(len(plays))[:TRAINED_ON]]
        model = NgramModel(learnt, order=order, backoff=backoff)
        for _ in range(repeats):
            said = _said(model, rng, BEFORE + HEALTHY_DOCUMENTS, length)
            yield _stream(rng, name, "healthy", said, unit)
            echo = NgramModel(said[-LEARNT:], order=order, backoff=backoff)
            retrained = [*said[-BEFORE:], *_said(echo, rng, RETRAINED_DOCUMENTS, length)]
            yield _stream(rng, name, "retrained", retrained, unit)


def _said(model: NgramModel, rng: np.random.Generator, count: int, length: int) -> list[str]:
    seeds = rng.integers(0, 1 << 62, count).tolist()
    return [model.document(seed=seed, temperature=1.0, words=length) for seed in seeds]


def _stream(
    rng: np.random.Generator, source: str, state: Literal["human", "healthy", "retrained"], said: list[str], unit: int
) -> Stream:
    shares = _novelty(rng, said, unit)
    tested = shares[BEFORE:]
    return Stream(source, state, shares[FILLED:BEFORE], tested, rng.random(len(tested)))


def _novelty(rng: np.random.Generator, said: list[str], unit: int) -> NDArray[np.float64]:
    """Return (documents, 3) shares of a stream whose documents fall into partitions at random."""
    texts = flat(said, unit)
    rows = texts.hashes.reshape(-1, unit)
    part = rng.integers(0, PARTITIONS, len(rows))
    shares = np.empty((len(rows), 3))
    for number in range(PARTITIONS):
        mine = rows[part == number]
        ends = np.arange(len(mine) + 1) * unit
        shares[part == number] = Novelty(MEMORY // PARTITIONS).score(texts._replace(hashes=mine.ravel(), starts=ends))
    return shares


def _alarms(found: list[float]) -> float:
    return float(np.isfinite(found).sum())
