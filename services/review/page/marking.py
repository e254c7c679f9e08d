"""What of a text is marked: the evidence of verdicts where it stands, and the words that an edit changes.

Texts are cut into pieces here and escaped by the template, so no text of a model ever becomes HTML.
"""

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from streams.samples import Verdict

_QUOTED = ("ngram", "match", "text", "line")  # evidence that quotes the text
_FEWEST = 3  # characters: shorter ones stand everywhere
_TOKEN = re.compile(r"\s+|[^\W_]+|.", re.DOTALL)

Mark = Literal["", "evidence", "added", "removed"]


class Piece(NamedTuple):
    """A part of a text, and why it is marked."""

    text: str
    mark: Mark


def quotes(verdicts: Iterable[Verdict]) -> list[str]:
    """Return what the verdicts that do not pass quote of a text."""
    found = (verdict.evidence.get(key, "") for verdict in verdicts if verdict.outcome != "pass" for key in _QUOTED)
    return [each for each in found if len(each) >= _FEWEST]


def marked(text: str, wanted: Sequence[str]) -> list[Piece]:
    """Cut a text where quotes stand in it; a quote of words fits whatever stands between them."""
    spans = sorted(span for quote in wanted for span in _spans(text, quote))
    pieces: list[Piece] = []
    end = 0
    for start, stop in spans:
        first = max(start, end)
        if stop > first:
            pieces += [Piece(text[end:first], ""), Piece(text[first:stop], "evidence")]
            end = stop
    return [piece for piece in (*pieces, Piece(text[end:], "")) if piece.text]


def changed(before: str, after: str) -> list[Piece]:
    """Return both texts in one, word by word, with what was removed and what was added."""
    one, other = _TOKEN.findall(before), _TOKEN.findall(after)
    pieces: list[Piece] = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if kind == "equal":
            pieces.append(Piece("".join(one[a:b]), ""))
        else:
            pieces += [Piece("".join(one[a:b]), "removed"), Piece("".join(other[c:d]), "added")]
    return [piece for piece in pieces if piece.text]


def _spans(text: str, quote: str) -> list[tuple[int, int]]:
    words = re.findall(r"\w+", quote)
    pattern = r"\W+".join(map(re.escape, words)) if words else re.escape(quote)
    return [found.span() for found in re.finditer(pattern, text, re.IGNORECASE)]
