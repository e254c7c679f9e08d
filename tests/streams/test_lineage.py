from collections.abc import Collection
from dataclasses import replace
from typing import Any

from streams.events import ModelAnswered, SampleGenerated, SampleIngested, SampleMixed, SampleVerified
from streams.lineage import JUDGE, Found, trace
from streams.samples import Lineage, Sample, Source, Turn


def source(key: str) -> Source:
    return Source(
        name="a", provider="local", model_id="m", family="f", model_generation=0,
        prompt_hash="p", request_key=key, call_index=0,
    )  # fmt: skip


def sample(sample_id: str, parents: tuple[str, ...] = (), request: str | None = None) -> Sample:
    lineage = Lineage(
        origin="SYNTHETIC" if parents else "HUMAN",
        generation=len(parents),
        seed_id=parents[0] if parents else None,
        parent_ids=parents,
        source=source(request) if request else None,
    )
    turns = (Turn(role="document", text=sample_id),)
    return Sample(sample_id=sample_id, content_hash="h", task="text", turns=turns, lineage=lineage)


def found(word: str, subject: str, event: Any, offset: int = 0) -> Found:
    return Found(word, 0, offset, subject, event)


class Log:
    """A few events, and how often it was read."""

    def __init__(self, *events: Found) -> None:
        self._events = events
        self.scans: list[set[str]] = []

    def __call__(self, subjects: Collection[str]) -> list[Found]:
        self.scans.append(set(subjects))
        return [event for event in self._events if event.subject in subjects]


def human(sample_id: str) -> Found:
    return found("seed", sample_id, SampleIngested(event_id="e", occurred_at=1, pool="seed", sample=sample(sample_id)))


def generated(made: Sample) -> Found:
    return found("generate", made.sample_id, SampleGenerated(event_id="e", occurred_at=1, sample=made))


def answered(key: str) -> Found:
    event = ModelAnswered(
        event_id="e", occurred_at=1, request_key=key, purpose="generate", call_index=0, slot=0, source=source(key),
        task="text", prompt=(), choices=(), asked_at=1,
    )  # fmt: skip
    return found("response", key, event)


def verified(made: Sample) -> Found:
    return found("verify", made.sample_id, SampleVerified(event_id="e", occurred_at=1, sample=made))


def mixed(made: Sample) -> Found:
    event = SampleMixed(
        event_id="e", occurred_at=1, batch_index=0, position=0, batch_size=1, epoch=0, cut=(), next_real=0, alpha=1.0,
        recipe_cap=1.0, policy_version=0, synthetic=True, synthetic_total=1, source_topic="verify",
        source_partition=0, source_offset=0, sample=made,
    )  # fmt: skip
    return found("mix", made.sample_id, event)


def test_a_sample_is_followed_over_its_parents_to_human_text() -> None:
    child, parent = sample("child", ("parent",), "ask-2"), sample("parent", ("root", "other"), "ask-1")
    log = Log(
        mixed(child), verified(child), generated(child), answered("ask-2"),
        verified(parent), generated(parent), answered("ask-1"), human("root"), human("other"), human("stranger"),
    )  # fmt: skip
    steps = trace("child", log)
    assert [(step.sample_id, step.depth) for step in steps] == [
        ("child", 0), ("parent", 1), ("root", 2), ("other", 2),
    ]  # fmt: skip
    assert [event.word for event in steps[0].events] == ["response", "generate", "verify", "mix"]
    assert [event.word for event in steps[1].events] == ["response", "generate", "verify"]
    assert [event.word for event in steps[2].events] == ["seed"]
    assert len(log.scans) == 3


def test_the_answer_of_the_last_generation_is_found_too() -> None:
    only = sample("only", (), "ask")
    steps = trace("only", Log(generated(only), answered("ask")))
    assert [event.word for event in steps[0].events] == ["response", "generate"]


def test_an_ancestor_that_no_event_is_about_is_named_and_left_out() -> None:
    child = sample("child", ("gone",))
    (step,) = trace("child", Log(generated(child)))
    assert step.parents == ("gone",)


def test_samples_that_name_each_other_do_not_go_round_for_ever() -> None:
    one, two = sample("one", ("two",)), sample("two", ("one",))
    assert [step.sample_id for step in trace("one", Log(generated(one), generated(two)))] == ["one", "two"]


def test_a_common_ancestor_stands_once() -> None:
    child = sample("child", ("left", "right"))
    left, right = sample("left", ("root",)), sample("right", ("root",))
    steps = trace("child", Log(generated(child), generated(left), generated(right), human("root")))
    assert [step.sample_id for step in steps] == ["child", "left", "right", "root"]


def test_an_unknown_sample_has_no_way() -> None:
    assert trace("nobody", Log()) == []


def test_what_a_judge_said_of_a_candidate_stands_behind_its_making_and_before_its_fate() -> None:
    child = sample("child", ("root",), "ask")
    judged = answered("ask")._replace(subject="child")
    judged = judged._replace(event=replace(judged.event, purpose=JUDGE, parent_ids=("child",)))
    (step, _) = trace("child", Log(judged, verified(child), generated(child), answered("ask"), human("root")))
    assert [getattr(each.event, "purpose", each.word) for each in step.events] == [
        "generate",
        "generate",
        JUDGE,
        "verify",
    ]
