"""What a deterministic check finds, and the verdicts that follow."""

from collections.abc import Iterable
from typing import NamedTuple

from streams.samples import Verdict


class Fault(NamedTuple):
    """What is wrong: evidence, and one sentence."""

    evidence: dict[str, str]
    explanation: str


def verdicts(check: str, faults: Iterable[Fault | None]) -> list[Verdict]:
    """Fail where there is a fault; all that pass share one verdict."""
    passed = Verdict(check=check, outcome="pass")
    return [
        passed
        if fault is None
        else Verdict(check=check, outcome="fail", evidence=fault.evidence, explanation=fault.explanation)
        for fault in faults
    ]
