"""What is spoken in a play in Markdown: without speakers' names, stage directions, headings and their remains.

Line ends stay where they are, so that a document's line number is the file's.
"""

import re

_NOT_SPOKEN = (
    re.compile(r"^#+ .*$", re.MULTILINE),  # titles, acts, scenes with their places
    re.compile(r"^\*\*[^*\n]+\*\*[ \t]*$", re.MULTILINE),  # who speaks
    re.compile(r"^\d+\\\. .*(?:\n\S.*)*", re.MULTILINE),  # numbered lists: the order of a procession
    re.compile(r"[_*]*\\?\[[^\]\n]*\]?[_*]*"),  # how it is spoken, even where a mark or the bracket's end is lost
    re.compile(r"([_*])(?!\1)[^_*\n]*(?:\n[^_*\n]+)*\1"),  # what is done
)


def spoken(markdown: str) -> str:
    """Return the spoken text."""
    for pattern in _NOT_SPOKEN:
        markdown = pattern.sub(_line_ends, markdown)
    return markdown.replace("\\", "").replace("_", "").replace("*", "")


def _line_ends(match: re.Match[str]) -> str:
    return "\n" * match.group().count("\n")
