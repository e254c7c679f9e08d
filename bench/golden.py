"""The golden set: human samples with planted faults, at least 100 of each kind, and what must not be rejected.

Faults are planted by functions that know nothing of the checks: those of `tests/services/verify/planted_*.py`, which
imitate what models really do, and the few below that need a seed, a holdout or a computed answer.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import cycle, islice
from typing import NamedTuple

import human_texts
import planted_code
import planted_consistency
import planted_cuts
import planted_damage
import planted_foreign
import planted_labels
import planted_leaks
import planted_loops
import planted_private
import planted_refusals
from code_world import problems
from planting import with_turns

from streams.samples import Sample, Turn, content_hash, digest

SPEECHES = 5_000  # of the plays are the seeds of a recipe for chats; the others must pass
_MOODS = 2_000
Plant = Callable[[Sample, random.Random], Sample]
_NAMES = ("Ada", "Bo", "Cleo", "Dan", "Eve", "Finn", "Gus", "Hal", "Ida", "Jo")
_THINGS = ("apples", "clips", "pages", "tickets", "stamps", "eggs", "coins", "marbles")


class Kind(NamedTuple):
    """One kind of fault; `is_certain` where a deterministic check or an oracle has to reject it, else a flag does."""

    name: str
    is_certain: bool
    samples: Sequence[Sample]


class Human(NamedTuple):
    """Human text, none of which serves two ends."""

    seeds: Sequence[Sample]
    holdout: Sequence[Sample]
    fit: Sequence[Sample]
    checks: Sequence[Sample]
    others: Sequence[Sample]


def human() -> Human:
    """Return the plays, labelled by their kind, shuffled and divided; the last part, some 4,000, is what must pass."""
    every = list(human_texts.labelled())
    random.Random(11).shuffle(every)
    return Human(every[:3_000], every[3_000:4_000], every[4_000:4_800], every[4_800:6_000], every[6_000:])


def dialogues() -> list[Sample]:
    """Return the speeches of all plays but Henry V, whose French scenes are rightly rejected."""
    return human_texts.dialogues("henry-v")


def moods() -> list[Sample]:
    """Return speeches that no seed has, labelled by how they end."""
    return [planted_labels.mood(one) for one in dialogues()[SPEECHES:]]


def labels_of(samples: Sequence[Sample]) -> tuple[str, ...]:
    """Return the labels of samples."""
    return tuple(sorted({one.label for one in samples if one.label is not None}))


def kinds(parts: Human, count: int, seed: int) -> list[Kind]:
    """Return `count` samples of each kind of fault."""
    rng = random.Random(seed)
    source = list(parts.others)
    rng.shuffle(source)
    programs = [replace(one, task="code") for one in problems()]

    def made(plant: Plant, of: Sequence[Sample] = source) -> list[Sample]:
        return [_candidate(plant(one, rng), number) for number, one in enumerate(islice(cycle(of), count))]

    certain: dict[str, Sequence[Sample]] = {
        "wrong maths": [_candidate(_sum(rng, is_right=False), n) for n in range(count)],
        "failing code": made(planted_code.failing, programs),
        "unfinished code": made(planted_code.unfinished, programs),
        "code that leaves before its tests": made(planted_code.leaving, programs),
        "unsafe code": made(planted_code.unsafe, programs),
        "exact copy": made(lambda one, _: one, parts.seeds),
        "near copy": made(_near_copy, parts.seeds),
        "leaked holdout": made(lambda one, rng: _leak(one, rng, parts.holdout)),
        "prompt leak": made(
            _one_of(planted_leaks.control, planted_leaks.instruction, planted_leaks.placeholder, planted_leaks.envelope)
        ),
        "refusal": made(_one_of(planted_refusals.refusal, planted_refusals.excuse, planted_refusals.late_refusal)),
        "boilerplate": made(_one_of(planted_refusals.opening, planted_refusals.closing)),
        "loop": made(_one_of(planted_loops.loop, planted_loops.counted, planted_loops.marks)),
        "duplicated turn": made(planted_loops.repeated_turn),
        "foreign language": made(_one_of(planted_foreign.foreign, planted_foreign.switching)),
        "personal data": made(
            _one_of(
                planted_private.email,
                planted_private.phone,
                planted_private.card,
                planted_private.iban,
                planted_private.national_id,
                planted_private.address,
            )
        ),
        "secret": made(_one_of(planted_private.secret, planted_private.password)),
        "truncated": made(
            _one_of(planted_cuts.cut_prose, planted_cuts.cut_code, planted_cuts.cut_list, planted_cuts.cut_phrase)
        ),
        "damaged characters": made(
            _one_of(planted_damage.mojibake, planted_damage.replaced, planted_damage.surrogate, planted_damage.flood)
        ),
        "missing fields": made(planted_damage.incomplete),
        "schema violation": [_candidate(_json(rng, is_right=False), n) for n in range(count)],
        "label against the rules": made(_one_of(planted_labels.wordy, planted_labels.contradicting), moods()),
        "too many generations": made(lambda one, _: replace(one, lineage=replace(one.lineage, generation=3))),
    }
    doubtful: dict[str, Sequence[Sample]] = {
        "gibberish": made(planted_consistency.gibberish),
        "odd length": made(_one_of(planted_consistency.rambling, planted_consistency.curt)),
        "off domain": made(planted_consistency.off_domain),
        "made-up label": made(planted_consistency.mislabelled),
        "another label": made(planted_labels.swapped(labels_of(source))),
    }
    return [Kind(name, True, some) for name, some in certain.items()] + [
        Kind(name, False, some) for name, some in doubtful.items()
    ]


def good(parts: Human, count: int, seed: int) -> dict[str, Sequence[Sample]]:
    """Return what must not be rejected: human documents, dialogue, right sums, right programs and right JSON."""
    rng = random.Random(seed)
    return {
        "human documents": [_candidate(one, n) for n, one in enumerate(parts.others)],
        "human dialogue": [_candidate(one, n) for n, one in enumerate(dialogues()[SPEECHES:])],
        "labels by the rules": [_candidate(one, n) for n, one in enumerate(moods()[:_MOODS])],
        "right maths": [_candidate(_sum(rng, is_right=True), n) for n in range(count)],
        "right code": [_candidate(replace(one, task="code"), n) for n, one in enumerate(problems())],
        "right JSON": [_candidate(_json(rng, is_right=True), n) for n in range(count)],
    }


def _candidate(sample: Sample, number: int) -> Sample:
    """Return the sample as a candidate with an id of its own; `generation` stays where a fault has set it."""
    lineage = replace(sample.lineage, origin="SYNTHETIC", generation=max(1, sample.lineage.generation))
    return replace(sample, sample_id=digest("candidate", sample.sample_id, number), lineage=lineage)


def _one_of(*plants: Plant) -> Plant:
    turn = cycle(plants)
    return lambda sample, rng: next(turn)(sample, rng)  # noqa: PLW0108 - another one each time


def _near_copy(sample: Sample, rng: random.Random) -> Sample:
    """Change two of the words: a Jaccard similarity of some .87 at 80 words."""
    words = sample.turns[-1].text.split()
    for place in rng.sample(range(len(words)), 2):
        words[place] = rng.choice(("indeed", "perchance", "then", "truly"))
    return with_turns(sample, ("document", " ".join(words)))


def _leak(sample: Sample, rng: random.Random, holdout: Sequence[Sample]) -> Sample:
    """Replace the middle of a text by 40 words of the holdout."""
    words, other = sample.turns[-1].text.split(), rng.choice(holdout).turns[-1].text.split()
    start = rng.randrange(max(1, len(other) - 40))
    return with_turns(sample, ("document", " ".join([*words[:20], *other[start : start + 40], *words[60:]])))


def _sum(rng: random.Random, *, is_right: bool) -> Sample:
    """Make a word problem with its answer, worked out in words; a wrong one slips in its last step."""
    who, what = rng.choice(_NAMES), rng.choice(_THINGS)
    a, b, c = rng.randint(3, 90), rng.randint(2, 12), rng.randint(2, 40)
    total = a + b * c
    said = total if is_right else total + rng.choice([-10, -2, -1, 1, 2, 10, b, -c])
    question = f"{who} has {a} {what} and gets {b} more on each of {c} days. How many {what} has {who} then?"
    end = rng.choice(("#### {}", "The answer is {}.", "So the total is \\boxed{{{}}}.", "That makes {} in all."))
    answer = f"On {c} days {who} gets {b} * {c} = {b * c} {what}. With the first {a} that is {a} + {b * c}.\n"
    turns = (Turn(role="user", text=question), Turn(role="assistant", text=answer + end.format(said)))
    return _sample("math", turns, rng, answer=str(total))


def _json(rng: random.Random, *, is_right: bool) -> Sample:
    """Make a record as JSON, or spoil one as models do."""
    name, age = rng.choice(_NAMES), rng.randint(1, 99)
    good_one = f'{{"name": "{name}", "age": {age}, "likes": ["{rng.choice(_THINGS)}", "{rng.choice(_THINGS)}"]}}'
    bad = (
        f'{{"name": "{name}", "age": "{age}", "likes": []}}',
        f'{{"name": "{name}", "likes": ["{rng.choice(_THINGS)}"]}}',
        f"{{'name': '{name}', 'age': {age}, 'likes': []}}",
        f'Here is the record:\n{{"name": "{name}", "age": {age}, "likes": []}}',
        f'{{"name": "{name}", "age": {age}, "likes": ["{rng.choice(_THINGS)}"',
        f'{{"name": "{name}", "age": {age + 200}, "likes": []}}',
        f'{{"name": "{name}", "age": {age}, "likes": [],}}',
        f'{{"name": "{name}", "age": {age}, "likes": [], "mood": "fine"}}',
    )
    text = good_one if is_right else rng.choice(bad)
    return _sample("record", (Turn(role="user", text="Describe a person."), Turn(role="assistant", text=text)), rng)


def _sample(task: str, turns: tuple[Turn, ...], rng: random.Random, answer: str | None = None) -> Sample:
    hashed = content_hash(task, turns, None, answer)
    lineage = human_texts.documents()[0].lineage
    sample_id = digest(hashed, rng.getrandbits(60))
    return Sample(sample_id=sample_id, content_hash=hashed, task=task, turns=turns, answer=answer, lineage=lineage)


LABELS = {
    "allowed": ["question", "exclamation", "statement"],
    "rules": [
        {"label": "question", "pattern": r"""\?["'’”)\]\s]*$""", "field": "last"},
        {"label": "exclamation", "pattern": r"""!["'’”)\]\s]*$""", "field": "last"},
        {"label": "statement", "pattern": r"""[?!]["'’”)\]\s]*$""", "field": "last", "must": "not_match"},
    ],
}
SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "age": {"type": "integer", "minimum": 0, "maximum": 150},
        "likes": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["name", "age", "likes"],
    "additionalProperties": False,
}
