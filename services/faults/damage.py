"""Damage to a text's characters: what was read in another encoding, was lost, or lies under a heap of marks.

A language that writes "Ã" or "â" writes it between letters of its own; only what UTF-8 makes of one character counts.
"""

import re

_HIGH = "\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"  # bytes 80 to BF, as Latin-1 and Windows-1252 show them
_FAULTS = re.compile(
    rf"(?P<mojibake>(?<![A-ZÀ-Þ])[ÃÂ][{_HIGH}]|[ÃÂ][{_HIGH}][a-z]|â[€‚„†ˆ‰™œ\x80-\x9f][{_HIGH}]|â„¢|ï[»¿][{_HIGH}]|ðŸ|Ã[ƒ‚]"
    rf"|(?:[ÐÑ][{_HIGH}]){{3}}|(?:[ÎÏ][{_HIGH}]){{3}}|(?:[ÄÅ][{_HIGH}][a-z]{{0,8}}){{2}}|(?:[ã-é][{_HIGH}]{{2}}){{2}})"
    "|(?P<replacement>\ufffd)"
    "|(?P<surrogate>[\ud800-\udfff])"
    "|(?P<marks>[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]{4})"
)
_TOLD = {
    "mojibake": "text that was read in another encoding than it was written in",
    "replacement": "the sign for a character that was lost",
    "surrogate": "half of a character",
    "marks": "a letter under four marks or more",
}


def damage(text: str) -> tuple[str, str, int] | None:
    """Return the first damage: its kind, in words too, and its place; None for a text that is whole."""
    if text.isascii():
        return None
    found = _FAULTS.search(text)
    if found is None:
        return None
    kind = str(found.lastgroup)
    return kind, _TOLD[kind], found.start()
