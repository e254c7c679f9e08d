import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from planted_consistency import TEXTS, mislabelled
from scipy import stats
from stats_texts import documents as plays
from verify_plays import artefact, document, fitted_on, samples, texts
from verify_world import SHAPE, Says

from services.generate.corpus import Training
from services.generate.local import LocalProvider
from services.models.provider import Request
from services.recipe import Source
from services.verify.check import Batch, Check
from services.verify.checks.distance import Distance
from services.verify.checks.labels import Labels
from services.verify.checks.length import Length
from services.verify.checks.surprisal import Surprisal
from services.verify.chosen import consistent
from services.verify.combinations import Combinations, Rarity
from services.verify.consistency import DISTANCE, LABELS, LENGTH, SURPRISAL, Consistency, Found
from services.verify.kinds import LEAST, ByKind, Kind
from services.verify.pipeline import Checks, run
from streams.samples import Sample, Turn, Verdict
from streams.words import words

CHECKS = 780
RATE = 0.01


@cache
def human() -> Consistency:
    return fitted_on(samples("others")[:CHECKS])


def of(consistency: Consistency) -> list[Check]:
    return list(consistent(consistency).checks)


def found(consistency: Consistency, some: Sequence[Sample]) -> Found:
    parts = [consistency.found(Batch(some[at : at + 1_000], SHAPE)) for at in range(0, len(some), 1_000)]
    return Found(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def flagged(consistency: Consistency, some: Sequence[Sample]) -> Counter[str]:
    """Return how many samples each check flags, and under `any` how many any of them does."""
    p = found(consistency, some).p < consistency.level
    counts = dict(zip(("surprisal", "length", "distance", "classifier", "labels"), p.sum(axis=0).tolist(), strict=True))
    return Counter({**counts, "any": int(p.any(axis=1).sum())})


def verdicts(check: Check, *some: Sample) -> Sequence[Verdict]:
    return check.over(Batch(some, SHAPE))


def test_p_values_are_uniform_on_human_text_that_nothing_is_fitted_on() -> None:
    p = found(human(), samples("others")[CHECKS:]).p
    for share in (0.02, 0.1, 0.25, 0.5, 0.75, 0.9):
        error = 3.5 * (share * (1 - share) / CHECKS) ** 0.5  # of the calibration, which is the smaller part
        below = (p < share).mean(axis=0)
        assert abs(below[SURPRISAL] - share) <= error
        assert abs(below[DISTANCE] - share) <= error
        assert below[LENGTH] <= share + error  # lengths are equal too often to be uniform
    assert (p[:, LABELS] > 0.99).all()


def test_the_family_of_checks_flags_as_many_human_documents_as_it_may_and_hardly_fewer() -> None:
    """Whatever part of human text it is fitted on, the limits of chance being those of a conformal level.

    Its rate, given the n documents that it was fitted on, is distributed as Beta(k, n + 1 - k) with k of n + 1 below.
    """
    others, told, counts = samples("others"), [], []
    below = int(RATE * (CHECKS + 1))
    for start in range(0, 9 * CHECKS, CHECKS):
        new = (*others[:start], *others[start + CHECKS :])[start % 5_000 :][:1_500]
        counts.append(flagged(fitted_on(others[start : start + CHECKS]), new)["any"])
        interval = stats.binomtest(counts[-1], len(new)).proportion_ci(0.95, "exact")
        told.append(f"{counts[-1]} of {len(new)} flagged: {interval.low:.4f} to {interval.high:.4f}")
        assert counts[-1] <= stats.betabinom(len(new), below, CHECKS + 1 - below).ppf(0.999), told
    print(*told, sep="\n")
    assert 0.5 * RATE <= np.mean(counts) / 1_500 <= 1.2 * RATE, told


def test_on_all_other_human_documents_the_rate_is_within_its_interval() -> None:
    new = samples("others")[CHECKS:]
    count = flagged(human(), new)["any"]
    interval = stats.binomtest(count, len(new)).proportion_ci(0.95, "exact")
    print(f"{count} of {len(new)} flagged: {interval.low:.4f} to {interval.high:.4f}")
    assert interval.low <= RATE


def test_each_check_at_the_rate_of_the_family_would_flag_more_than_that() -> None:
    p = found(human(), samples("others")[CHECKS:]).p
    assert (p < RATE).any(axis=1).mean() > 1.5 * RATE
    assert 0 < human().level < RATE / 2


def test_a_document_that_is_like_no_other_is_none_of_those_that_it_is_held_against() -> None:
    alike = [one for one in samples("others") if len(words(one.turns[0].text)) in range(78, 88)]
    odd = document("so be it " * 900, "odd")
    assert fitted_on([*alike[:149], odd]).level < 1e-9
    assert fitted_on(alike[:150]).level > 1e-5


def test_documents_that_the_models_are_fitted_on_cant_tell_what_is_usual() -> None:
    """Fitted on them they are no measure of other documents: that is why the part `checks` has a use of its own."""
    circular = fitted_on(samples("fit"))
    assert flagged(circular, samples("others")[CHECKS:])["surprisal"] > 0.5 * len(samples("others")[CHECKS:])


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        ("gibberish", "surprisal"),
        ("foreign", "surprisal"),
        ("looping", "distance"),
        ("rambling", "length"),
        ("curt", "length"),
        ("off domain", "surprisal"),
    ],
)
def test_a_planted_fault_is_flagged(fault: str, check: str) -> None:
    rng = random.Random(fault)
    spoilt = [TEXTS[fault](each, rng) for each in samples("others")[-150:]]
    assert len({each.turns[0].text for each in spoilt}) >= 100
    counts = flagged(human(), spoilt)
    assert counts["any"] >= 0.95 * len(spoilt)
    assert counts[check] >= 0.95 * len(spoilt)


