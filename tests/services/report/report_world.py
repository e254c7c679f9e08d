"""An invented pipeline on the memory broker: batches, policies, and measures of a source that collapses and is held."""

import math
import random
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from stats_texts import plays

from streams.broker import Outgoing
from streams.codec import Codec
from streams.events import CollapseMeasured, MixPolicySet, SampleIngested, SampleMixed, SampleVerified, event_id
from streams.memory import MemoryBroker
from streams.parts import SourceRange, Statistic
from streams.samples import Lineage, Sample, Source, Turn, digest
from streams.topics import ensure, name

CODEC = Codec()
NAME = "p"
START = 1_795_000_000_000
SECOND = 1_000
WINDOWS = 24
FALL = 14  # window from which the source `bi` collapses
_HUMAN = {
    "hapax": 0.62, "good_turing": 0.21, "novel_1": 0.071, "novel_2": 0.48, "novel_3": 0.86, "jsd": 0.19,
    "mmd2": 0.0002, "recall": 0.93, "coverage": 0.968, "near_duplicates": 0.002, "surprisal": 10.3, "vendi": 31.0,
}  # fmt: skip
_FALLEN = {
    "hapax": 0.7, "good_turing": 0.5, "novel_1": 0.4, "novel_2": 0.6, "novel_3": 0.7, "jsd": 1.06,
    "mmd2": 30, "recall": 0.66, "coverage": 0.93, "near_duplicates": 14, "surprisal": 0.7, "vendi": 0.6,
}  # fmt: skip


@cache
def documents() -> tuple[str, ...]:
    """Return some ten thousand human documents of 80 words in a fixed random order."""
    found = list(plays())
    random.Random(1).shuffle(found)
    return tuple(found)


class World:
    """A pipeline's topics, as a test writes them."""

    def __init__(self) -> None:
        self.broker = MemoryBroker()
        ensure(self.broker, NAME)
        self._producer = self.broker.producer()

    def write(self, word: str, *events: Any, partition: int = 0) -> None:
        self._producer.send([Outgoing(name(NAME, word), b"", CODEC.encode(event), partition) for event in events])
        self._producer.flush()


def measured(group: str, window: int, at: int, values: dict[str, float], **more: Any) -> CollapseMeasured:
    statistics = more.pop("statistics", tuple(statistic(called, value) for called, value in values.items()))
    return CollapseMeasured(
        event_id=event_id(CollapseMeasured, group, window), occurred_at=at, group=group, window=window, documents=200,
        last_offset=window, statistics=statistics, **more,
    )  # fmt: skip


def statistic(called: str, value: float, evidence: float | None = None) -> Statistic:
    median = _HUMAN.get(called)
    half = None if median is None else max(abs(median) * 0.06, 0.0004)
    return Statistic(name=called, value=value, null_median=median, null_halfwidth=half, evidence=evidence)


def policy(version: int, at: int, alpha: float, **more: Any) -> MixPolicySet:
    told: dict[str, Any] = {"set_by": "monitor", "reason": "renewed", "expires_at": at + 60 * SECOND, **more}
    return MixPolicySet(event_id=event_id(MixPolicySet, version), occurred_at=at, version=version, alpha=alpha, **told)


def batch(index: int, at: int, size: int, synthetic: int, *, cap: float, version: int = 0) -> list[SampleMixed]:
    return [
        SampleMixed(
            event_id=event_id(SampleMixed, index, position), occurred_at=at, batch_index=index, position=position,
            batch_size=size, epoch=0, cut=(1,), next_real=1, alpha=cap, recipe_cap=0.3, policy_version=version,
            synthetic=position < synthetic, synthetic_total=0, source_topic="seed", source_partition=0,
            source_offset=0, sample=sample(f"{index}/{position}", "mixed"),
        )
        for position in range(size)
    ]  # fmt: skip


def sample(key: object, text: str, domain: str = "", model: str | None = None) -> Sample:
    source = model and Source(
        name=model, provider="local", model_id=model, family=model, model_generation=0, prompt_hash="",
        request_key="", call_index=0,
    )  # fmt: skip
    return Sample(
        sample_id=digest(str(key)), content_hash=digest(text), task="text",
        turns=(Turn(role="document", text=text),), tags={"domain": domain},
        lineage=Lineage(origin="SYNTHETIC" if model else "HUMAN", generation=int(bool(model)), source=source or None),
    )  # fmt: skip


