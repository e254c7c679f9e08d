import random
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
import stamina
from crashing import Crash, CrashingBroker
from hypothesis import given, settings
from hypothesis import strategies as st
from idling import until_idle
from structlog.testing import capture_logs
from verify_world import CODEC, NOW, accept, drain, events, fates, human, put, recipe, refer, sample, stage, text, world

from services import artefact, reference
from services.artefact import Artefact
from services.recipe import RecipeError, parse
from services.steering import set_share
from streams.errors import UnavailableError
from streams.memory import MemoryBroker
from streams.samples import Sample, digest

CONSISTENT = recipe(checks=["format", "consistency"])
CHECKED = 119


@pytest.fixture(autouse=True)
def without_pauses() -> Iterator[None]:
    with stamina.set_testing(True, attempts=8, cap=True):
        yield


@pytest.fixture(autouse=True, scope="module")
def fitted_once() -> Iterator[None]:
    """Fit each reference once: a stage that is killed again and again would fit it as often."""
    built: dict[tuple[Any, ...], Artefact] = {}

    def build(version: int, fit: Sequence[Sample], seeds: Sequence[Sample], embeddings: int) -> Artefact:
        key = (version, *sorted(one.sample_id for one in (*fit, *seeds)))
        if key not in built:
            built[key] = artefact.build(version, fit, seeds, embeddings)
        return built[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reference, "build_artefact", build)
        yield


def words(key: object, least: int, most: int) -> str:
    return text(hash_of(key), random.Random(str(key)).randint(least, most))


def hash_of(key: object) -> int:
    return random.Random(str(key)).getrandbits(40)


def referring(checked: int = CHECKED, fit: int = 131) -> MemoryBroker:
    """Return a world with a reference whose part `checks` alone has documents of 90 to 110 words."""
    broker = world()
    put(broker, "seed", [human(text(n, 100)) for n in range(17)])
    refer(broker, "fit", [human(words(f"fit{n}", 66, 70)) for n in range(fit)])
    refer(broker, "calibrate", [human(words(f"calibrate{n}", 300, 350)) for n in range(80)])
    refer(broker, "checks", [human(words(f"checks{n}", 90, 110)) for n in range(checked)])
    return broker


def test_it_handles_nothing_until_a_reference_is_accepted_and_ends_with_the_next() -> None:
    broker = referring()
    cases = [sample(n, text(n, 100)) for n in range(5)]
    put(broker, "generate", cases)
    set_share(broker, CODEC, "p", alpha=0.3, expires_at=None, reason="a policy without a reference", now=NOW)
    with capture_logs() as logs:
        verifier = stage(broker, CONSISTENT)
        verifier.start()
        until_idle(verifier)
    assert fates(broker) == []
    assert [log["why"] for log in logs if log["event"] == "waiting"] == ["no reference is accepted yet"]
    accept(broker)
    verifier.step()
    until_idle(verifier)
    assert len(fates(broker)) == len(cases)
    refer(broker, "checks", [human(words("late", 90, 110))])
    accept(broker)
    put(broker, "generate", [sample("late", text(99, 100))])
    with pytest.raises(UnavailableError, match="Reference version 2 is accepted; verify starts again"):
        verifier.step()
    verifier.close()
    assert len(fates(broker)) == len(cases)
    drain(broker, CONSISTENT).close()
    assert len(fates(broker)) == len(cases) + 1


def test_without_consistency_it_waits_for_nothing_and_goes_on_whatever_is_accepted() -> None:
    broker = referring()
    put(broker, "generate", [sample(0, text(0, 100))])
    verifier = drain(broker, recipe(checks=["format"]))
    accept(broker)
    put(broker, "generate", [sample(1, text(1, 100))])
    until_idle(verifier)
    assert [word for _, word in fates(broker)] == ["verify", "verify"]


def test_what_no_human_document_of_the_part_checks_is_like_waits_for_a_person_and_is_never_rejected() -> None:
    """As long as those of `fit` or `calibrate` is not as long as those of `checks`."""
    broker = referring()
    accept(broker)
    usual, odd = (
        [sample(f"u{n}", words(f"usual{n}", 92, 108)) for n in range(40)],
        [sample("a", text(9, 68)), sample("b", text(8, 330))],
    )
    put(broker, "generate", [*usual, *odd])
    drain(broker, CONSISTENT)
    asked = {event.sample.sample_id: event for event in events(broker, "review")}
    assert {one.sample_id for one in odd} <= set(asked)
    assert len(asked) <= len(odd) + 4
    assert events(broker, "reject") == []
    for event in (asked[one.sample_id] for one in odd):
        assert (event.reason, event.automatic) == ("flagged", "flag")
        assert "length" in {verdict.check for verdict in event.verdicts if verdict.outcome == "flag"}
    assert [v.check for v in events(broker, "verify")[0].verdicts] == [
        "format",
        "surprisal",
        "length",
        "distance",
        "labels",
    ]


def of(label: str, key: str) -> Sample:
    """Return a human text of words of which half are those of its label."""
    said = words(key, 66, 70).split()
    mine = random.Random(key).choices([f"{label}{n}" for n in range(50)], k=len(said))
    return replace(human(" ".join(one for pair in zip(said, mine, strict=True) for one in pair)), label=label)


