from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sketch_world import sample, text

from services.groups import ALL, BROUGHT, HUMAN, MOST, OTHER, Name, parsed
from services.recipe import RecipeError, parse
from services.sketch.groups import Groups
from streams.events import Event, ModelAnswered, SampleGenerated, SampleIngested, SampleMixed, SampleVerified
from streams.samples import Lineage, Sample

GROUPS = Groups(["tri", "bi"], ["text", "math"])
CANDIDATE = sample("g", text("g"), "tri")


def mixed(one: Sample) -> SampleMixed:
    parts: Any = dict.fromkeys(("batch_index", "position", "batch_size", "epoch", "next_real", "policy_version"), 0)
    parts |= dict.fromkeys(("synthetic_total", "source_partition", "source_offset", "occurred_at"), 0)
    return SampleMixed(
        **parts, event_id="", cut=(), alpha=0.3, recipe_cap=0.3, synthetic=True, source_topic="", sample=one
    )


def generated(one: Sample) -> SampleGenerated:
    return SampleGenerated(event_id="", occurred_at=0, sample=one)


def verified(one: Sample) -> SampleVerified:
    return SampleVerified(event_id="", occurred_at=0, sample=one)


def names(event: Event, groups: Groups = GROUPS) -> list[str]:
    found = groups.of(event)
    assert found is not None
    return [str(name) for name in found[1]]


def test_each_topic_has_groups_of_its_own() -> None:
    human = sample("h", text("h"))
    assert names(SampleIngested(event_id="", occurred_at=0, pool="seed", sample=human)) == ["seed/text/human"]
    assert [names(mixed(one)) for one in (human, CANDIDATE)] == [["mix/text/all"]] * 2
    assert names(generated(CANDIDATE))[0] == "generate/text/tri"
    assert names(verified(CANDIDATE)) == ["verify/text/tri"]
    assert str(GROUPS.source_of(CANDIDATE)) == "verify/text/tri"
    brought = replace(CANDIDATE, lineage=Lineage(origin="UNKNOWN", generation=1))
    assert names(verified(brought)) == ["verify/text/ingest"]
    assert names(verified(replace(CANDIDATE, task="chess"))) == ["verify/other/tri"]
    assert names(verified(sample("x", text("x"), "stranger"))) == ["verify/text/other"]
    answered: Any = object.__new__(ModelAnswered)
    assert GROUPS.of(answered) is None


def test_all_that_is_generated_costs_as_much_as_one_source_and_lies_in_every_partition() -> None:
    groups = Groups(["tri", "bi", "own"], ["text"])  # with what files bring four, which divides as partitioners do
    said = [sample(f"g{n}", "lo", "tri") for n in range(4_000)]
    drawn = [each.sample_id for each in said if "generate/text/all" in names(generated(each), groups)]
    assert len(drawn) == pytest.approx(1_000, abs=4 * (4_000 * 3 / 16) ** 0.5)
    for digits in (slice(0, 16), slice(-16, None)):  # by which a partitioner may go
        parts = Counter(int(each[digits], 16) % 4 for each in drawn)
        assert min(parts[number] for number in range(4)) > 180


@given(st.integers(0, 60), st.integers(1, 60))
def test_there_are_at_most_64_groups_and_the_first_have_names_of_their_own(sources: int, tasks: int) -> None:
    of_sources, of_tasks = [f"s{n}" for n in range(sources)], [f"t{n}" for n in range(tasks)]
    groups, found = Groups(of_sources, of_tasks), set()
    said = [
        replace(sample("g0", "lo", source), task=task) for source in [*of_sources, "x"] for task in [*of_tasks, "y"]
    ]
    brought = [replace(each, lineage=Lineage(origin="UNKNOWN", generation=1)) for each in said[:1]]
    for one in (*said, *brought):
        event = SampleIngested(event_id="", occurred_at=0, pool="seed", sample=one)
        for each in (event, mixed(one), generated(one), verified(one)):
            found |= set(names(each, groups))
    assert len(found) <= MOST
    assert {parsed(name).task for name in found} >= {"t0", OTHER}
    assert {parsed(name).source for name in found} >= {*of_sources[:12], HUMAN, ALL, OTHER}


@pytest.mark.parametrize("name", ["generate/text/tri", "verify/maths/algebra/qwen", "mix/a/b/all"])
def test_a_name_comes_back_from_its_parts(name: str) -> None:
    assert str(parsed(name)) == name
    assert parsed("verify/maths/algebra/qwen") == ("verify", "maths/algebra", "qwen")
    assert parsed("odd") == Name("", "", "odd")


@pytest.mark.parametrize("name", [HUMAN, ALL, OTHER, BROUGHT])
def test_no_source_has_a_name_that_means_something_else(name: str) -> None:
    source = {"name": name, "provider": "local", "family": "f"}
    told = {"seeds": {"path": "x", "licence": "cc0"}, "generate": {"target": 1}, "sources": [source]}
    with pytest.raises(RecipeError, match=f"a source can't be called {name}, which means something else"):
        parse(told, "test")
