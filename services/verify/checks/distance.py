"""The check `distance`: flags a text that lies as far from the nearest seed as hardly any human document does.

What is too far is off the domain, what is too near says one human text again in other words.
"""

from collections.abc import Sequence

from services.verify.check import Batch
from services.verify.consistency import DISTANCE, Consistency, Outlier
from streams.samples import Verdict

_PASS = Verdict(check="distance", outcome="pass")


class Distance:
    """Flags by 1 - cosine to the nearest seed in latent space: too much or too little."""

    name = "distance"

    def __init__(self, consistency: Consistency) -> None:
        self._consistency = consistency

    def over(self, batch: Batch) -> Sequence[Verdict]:
        """Judge all samples by what the checks of `consistency` share."""
        verdicts = [_PASS] * len(batch.samples)
        for outlier in self._consistency.outliers(batch, DISTANCE):
            verdicts[outlier.place] = _flag(outlier, self._consistency.nearest(batch, outlier.place).sample_id)
        return verdicts


def _flag(outlier: Outlier, nearest: str) -> Verdict:
    least, most = outlier.allowed
    return Verdict(
        check="distance",
        outcome="flag",
        score=outlier.value,
        evidence={"sample_id": nearest, **outlier.evidence},
        explanation=f"The text is {outlier.value:.3f} away from the nearest human text, sample {nearest}; human "
        f"documents that pass are {least:.3f} to {most:.3f} away.",
    )
