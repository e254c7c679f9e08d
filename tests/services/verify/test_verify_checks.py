from typing import Any

import pytest
from verify_world import CODEC, SHAPE, batch, human, recipe, sample, text

from services.recipe import RecipeError
from services.verify.checks.contamination import Contamination
from services.verify.checks.depth import Depth
from services.verify.checks.format import Format
from services.verify.checks.jsontext import compiled
from services.verify.chosen import checks
from services.verify.holdout import Holdout
from services.verify.known import Known
from streams.samples import Lineage, Origin, Sample, Turn, Verdict


def said(check: Any, one: Sample) -> Verdict:
    return check.over(batch(one))[0]


def chat(*turns: tuple[str, str]) -> Sample:
    return Sample(
        sample_id="s",
        content_hash="c",
        task="chat",
        turns=tuple(Turn(role=role, text=content) for role, content in turns),
        lineage=Lineage(origin="SYNTHETIC", generation=1),
    )


def test_a_well_formed_sample_passes() -> None:
    verdict = said(Format(1, 9, None), chat(("system", "Be brief."), ("user", "Why?\n\tNow."), ("assistant", "So: é.")))
    assert verdict == Verdict(check="format", outcome="pass")


@pytest.mark.parametrize(
    ("one", "evidence", "explanation"),
    [
        (chat(), {"turns": "0"}, "The sample has no turns."),
        (chat(("user", "a b c"), ("assistant", " \n")), {"turn": "1"}, "Turn 1 is empty."),
        (
            chat(("robot", "a b c")),
            {"turn": "0", "role": "robot"},
            "Turn 0 has a role other than assistant, document, system, user.",
        ),
        (
            chat(("document", "a b c"), ("user", "a")),
            {"role": "document"},
            "A turn of role document stands beside other turns.",
        ),
        (
            chat(("user", "a b\x00c")),
            {"turn": "0", "character": "U+0000", "place": "3"},
            "Turn 0 holds the control character U+0000 at character 3.",
        ),
        (
            chat(("user", "a b\x9bc")),
            {"turn": "0", "character": "U+009B", "place": "3"},
            "Turn 0 holds the control character U+009B at character 3.",
        ),
        (sample("a", "a b"), {"words": "2"}, "The text has 2 words; 3 to 5 are allowed."),
        (sample("a", "a b c d e f"), {"words": "6"}, "The text has 6 words; 3 to 5 are allowed."),
    ],
)
def test_what_is_malformed_fails_with_its_place(one: Sample, evidence: dict[str, str], explanation: str) -> None:
    assert said(Format(3, 5, None), one) == Verdict(
        check="format", outcome="fail", evidence=evidence, explanation=explanation
    )


@pytest.mark.parametrize("count", [3, 5])
def test_the_limits_of_length_are_allowed_themselves(count: int) -> None:
    assert said(Format(3, 5, None), sample("a", " ".join("abcde"[:count]))).outcome == "pass"


SCHEMA = {
    "type": "object",
    "properties": {"age": {"type": "integer", "minimum": 0, "maximum": 150}, "of": {"$ref": "#/$defs/name"}},
    "required": ["age"],
    "$defs": {"name": {"type": "string"}},
}


@pytest.mark.parametrize(
    ("answer", "evidence"),
    [
        ('{"age": 7, "of": "Ann"}', None),
        ('{"age": 151}', {"place": "$.age", "json": "151 is greater than the maximum of 150"}),
        ('{"age": 7, "of": 1}', {"place": "$.of", "json": "1 is not of type 'string'"}),
        ("{}", {"place": "$", "json": "'age' is a required property"}),
        ("so be it", {"json": "Expecting value: line 1 column 1 (char 0)"}),
        ('{"age": NaN}', {"json": "NaN is no JSON number"}),
    ],
)
def test_the_last_turn_has_to_be_json_of_the_schema(answer: str, evidence: dict[str, str] | None) -> None:
    verdict = said(Format(0, 99, compiled(SCHEMA)), chat(("user", "How old?"), ("assistant", answer)))
    assert verdict.outcome == ("pass" if evidence is None else "fail")
    assert verdict.evidence == (evidence or {})


