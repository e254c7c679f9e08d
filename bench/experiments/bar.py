"""What an experiment has to reach: a measured number beside the one that theory gives."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Bar:
    """A measured number and how near to the expected one it has to be; `at most` and `at least` are for bounds."""

    name: str
    measured: float
    expected: float
    tolerance: float = 0.0
    kind: Literal["relative", "absolute", "at most", "at least"] = "relative"

    @property
    def reached(self) -> bool:
        """Whether the measured number is near enough."""
        if self.kind == "at most":
            return self.measured <= self.expected
        if self.kind == "at least":
            return self.measured >= self.expected
        scale = abs(self.expected) if self.kind == "relative" else 1.0
        return abs(self.measured - self.expected) <= self.tolerance * scale

    @property
    def allowed(self) -> str:
        """The tolerance as a reader wants it."""
        if self.kind in ("at most", "at least"):
            return self.kind
        return f"± {self.tolerance:.0%}" if self.kind == "relative" else f"± {self.tolerance:g}"
