"""The check `length`: flags a text that has as many words as hardly any human document of its kind."""

from collections.abc import Sequence

from services.verify.check import Batch
from services.verify.consistency import LENGTH, Consistency, Outlier
from streams.samples import Verdict

_PASS = Verdict(check="length", outcome="pass")


class Length:
    """Flags by the number of words: too many or too few."""

    name = "length"

    def __init__(self, consistency: Consistency) -> None:
        self._consistency = consistency

    def over(self, batch: Batch) -> Sequence[Verdict]:
        """Judge all samples by what the checks of `consistency` share."""
        verdicts = [_PASS] * len(batch.samples)
        for outlier in self._consistency.outliers(batch, LENGTH):
            verdicts[outlier.place] = _flag(outlier)
        return verdicts


def _flag(outlier: Outlier) -> Verdict:
    least, most = outlier.allowed
    return Verdict(
        check="length",
        outcome="flag",
        score=outlier.value,
        evidence=outlier.evidence,
        explanation=f"The text has {outlier.value:.0f} words; human documents that pass have {least:.0f} to "
        f"{most:.0f}.",
    )