def human(samples: Sequence[Sample], part: Any) -> list[SampleIngested]:
    return [
        SampleIngested(event_id=each.sample_id, occurred_at=START, pool="reference", part=part, sample=each)
        for each in samples
    ]


def accepted(samples: Sequence[Sample]) -> list[SampleVerified]:
    return [SampleVerified(event_id=each.sample_id, occurred_at=START + n, sample=each)
            for n, each in enumerate(samples)]  # fmt: skip


def story() -> World:
    """Write a whole story of two minutes: healthy, an alarm on `bi`, the floor, and steps back up."""
    world, rng = World(), random.Random(3)
    world.write("measure", *_measures(rng))
    policies = list(_policies())
    world.write("policy", *policies)
    for number in range(120):
        at = START + 2_000 + number * SECOND
        now = [each for each in policies if each.occurred_at <= at][-1]
        most = math.floor(min(now.alpha, 0.3) * 64)
        made = batch(number, at, 64, max(0, most - rng.choice((0, 0, 0, 1, 2))), cap=now.alpha, version=now.version)
        world.write("mix", *made, partition=number % 4)
    return world


def alarmed_at() -> int:
    return START + (FALL + 2) * 4 * SECOND


def _policies() -> Iterator[MixPolicySet]:
    """Yield decisions, each renewed every five seconds until the next."""
    alarm, held = alarmed_at() - START, (SourceRange(source="bi", partition=1, from_offset=2_050, to_offset=2_600),)
    inputs = {"excess": 1.83, "integrator": 0.21, "evidence": 14.2}
    steps = [(0, 0.3, "no source is over its limits, so the recipe's cap holds", {"excess": 0.41})]
    steps += [(alarm + 200, 0.05, "bi changed: novel_1 fell from offset 2,050 of partition 1 on", inputs)]
    steps += [
        (
            alarm + 6_000 + n * 9_000,
            0.05 * (n + 2),
            f"the mixture stayed within its null, step {n + 1} back",
            {"excess": 0.6},
        )
        for n in range(5)
    ]
    version = 0
    for (begin, alpha, reason, told), (end, *_) in zip(steps, [*steps[1:], (122_000,)], strict=True):
        for at in range(begin, end, 5_000):
            yield policy(
                version, START + at, alpha, reason=reason, inputs=told, held=held if begin else (),
                weights={"tri": 1.0, "back": 1.0, "bi": 0.0 if begin else 1.0},
            )  # fmt: skip
            version += 1


def _measures(rng: random.Random) -> Iterator[CollapseMeasured]:
    groups = ["seed/text/human", "mix/text/all"]
    groups += [f"{word}/text/{source}" for source in ("tri", "back", "bi") for word in ("generate", "verify")]
    for group in groups:
        for window in range(WINDOWS):
            fallen = max(0.0, min(1.0, (window - FALL) / 6)) if group.endswith("/bi") else 0.0
            level = {"human": 0.0, "all": 0.1, "tri": 0.35, "back": 0.25, "bi": 0.45}[group.split("/")[2]]
            values = tuple(_invented(rng, called, level, fallen, window) for called in _HUMAN)
            growth = _growth(level, fallen, window)
            alarm = window == FALL + 2 and group == "generate/text/bi"
            yield measured(
                group, window, START + window * 4 * SECOND, {}, statistics=(*values, *growth),
                alarm="novel_1" if alarm else None, alarm_kind="change" if alarm else "none",
            )  # fmt: skip


def _invented(rng: random.Random, called: str, level: float, fallen: float, window: int) -> Statistic:
    mean, factor = _HUMAN[called], _FALLEN[called]
    away = mean * (1 + (factor - 1) * (0.12 * level + 0.9 * fallen))
    value = away + rng.gauss(0, 0.015) * abs(mean)
    return statistic(called, value, 14.2 * fallen if called == "novel_1" else None)


def _growth(level: float, fallen: float, window: int) -> tuple[Statistic, Statistic]:
    words = 200 * 64 * (window + 1.0)
    slowed = words if not fallen else 200 * 64 * (FALL + 1) + (words - 200 * 64 * (FALL + 1)) * 0.25
    types = 14 * (1 - 0.15 * level) * slowed**0.56
    return Statistic(name="heaps_words", value=words), Statistic(name="heaps_types", value=types)
