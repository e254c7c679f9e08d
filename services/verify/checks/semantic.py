"""The check `semantic`: flags a text that says what a seed or an accepted text says, in whatever words.

What shares the words too is `duplicate`'s; `distance` sees words alone, and the seeds alone.
"""

from collections.abc import Sequence

from services import meaning
from services.verify.check import Batch
from services.verify.conformal import shortage
from services.verify.meanings import Meanings, Near
from streams.samples import Verdict

_PASS = Verdict(check="semantic", outcome="pass")


class Semantic:
    """Flags by cosine of sentence vectors to the nearest known text: above what `false_flag` of human ones exceed.

    The limit rises with what is known, for then human documents too lie nearer to something.
    """

    name = "semantic"

    def __init__(self, meanings: Meanings, false_flag: float) -> None:
        self._meanings, self._false_flag = meanings, false_flag

    def over(self, batch: Batch) -> Sequence[Verdict]:
        """Judge each sample by what is known and by those before it. Takes some 35 ms for each."""
        found, limit = self._meanings.compared(batch.samples, self._false_flag)
        return [_PASS if near is None or near.similarity <= limit else _flag(near, limit) for near in found]


def require() -> None:
    """Raise UnavailableError if the extra `embeddings` is missing. Imports nothing of it."""
    meaning.require("verify.checks names semantic", "leave it out there")


def too_few(documents: int, false_flag: float) -> str | None:
    """Return what is wrong with so many documents in the reference's part `checks`; None if they are enough."""
    return shortage(documents, false_flag, Semantic.name, "verify.semantic_false_flag")


def _flag(near: Near, limit: float) -> Verdict:
    return Verdict(
        check="semantic",
        outcome="flag",
        score=near.similarity,
        evidence={
            "sample_id": near.sample_id,
            "text": near.text,
            "similarity": f"{near.similarity:.3f}",
            "limit": f"{limit:.3f}",
        },
        explanation=f"The text means nearly what sample {near.sample_id} means: their similarity is "
        f"{near.similarity:.3f}, and that of human documents that pass to any known text at most {limit:.3f}.",
    )
