"""How varied the sentences of a window are built, whatever they are about.

A model may vary its nouns and still repeat a few moulds. Tagging parts of speech is too slow for a stream; function
words and endings carry most of the mould.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from streams.stats.counts import Counts
from streams.stats.statistic import State

LENGTH = 64  # symbols
NONE = 255  # instead of the symbols of a text that has fewer
_RUN = 4  # symbols of a template
_FUNCTION = """a about above after again against all along although am among an and another any are as at be because
been before behind being below between beyond both but by can cannot could did do does down during each either enough
even ever every few for from had has have he her here hers him his how however i if in into is it its itself just less
many may me might mine more most much must my myself near neither never no none nor not now of off often on once only
or other our out over own quite rather same shall she should since so some still such than that the their them
themselves then there these they this those though through thus till to too toward under unless until up upon us very
was we were what when where whether which while who whom whose why will with within without would yet you your yours
d ll m re s t ve""".split()  # noqa: SIM905 - a list is read as text
_ENDINGS = ("tion", "ing", "ed", "ly", "s")
_STEM = 3  # letters before an ending, else it belongs to the word: thing, bed, fly
_CLASSES = (*(f"-{ending}" for ending in _ENDINGS), "-number", "-capitalised", "-other")  # no word has a hyphen
_IDS = {symbol: place for place, symbol in enumerate((".", *_FUNCTION, *_CLASSES))} | {"!": 0, "?": 0}
_SYMBOLS = 1 + len(_FUNCTION) + len(_CLASSES)  # below 255: a symbol is one byte of a template

_TOKEN = re.compile(r"[^\W_]+|[.!?]")
_KEPT = bytes(c if _TOKEN.fullmatch(chr(c)) and chr(c).isascii() else ord(" ") for c in range(256))
_BITS = np.uint32(8)  # of a symbol


Rows = NDArray[np.uint8]


class Syntax:
    """Templates of the sentences of a window, from exact counts. `update` takes the `symbols` of English texts.

    A symbol is one of some 150 function words, or what a word ends with (-tion, -ing, -ed, -ly, -s), a number, a
    capitalised word, any other word, or the mark that ends a sentence. The first 64 of a text count, and shorter texts
    are left out, so that windows of equally many texts compare. Values: `templates` (distinct runs of four symbols /
    runs; they span sentences but not texts) and `entropy` (of the single symbols, bits). After the syntactic templates
    of Shaib et al. 2024 (arXiv 2407.00211), with these symbols for parts of speech. Pitfalls: `templates` falls with
    the number of texts; verse capitalises each line; in other languages nearly all words are `other`.

    >>> syntax = Syntax()
    >>> syntax.update(symbols(["The dog barked at the cats. The man looked at the birds! " * 5]))
    >>> {name: round(value, 2) for name, value in syntax.get().items()}
    {'templates': 0.11, 'entropy': 2.51}
    """

    def __init__(self) -> None:
        self._symbols = np.zeros(_SYMBOLS, np.int64)
        self._templates = Counts()

    def update(self, batch: Rows) -> None:
        """Count the templates of (texts, 64) symbols."""
        rows = batch[batch[:, 0] != NONE]
        self._symbols += np.bincount(rows.ravel(), minlength=_SYMBOLS)
        self._templates.update(_templates(rows).astype(np.uint64))

    def merge(self, other: "Syntax") -> None:
        """Add what another has counted."""
        self._symbols += other._symbols  # noqa: SLF001 - its own kind
        self._templates.merge(other._templates)  # noqa: SLF001 - its own kind

    def get(self) -> Mapping[str, float]:
        """Return the values; NaN where nothing was counted."""
        counts, seen = self._templates.counts, self._symbols[self._symbols > 0]
        shares = seen / max(seen.sum(), 1)
        return {
            "templates": len(counts) / int(counts.sum()) if len(counts) else np.nan,
            "entropy": float(-(shares * np.log2(shares)).sum()) if len(seen) else np.nan,
        }

    def state(self) -> State:
        """Return the counts of the symbols and of the templates."""
        return {"symbols": self._symbols.copy(), **self._templates.state()}

    def restore(self, state: State) -> None:
        """Become what returned the state."""
        self._symbols = state["symbols"].copy()
        self._templates.restore(state)


def symbols(texts: Sequence[str]) -> Rows:
    """Return the first 64 symbols of each text, (texts, 64); a text that has fewer is a row of NONE."""
    found = [tokens[:LENGTH] for tokens in map(_tokens, texts)]
    long = np.array([len(tokens) == LENGTH for tokens in found], np.bool_)
    rows = np.full((len(found), LENGTH), NONE, np.uint8)
    filled = chain.from_iterable(tokens for tokens in found if len(tokens) == LENGTH)
    rows[long] = np.frombuffer(bytes(map(_symbol, filled)), np.uint8).reshape(-1, LENGTH)
    return rows


def _tokens(text: str) -> list[str]:
    """Return the words as they are written, and the marks that end sentences."""
    if not text.isascii():
        return _TOKEN.findall(text)
    plain = text.encode().translate(_KEPT)
    return plain.replace(b".", b" . ").replace(b"!", b" ! ").replace(b"?", b" ? ").decode().split()


@lru_cache(maxsize=32_768)
def _symbol(token: str) -> int:
    word = token.lower()
    known = _IDS.get(word)
    if known is not None:
        return known
    if token[0].isdigit():
        return _IDS["-number"]
    if token[0].isupper():
        return _IDS["-capitalised"]
    ending = next((end for end in _ENDINGS if word.endswith(end) and len(word) - len(end) >= _STEM), "other")
    return _IDS[f"-{ending}"]


def _templates(rows: Rows) -> NDArray[np.uint32]:
    """Return each run of four symbols inside a text as one number, a byte a symbol."""
    runs = np.zeros((len(rows), LENGTH - _RUN + 1), np.uint32)
    for step in range(_RUN):
        runs = runs << _BITS | rows[:, step : LENGTH - _RUN + 1 + step]
    return runs.ravel()
