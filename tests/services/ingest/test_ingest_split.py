from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.split import Place, Shares, advice, place
from streams.samples import Turn, content_hash, digest

SHARES = Shares(reference=0.3, holdout=0.1)
HASHES = [digest("content", number) for number in range(20_000)]


def test_places_never_change_from_release_to_release() -> None:
    seed, fit, holdout = Place("seed"), Place("reference", "fit"), Place("holdout")
    golden = [seed, seed, seed, seed, fit, holdout, holdout, seed]
    assert [place(digest("golden", n), SHARES) for n in range(8)] == golden


def test_the_shares_are_those_of_the_recipe() -> None:
    counts = Counter(place(each, SHARES).pool for each in HASHES)
    assert counts["holdout"] == pytest.approx(2_000, abs=150)
    assert counts["reference"] == pytest.approx(6_000, abs=250)
    assert counts["seed"] == pytest.approx(12_000, abs=250)


def test_half_of_the_reference_is_to_fit_and_a_quarter_each_to_calibrate_and_for_checks() -> None:
    counts = Counter(place(each, SHARES).part for each in HASHES)
    reference = len(HASHES) - counts["none"]
    assert counts["fit"] / reference == pytest.approx(0.5, abs=0.03)
    assert counts["calibrate"] / reference == pytest.approx(0.25, abs=0.03)
    assert counts["checks"] / reference == pytest.approx(0.25, abs=0.03)


@given(st.integers(), st.floats(0, 0.5), st.floats(0, 0.49))
def test_every_content_has_one_place_and_only_reference_has_parts(
    number: int, reference: float, holdout: float
) -> None:
    found = place(digest(number), Shares(reference, holdout))
    assert found == place(digest(number), Shares(reference, holdout))
    assert (found.part != "none") == (found.pool == "reference")


@given(st.integers(), st.floats(0, 0.4), st.floats(0, 0.4))
def test_a_larger_holdout_keeps_what_was_in_the_smaller(number: int, smaller: float, more: float) -> None:
    if place(digest(number), Shares(0.1, smaller)).pool == "holdout":
        assert place(digest(number), Shares(0.1, smaller + more)).pool == "holdout"


def test_nothing_is_set_aside_at_share_zero() -> None:
    assert {place(each, Shares(0, 0)).pool for each in HASHES[:1_000]} == {"seed"}


def test_an_id_says_nothing_about_its_pool() -> None:
    low = [each for each in HASHES if int(each[:8], 16) < 1 << 28]
    assert {place(each, SHARES).pool for each in low} == {"seed", "reference", "holdout"}


TURN = (Turn(role="document", text="a"),)


def test_the_content_hash_never_changes_from_release_to_release() -> None:
    turns = (Turn(role="user", text="2+2?"), Turn(role="assistant", text="4"))
    assert content_hash("math", turns, answer="4") == "99a20eb7f0ee0db6e0454227c212711e"


@pytest.mark.parametrize(
    "other",
    [
        content_hash("code", TURN),
        content_hash("text", (*TURN, *TURN)),
        content_hash("text", (Turn(role="user", text="a"),)),
        content_hash("text", TURN, label=""),
        content_hash("text", TURN, label="x"),
        content_hash("text", TURN, answer="x"),
        content_hash("text", TURN, tests="x"),
        content_hash("text", (), "document", "a"),
    ],
)
def test_every_part_of_the_content_counts_in_its_hash(other: str) -> None:
    assert other != content_hash("text", TURN)


def test_many_documents_want_smaller_shares_and_few_want_larger_ones() -> None:
    assert advice(20_000, SHARES) is None
    assert "leaves 80% of them to train on instead of 60%" in str(advice(20_001, SHARES))
    assert advice(20_001, Shares(reference=0.1, holdout=0.1)) is None
    assert "some 500 into reference" in str(advice(5_000, Shares(reference=0.1, holdout=0.1)))
    assert advice(0, Shares(reference=0.1, holdout=0.1)) is None
