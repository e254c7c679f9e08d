"""The conservation laws, judged on the books alone: nothing is lost, nothing is twice, and no batch exceeds its cap."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

from services.books.candidates import FATES, Candidates, Fact, Id
from services.books.tally import Tally

LOOKS = 4
_BETWEEN_LOOKS = 0.3


class Fault(NamedTuple):
    """One broken law; `law` is a short name, `what` says which sample or batch."""

    law: str
    what: str


def audit(tally: Tally, wait: Callable[[float], None] = time.sleep) -> list[Fault]:
    """Bring the books up to date and return every fault.

    The parts of a commit become visible one after the other within milliseconds, so what one look misses is no fault
    unless the next looks miss it too.
    """
    tally.advance()
    lasting = faults(tally)
    for _ in range(LOOKS - 1):
        if not lasting:
            break
        wait(_BETWEEN_LOOKS)
        tally.advance()
        again = set(faults(tally))
        lasting = [fault for fault in lasting if fault in again]
    return lasting


def faults(tally: Tally) -> list[Fault]:
    """Return every fault in the books as they are."""
    return [
        *_fates(tally.candidates),
        *_edits(tally.candidates),
        *_lost(tally),
        *_mixed(tally.candidates),
        *(Fault("batch", what) for what in sorted(tally.batches.faults)),
        *(Fault("batch", what) for what in tally.batches.unfinished_law()),
        *_caps(tally),
        *(Fault("unreadable", f"{count} records of {word}") for word, count in tally.unreadable.items() if _ours(word)),
    ]


def _fates(candidates: Candidates) -> Iterator[Fault]:
    for first, second in ((a, b) for i, a in enumerate(FATES) for b in FATES[i + 1 :]):
        if candidates.count(first | second):
            for sample in candidates.having(first | second):
                yield Fault("two fates", f"sample {sample.hex()} is {first.name} and {second.name}".lower())
    for place in sorted(candidates.doubled):
        yield Fault("doubled", f"sample {place} twice or more")
    for fact in (*FATES, Fact.ASKED):
        if candidates.count(fact, Fact.GENERATED | Fact.EDITED):
            for sample in candidates.having(fact, Fact.GENERATED | Fact.EDITED):
                yield Fault("stranger", f"sample {sample.hex()} is {fact.name} but was never generated".lower())


def _edits(candidates: Candidates) -> Iterator[Fault]:
    """Hold edits and the candidates that were rejected for them against each other: each has exactly one other."""
    mended: Counter[Id] = Counter()
    for sample, parents in candidates.edits().items():
        places = [parent for parent in parents if candidates.facts.get(parent, 0) & Fact.MENDED]
        mended.update(places)
        if not places:
            yield Fault("two fates", f"the edit {sample.hex()} is accepted, but no candidate is rejected for it")
    for sample, count in mended.items():
        if count > 1:
            yield Fault("two fates", f"sample {sample.hex()} is rejected for an edit, but {count} edits are accepted")
    if candidates.count(Fact.MENDED):
        for sample in candidates.having(Fact.MENDED):
            if not mended[sample]:
                yield Fault("lost", f"sample {sample.hex()} is rejected for an edit, but none is accepted")


def _lost(tally: Tally) -> Iterator[Fault]:
    for sample in tally.candidates.lost(tally.verified, tally.redone):
        place = tally.candidates.reopened.get(sample) or tally.candidates.open[sample]
        yield Fault(
            "lost", f"sample {sample.hex()} at {place.partition}/{place.offset} was read by verify, has no fate"
        )


def _mixed(candidates: Candidates) -> Iterator[Fault]:
    for fact in (Fact.MIXED, Fact.UNMIXABLE):
        if candidates.count(fact, Fact.ACCEPTED):
            ids: list[Id] = candidates.having(fact, Fact.ACCEPTED)
            for sample in ids:
                yield Fault("stranger", f"sample {sample.hex()} is {fact.name} but was never accepted".lower())
    if candidates.count(Fact.MIXED | Fact.UNMIXABLE):
        for sample in candidates.having(Fact.MIXED | Fact.UNMIXABLE):
            yield Fault("two fates", f"sample {sample.hex()} is mixed and a dead letter of mix")


def _caps(tally: Tally) -> Iterator[Fault]:
    """Compare the share that batches used with what their policy allowed: nothing without one."""
    for version, used in sorted(tally.batches.used.items()):
        policy = tally.policies.get(version)
        allowed = policy.alpha if policy else 0.0
        if used > allowed:
            yield Fault("cap", f"a batch under policy {version} used a share of {used:g} where {allowed:g} was allowed")


def _ours(word: str) -> bool:
    """Only our own exactly-once outputs must be readable; what came from outside may be broken and is a dead letter."""
    return word in {"mix", "reject", "policy"} or word.startswith("dead.")
