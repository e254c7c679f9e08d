"""What an ingest has done, in numbers, with the first bad lines in words."""

from collections import Counter
from dataclasses import dataclass

from services.ingest.rows import BadLine

SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Rows read and what became of them: every one is counted in exactly one of the other numbers."""

    read: int
    seed: int
    reference: int
    holdout: int
    candidates: int
    duplicates: int
    known: int
    bad: int
    first_bad: tuple[str, ...]


class Tally:
    """Counts committed work."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._first_bad: list[str] = []

    def add(self, fates: Counter[str], bad: list[BadLine]) -> None:
        """Count the fates of rows; `bad` are those of them that were no samples."""
        self._counts.update(fates)
        for line in bad[: SHOWN - len(self._first_bad)]:
            self._first_bad.append(f"{line.file}, line {line.line}: {line.reason}")

    def summary(self) -> Summary:
        """Return the numbers so far."""
        count = self._counts
        return Summary(
            read=count.total(),
            seed=count["seed"],
            reference=count["reference"],
            holdout=count["holdout"],
            candidates=count["generate"],
            duplicates=count["duplicate"],
            known=count["known"],
            bad=count["bad"],
            first_bad=tuple(self._first_bad),
        )
