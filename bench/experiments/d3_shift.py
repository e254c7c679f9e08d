"""D3: a new human domain is a shift and never a collapse, also of the sources that are trained on it.

Setting: sketch's handler and the monitor's core as they are, in 4 partitions. The seeds are 5,000 documents of the
plays in random order, and three n-gram sources speak that were trained on them. Then the glosses of WordNet come into
the seeds, joined to documents of 80 words and in random order, and after every 500 of them the sources are trained anew
on all seeds, as the provider `local` does, and say 500 documents each. Every alarm has to be a `shift`: one of the
seeds, within 200 documents (100 hardly fill a cell in each partition), and of each source at least one. After that one
source goes on without new seeds, and then trains on its own last 2,000 documents: that has to be a `change`, within the
500 documents of D1.

The plays in their order are seeds alone. Here a domain changes at every play, so an alarm is no error, but it must be
a `shift`, and rare: seen is one, late in the eleven histories, which share their people, so that novelty has fallen.
"""

from collections.abc import Iterator, Sequence
from math import inf
from pathlib import Path

import numpy as np

from experiments.bar import Bar
from experiments.plays import columns, documents, generated, human
from experiments.replay import Replay
from services import artefact
from services.generate.ngram import NgramModel
from services.groups import ALL, parsed
from services.monitor.change import ADMISSION
from services.monitor.yardstick import Yardstick
from streams.events import CollapseMeasured
from streams.stats.novelty import MEMORY

GLOSSES = Path("/usr/share/wordnet")
FITTED, MEASURED, OLD, NEW, STEP = 1_000, 1_000, 5_000, 6_000, 500
SETTLED = MEMORY * 11 // 10 + ADMISSION + STEP  # until a source has a baseline and was tested for a while
WINDOW, WORDS, TOLD, FOUND, IN_ORDER = 200, 80, 200, 500, 2
SOURCES = {"order 3": (3, 0.0), "order 3, 30 % back-off": (3, 0.3), "order 2": (2, 0.0)}
VICTIM, LEARNT, RETRAINED = "order 2", 2_000, 1_500

Alarms = list[CollapseMeasured]


def run(seed: int) -> list[Bar]:
    """Let the new domain come, and then the plays in their order; raises FileNotFoundError without the glosses."""
    rng = np.random.default_rng(seed)
    plays = [documents()[place] for place in rng.permutation(len(documents()))]
    all_glosses = gloss_documents()
    glosses = [all_glosses[place] for place in rng.permutation(len(all_glosses))[:NEW]]
    pipeline = _Pipeline(rng, plays)
    bars = [*pipeline.shifts(plays[FITTED + MEASURED :][:OLD], glosses), pipeline.collapses()]
    in_order = _replay(plays).seeds([human(text) for text in documents()])
    alarms = [each.alarm_kind for each in in_order if each.alarm]
    return [
        *bars,
        Bar("plays in order: alarms", len(alarms), IN_ORDER, kind="at most"),
        Bar("plays in order: alarms that are no shift", len(alarms) - alarms.count("shift"), 0, kind="at most"),
    ]


def gloss_documents() -> list[str]:
    """Return the glosses joined in the order of the dictionary; raises FileNotFoundError where there are none."""
    said = [word for file in sorted(GLOSSES.glob("data.*")) for text in _glosses(file) for word in text.split()]
    if not said:
        raise FileNotFoundError(f"no glosses lie in {GLOSSES}; install the Debian package wordnet-base")
    return [" ".join(said[start : start + WORDS]) for start in range(0, len(said) - WORDS + 1, WORDS)]


def _glosses(file: Path) -> Iterator[str]:
    """Yield the gloss of each entry; the licence, before them, is indented."""
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.startswith(" "):
            yield line.partition(" | ")[2].strip()


class _Pipeline:
    """Seeds, and sources that learn from them, behind sketch and monitor."""

    def __init__(self, rng: np.random.Generator, plays: Sequence[str]) -> None:
        self._rng, self._replay = rng, _replay(plays)
        self._numbers = dict.fromkeys(SOURCES, 0)
        self._seeds: list[str] = []

    def shifts(self, old: Sequence[str], new: Sequence[str]) -> list[Bar]:
        """Let the old seeds come and then the new ones, and count alarms."""
        before = self._learn(old, SETTLED)
        told, followed, delay = [], [], inf
        for start in range(0, len(new), STEP):
            for end in range(start, start + STEP, 100):
                told += (alarms := self._take(new[end : end + 100]))
                delay = min(delay, end + 100 if alarms else inf)
            followed += self._learn([], STEP)
        kinds = [each.alarm_kind for each in (*told, *followed)]
        shifted = {parsed(each.group).source for each in followed} - {ALL}
        return [
            Bar("before the glosses: alarms", len(before), 0, kind="at most"),
            Bar("glosses: alarms of the seeds", len(told), 1, kind="absolute"),
            Bar("glosses: documents to the alarm of the seeds", delay, TOLD, kind="at most"),
            Bar(
                "glosses: sources that have shifted",
                len(shifted),
                3,
                kind="absolute",
            ),
            Bar("glosses: alarms that are no shift", len(kinds) - kinds.count("shift"), 0, kind="at most"),
        ]

    def collapses(self) -> Bar:
        """Let a source speak on, and then train on itself."""
        order, backoff = SOURCES[VICTIM]
        said: list[str] = []
        self._say(VICTIM, NgramModel(self._seeds, order=order, backoff=backoff), SETTLED, said)
        echo, delay = NgramModel(said[-LEARNT:], order=order, backoff=backoff), inf
        for end in range(100, RETRAINED + 1, 100):
            alarms = self._say(VICTIM, echo, 100, said)
            if any(each.alarm_kind == "change" for each in alarms):
                delay = min(delay, end)
        return Bar("afterwards, trained on itself: documents to the change", delay, FOUND, kind="at most")

    def _take(self, seeds: Sequence[str]) -> Alarms:
        self._seeds += seeds
        return _alarms(self._replay.seeds([human(text) for text in seeds]))

    def _learn(self, seeds: Sequence[str], count: int) -> Alarms:
        """Take seeds, train all sources on all of them, and let each say something."""
        found = self._take(seeds)
        for name, (order, backoff) in SOURCES.items():
            found += self._say(name, NgramModel(self._seeds, order=order, backoff=backoff), count, [])
        return found

    def _say(self, name: str, model: NgramModel, count: int, said: list[str]) -> Alarms:
        """Let a source say so much, and append it to what it said."""
        keys = self._rng.integers(0, 1 << 62, count).tolist()
        texts = [model.document(seed=key, temperature=1.0, words=WORDS) for key in keys]
        said += texts
        first = self._numbers[name]
        self._numbers[name] += count
        return _alarms(
            self._replay.candidates([generated(text, name, first + number) for number, text in enumerate(texts)])
        )


def _alarms(measured: Alarms) -> Alarms:
    return [each for each in measured if each.alarm]


def _replay(plays: Sequence[str]) -> Replay:
    fitted = artefact.build(1, [human(text) for text in plays[:FITTED]])
    yardstick = Yardstick(columns(fitted, plays[FITTED : FITTED + MEASURED]), WINDOW)
    return Replay(fitted, yardstick, window=WINDOW, sources=list(SOURCES))
