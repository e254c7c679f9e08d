import random
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import planted_labels as plant
import pytest
from planting import with_turns
from scipy import stats
from verify_plays import artefact, samples
from verify_world import SHAPE

from services.verify import consistency, labelling
from services.verify.check import Batch
from services.verify.checks.classifier import Classifier
from services.verify.chosen import consistent
from services.verify.consistency import LABELS, ODDS, Consistency
from services.verify.labelling import FEWEST, ByLabel, Labelling
from streams.samples import Sample, Verdict
from streams.words import Flat, hashed, words

RATE = 0.01
CHECKS = 780
NAMES = ("familiar", "formal", "neither")
PASS = Verdict(check="classifier", outcome="pass")
_FAMILIAR = {"thou", "thee", "thy", "thine", "thyself"}
_FORMAL = {"you", "your", "yours", "yourself"}


def named(sample: Sample) -> Sample:
    """Label a document by how somebody is spoken to, as who errs in one of 500 cases does."""
    said = words(sample.turns[-1].text)
    familiar, formal = (sum(word in of for word in said) for of in (_FAMILIAR, _FORMAL))
    rng = random.Random(sample.sample_id)
    label = "familiar" if familiar > formal else "formal" if formal else "neither"
    label = rng.choice(NAMES) if rng.random() < 1 / 500 else label
    return replace(sample, label=label)


@cache
def every(part: str) -> tuple[Sample, ...]:
    return tuple(map(named, samples(part)))


@cache
def learnt() -> Labelling:
    found = labelling.fit([*every("fit"), *every("seeds")])
    assert found is not None
    return found


def fitted_on(checks: Sequence[Sample], known: Labelling | None = None) -> Consistency:
    return consistency.fit(artefact(), checks, every("seeds"), RATE, known or learnt())


@cache
def human() -> Consistency:
    return fitted_on(every("others")[:CHECKS])


def p_values(some: Sequence[Sample], of: Consistency | None = None) -> "np.typing.NDArray[np.float64]":
    return (of or human()).found(Batch(some, SHAPE)).p


def verdicts(*some: Sample) -> Sequence[Verdict]:
    return Classifier(human()).over(Batch(some, SHAPE))


def test_p_values_are_uniform_for_each_label() -> None:
    new = every("others")[CHECKS : CHECKS + 3_000]
    p, labels = p_values(new)[:, ODDS], np.array([one.label for one in new])
    for label in NAMES:
        of_label = p[labels == label]
        checked = sum(one.label == label for one in every("others")[:CHECKS])
        assert min(len(of_label), checked) >= FEWEST
        for share in (0.05, 0.25, 0.5, 0.75):
            error = 3.5 * (share * (1 - share) / checked + share * (1 - share) / len(of_label)) ** 0.5
            assert abs((of_label < share).mean() - share) <= error, (label, share)


def test_the_family_flags_as_many_labelled_human_documents_as_it_may_and_hardly_fewer() -> None:
    """Whatever part of human text it is fitted on: the rate of each is distributed as Beta(k, n + 1 - k)."""
    others, counts, below = every("others"), [], int(RATE * (CHECKS + 1))
    for start in range(0, 8 * CHECKS, CHECKS):
        new = (*others[:start], *others[start + CHECKS :])[start % 5_000 :][:1_500]
        fitted = fitted_on(others[start : start + CHECKS])
        counts.append(int((p_values(new, fitted) < fitted.level).any(axis=1).sum()))
        assert counts[-1] <= stats.betabinom(1_500, below, CHECKS + 1 - below).ppf(0.999), counts
    interval = stats.binomtest(sum(counts), 1_500 * len(counts)).proportion_ci(0.95, "wilson")
    print(f"{counts} of 1,500 each flagged: {interval.low:.4f} to {interval.high:.4f}")
    assert 0.5 * RATE <= np.mean(counts) / 1_500 <= 1.3 * RATE, counts


def test_a_label_that_is_another_of_the_tasks_is_mostly_flagged_and_by_nothing_else() -> None:
    rng = random.Random(1)
    wrong = [plant.swapped(NAMES)(one, rng) for one in every("others")[-600:]]
    flagged = p_values(wrong) < human().level
    print(f"{flagged[:, ODDS].mean():.3f} of {len(wrong)} flagged")
    assert flagged[:, ODDS].mean() > 0.5
    assert not flagged[:, LABELS].any()


def test_what_is_flagged_is_told_with_the_likelier_label_and_what_passes() -> None:
    one = next(
        each for each in every("others")[CHECKS:] if each.label == "familiar" and p_values([each])[0, ODDS] > 0.9
    )
    kept, swapped = verdicts(one, replace(one, label="neither"))
    assert kept == PASS
    assert (swapped.outcome, swapped.evidence["label"], swapped.evidence["likelier"]) == ("flag", "neither", "familiar")
    assert set(swapped.evidence) == {"label", "likelier", "p_value", "level"}
    most = human()._human.by_label.most("neither", human().level)
    assert swapped.score is not None
    assert swapped.score > most
    assert swapped.explanation == (
        f"By the text's words the label familiar is {np.exp(swapped.score):.2g} times as likely as its own, neither; "
        f"in human documents with the label neither that pass, another is {np.exp(most):.2g} times as likely at most."
    )


