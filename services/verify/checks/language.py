"""The check `language`: fails a text in a language that the human seeds don't have.

A text in which the seeds' most frequent words are frequent is in a language of theirs, so most never meet the
classifier, which takes a hundred times as long as that.
"""

from collections.abc import Sequence

from services.faults.fault import Fault, verdicts
from services.verify.check import Batch
from services.verify.languages import FEWEST, language_of
from services.verify.seeds import Seeds
from streams.samples import Verdict

_FAMILIAR = 0.3  # of the distinct words; of 1,000 documents of the plays 999 have more, of foreign texts none has


class Language:
    """`allowed` are ISO 639-1 codes, None for the seeds' own; without seeds all are allowed then."""

    name = "language"

    def __init__(self, seeds: Seeds, allowed: Sequence[str] | None) -> None:
        self._seeds, self._allowed = seeds, frozenset(allowed) if allowed is not None else None

    def over(self, batch: Batch) -> Sequence[Verdict]:
        """Ask the classifier about the texts that look foreign."""
        common = self._seeds.common
        foreign = [_looks_foreign(each, common) for each in batch.words]
        allowed = (self._allowed or self._seeds.languages) if any(foreign) else frozenset()
        faults = (_fault(text, allowed) if asked else None for text, asked in zip(batch.texts, foreign, strict=True))
        return verdicts(self.name, faults)


def _looks_foreign(said: Sequence[str], common: frozenset[str]) -> bool:
    if len(said) < FEWEST:
        return False
    familiar = len(common.intersection(said))
    # The words that come twice are left out only where that could tell.
    return familiar < _FAMILIAR * len(said) and familiar < _FAMILIAR * len(set(said))


def _fault(text: str, allowed: frozenset[str]) -> Fault | None:
    language = language_of(text) if allowed else None
    if language is None or language in allowed:
        return None
    wanted = ", ".join(sorted(allowed))
    return Fault({"language": language}, f"The text is in the language {language}; allowed are {wanted}.")