def test_gibberish_is_too_surprising_and_collapsed_text_too_little() -> None:
    rng = random.Random(1)
    gibberish = TEXTS["gibberish"](samples("others")[0], rng)
    collapsed = document(collapsed_texts()[0], "collapsed")
    high, low, usual = verdicts(Surprisal(human()), gibberish, collapsed, samples("others")[CHECKS])
    least, most = human()._human.by_kind[SURPRISAL].allowed(Kind("text", ""), human().level)
    assert high.score is not None
    assert low.score is not None
    assert high.score > most > least > low.score
    assert usual == Verdict(check="surprisal", outcome="pass")
    assert high.explanation == (
        f"The text takes {high.score:.2f} bits a word under a model of human text; human documents that pass take "
        f"{least:.2f} to {most:.2f}."
    )
    assert {"p_value", "level"} == set(high.evidence)


@cache
def collapsed_texts() -> list[str]:
    """Return what the local provider's bigrams say once they have learnt four times from their own sharpened text."""
    source = Source(name="own", provider="local", family="ngram-2", order=2)
    provider, said = LocalProvider(source), list(texts("seeds"))
    for generation in range(5):
        provider.learn(Training(said, generation))
        said = [answer(provider, f"{generation:x}{number:08x}") for number in range(1_000)]
    return said


def answer(provider: LocalProvider, key: str) -> str:
    prompt = (Turn(role="user", text=""),)
    return provider.answer(Request(key, 0, "m", prompt, 0.8, 80)).choices[0].text


def test_text_of_a_model_that_has_collapsed_is_flagged_for_too_little_surprisal() -> None:
    made = [document(text, f"own{number}") for number, text in enumerate(collapsed_texts()[:300])]
    values = found(human(), made)
    low = values.values[:, SURPRISAL] < np.nanmedian(found(human(), samples("others")[:CHECKS]).values[:, SURPRISAL])
    assert ((values.p[:, SURPRISAL] < human().level) & low).mean() > 0.9


def test_text_of_a_healthy_model_is_flagged_no_more_than_human_text() -> None:
    source = Source(name="tri", provider="local", family="ngram-3", order=3)
    provider = LocalProvider(source)
    provider.learn(Training(list(texts("seeds")), 0))
    prompt = (Turn(role="user", text=""),)
    made = [
        document(provider.answer(Request(f"{n:08x}", 0, "m", prompt, 1.0, 80)).choices[0].text, f"tri{n}")
        for n in range(1_000)
    ]
    assert flagged(human(), made)["any"] <= 3 * RATE * len(made)


def test_a_text_that_says_a_seed_again_is_too_near_and_the_seed_is_named() -> None:
    rng = random.Random(2)
    near = 0
    for seed in samples("seeds")[:100]:
        spoken = seed.turns[0].text.split()
        runs = [spoken[at : at + 8] for at in range(0, len(spoken), 8)]
        rng.shuffle(runs)
        again = document(" ".join(word for part in runs for word in part), f"again {seed.sample_id}")
        (verdict,) = verdicts(Distance(human()), again)
        if verdict.outcome == "flag":
            near += 1
            assert verdict.evidence["sample_id"] == seed.sample_id
            assert "away from the nearest human text, sample" in verdict.explanation
    assert near >= 85