def test_to_be_sure_of_a_label_is_no_fault() -> None:
    new = every("others")[CHECKS : CHECKS + 2_000]
    found = human().found(Batch(new, SHAPE))
    surest = found.values[:, ODDS].argsort()[:50]
    assert (found.p[surest, ODDS] > 0.5).all()


def test_a_sample_without_a_label_or_with_one_that_is_not_learnt_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = [replace(one, label=label) for one in every("others")[:5] for label in (None, "new")]
    monkeypatch.setattr(learnt(), "_classifier", None)  # nobody asks it
    assert list(verdicts(*bare)) == [PASS] * 10
    assert np.isnan(human().found(Batch(bare, SHAPE)).values[:, ODDS]).all()


def test_labelled_samples_are_judged_alike_whoever_stands_beside_them() -> None:
    some = every("others")[CHECKS : CHECKS + 40]
    mixed = [replace(one, label=None) if number % 3 else one for number, one in enumerate(some)]
    np.testing.assert_array_equal(p_values(mixed)[::3, ODDS], p_values(some)[::3, ODDS])


def test_of_a_conversation_the_question_counts_too_for_what_is_labelled_may_stand_there() -> None:
    plain = every("others")[CHECKS]
    chat = with_turns(
        plain, ("system", "My king, my lord, my sword"), ("user", plain.turns[-1].text), ("assistant", "-")
    )
    assert p_values([chat])[0, ODDS] == p_values([plain])[0, ODDS]


def test_a_label_of_which_there_are_too_few_is_not_judged_by_others() -> None:
    odds, labels = np.arange(250.0), ["many"] * 150 + ["few"] * 100
    of_both, of_one = ByLabel(labels, odds, 100), ByLabel(labels, odds, 101)
    assert of_both.p_values(["few", "many", None], np.array([500.0, 149.0, np.nan])).tolist() == pytest.approx(
        [0.0, 1 / 151, 1.0], abs=1e-4
    )
    assert of_one.p_values(["few", "many"], np.array([500.0, 149.0])).tolist() == pytest.approx([1.0, 1 / 151])
    assert of_both.most("few", 0.5) == 199.0
    assert not ByLabel(labels, odds, 151)


@pytest.mark.parametrize(("first", "second", "is_enough"), [(100, 100, True), (100, 99, False), (300, 0, False)])
def test_two_labels_have_to_have_documents_enough(first: int, second: int, is_enough: bool) -> None:
    some = [replace(one, label="a" if n < first else "b") for n, one in enumerate(every("seeds")[: first + second])]
    unlabelled = [replace(one, label=None) for one in every("fit")[:200]]
    assert (labelling.fit([*some, *unlabelled]) is not None) is is_enough


def test_without_labels_that_can_be_told_there_is_no_such_check() -> None:
    def names(of: Consistency) -> list[str]:
        return [check.name for check in consistent(of).checks]

    four = ["surprisal", "length", "distance", "labels"]
    bare = [replace(one, label=None) for one in every("others")[:200]]
    assert names(human()) == [*four, "classifier"]
    assert names(fitted_on(bare)) == four
    assert names(consistency.fit(artefact(), every("others")[:200], every("seeds"), RATE)) == four


def test_the_same_documents_in_any_order_teach_the_same() -> None:
    some = [*every("seeds")[:400]]
    one, other = labelling.fit(some), labelling.fit(some[::-1])
    assert one is not None
    assert other is not None
    texts = hashed([words(each.turns[0].text) for each in every("others")[:50]])
    labels = [each.label for each in every("others")[:50]]
    np.testing.assert_array_equal(one.against(labels, texts), other.against(labels, texts))


class Even:
    """A classifier by which three labels have the same odds in every text; notes how many texts it was asked about."""

    labels = ("a", "b", "c")

    def __init__(self) -> None:
        self.asked = 0

    def odds(self, texts: Flat) -> "np.typing.NDArray[np.float64]":
        self.asked += len(texts.starts) - 1
        return np.array([[3.0, -1.0, 2.0]] * (len(texts.starts) - 1))


def test_a_label_is_held_against_the_likeliest_of_the_others_and_no_other_text_is_asked_about() -> None:
    even = Even()
    known = Labelling(even)  # type: ignore[arg-type]
    found = known.against(["a", None, "b", "new", "c"], hashed([["so"], ["be"], ["it"], [], ["now"]]))
    np.testing.assert_array_equal(found, [-1.0, np.nan, 4.0, np.nan, 1.0])
    assert even.asked == 3
    assert [known.likeliest_but(label, hashed([["so"]])) for label in "abc"] == ["c", "a", "a"]


def test_what_it_learns_from_is_the_text_without_a_systems_turn() -> None:
    some = every("seeds")[:400]
    chats = [with_turns(one, ("system", "lo"), ("user", one.turns[0].text), ("assistant", "")) for one in some]
    one, other = (
        labelling.fit(some),
        labelling.fit([replace(b, sample_id=a.sample_id) for a, b in zip(some, chats, strict=True)]),
    )
    assert one is not None
    assert other is not None
    texts, labels = hashed([words(each.turns[0].text) for each in some]), [each.label for each in some]
    np.testing.assert_array_equal(one.against(labels, texts), other.against(labels, texts))


def test_with_one_check_more_each_has_less_of_the_familys_rate() -> None:
    assert 0 < human().level < consistency.fit(artefact(), every("others")[:CHECKS], every("seeds"), RATE).level
