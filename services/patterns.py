r"""Regular expressions of recipes, by RE2: its time grows with the text and never with the ways to match it.

RE2 knows neither references to groups nor looking around, and its \w, \d and \s are of ASCII: \pL is any letter
(https://github.com/google/re2/wiki/Syntax). Arrow brings it.
"""

from collections.abc import Sequence
from typing import Any


def fault(pattern: str) -> str | None:
    """Return what is wrong with a pattern; None if it is one."""
    from pyarrow import ArrowInvalid, compute  # noqa: PLC0415 - it takes 0.2 s and 60 MB; few recipes have patterns

    try:
        compute.match_substring_regex(_array([b""]), pattern)  # to find it is put in a group, where `)(` is no fault
        found_at(pattern, [""])
    except (ArrowInvalid, UnicodeEncodeError) as error:
        return str(error).removeprefix("Invalid regular expression: ")
    return None


def found_at(pattern: str, texts: Sequence[str]) -> list[int | None]:
    """Return the character where the pattern first matches in each text; None where it does not."""
    from pyarrow import compute  # noqa: PLC0415 - the same

    encoded = [text.encode(errors="replace") for text in texts]
    options = compute.MatchSubstringOptions(pattern)
    places = compute.call_function("find_substring_regex", [_array(encoded)], options).to_pylist()
    return [_characters(text, place) for text, place in zip(encoded, places, strict=True)]


def _array(encoded: Sequence[bytes]) -> Any:
    import pyarrow as pa  # noqa: PLC0415 - the same

    return pa.array(encoded, pa.large_string())


def _characters(text: bytes, place: int) -> int | None:
    return None if place < 0 else len(text[:place].decode())