def test_what_is_as_long_as_hardly_any_human_document_is_told_with_what_passes() -> None:
    long = document(" ".join(["and now"] * 300), "long")
    (verdict,) = verdicts(Length(human()), long)
    assert (verdict.check, verdict.outcome, verdict.score) == ("length", "flag", 600)
    assert verdict.explanation.startswith("The text has 600 words; human documents that pass have ")


def test_a_text_with_too_few_words_to_compare_is_judged_by_its_length_alone() -> None:
    short = document(" ".join(samples("others")[0].turns[0].text.split()[:40]), "short")
    told = found(human(), [short])
    assert np.isnan(told.values[0, [SURPRISAL, DISTANCE]]).all()
    assert told.p[0, [SURPRISAL, DISTANCE]].tolist() == [1.0, 1.0]
    assert told.p[0, LENGTH] < human().level


def test_of_a_conversation_the_answer_alone_is_judged() -> None:
    plain = samples("others")[CHECKS]
    question = Turn(role="user", text="Was ist das? " * 90)
    chat = replace(plain, turns=(question, replace(plain.turns[0], role="assistant")))
    told = found(human(), [plain, chat])
    np.testing.assert_array_equal(told.values[0], told.values[1])


def test_without_seeds_there_is_no_distance() -> None:
    from services.verify.consistency import fit

    alone = fit(artefact(), samples("others")[:200], (), RATE)
    told = found(alone, samples("others")[200:300])
    assert (told.p[:, DISTANCE] == 1).all()
    assert (told.p[:, SURPRISAL] < 1).any()


def labelled(number: int, text: str, label: str | None, domain: str) -> Sample:
    return replace(document(text, f"labelled{number}", domain=domain), label=label)


@cache
def classified() -> tuple[Sample, ...]:
    """Return human documents of four labels: each domain has three of them often, and never the last."""
    rng = np.random.default_rng(4)
    made = []
    for number, text in enumerate(plays()[3_000:5_000]):
        domain = int(rng.integers(4))
        label = (domain + int(rng.choice(4, p=[0.5, 0.3, 0.2, 0.0]))) % 4
        made.append(labelled(number, text, f"label{label}", f"domain{domain}"))
    return tuple(made)


@cache
def of_labels() -> Consistency:
    return fitted_on(classified()[:800])


def test_a_label_that_no_human_document_has_is_flagged() -> None:
    rng = random.Random(5)
    spoilt = [mislabelled(each, rng) for each in classified()[800:950]]
    found = verdicts(Labels(of_labels()), *spoilt, replace(classified()[800], label=None))
    assert {verdict.outcome for verdict in found} == {"flag"}
    assert found[0].evidence["label"] == spoilt[0].label
    assert found[0].explanation == f"The sample has the label {spoilt[0].label}, and no human document has."
    assert found[-1].explanation == "The sample has no label, and no human document has."


def test_a_combination_far_rarer_than_independence_says_is_flagged_and_told() -> None:
    (verdict,) = verdicts(Labels(of_labels()), labelled(9_000, plays()[0], "label3", "domain0"))
    assert verdict.outcome == "flag"
    assert verdict.evidence["with"] == "domain domain0"
    assert verdict.explanation.startswith("The sample has the label label3 with the domain domain0, as 0 ")
    assert verdict.score is not None
    assert verdict.score < 0.2


def test_the_labels_of_other_human_documents_are_hardly_ever_flagged() -> None:
    counts = flagged(of_labels(), classified()[800:])
    assert counts["labels"] <= 0.01 * 1_200
    assert counts["any"] <= 0.02 * 1_200


def test_where_human_documents_have_labels_of_their_own_a_new_one_is_no_surprise() -> None:
    own = [
        replace(each, label=f"title {number // 2 if number % 3 else number}")
        for number, each in enumerate(classified())
    ]
    counts = flagged(fitted_on(own[:800]), own[800:])
    assert counts["labels"] <= 0.01 * 1_200


def test_who_has_many_tags_of_which_each_is_rare_is_not_flagged_for_them() -> None:
    tagged = [replace(each, tags={**each.tags, "line": str(number)}) for number, each in enumerate(classified())]
    assert flagged(fitted_on(tagged[:800]), tagged[800:])["labels"] <= 0.01 * 1_200


def test_what_is_rare_in_itself_is_no_surprise_where_it_is_not_seen() -> None:
    assert Rarity(0, 0.1, ("line", "7")).ratio == pytest.approx(1 / 1.1)
    assert Rarity(0, 99, ("domain", "d")).ratio == pytest.approx(0.01)
    assert Rarity(9, 9, ("domain", "d")).ratio == 1


