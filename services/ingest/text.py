"""Reads plain text and cuts it into documents of so many words, on word borders, lines kept as they are."""

import re
from collections.abc import Iterable, Iterator
from functools import partial
from io import StringIO
from typing import BinaryIO

from services.ingest.cleaning import is_boilerplate
from services.ingest.lines import decoded, read_lines
from services.ingest.plays import spoken
from services.ingest.rows import BadLine, Item, Reader, Row

COLUMNS = ["text"]
_WORD = re.compile(r"\S+\s*")


def reader(words: int) -> Reader:
    """Return the reader that makes documents of `words` words of plain text."""
    return partial(_read_text, words=words)


def play_reader(words: int) -> Reader:
    """Return the reader that makes documents of what is spoken in a play."""
    return partial(_read_play, words=words)


def documents(lines: Iterable[tuple[int, str]], words: int) -> Iterator[tuple[int, str]]:
    """Yield each document with the number of its first line; a rest of less than half joins the one before it."""
    ready: tuple[int, str] | None = None
    open_words: list[str] = []
    start = 0
    for number, line in lines:
        for word in _WORD.findall(line):
            if len(open_words) == words:
                if ready:
                    yield ready
                ready, open_words = (start, "".join(open_words)), []
            if not open_words:
                start = number
            open_words.append(word)
    if ready and len(open_words) * 2 < words:
        yield ready[0], ready[1] + "".join(open_words)
        return
    if ready:
        yield ready
    if open_words:
        yield start, "".join(open_words)


def _read_text(raw: BinaryIO, file: str, words: int) -> Iterator[Item]:
    bad: list[BadLine] = []
    for number, text in documents(_good_lines(raw, file, bad), words):
        yield from bad
        bad.clear()
        yield _row(file, number, text)
    yield from bad


def _read_play(raw: BinaryIO, file: str, words: int) -> Iterator[Item]:
    bad: list[BadLine] = []
    whole = "".join(text for _, text in _good_lines(raw, file, bad))
    yield from bad
    for number, text in documents(enumerate(StringIO(spoken(whole)), 1), words):
        yield _row(file, number, text)


def _good_lines(raw: BinaryIO, file: str, bad: list[BadLine]) -> Iterator[tuple[int, str]]:
    """Yield the lines with text; what is left out stays as an empty line, so that numbers are the file's."""
    for number, line in enumerate(read_lines(raw, file), 1):
        text = line if isinstance(line, BadLine) else decoded(line, file)
        if isinstance(text, BadLine):
            bad.append(text)
            yield number, "\n"
        else:
            yield number, "\n" if is_boilerplate(text) else text


def _row(file: str, number: int, text: str) -> Row:
    return Row(file, number, {"text": text}, text.encode())
