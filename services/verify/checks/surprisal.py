"""The check `surprisal`: flags a text whose words follow each other as those of hardly any human document do.

Gibberish is too surprising, text that loops or comes of a model that has collapsed too little.
"""

from collections.abc import Sequence

from services.verify.check import Batch
from services.verify.consistency import SURPRISAL, Consistency, Outlier
from streams.samples import Verdict

_PASS = Verdict(check="surprisal", outcome="pass")


class Surprisal:
    """Flags by bits per word of the first words, under a model of human text: too many or too few."""

    name = "surprisal"

    def __init__(self, consistency: Consistency) -> None:
        self._consistency = consistency

    def over(self, batch: Batch) -> Sequence[Verdict]:
        """Judge all samples by what the checks of `consistency` share."""
        verdicts = [_PASS] * len(batch.samples)
        for outlier in self._consistency.outliers(batch, SURPRISAL):
            verdicts[outlier.place] = _flag(outlier)
        return verdicts


def _flag(outlier: Outlier) -> Verdict:
    least, most = outlier.allowed
    return Verdict(
        check="surprisal",
        outcome="flag",
        score=outlier.value,
        evidence=outlier.evidence,
        explanation=f"The text takes {outlier.value:.2f} bits a word under a model of human text; human documents that "
        f"pass take {least:.2f} to {most:.2f}.",
    )
