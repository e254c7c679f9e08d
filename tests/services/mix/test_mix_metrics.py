"""What the mixer tells of itself: operators' alerts stand on it."""

from collections.abc import Iterator

import pytest
from mix_world import World

from streams.broker import Outgoing
from streams.topics import name

LONG = 60_000


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.close()


def value(world: World, metric: str, **labels: str) -> float | None:
    return world.metrics.registry.get_sample_value(f"ballast_{metric}", labels)


def blocked(world: World) -> dict[str, float | None]:
    return {reason: value(world, "mix_blocked_total", reason=reason) for reason in ("seeds", "trainers", "samples")}


def mixed(world: World) -> dict[str, float | None]:
    """Return how many synthetic samples of each generation are counted."""
    labels = ("0", "1", "2", "more")
    return {one: value(world, "mix_samples_total", origin="synthetic", generation=one) for one in labels}


def test_counters_are_there_before_anything_is_counted(world: World) -> None:
    world.mixer()
    assert blocked(world) == {"seeds": 0, "trainers": 0, "samples": 0}
    assert value(world, "mix_samples_total", origin="human", generation="0") == 0
    assert mixed(world) == dict.fromkeys(("0", "1", "2", "more"), 0)


def test_a_mixer_says_what_it_waits_for(world: World) -> None:
    world.seeds(7)
    mixer = world.mixer()
    world.now += LONG
    mixer.step()
    assert blocked(world) == {"seeds": 1, "trainers": 0, "samples": 0}
    world.seeds(1)
    world.now += LONG
    mixer.step()
    world.now += LONG
    mixer.step()
    assert blocked(world) == {"seeds": 1, "trainers": 0, "samples": 2}
    world.trainer(0)
    for _ in range(2):  # the first makes all the batches that may wait for the trainer
        world.now += LONG
        mixer.step()
    assert blocked(world) == {"seeds": 1, "trainers": 1, "samples": 2}
    assert value(world, "mix_samples_total", origin="human", generation="0") == 4 * 8


def test_what_is_mixed_is_counted_by_generation_up_to_the_recipes_largest(world: World) -> None:
    assert world.recipe.verify.max_generation == 2
    world.seeds(10)
    world.now += LONG
    world.policy(0.5)
    for generation, count in ((1, 5), (2, 3), (3, 2), (9, 2)):
        world.accepted("a", count, generation=generation)
    mixer = world.mixer()
    mixer.step()
    assert mixed(world) == {"0": 0, "1": 5, "2": 3, "more": 4}
    assert value(world, "mix_samples_total", origin="human", generation="0") == 12


def test_trainers_are_counted(world: World) -> None:
    mixer = world.mixer()
    mixer.step()
    assert value(world, "mix_trainers") == 0
    world.trainer(0)
    world.now += LONG
    mixer.step()
    assert value(world, "mix_trainers") == 1


def test_a_policy_that_has_expired_is_not_in_force_but_still_ages(world: World) -> None:
    mixer = world.mixer()
    mixer.step()
    assert value(world, "policy_in_force") == 0
    world.policy(0.3, lasts=60_000)
    world.now += 15_000
    mixer.step()
    assert (value(world, "policy_in_force"), value(world, "policy_age_seconds")) == (1, 15)
    world.now += 45_000
    mixer.step()
    assert (value(world, "policy_in_force"), value(world, "policy_age_seconds")) == (0, 60)


def test_what_cannot_be_mixed_is_counted_as_a_dead_letter(world: World) -> None:
    mixer = world.mixer()
    producer = world.broker.producer()
    producer.send([Outgoing(name("p", "verify"), b"x", b"no event")])
    producer.flush()
    mixer.step()
    assert value(world, "dead_letters_total", stage="mix", reason="record") == 1
