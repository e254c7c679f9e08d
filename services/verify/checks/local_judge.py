"""The check `local_judge`: flags a text that looks like a planted fault, as a model of human text alone sees it.

It needs no network and no key; it takes a third of a millisecond a text or more, so a recipe has to ask for it.
"""

from collections.abc import Sequence

from services.verify.check import Batch
from services.verify.local_judge import LocalJudge
from streams.samples import Verdict


class Suspicious:
    """Flags at most about 1 in 100 human texts."""

    name = "local_judge"

    def __init__(self, judge: LocalJudge) -> None:
        self._judge = judge

    def over(self, batch: Batch) -> Sequence[Verdict]:
        """Judge each sample alone."""
        return self._judge.over(batch.samples)
