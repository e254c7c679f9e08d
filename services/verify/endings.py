"""How an answer that stops in the middle ends: signs that no whole answer shows, and a missing full stop.

Many people leave the last full stop out, so a missing one counts only where the human answers show that they don't, or
after three sentences of the same paragraph that have theirs.
"""

import re
from collections.abc import Iterator

_UNSPOKEN = frozenset({"math", "classification"})
_FENCE = re.compile(r"^[ \t]*```", re.MULTILINE)
_MARK = r"(?:[-*+•]|\d{1,3}[.)]|[a-zA-Z][.)])"
_BEGUN = re.compile(rf"(?:\A|\n)[ \t]*{_MARK}[ \t]*(?:\*\*[^*\n]{{0,40}})?\Z")
_ITEM = re.compile(rf"^[ \t]*{_MARK} \S", re.MULTILINE)
_NEVER_LAST = re.compile(
    r"(?<![\w'’-])(?:the|an|and|or|of|because|than|my|your|our|their|whose|if|unless|although|whereas|very|every|into"
    r"|such as|as well as|due to|in order to|is an?|are an?|to an?|of an?|with an?|for an?|like an?|kind of|depends"
    r" on)\Z"
)
_SENTENCE = re.compile(r"[.!?…][\"'”’)\]*_]*(?=\s+[\"'“‘(\[*_]*[A-ZÀ-Þ])")
_ENDED = re.compile(r"(?:[.!?…:;。！？।—–-][\"'”’»)\]*_`]*|[\"'”’»)\]}>|`*_=~])\s*\Z")
_LETTER = re.compile(r"(?<!\S)[A-Za-zÀ-ÿ'’-]*[a-zß-ÿ],?\Z")
_COMMA = re.compile(r"\A\S.*[a-zß-ÿ]{2},\Z")  # code is indented, and has other signs before its commas
_PAIRS = (("(", ")"), ("[", "]"), ("“", "”"))
_FEWEST_WORDS = 3  # of a piece of a sentence: "Yours, Ben" is none
_FEWEST_SENTENCES = 2
_IN_ONE_PARAGRAPH = 3


def cut(text: str, task: str, *, stops: bool) -> str | None:
    """Return what an answer ends on if it stops in the middle; `stops`: human answers have their last full stop."""
    text = text.rstrip()
    return next(_cuts(text, task, stops=stops), None) if text else None


def unstopped(text: str) -> bool:
    """Tell whether only the last of several sentences, and of the lines, has no end."""
    before, _, end = text.rstrip().rpartition("\n")
    if not _LETTER.search(end) or _ITEM.match(end) or len(end.split()) < _FEWEST_WORDS:
        return False
    lines = [line for line in before.split("\n") if line.strip()]
    return all(_ENDED.search(line) for line in lines) and len(lines) + len(_SENTENCE.findall(text)) >= _FEWEST_SENTENCES


def _cuts(text: str, task: str, *, stops: bool) -> Iterator[str]:
    if len(_FENCE.findall(text)) % 2:
        yield "a block of code that is open"
    if task == "code" or text[0] in "{[":
        return
    if _BEGUN.search(text) and _ITEM.search(text):
        yield "an item of a list that has only begun"
    end = text[text.rfind("\n") + 1 :]
    if _COMMA.search(end):
        yield "a comma"
    if _NEVER_LAST.search(end):
        yield "a word that is never the last"
    if _ENDED.search(end):
        return
    sentence = end[max((found.end() for found in _SENTENCE.finditer(end)), default=0) :]
    if any(sentence.count(left) > sentence.count(right) for left, right in _PAIRS) or sentence.count('"') % 2:
        yield "a bracket or a quotation that is open"
    is_sure = stops or len(_SENTENCE.findall(end)) >= _IN_ONE_PARAGRAPH
    if task not in _UNSPOKEN and is_sure and unstopped(text):
        yield "a sentence without an end after others that have one"
