"""What an ingest has done, in numbers, with the first of what is not as its file says in words."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from services.ingest.intake import Decided

SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Rows read and what became of them: every one is counted in exactly one of the other numbers.

    `marked` ones say that they are human and bear a model's marks, so they became candidates; `near` ones nearly
    repeat one that is taken in, so they were left out.
    """

    read: int
    seed: int
    reference: int
    holdout: int
    candidates: int
    marked: int
    duplicates: int
    near: int
    known: int
    bad: int
    first_marked: tuple[str, ...]
    first_near: tuple[str, ...]
    first_bad: tuple[str, ...]


class Tally:
    """Counts committed work."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._first: dict[str, list[str]] = {}

    def add(self, decided: Sequence[Decided]) -> None:
        """Count what became of rows."""
        for one in decided:
            self._counts[one.fate] += 1
            if one.told is not None and len(first := self._first.setdefault(one.fate, [])) < SHOWN:
                first.append(one.told)

    def summary(self) -> Summary:
        """Return the numbers so far."""
        count = self._counts
        return Summary(
            read=count.total(),
            seed=count["seed"],
            reference=count["reference"],
            holdout=count["holdout"],
            candidates=count["generate"],
            marked=count["marked"],
            duplicates=count["duplicate"],
            near=count["near"],
            known=count["known"],
            bad=count["bad"],
            first_marked=tuple(self._first.get("marked", ())),
            first_near=tuple(self._first.get("near", ())),
            first_bad=tuple(self._first.get("bad", ())),
        )
