"""What a recipe may say of a source, and of which generation its model is."""

from collections.abc import Callable
from typing import Any

import pytest
from generate_world import recipe
from paid_world import made_of, run_until, source, stubs, world_of
from wire import Server

from services.recipe import RecipeError
from streams.events import EvaluationCompleted


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"model": None}, "source a names no model"),
        ({"order": 3}, "source a has order, which provider openai has not"),
        ({"trained_on": "mix"}, r"trained on {pipeline, cycle}"),
        ({"fall_back": "a"}, "the fall-back of source a is no other source"),
        ({"fall_back": "z"}, "the fall-back of source a is no other source"),
        ({"concurrency": 1001}, "concurrency"),
    ],
)
def test_a_paid_source_that_can_not_work_is_no_recipe(fields: dict[str, Any], why: str) -> None:
    with pytest.raises(RecipeError, match=why):
        recipe(sources=stubs("a", **fields))


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"base_url": "http://127.0.0.1/v1"}, "source a has base_url, which provider local has not"),
        ({"trained_on": {"pipeline": "p", "cycle": 1}}, "trained on seed, mix or self"),
        ({"temperature": 0}, "temperature 0"),
    ],
)
def test_a_local_source_has_no_settings_of_a_paid_one(fields: dict[str, Any], why: str) -> None:
    with pytest.raises(RecipeError, match=why):
        recipe(sources=[{"name": "a", "provider": "local", "family": "a", **fields}])


def score(cycle: int, trained_to_batch: int | None, largest: int | None) -> EvaluationCompleted:
    return EvaluationCompleted(
        event_id=f"{cycle}/{trained_to_batch}/{largest}",
        occurred_at=0,
        run_id="r",
        cycle=cycle,
        model_id="m",
        set_name="holdout",
        loss=1.0,
        documents=1,
        trained_to_batch=trained_to_batch,
        largest_generation=largest,
    )


@pytest.mark.parametrize(
    ("scores", "generation"),
    [
        ([], 2),  # nothing is known of the cycle: the depth cap
        ([score(1, 10, 5)], 2),
        ([score(3, 10, 1)], 1),
        ([score(3, 10, 0), score(3, 20, 1)], 1),
        ([score(3, None, None), score(0, 10, 1)], 2),
        ([score(3, 15, None), score(0, 10, 0), score(1, 20, 1), score(2, 30, 5)], 1),
        ([score(3, 40, None), score(0, 10, 0), score(1, 20, 1)], 2),
    ],
)
def test_a_model_of_a_fine_tuning_cycle_is_of_the_generation_of_its_data(
    serve: Callable[..., Server], scores: list[EvaluationCompleted], generation: int
) -> None:
    world = world_of(source(serve(), trained_on={"pipeline": "p", "cycle": 3}), target=2)
    for each in scores:
        world.send("evaluate", "", each)
    stage = world.slot(None)
    stage.start()
    run_until(world, stage, made_of(world, stage))
    made = {(e.sample.lineage.source.model_generation, e.sample.lineage.generation) for e in world.made()}  # type: ignore[union-attr]
    assert made == {(generation, generation + 1)}
