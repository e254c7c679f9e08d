"""The fate of every candidate and every human sample, as the keys of the topics tell it: 16 bytes an id.

Each id has a set of facts. How many ids have which set is counted as the facts come, so all places are known at once.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import IntEnum
from hashlib import blake2b
from typing import NamedTuple

from streams.parts import SourceRange, covered

_ID_BYTES = 16
Id = bytes


class Fact(IntEnum):
    """What a topic says of an id."""

    GENERATED = 1
    ACCEPTED = 2
    REJECTED = 4
    ASKED = 8  # a person was asked to decide
    DEAD = 16  # a dead letter that was not replayed
    MIXED = 32
    EDITED = 64  # a person's edit: accepted without having been generated
    UNMIXABLE = 128  # accepted, and a dead letter of mix
    MENDED = 256  # rejected because a person's edit of it is accepted


FATES = (Fact.ACCEPTED, Fact.REJECTED, Fact.DEAD)
FATE = Fact.ACCEPTED | Fact.REJECTED | Fact.DEAD


class Place(NamedTuple):
    """Where a record lies in its topic."""

    partition: int
    offset: int


class Waiting(NamedTuple):
    """An accepted sample that is not mixed yet, and the version of the policy under which its call was planned."""

    source: str
    place: Place
    planned: int


def id_of(key: bytes | None, place: Place) -> Id:
    """Return 16 bytes for a record: its key if that is an id of ours, else a hash of where it lies."""
    try:
        found = bytes.fromhex((key or b"").decode())
    except ValueError:
        found = b""
    return found if len(found) == _ID_BYTES else blake2b(b"%d:%d" % place, digest_size=_ID_BYTES).digest()


class Candidates:
    """All candidates with their facts; give downstream facts first, then what has no fate is where it seems to be."""

    def __init__(self) -> None:
        self.facts: dict[Id, int] = {}
        self.sets: Counter[int] = Counter()
        self.doubled: Counter[str] = Counter()  # a fact that was told twice: "id in topic" -> times
        self.open: dict[Id, Place] = {}  # no fate yet: the place in `generate`
        self.reopened: dict[Id, Place] = {}  # its dead letter was replayed: the place in `redo.verify`
        self.waiting: dict[Id, Waiting] = {}
        self.parents: dict[Id, tuple[Id, ...]] = {}  # of what a person has edited
        self.human: set[Id] = set()
        self._letters: dict[str, Id] = {}
        self._early_replays: dict[str, Place] = {}
        self._superseded: set[str] = set()  # letters whose replay became a letter of its own

    def ingested(self, word: str, sample: Id) -> None:
        """Note that a human sample has entered a pool."""
        if sample in self.human:
            self.doubled[f"{sample.hex()} in {word}"] += 1
        self.human.add(sample)

    def generated(self, sample: Id, place: Place) -> None:
        """Note that a candidate exists."""
        if not self._tell(sample, Fact.GENERATED, "generate") & (FATE | Fact.ASKED):
            self.open[sample] = place

    def accepted(self, sample: Id, waiting: Waiting, parents: tuple[Id, ...] = ()) -> None:
        """Note that a candidate is accepted; with `parents` it is a person's edit."""
        facts = self._fate(sample, Fact.ACCEPTED, "verify")
        if parents:
            self._tell(sample, Fact.EDITED, "verify")
            self.parents[sample] = parents
        if not facts & (Fact.MIXED | Fact.UNMIXABLE):
            self.waiting[sample] = waiting

    def rejected(self, sample: Id, *, mended: bool = False) -> None:
        """Note that a candidate is rejected; `mended`: a person's edit takes its place."""
        self._fate(sample, Fact.REJECTED, "reject")
        if mended:
            self._tell(sample, Fact.MENDED, "reject")

    def edits(self) -> dict[Id, tuple[Id, ...]]:
        """Return the parents of each accepted sample that was never a candidate."""
        return {sample: some for sample, some in self.parents.items() if not self.facts[sample] & Fact.GENERATED}

    def asked(self, sample: Id) -> None:
        """Note that a person is asked to decide."""
        self._fate(sample, Fact.ASKED, "review")

    def mixed(self, sample: Id) -> None:
        """Note that an accepted sample is in a batch."""
        self._tell(sample, Fact.MIXED, "mix")
        self.waiting.pop(sample, None)

    def unmixable(self, sample: Id) -> None:
        """Mix has set an accepted sample aside."""
        self._tell(sample, Fact.UNMIXABLE, "dead.mix")
        self.waiting.pop(sample, None)

    def dead(self, sample: Id, letter: str) -> None:
        """Note that a candidate became a dead letter; `letter` is its event_id."""
        self._letters[letter] = sample
        if (place := self._early_replays.pop(letter, None)) is not None:
            self.replayed(letter, place)
        else:
            self._fate(sample, Fact.DEAD, "dead")

    def dead_again(self, before: str, letter: str) -> None:
        """Note that the replay of the letter `before` became a dead letter too; the replay itself is read later."""
        sample = self._letters.get(before, id_of(before.encode(), Place(0, 0)))
        self._superseded.add(before)
        self._set(sample, self.facts.get(sample, 0) & ~Fact.DEAD)
        self.dead(sample, letter)

    def replayed(self, letter: str, place: Place) -> None:
        """Note that a dead letter lies in `redo.verify` again."""
        if letter in self._superseded:
            return
        if (sample := self._letters.get(letter)) is None:
            self._early_replays[letter] = place
            return
        facts = self.facts.get(sample, 0)
        self._set(sample, facts & ~Fact.DEAD)
        if not facts & (Fact.ACCEPTED | Fact.REJECTED | Fact.ASKED):
            self.reopened[sample] = place

    def count(self, has: int, without: int = 0) -> int:
        """Return how many ids have all facts of `has` and none of `without`."""
        return sum(count for facts, count in self.sets.items() if facts & has == has and not facts & without)

    def unmixed(self, held: Sequence[SourceRange]) -> int:
        """Return how many of the waiting samples lie in one of the ranges."""
        if not held:
            return 0
        return sum(covered(held, each.source, *each.place, each.planned) for each in self.waiting.values())

    def having(self, has: int, without: int = 0) -> list[Id]:
        """Return the ids that `count` counts. Looks at every id."""
        return [sample for sample, facts in self.facts.items() if facts & has == has and not facts & without]

    def lost(self, verified: Mapping[int, int], redone: Mapping[int, int]) -> list[Id]:
        """Return candidates without a fate that verify has passed: committed offsets of `generate`, `redo.verify`."""
        gone = [
            s for s, at in self.open.items() if s not in self.reopened and at.offset < verified.get(at.partition, 0)
        ]
        return gone + [s for s, at in self.reopened.items() if at.offset < redone.get(at.partition, 0)]

    def _fate(self, sample: Id, fact: Fact, word: str) -> int:
        self.open.pop(sample, None)
        self.reopened.pop(sample, None)
        return self._tell(sample, fact, word)

    def _tell(self, sample: Id, fact: Fact, word: str) -> int:
        facts = self.facts.get(sample, 0)
        if facts & fact:
            self.doubled[f"{sample.hex()} in {word}"] += 1
        self._set(sample, facts | fact)
        return facts | fact

    def _set(self, sample: Id, facts: int) -> None:
        if (before := self.facts.get(sample)) is not None:
            self.sets[before] -= 1
        self.facts[sample] = facts
        self.sets[facts] += 1
