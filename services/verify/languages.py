"""Which language a text is in, by py3langid."""

from functools import cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

FEWEST = 20  # words below which a language is a guess
SURE = 0.7  # of 1; nothing changes in the tests from .5 to .8


def language_of(text: str) -> str | None:
    """Return the ISO 639-1 code of the language, or None if it is not sure."""
    language, confidence = _identifier().classify(text)
    return language if confidence >= SURE else None


@cache
def _identifier() -> LanguageIdentifier:
    """Load the model, which takes some half a second: only who asks for a language pays for it."""
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
