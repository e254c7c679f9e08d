"""Who may have a sample: as many people at once as decisions are needed, and a lead where they do not agree."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

Role = Literal["reviewer", "lead", "viewer"]


class Person(NamedTuple):
    """Somebody who has come in."""

    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class Seats:
    """Who is busy with one sample: `given` in the log, `leaving` in the outbox, `ruling` leads among the latter."""

    needed: int
    given: frozenset[str] = frozenset()
    leaving: frozenset[str] = frozenset()
    ruling: frozenset[str] = frozenset()
    leased: frozenset[str] = frozenset()

    @property
    def disputed(self) -> bool:
        """Tell whether all decisions are there and none settled: then a lead sees them and decides."""
        return len(self.given) >= self.needed

    def refusal(self, who: Person) -> str:
        """Return why a person can't have the sample, or decide about it; empty if he can."""
        others = self.leased - {who.name}
        if who.role == "viewer":
            return "viewers decide nothing"
        if self.disputed:
            if who.role != "lead":
                return "it waits for a lead"
            return _had_by(self.ruling or others) if self.ruling or others else ""
        decided = self.given | self.leaving
        if who.name in decided:
            return "you have decided about it"
        return _had_by(decided | others) if len(decided | others) >= self.needed else ""


def _had_by(people: frozenset[str]) -> str:
    return f"{' and '.join(sorted(people))} {'has' if len(people) == 1 else 'have'} it"
