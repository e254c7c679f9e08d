"""Makes equal texts equal: Unicode NFC, no control characters, one kind of line end, no stray white space.

Cleaning again changes nothing, and it never touches words: only whole lines that are known furniture of web pages go.
"""

import re
import unicodedata

_LONGEST_FURNITURE = 200

_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff]")
_TRAILING = re.compile(r"[^\S\n]+(?=\n|\Z)")
_BLANK_LINES = re.compile(r"\n{3,}")
_UNUSUAL = re.compile("[^\n\x20-\x7e]")
# Whole lines only, and only such as carry no content of their own wherever they stand.
_BOILERPLATE = re.compile(
    r"\s*(?:"
    r"(?:copyright )?(?:©|\(c\)|copyright) ?[12]\d{3}\b.{0,80}|all rights reserved\.?"
    r"|skip to (?:main )?content|back to top|advertisement|(?:accept (?:all )?|manage )cookies"
    r"|(?:sign up|subscribe) (?:for|to) (?:our|the) newsletter[.!]?"
    r"|page \d+ of \d+|\*\*\* ?(?:start|end) of (?:the|this) project gutenberg .*"
    r")\s*",
    re.IGNORECASE,
)


def clean(text: str, *, indented: bool = False) -> str:
    """Return the text cleaned; `indented` keeps the white space before the first word, as code needs."""
    if _UNUSUAL.search(text):
        text = _CONTROL.sub("", _LINE_ENDS.sub("\n", text))
        text = unicodedata.normalize("NFC", text)
    text = _BLANK_LINES.sub("\n\n", _TRAILING.sub("", text)) if "\n" in text else text
    return text.strip("\n").rstrip() if indented else text.strip()


def clean_document(text: str) -> str:
    """Return a document cleaned and without its lines that are boilerplate."""
    cleaned = clean(text)
    lines = cleaned.split("\n")
    kept = [line for line in lines if not is_boilerplate(line)]
    return cleaned if len(kept) == len(lines) else clean("\n".join(kept))


def is_boilerplate(line: str) -> bool:
    """Say if a whole line is furniture: a copyright notice, navigation, a cookie or newsletter button, a page count."""
    return len(line) <= _LONGEST_FURNITURE and _BOILERPLATE.fullmatch(line) is not None
