"""The process that compares maths answers: pairs in by stdin, what they come to out by stdout, a line of JSON each.

It reads what a model wrote with a computer algebra system, and some expressions take for ever: then the alarm ends it,
also where whoever asked has died.
"""

import json
import logging
import re
import resource
import signal
import sys
from typing import Any

from math_verify import parse, verify

_MEMORY = 2 << 30
_PROSE = re.compile(r"[^\W\d_]{2,}\s+[^\W\d_]{2,}")


def compared(reference: str, said: str) -> dict[str, str]:
    """Return whether two answers are equal, and as what they were read."""
    known = _read(reference)
    if not known:
        return {"outcome": "reference unread"}
    answer = parse(said, parsing_timeout=None)
    if not answer:
        return {"outcome": "answer unread", "reference": str(known[0])}
    is_equal = verify(known, answer, timeout_seconds=None)
    return {"outcome": "equal" if is_equal else "different", "reference": str(known[0]), "answer": str(answer[0])}


def main() -> None:
    """Answer until stdin ends."""
    seconds = int(sys.argv[1])
    logging.disable()  # it warns that nothing limits its time: the alarm does
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    for line in sys.stdin:
        signal.alarm(seconds)
        try:
            told = compared(*json.loads(line))
        except Exception as error:  # noqa: BLE001 - whatever a computer algebra system raises at a model's text
            told = {"outcome": "unsolved", "error": type(error).__name__}
        signal.alarm(0)
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


def _read(reference: str) -> list[Any]:
    """Return a reference answer as read: as it stands, else as the formula that it is, but never prose as one."""
    found: list[Any] = parse(reference, parsing_timeout=None)
    if not found and not _PROSE.search(reference):
        found = parse(f"${reference}$", parsing_timeout=None)
    return found


if __name__ == "__main__":
    main()
