"""What ingest finds of faults planted in human data, and what it takes good human data for."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple, get_args

import human_texts
from golden import Human, Kind
from planted_marks import MARKED

from services.ingest import hygiene
from services.ingest.errors import UnfitError
from services.ingest.near import Near
from services.recipe import Hygiene
from streams.samples import Sample, Turn, content_hash

_PLANTED = ("personal data", "secret", "damaged characters", "near copy")
_ALL = get_args(Hygiene)


class Held(NamedTuple):
    """What became of samples that say that they are human: each is counted once, and the rest is taken in."""

    what: str
    samples: int
    aside: int
    marked: int
    near: int


def held(parts: Human, planted: Sequence[Kind], count: int, seed: int) -> list[Held]:
    """Return what becomes of planted faults, `count` of each kind, and of human documents and dialogue, none twice."""
    rng = random.Random(seed)
    kinds = {kind.name: [_human(one) for one in kind.samples] for kind in planted if kind.name in _PLANTED}
    kinds["a model's marks"] = [_marked(rng.choice(parts.others), rng) for _ in range(count)]
    kinds["another label"] = [_human(replace(one, label=f"label {n}")) for n, one in enumerate(parts.seeds)]
    good = {
        "human documents": human_texts.documents(),
        "human dialogue": human_texts.dialogues()[::2],
        "glosses": human_texts.glosses(),
    }
    known = Near(0.8)
    known.add(list(parts.seeds))
    found = [_held(what, samples, lambda one: bool(known.take([one])[0])) for what, samples in kinds.items()]
    return found + [_held(what, samples, _alone(samples)) for what, samples in good.items()]


def _held(what: str, samples: Sequence[Sample], repeats: Callable[[Sample], bool]) -> Held:
    fates = Counter(_fate(one, repeats) for one in samples)
    return Held(what, len(samples), fates["aside"], fates["marked"], fates["near"])


def _fate(sample: Sample, repeats: Callable[[Sample], bool]) -> str:
    try:
        hygiene.check(sample, _ALL)
    except UnfitError:
        return "aside"
    if hygiene.mark(sample, _ALL) is not None:
        return "marked"
    return "near" if repeats(sample) else "taken"


def _alone(samples: Sequence[Sample]) -> Callable[[Sample], bool]:
    """Tell of samples of one corpus, exact copies left out, which ones repeat an earlier one."""
    distinct = list({one.content_hash: one for one in samples}.values())
    matches = Near(0.8).take(distinct)
    near = {one.content_hash for one, match in zip(distinct, matches, strict=True) if match is not None}
    return lambda one: one.content_hash in near


def _marked(sample: Sample, rng: random.Random) -> Sample:
    kind = rng.choice(sorted(MARKED))
    text, own = rng.choice(MARKED[kind]), sample.turns[-1].text
    said = (
        text
        if kind == "vocabulary"
        else f"{text}\n\n{own}"
        if kind == "opening"
        else rng.choice([f"{own}\n\n{text}", f"{text}\n\n{own}"])
    )
    return _human(replace(sample, turns=(Turn(role="document", text=said),)))


def _human(sample: Sample) -> Sample:
    content = content_hash(sample.task, sample.turns, sample.label, sample.answer, sample.tests)
    return replace(sample, content_hash=content, sample_id=content)
