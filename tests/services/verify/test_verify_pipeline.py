"""The order of checks, and what becomes of texts of one batch that repeat each other."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from verify_world import SHAPE, Says, batch, sample, text

from services.index.texts import Texts
from services.verify.checks.duplicate import Duplicate
from services.verify.pipeline import Checks, run
from services.verify.work import Work, ordered
from streams.samples import Verdict

ALL = Duplicate(Texts(SHAPE), 0.8)


def outcomes(found: Sequence[Verdict]) -> list[tuple[str, str]]:
    return [(verdict.check, verdict.outcome) for verdict in found]


def near(content: str) -> str:
    return content.replace(content.split()[7], "changed")


def test_no_check_sees_what_one_before_has_failed_and_flags_collect() -> None:
    checks = [Says("a", "flag"), Says("b", "flag"), Says("c", "fail"), Says("d", "pass")]
    both = batch(sample("x", text(1)), sample("y", text(2)))
    found = run(Checks(checks[:3], checks[3:], 0.8), both, 0.0)
    assert [[v.check for v in one.verdicts] for one in found.judged] == [["a", "b", "c"]] * 2
    ids = [one.sample_id for one in both.samples]
    assert [check.asked for check in checks] == [[ids], [ids], [ids], []]
    assert found.kept == []
    assert {name: work[1:] for name, work in found.work.items()} == {"a": (2, 0), "b": (2, 0), "c": (2, 2)}


def test_who_waits_for_review_is_kept_even_if_a_check_failed() -> None:
    everyone = batch(sample("x", text(1)), sample("y", text(2)))
    assert run(Checks([Says("a", "fail")], [], 0.8), everyone, 1.0).kept == [0, 1]


def test_of_two_equal_texts_in_one_batch_the_second_names_the_first() -> None:
    three = batch(sample("a", text(1)), sample("b", text(2)), sample("c", text(1)))
    costly = Says("costly", "pass")
    found = run(Checks([ALL], [costly], 0.8), three, 0.0)
    assert [one.verdicts[-1].outcome for one in found.judged] == ["pass", "pass", "fail"]
    assert found.kept == [0, 1]
    (told,) = found.judged[2].verdicts
    assert told.evidence == {"sample_id": three.samples[0].sample_id, "similarity": "1.000", "kind": "exact"}
    assert told.explanation == f"The text is the same as that of sample {three.samples[0].sample_id}."
    assert costly.asked == [[one.sample_id for one in three.samples[:2]]], "a repetition is never paid for"


def test_a_near_duplicate_in_the_same_batch_is_found_too() -> None:
    both = batch(sample("a", text(1)), sample("b", near(text(1))))
    told = run(Checks([ALL], [], 0.8), both, 0.0).judged[1].verdicts[-1]
    assert (told.outcome, told.evidence["kind"]) == ("fail", "near")
    assert told.evidence["sample_id"] == both.samples[0].sample_id
    assert told.score == pytest.approx(75 / 81)
    assert told.explanation.startswith(f"The text is {told.score:.0%} the same as that of sample ")


@pytest.mark.parametrize("is_quick", [True, False])
def test_a_text_that_is_rejected_makes_no_duplicate_of_the_next(is_quick: bool) -> None:
    three = batch(sample("a", text(1)), sample("b", near(text(1))), sample("c", text(1)))
    first = three.samples[0].sample_id
    refuses = Says("refuses", lambda one: "fail" if one.sample_id == first else "pass")
    quick, costly = ([refuses, ALL], []) if is_quick else ([ALL], [refuses])
    found = run(Checks(quick, costly, 0.8), three, 0.0)
    assert [one.verdicts[-1].outcome for one in found.judged] == ["fail", "pass", "fail"]
    assert found.judged[2].verdicts[-1].evidence["sample_id"] == three.samples[1].sample_id
    assert found.kept == [1]


@pytest.mark.parametrize("is_quick", [True, False])
def test_what_an_audit_holds_makes_a_duplicate_of_the_next_whatever_the_checks_say(is_quick: bool) -> None:
    both = batch(sample(4, text(1)), sample(5, text(1)))  # a share of .5 draws the first only
    fails = Says("fails", lambda one: "fail" if one is both.samples[0] else "pass")
    found = run(Checks([ALL, fails], [], 0.8) if is_quick else Checks([ALL], [fails], 0.8), both, 0.5)
    assert [one.audited for one in found.judged] == [True, False]
    assert outcomes(found.judged[0].verdicts) == [("duplicate", "pass"), ("fails", "fail")]
    assert outcomes(found.judged[1].verdicts)[-1] == ("duplicate", "fail")
    assert found.kept == [0]


def test_where_nothing_asks_for_duplicates_equal_texts_all_pass() -> None:
    both = batch(sample("a", text(1)), sample("b", text(1)))
    assert run(Checks([Says("a", "pass")], [Says("b", "pass")], None), both, 0.0).kept == [0, 1]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=8),
    st.sets(st.sampled_from(["words", "hashes", "entries"])),
)
def test_a_part_of_a_batch_knows_what_it_would_find_out_itself(drawn: list[tuple[int, bool]], known: set[str]) -> None:
    made = [sample(n, text(n, words)) for n, (words, _) in enumerate(drawn)]
    places = [n for n, (_, is_taken) in enumerate(drawn) if is_taken]
    whole, alone = batch(*made), batch(*(made[place] for place in places))
    for name in known:
        getattr(whole, name)
    part = whole.select(places)
    assert list(part.samples) == list(alone.samples)
    assert (part.texts, part.words) == (alone.texts, alone.words)
    for one, other in (
        (part.hashes, alone.hashes),
        (part.entries[:2], alone.entries[:2]),
        (part.entries.prints, alone.entries.prints),
    ):
        assert [each.tolist() for each in one] == [each.tolist() for each in other]


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.booleans(), st.booleans()), max_size=25))
def test_of_texts_that_repeat_each_other_just_one_that_passes_is_kept(
    drawn: list[tuple[int, bool, bool, bool]],
) -> None:
    made = [sample(n, near(text(kind)) if changed else text(kind)) for n, (kind, changed, _, _) in enumerate(drawn)]
    quick, costly = ({one.sample_id for one, each in zip(made, drawn, strict=True) if each[n]} for n in (2, 3))
    checks = [Says("q", lambda one: "fail" if one.sample_id in quick else "pass"), ALL]
    dear = Says("c", lambda one: "fail" if one.sample_id in costly else "pass")
    found = run(Checks(checks, [dear], 0.8), batch(*made), 0.0)
    good = [each[0] for one, each in zip(made, drawn, strict=True) if one.sample_id not in quick | costly]
    assert sorted(drawn[place][0] for place in found.kept) == sorted(set(good))
    asked = [each for some in dear.asked for each in some]
    assert len(asked) == len(set(asked))
    for place, one in enumerate(found.judged):
        assert (place in found.kept) == all(verdict.outcome == "pass" for verdict in one.verdicts)


def test_checks_run_by_rising_cost_per_rejection() -> None:
    checks = [Says(name, "pass") for name in ("unknown", "dear", "cheap", "strict")]
    known = {
        "dear": Work(seconds=10, judged=10_000, failed=100),
        "cheap": Work(seconds=1, judged=10_000, failed=100),
        "strict": Work(seconds=10, judged=10_000, failed=5_000),
    }
    assert [check.name for check in ordered(checks, known)] == ["unknown", "strict", "cheap", "dear"]


def test_of_two_checks_that_never_reject_the_quicker_comes_first_and_the_better_known_one_last() -> None:
    checks = [Says(name, "pass") for name in ("slow", "quick", "known")]
    known = {
        "slow": Work(seconds=2, judged=1_000),
        "quick": Work(seconds=1, judged=1_000),
        "known": Work(seconds=10, judged=10_000),
    }
    assert [check.name for check in ordered(checks, known)] == ["quick", "slow", "known"]


def test_what_was_long_ago_fades() -> None:
    work, rng = Work(), random.Random(1)
    for _ in range(200):
        work = work.then(Work(seconds=0.1 + rng.random() / 100, judged=1_000, failed=500))
    assert work.judged == pytest.approx(20_000, rel=0.01)
    for _ in range(100):
        work = work.then(Work(seconds=0.1, judged=1_000, failed=0))
    assert work.failed < 0.01 * work.judged
    assert work.then(Work(seconds=1, judged=30_000)) == Work(seconds=1, judged=30_000, failed=0)
