import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.patterns import fault, found_at

MILLION = "a" * 1_000_000
SIMPLE = st.sampled_from(["a", "b+", r"a\w", "[^a]b", "(a|bc)+d", "^a", "c$", "é.", r"\.", "(?i)A", "x*", "a{2,3}"])


@given(SIMPLE, st.lists(st.text("abcdé. \nÀ", max_size=12), max_size=5))
def test_a_pattern_is_found_where_python_finds_it(pattern: str, texts: list[str]) -> None:
    python = re.compile(pattern.replace("$", r"\Z"), re.ASCII)
    expected = [None if (found := python.search(text)) is None else found.start() for text in texts]
    assert found_at(pattern, texts) == expected


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|aa)+b", "(a*)*b", r"(\w*\s*)*!", "(a|a)*(a|a)*(a|a)*b"])
def test_a_text_that_would_take_backtracking_for_ever_takes_no_time(pattern: str) -> None:
    """The time limit of tests ends it otherwise: each takes Python 2 ** 1,000,000 steps, or 10 ** 18."""
    assert fault(pattern) is None
    assert found_at(pattern, [MILLION]) == [None]


def test_half_a_character_matches_as_a_question_mark() -> None:
    assert found_at(r"\?", ["a\ud800", "b", ""]) == [1, None, None]


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("(", "missing ): ("),
        (")(", "unexpected ): )("),
        (r"\Qa", "missing ): "),
        (r"(a)\1", r"invalid escape sequence: \1"),
        ("(?=a)", "invalid perl operator: (?="),
        ("a{1001}", "invalid repetition size: {1001}"),
        ("\ud800", "surrogates not allowed"),
    ],
)
def test_what_is_no_pattern_is_told(pattern: str, told: str) -> None:
    assert told in str(fault(pattern))