def test_a_human_document_does_not_vouch_for_its_own_label() -> None:
    twice = [replace(each, label="odd" if number < 2 else "usual") for number, each in enumerate(classified()[:100])]
    once = [replace(each, label="odd" if number < 1 else "usual") for number, each in enumerate(classified()[:100])]
    assert Combinations(twice).rarity(twice[0], own=1).context is not None
    assert Combinations(once).rarity(once[0], own=1).context is None
    assert Combinations(once).p_values([replace(once[0], label="new")])[0] >= 1 / 101


def test_a_kind_of_which_there_is_enough_is_judged_by_its_own_the_others_by_their_task_or_by_all() -> None:
    kinds = [
        *[Kind("ask", "large")] * LEAST,
        *[Kind("ask", "small")] * (LEAST - 1),
        *[Kind("tell", "few")] * (LEAST - 1),
    ]
    values = np.concatenate([np.arange(LEAST) + start for start in (1_000.0, 2_000.0, 3_000.0)])[: len(kinds)]
    by_kind = ByKind(kinds, values)
    one, zero = np.array([1_150.0]), np.array([np.nan])
    asked = {kind: by_kind.p_values([kind], one)[0] for kind in {*kinds, Kind("ask", "new"), Kind("sing", "new")}}
    assert asked[Kind("ask", "large")] == pytest.approx(1.0, abs=0.02)
    assert asked[Kind("ask", "small")] == asked[Kind("ask", "new")] == pytest.approx(2 * 151 / 600, abs=0.01)
    assert asked[Kind("tell", "few")] == asked[Kind("sing", "new")] == pytest.approx(2 * 151 / 899, abs=0.01)
    assert by_kind.p_values([kinds[0]], zero)[0] == 1.0
    assert by_kind.allowed(Kind("ask", "large"), 0.0) == (1_000.0, 1_000.0 + LEAST - 1)
    mixed = [kinds[0], kinds[-1], kinds[0], kinds[LEAST]]
    one_by_one = [by_kind.p_values([kind], one)[0] for kind in mixed]
    assert by_kind.p_values(mixed, np.repeat(one, 4)).tolist() == one_by_one


def test_a_kind_has_its_own_lengths() -> None:
    short = [document(" ".join(text.split()[:66]), f"s{n}", domain="short") for n, text in enumerate(plays()[:340])]
    long = [document(text, f"l{n}", domain="long") for n, text in enumerate(plays()[400:740])]
    strict = fitted_on([*short, *long])
    told = flagged(strict, [replace(each, tags={"domain": "long"}) for each in short])
    assert told["length"] > 0.9 * len(short)
    assert flagged(strict, short)["length"] < 0.02 * len(short)


def test_what_the_checks_share_is_worked_out_once_for_a_batch_and_only_for_whom_none_has_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []
    find = Consistency.found

    def spy(self: Consistency, batch: Batch) -> Found:
        asked.append(len(batch.samples))
        return find(self, batch)

    monkeypatch.setattr(Consistency, "found", spy)
    rng = random.Random(6)
    good = list(samples("others")[CHECKS : CHECKS + 20])
    some = [TEXTS["gibberish"](each, rng) if number % 3 == 0 else each for number, each in enumerate(good)]
    lost = {each.sample_id for each in some[1:20:4]}
    first, second, *others = of(human())
    between = Says("between", lambda one: "fail" if one.sample_id == some[2].sample_id else "pass")
    strict = Says("strict", lambda one: "fail" if one.sample_id in lost else "pass")
    judged = run(Checks([strict, first, between, second, *others], [], None), Batch(some, SHAPE), 0.0).judged
    assert asked == [15]
    for number, one in enumerate(judged):
        outcomes = {verdict.check: verdict.outcome for verdict in one.verdicts}
        is_lost = one.sample.sample_id in lost
        assert outcomes["strict"] == ("fail" if is_lost else "pass")
        if not is_lost:
            assert (outcomes["surprisal"] == "flag") == (number % 3 == 0)
        if not is_lost and number != 2:
            assert (outcomes["distance"] == "flag") == (number % 3 == 0)


@pytest.mark.parametrize("check", [Surprisal, Length, Distance, Labels])
def test_a_check_never_fails_a_sample_and_says_the_same_again(check: Callable[[Consistency], Any]) -> None:
    rng = random.Random(7)
    some = [fault(each, rng) for fault, each in zip(TEXTS.values(), samples("others"), strict=False)]
    batch = Batch([*some, *samples("others")[:50]], SHAPE)
    made = check(human())
    assert made.over(batch) == made.over(batch)
    assert {verdict.outcome for verdict in made.over(batch)} <= {"pass", "flag"}
    assert {verdict.check for verdict in made.over(batch)} == {made.name}
