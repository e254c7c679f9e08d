import re
from collections import Counter

import numpy as np
import pytest
from scipy.stats import entropy
from stats_texts import documents

from streams.stats import syntax
from streams.stats.syntax import NONE, Syntax, symbols


def plain_symbol(token: str) -> str:
    if token in {".", "!", "?"}:
        return "."
    if token.lower() in syntax._FUNCTION:
        return token.lower()
    if re.match(r"\d", token):
        return "number"
    if re.match(r"[A-Z]", token):
        return "Name"
    found = re.fullmatch(r".{3,}?(tion|ing|ed|ly|s)", token)
    return f"-{found[1]}" if found else "OTHER"


def values(texts: list[str]) -> dict[str, float]:
    found = Syntax()
    found.update(symbols(texts))
    return dict(found.get())


def test_it_agrees_with_plain_counting_of_symbols_and_their_runs() -> None:
    texts = [text for text in documents()[:400] if text.isascii()]
    rows = [[plain_symbol(token) for token in re.findall(r"[A-Za-z0-9]+|[.!?]", text)][:64] for text in texts]
    rows = [row for row in rows if len(row) == 64]
    runs = [tuple(row[start : start + 4]) for row in rows for start in range(61)]
    got = values(texts)
    assert got["templates"] == pytest.approx(len(set(runs)) / len(runs))
    assert got["entropy"] == pytest.approx(entropy(list(Counter(s for row in rows for s in row).values()), base=2))


def test_a_text_with_other_letters_is_cut_into_the_same_words() -> None:
    for text in [*documents()[:50], "One_two 3.5 don't... stop?!\tNo"]:
        assert syntax._tokens(text + " é")[:-1] == syntax._tokens(text)


def test_other_nouns_in_the_same_mould_are_no_new_templates() -> None:
    mould = "The {0} walked to the {1}. The {1} was seen by a {0}! " * 6
    one, two = mould.format("dog", "tree"), mould.format("cook", "barn")
    syntax_of_both = Syntax()
    syntax_of_both.update(symbols([one, two]))
    alone = values([one])
    assert syntax_of_both.get()["templates"] == pytest.approx(alone["templates"] / 2)
    assert syntax_of_both.get()["entropy"] == pytest.approx(alone["entropy"])
    human = values(list(documents()[:2]))
    assert human["templates"] > 4 * alone["templates"]


def test_short_texts_are_left_out_and_runs_do_not_cross_texts() -> None:
    assert all(np.isnan(value) for value in values(["Too short.", ""]).values())
    assert values(["dog " * 64, "walked " * 64])["templates"] == pytest.approx(2 / 122)


def test_every_symbol_has_one_byte_and_no_word_of_a_text_is_taken_for_a_class() -> None:
    assert max(syntax._IDS.values()) < NONE
    assert syntax._symbol("number") == syntax._symbol("dog")
    assert syntax._symbol("other") not in (syntax._symbol("dog"), syntax._symbol("42"), syntax._symbol("Dog"))