def test_where_the_reference_has_labels_one_that_is_swapped_waits_for_a_person() -> None:
    broker = world()
    put(broker, "seed", [of(label, f"seed{n}{label}") for n in range(60) for label in "ab"])
    for part, count in (("fit", 60), ("checks", 120)):
        refer(broker, part, [of(label, f"{part}{n}{label}") for n in range(count) for label in "ab"])
    accept(broker)
    right = [replace(of(label, f"u{n}{label}"), sample_id=digest(label, n)) for n in range(20) for label in "ab"]
    wrong = replace(of("a", "x"), sample_id=digest("x"), label="b")
    put(broker, "generate", [*right, wrong])
    drain(broker, CONSISTENT)
    asked = {event.sample.sample_id: event for event in events(broker, "review")}
    assert wrong.sample_id in asked
    assert len(asked) <= 5
    flags = [verdict for verdict in asked[wrong.sample_id].verdicts if verdict.outcome == "flag"]
    assert [(each.check, each.evidence["likelier"]) for each in flags] == [("classifier", "a")]
    assert [each.check for each in events(broker, "verify")[0].verdicts][-2:] == ["labels", "classifier"]


@pytest.mark.parametrize(
    ("checked", "fit", "told"),
    [
        (99, 131, "With 99 documents in the reference's part `checks` and not the 100 that"),
        (CHECKED, 40, "Only 40 documents of reference version 1 are to fit"),
    ],
)
def test_too_small_a_reference_flags_nothing_and_is_told_in_one_sentence(checked: int, fit: int, told: str) -> None:
    broker = referring(checked, fit)
    accept(broker)
    put(broker, "generate", [sample("a", text(1, 330))])
    with capture_logs() as logs:
        drain(broker, CONSISTENT)
    assert [word for _, word in fates(broker)] == ["verify"]
    (warning,) = (log for log in logs if log["log_level"] == "warning")
    assert warning["why"].startswith(told)
    assert "flags nothing" in warning["why"]


def test_more_false_flags_allowed_need_fewer_documents() -> None:
    broker = referring(99)
    accept(broker)
    put(broker, "generate", [sample("a", text(1, 330))])
    drain(broker, recipe(checks=["format", "consistency"], false_flag=0.05))
    assert [word for _, word in fates(broker)] == ["review"]


def test_what_is_no_json_schema_is_told_before_it_waits() -> None:
    with pytest.raises(RecipeError, match="is no JSON Schema"):
        stage(world(), recipe(checks=["format", "consistency"], json_schema={"type": "objekt"}))


@settings(max_examples=8)
@given(st.lists(st.tuples(st.integers(1, 90), st.booleans()), max_size=3))
def test_wherever_it_is_killed_every_candidate_has_the_fate_of_a_run_without_kills(
    crashes: list[tuple[int, bool]],
) -> None:
    cases = [sample(n, words(f"case{n}", 60, 130)) for n in range(12)]
    broker, calm = referring(), referring()
    for each in (broker, calm):
        put(each, "generate", cases)
    for number, (at, after) in enumerate(crashes):
        with suppress(Crash):
            drain(CrashingBroker(broker, at, after=after), CONSISTENT)
        if number == 0:
            accept(broker)
    if not crashes:
        accept(broker)
    accept(calm)
    drain(broker, CONSISTENT)
    drain(calm, CONSISTENT)
    assert Counter(fates(broker)) == Counter(fates(calm))
    assert len(fates(calm)) == len(cases)
    assert {word for _, word in fates(calm)} == {"verify", "review"}


def test_a_local_judge_waits_for_the_reference_too_and_flags_what_loops() -> None:
    broker, asked = referring(), recipe(checks=["format", "local_judge"])
    looped = " ".join([*text(1, 40).split(), *["and so on"] * 20])
    put(broker, "generate", [sample("looped", looped), sample("human", text(2, 100))])
    verifier = stage(broker, asked)
    verifier.start()
    until_idle(verifier)
    assert fates(broker) == []
    accept(broker)
    until_idle(verifier)
    assert dict(fates(broker)) == {sample("looped", "").sample_id: "review", sample("human", "").sample_id: "verify"}
    (request,) = events(broker, "review")
    assert [(verdict.check, verdict.outcome) for verdict in request.verdicts] == [
        ("format", "pass"),
        ("local_judge", "flag"),
    ]


@pytest.mark.parametrize("check", ["local_judge", "semantic", "presidio"])
def test_a_recipe_has_to_ask_for_what_takes_long_or_needs_an_extra(check: str) -> None:
    plan = {"seeds": {"path": "x", "licence": "cc0"}, "generate": {"target": 1}}
    assert check not in parse(plan, "test").verify.checks


def test_a_person_sees_the_nearest_human_text_beside_what_he_decides_about() -> None:
    broker, asked = referring(), recipe(checks=["format", "consistency"], audit_share=1)
    accept(broker)
    near = " ".join([*text(3, 100).split()[:80], *text(77, 20).split()])
    put(broker, "generate", [sample("near", near), sample("short", text(5, 30))])
    drain(broker, asked)
    beside = {request.sample.sample_id: request for request in events(broker, "review")}
    shown, short = beside[sample("near", "").sample_id], beside[sample("short", "").sample_id]
    assert shown.nearest_id == human(text(3, 100)).sample_id
    assert text(3, 100).startswith(shown.nearest_text.rstrip("…"))
    assert 300 < len(shown.nearest_text) <= 400
    assert (short.nearest_id, short.nearest_text) == (None, None)


def test_some_of_what_passes_and_is_like_few_human_documents_is_shown_to_people() -> None:
    lengths = {"usual": 100, "unusual": 89}
    for share, shown in ((0, []), (1, [sample("unusual", "").sample_id])):
        broker = referring()
        accept(broker)
        put(broker, "generate", [sample(key, text(500, length)) for key, length in lengths.items()])
        drain(broker, recipe(checks=["format", "consistency"], rare_share=share))
        asked = events(broker, "review")
        assert [request.sample.sample_id for request in asked] == shown
        assert all((request.reason, request.automatic) == ("rare", "pass") for request in asked)
