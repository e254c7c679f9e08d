import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.cleaning import clean, clean_document, is_boilerplate

ODD = st.text(
    st.sampled_from("ae\u0301\u0308 \t\n\r\x00\x0b\x1c\x85\u00a0\u2028\ufeff\u212b\u1100\u1161()©2") | st.characters()
)
LINES = st.lists(st.sampled_from(["", " ", "Back to top", "a tale", "\tPage 3 of 12 ", "© 2019 A. House", "\x00"]))


@given(ODD | LINES.map("\n".join))
def test_cleaning_again_changes_nothing(text: str) -> None:
    for cleaning in (clean, clean_document, lambda t: clean(t, indented=True)):
        assert cleaning(cleaning(text)) == cleaning(text)


@given(st.lists(st.text("abcäß,.?é", min_size=1)))
def test_words_stay_as_they_are(words: list[str]) -> None:
    assert clean(" ".join(words)).split() == words


@given(ODD)
def test_no_control_character_is_left(text: str) -> None:
    left = set(clean_document(text))
    assert not left & {*map(chr, range(9)), *map(chr, range(11, 32)), *map(chr, range(127, 160)), "\ufeff"}


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("e\u0301te\u0301", "été"),
        ("a\x00b\x07", "ab"),
        ("e\x00\u0301", "é"),
        ("one\r\ntwo\rthree\u2028four", "one\ntwo\nthree\nfour"),
        ("  a  \n\n\n\n b\t\n", "a\n\n b"),
        ("tab\tinside", "tab\tinside"),
        ("a  b", "a  b"),
    ],
)
def test_equal_texts_become_equal(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


def test_code_keeps_its_first_indentation() -> None:
    assert clean("\n    return 1  \n", indented=True) == "    return 1"


@pytest.mark.parametrize(
    "line",
    [
        "All rights reserved.",
        "© 2019 A. House, Inc.",
        "Copyright (c) 2001 X",
        " Back to top ",
        "PAGE 3 OF 12",
        "Subscribe to our newsletter!",
        "*** START OF THE PROJECT GUTENBERG EBOOK EMMA ***",
    ],
)
def test_furniture_of_web_pages_is_boilerplate(line: str) -> None:
    assert is_boilerplate(line)
    assert clean_document(f"A tale.\n{line}\nIt goes on.") == "A tale.\nIt goes on."


@pytest.mark.parametrize(
    "line",
    [
        "He said all rights reserved.",
        "Copyright is a right.",
        "I went back to top form",
        "page 3",
        "",
        "2019 was a year",
    ],
)
def test_a_sentence_is_not_boilerplate(line: str) -> None:
    assert not is_boilerplate(line)


def test_only_documents_lose_boilerplate() -> None:
    assert clean("Back to top") == "Back to top"
