"""The check `contamination`: fails a text that shares too much with the holdout, which only measures."""

from collections.abc import Sequence

from services.verify.check import Batch
from services.verify.holdout import Holdout, Overlap
from streams.samples import Verdict
from streams.words import GRAM

_CLEAN = Verdict(check="contamination", outcome="pass", score=0.0)


class Contamination:
    """Fails above `most`: the share of a text's word 8-grams that are also in the holdout."""

    name = "contamination"

    def __init__(self, holdout: Holdout, most: float) -> None:
        self._holdout = holdout
        self._most = most

    def over(self, batch: Batch) -> Sequence[Verdict]:
        """Look all 8-grams up at once."""
        overlaps = self._holdout.overlaps(batch.hashes)
        return [self._verdict(*each) for each in zip(batch.words, overlaps, strict=True)]

    def _verdict(self, words: Sequence[str], overlap: Overlap | None) -> Verdict:
        if overlap is None:
            return _CLEAN
        if overlap.share <= self._most:
            return Verdict(check=self.name, outcome="pass", score=overlap.share)
        return Verdict(
            check=self.name,
            outcome="fail",
            score=overlap.share,
            evidence={
                "ngram": " ".join(words[overlap.place : overlap.place + GRAM]),
                "sample_id": overlap.sample_id,
            },
            explanation=f"{overlap.share:.0%} of the text's runs of {GRAM} words are in the holdout too, "
            f"the first of them in sample {overlap.sample_id}; {self._most:.0%} are allowed.",
        )