def test_json_that_nests_too_deep_fails_like_any_that_is_broken() -> None:
    verdict = said(Format(0, 10**6, compiled({})), sample("a", "[" * 200_000))
    assert (verdict.outcome, verdict.explanation) == ("fail", "The last turn is no JSON.")


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"type": "objekt"}, "is no JSON Schema"),
        ({"prefixItems": [{"$ref": "https://example.org/s.json"}]}, "refers to https://example.org/s.json"),
    ],
)
def test_a_schema_that_cant_serve_is_an_error_of_the_recipe(schema: dict[str, Any], told: str) -> None:
    with pytest.raises(RecipeError, match=told):
        compiled(schema)


@pytest.mark.parametrize(
    ("origin", "generation", "outcome", "counted"),
    [
        ("SYNTHETIC", 1, "pass", 1),
        ("SYNTHETIC", 2, "pass", 2),
        ("SYNTHETIC", 3, "fail", 3),
        ("UNKNOWN", -1, "pass", 2),
        ("UNKNOWN", 0, "pass", 2),
        ("HUMAN_EDITED", 0, "pass", 0),
    ],
)
def test_a_sample_may_be_as_deep_as_the_cap_and_no_deeper(
    origin: Origin, generation: int, outcome: str, counted: int
) -> None:
    one = Sample(
        sample_id="s",
        content_hash="c",
        task="t",
        turns=(),
        lineage=Lineage(origin=origin, generation=generation),
    )
    verdict = said(Depth(2), one)
    assert (verdict.outcome, verdict.score) == (outcome, counted)


def test_the_depth_verdict_says_why() -> None:
    assert said(Depth(2), sample("a", "x", generation=3)) == Verdict(
        check="depth",
        outcome="fail",
        score=3,
        evidence={"generation": "3", "max_generation": "2"},
        explanation="The sample is 3 generations of models away from human text; 2 are allowed.",
    )


def holding(*contents: str) -> Holdout:
    holdout = Holdout()
    held = batch(*(human(content) for content in contents))
    holdout.add(held.entries.ids, held.hashes)
    return holdout


def test_a_text_that_shares_too_much_with_the_holdout_fails_and_says_what() -> None:
    held = text(1)
    shared = held.split()[10:40]
    one = sample("a", " ".join([*text(2, 20).split(), *shared]))
    verdict = said(Contamination(holding(text(3), held), 0.2), one)
    assert verdict.outcome == "fail"
    assert verdict.score == pytest.approx(23 / 43)
    assert verdict.evidence == {"ngram": " ".join(shared[:8]), "sample_id": human(held).sample_id}
    assert verdict.explanation.startswith("53% of the text's runs of 8 words are in the holdout too")


def test_a_text_that_shares_just_as_much_as_is_allowed_passes() -> None:
    one = sample("a", " ".join([*text(2, 20).split(), *text(1).split()[10:40]]))
    verdict = said(Contamination(holding(text(1)), 23 / 43), one)
    assert (verdict.outcome, verdict.evidence) == ("pass", {})
    assert verdict.score == pytest.approx(23 / 43)


def test_seven_shared_words_are_no_overlap() -> None:
    one = sample("a", " ".join([*text(2).split(), *text(1).split()[:7]]))
    assert said(Contamination(holding(text(1)), 0.0), one).score == 0.0


def test_a_text_shorter_than_a_gram_is_contaminated_only_by_its_equal() -> None:
    check = Contamination(holding("who was it", "a far longer text that says: who was it that night"), 0.2)
    assert said(check, sample("a", "Who was it?")).outcome == "fail"
    assert said(check, sample("b", "who was he")).outcome == "pass"


def test_checks_begin_with_the_cheap_ones_whatever_the_recipe_says() -> None:
    known = Known(CODEC, "p", SHAPE)
    found = checks(recipe(checks=["contamination", "duplicate", "format"], near_duplicate=0.7), known)
    assert [check.name for check in found.quick] == ["format", "duplicate", "contamination"]
    assert found.near_duplicate == 0.7
    assert checks(recipe(checks=["format"]), known).near_duplicate is None
