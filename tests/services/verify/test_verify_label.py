import random
from dataclasses import replace
from typing import Any

import planted_labels as plant
import pytest
from human_texts import dialogues, documents
from planting import Plant, caught, failed, with_turns
from verify_world import CODEC, SHAPE, batch, drain, events, human, put, recipe, sample, world

from services.recipe import LabelRules, RecipeError
from services.verify.checks.label import Label
from services.verify.chosen import checks
from services.verify.known import Known
from streams.samples import Sample, Verdict

MOODS = ["question", "exclamation", "statement"]
END = r"""["'’”)\]\s]*$"""
RULES: dict[str, Any] = {
    "allowed": MOODS,
    "rules": [
        {"label": "question", "pattern": rf"\?{END}", "field": "last"},
        {"label": "exclamation", "pattern": f"!{END}", "field": "last"},
        {"label": "statement", "pattern": f"[?!]{END}", "field": "last", "must": "not_match"},
    ],
}
PASS = Verdict(check="label", outcome="pass")


def label(**rules: Any) -> Label:
    return Label(LabelRules.model_validate(rules))


def labelled(content: str, of: str | None, key: str = "a") -> Sample:
    return replace(sample(key, content), label=of)


def moods() -> list[Sample]:
    return [plant.mood(one) for one in dialogues()[:600]]


@pytest.mark.parametrize("fault", [plant.wordy, plant.contradicting])
def test_wrong_labels_fail(fault: Plant) -> None:
    assert {one.label for one in moods()} == set(MOODS)
    assert caught(label(**RULES), fault, moods()) == 1


def test_no_human_text_with_its_own_label_fails() -> None:
    assert failed(label(**RULES), [plant.mood(one) for one in [*dialogues(), *documents()]]) == 0


def test_without_rules_and_without_a_label_everything_passes() -> None:
    rng = random.Random(1)
    planted = [plant.wordy(one, rng) for one in moods()]
    assert failed(label(), planted) == 0
    assert label(**RULES).over(batch(*documents()[:100])) == [PASS] * 100


def test_a_label_that_is_not_allowed_is_told_with_those_that_are() -> None:
    (verdict,) = label(allowed=["good", "bad"]).over(batch(labelled("so be it", "Good")))
    assert verdict == Verdict(
        check="label",
        outcome="fail",
        evidence={"label": "Good", "rule": "verify.labels.allowed"},
        explanation="The label Good is none of those allowed, good, bad.",
    )


def test_what_is_told_has_an_end() -> None:
    long = label(allowed=[f"label{number}" for number in range(999)], rules=[])
    (verdict,) = long.over(batch(labelled("so be it", "x" * 999)))
    assert verdict.evidence["label"] == "x" * 80
    assert verdict.explanation.endswith("….")
    assert len(verdict.explanation) < 400


def test_a_text_that_lacks_what_its_label_demands_is_told_with_the_rule() -> None:
    (verdict,) = label(rules=[{"label": "b", "pattern": "x"}, {"label": "a", "pattern": r"\d"}]).over(
        batch(labelled("so be it", "a"))
    )
    assert (verdict.outcome, verdict.evidence) == (
        "fail",
        {"label": "a", "rule": "verify.labels.rules.1", "pattern": r"\d"},
    )
    assert (
        verdict.explanation == r"The text does not match \d, which verify.labels.rules.1 demands where the label is a."
    )


def test_a_text_that_has_what_its_label_forbids_is_told_with_the_place() -> None:
    rules = [{"label": "a", "pattern": r"\d", "must": "not_match", "field": "last"}]
    (verdict,) = label(rules=rules).over(batch(labelled("déjà 7", "a")))
    assert verdict.evidence == {"label": "a", "rule": "verify.labels.rules.0", "pattern": r"\d", "place": "5"}
    assert verdict.explanation == (
        r"The last turn matches \d at character 5, which verify.labels.rules.0 forbids where the label is a."
    )


def test_of_several_broken_rules_the_first_is_told_and_every_one_counts() -> None:
    rules = [{"label": "a", "pattern": "x"}, {"label": "a", "pattern": "y"}]
    told = label(rules=rules).over(batch(*(labelled(text, "a", text) for text in ("n", "x n", "y n", "x y"))))
    assert [verdict.evidence.get("rule", "")[-1:] for verdict in told] == ["0", "1", "0", ""]


def test_the_whole_text_has_every_turn_but_the_systems_and_the_last_turn_is_one() -> None:
    turns = ("system", "alpha"), ("user", "beta"), ("assistant", "gamma")
    one = replace(with_turns(human(""), *turns), label="a")
    found = {
        (field, pattern): label(rules=[{"label": "a", "pattern": pattern, "field": field}]).over(batch(one))[0].outcome
        for field in ("text", "last")
        for pattern in ("alpha", "beta", "gamma")
    }
    assert [word for word, outcome in found.items() if outcome == "pass"] == [
        ("text", "beta"),
        ("text", "gamma"),
        ("last", "gamma"),
    ]


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (
            {"rules": [{"label": "a", "pattern": "x"}, {"label": "a", "pattern": "("}]},
            "`verify.labels.rules.1.pattern`: this is no regular expression as RE2 has them (missing ): (); mend it",
        ),
        ({"rules": [{"label": "a", "pattern": "(?=a)"}]}, "`verify.labels.rules.0.pattern`: this is no regular"),
        ({"rules": [{"label": "a", "pattern": ""}]}, "`verify.labels.rules.0.pattern`: "),
        ({"rules": [{"label": "a", "pattern": "a" * 1_001}]}, "`verify.labels.rules.0.pattern`: "),
        ({"rules": [{"label": "a", "pattern": "a", "feild": "last"}]}, "did you mean `field`?"),
        ({"allowed": []}, "`verify.labels.allowed`: "),
        (
            {"allowed": ["b"], "rules": [{"label": "a", "pattern": "a"}]},
            "`verify.labels`: rule 0 is for a, which is not in `allowed`; add it there",
        ),
    ],
)
def test_rules_that_can_not_be_kept_are_told_with_their_place(labels: dict[str, Any], told: str) -> None:
    with pytest.raises(RecipeError) as error:
        recipe(labels=labels)
    assert told in str(error.value)


def test_every_recipe_has_the_check_and_it_judges_by_the_recipes_rules() -> None:
    settings = recipe(labels=RULES)
    quick = checks(settings, Known(CODEC, "p", SHAPE)).quick
    (check,) = (each for each in quick if each.name == "label")
    assert check.over(batch(labelled("Is it so?", "statement")))[0].outcome == "fail"


def test_the_stage_rejects_a_label_that_is_not_allowed() -> None:
    broker = world()
    put(broker, "generate", [labelled("so be it and so it was", "a", "1"), labelled("and so it went on", "b", "2")])
    drain(broker, recipe(labels={"allowed": ["a"]}))
    assert [event.reasons for event in events(broker, "reject")] == [("label",)]
    assert [event.sample.label for event in events(broker, "verify")] == ["a"]
