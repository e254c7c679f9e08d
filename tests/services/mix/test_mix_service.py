from collections import Counter
from collections.abc import Iterator

import pytest
from mix_world import CODEC, World, recipe

from services.mix.trainers import progress
from streams.broker import Outgoing
from streams.errors import FatalError
from streams.events import DeadLetter
from streams.parts import SourceRange
from streams.topics import name


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.close()


def ready(world: World, alpha: float = 0.5) -> None:
    world.seeds(10)
    world.now += 6_000
    world.policy(alpha)


def test_the_first_epoch_waits_for_one_batch_and_for_ingest_to_be_idle(world: World) -> None:
    world.policy(0.5)
    world.accepted("a", 8)
    mixer = world.mixer()
    world.seeds(7)
    world.now += 6_000
    assert mixer.step() == 0
    world.seeds(3)
    world.now += 4_900
    assert mixer.step() == 0
    world.now += 100
    assert mixer.step() == 16


def test_later_seeds_enter_the_next_epoch(world: World) -> None:
    ready(world)
    world.trainer(0)
    mixer = world.mixer()
    world.accepted("a", 4)
    mixer.step()
    world.seeds(10)
    world.accepted("a", 12)
    mixer.step()
    reals = [event for event in world.mixed() if not event.synthetic]
    first = [event.sample.sample_id for event in reals if event.epoch == 0]
    assert sorted(first) == sorted(f"seed-{n}" for n in range(1, 11))
    assert {event.epoch for event in reals} == {0, 1}
    world.trainer(50)
    world.now += 2_000
    world.accepted("a", 40)
    mixer.step()
    assert Counter(e.sample.sample_id for e in world.mixed() if e.epoch == 1 and not e.synthetic) == Counter(
        record.key.decode() for record in world.records("seed") if record.key
    )


@pytest.mark.parametrize(("alpha", "lasts"), [(None, None), (0.5, 1_000)])
def test_without_a_policy_or_with_an_expired_one_nothing_synthetic_is_mixed(
    world: World, alpha: float | None, lasts: int | None
) -> None:
    ready(world, 0.0)
    if alpha is not None:
        world.policy(alpha, lasts=lasts)
        world.now += 1_000
    world.accepted("a", 20)
    world.trainer(0)
    assert world.mixer().step() == 4 * 8
    assert {event.synthetic for event in world.mixed()} == {False}
    assert {event.alpha for event in world.mixed()} == {0.0}


def test_a_policy_never_lifts_the_recipes_cap(world: World) -> None:
    ready(world, 1.0)
    world.accepted("a", 8)
    world.mixer().step()
    assert [sum(e.synthetic for e in world.mixed() if e.batch_index == n) for n in (0, 1)] == [4, 4]


def test_without_a_trainer_only_batches_with_something_fresh_are_made(world: World) -> None:
    ready(world)
    mixer = world.mixer()
    world.now += 100_000
    assert mixer.step() == 0
    world.accepted("a", 3)
    assert mixer.step() == 0, "the target is 4 and nothing has waited long"
    world.now += 30_000
    assert mixer.step() == 8
    assert sum(event.synthetic for event in world.mixed()) == 3


def test_with_a_trainer_and_nothing_fresh_a_real_batch_comes_after_the_longest_wait(world: World) -> None:
    ready(world)
    world.trainer(0)
    mixer = world.mixer()
    assert mixer.step() == 0
    world.now += 30_000
    assert mixer.step() == 8
    assert mixer.step() == 0


def test_batches_stop_ahead_of_the_slowest_trainer(world: World) -> None:
    ready(world)
    world.accepted("a", 100)
    world.trainer(2)
    mixer = world.mixer()
    assert sum(mixer.step() for _ in range(5)) == 6 * 8
    world.trainer(5)
    world.now += 1_000
    assert sum(mixer.step() for _ in range(5)) == 3 * 8
    assert progress(world.broker, "p") == {"t": 5}


def test_a_restart_goes_on_with_the_exact_next_batch(world: World) -> None:
    ready(world)
    world.accepted("a", 12)
    first = world.mixer()
    first.step()
    first.close()
    world.accepted("a", 8)
    world.mixer().step()
    mixed = world.mixed()
    assert [(e.batch_index, e.position) for e in mixed] == [divmod(n, 8) for n in range(40)]
    assert [e.next_real for e in mixed if not e.synthetic] == [*range(1, 11), *range(1, 11)]


def test_what_was_released_and_half_drawn_survives_a_restart() -> None:
    world = World(recipe(ahead=1))
    ready(world, 0.0)
    world.accepted("a", 40)
    longest = max(range(4), key=lambda p: sum(r.partition == p for r in world.records("verify")))
    world.policy(0.5, held=[SourceRange(source="a", partition=longest, from_offset=0, to_offset=6)])
    mixer = world.mixer()
    world.now += 31_000
    while mixer.step():
        world.now += 31_000
    assert sum(event.synthetic for event in world.mixed()) == 34
    world.policy(0.5)
    world.trainer(len(world.mixed()) // 8)  # room for one batch more
    world.now += 1_000
    assert mixer.step() == 8
    mixer.close()
    world.trainer(1_000)
    again = world.mixer()
    world.now += 31_000
    again.step()
    drawn = Counter((event.source_partition, event.source_offset) for event in world.mixed() if event.synthetic)
    assert len(drawn) == 40
    assert set(drawn.values()) == {1}
    world.close()


def test_a_second_mixer_fences_the_first(world: World) -> None:
    ready(world)
    world.accepted("a", 8)
    first, second = world.mixer(), world.mixer()
    with pytest.raises(FatalError):
        first.step()
    assert second.step() == 16


def test_a_batch_lies_whole_in_one_partition(world: World) -> None:
    ready(world)
    world.accepted("a", 24)
    world.mixer().step()
    places: dict[int, list[int]] = {}
    for record in world.records("mix"):
        places.setdefault(record.partition, []).append(int(record.key or b"-1"))
    assert {partition: sorted(set(keys)) for partition, keys in places.items()} == {
        0: [0, 4],
        1: [1, 5],
        2: [2],
        3: [3],
    }
    assert all(len(keys) % 8 == 0 for keys in places.values())


def test_an_accepted_record_that_does_not_decode_is_dead_lettered_once(world: World) -> None:
    ready(world)
    world.accepted("a", 3)
    producer = world.broker.producer()
    producer.send([Outgoing(name("p", "verify"), b"x", b"garbage")])
    world.accepted("a", 3)
    for _ in range(2):
        mixer = world.mixer()
        world.now += 31_000
        mixer.step()
        mixer.close()
    dead = [CODEC.decode(record.value) for record in world.records("dead.mix")]
    assert [(event.value, event.reason) for event in dead if isinstance(event, DeadLetter)] == [(b"garbage", "decode")]
    assert sum(event.synthetic for event in world.mixed()) == 6


def test_one_family_may_fill_the_synthetic_part_only_while_it_is_alone(world: World) -> None:
    ready(world)
    world.accepted("a", 40)
    world.accepted("b", 1)
    mixer = world.mixer()
    world.now += 31_000
    mixer.step()
    shares = [
        Counter(e.sample.lineage.source.name for e in world.mixed() if e.batch_index == n and e.sample.lineage.source)
        for n in range(3)
    ]
    assert shares[0] == {"a": 1, "b": 1}
    assert shares[1] == {"a": 4}


def synthetic_in_batches(world: World) -> list[int]:
    counts = Counter(event.batch_index for event in world.mixed() if event.synthetic)
    return [counts[index] for index in range(len(world.mixed()) // world.recipe.mix.batch)]


def test_a_lower_share_is_kept_from_the_very_next_batch_on() -> None:
    world = World(recipe(batch=100, max_synthetic_share=0.3, ahead=1))
    world.seeds(100)
    world.now += 6_000
    world.accepted("a", 500)
    world.trainer(1)
    mixer = world.mixer()
    for number, (alpha, most) in enumerate([(0.3, 30), (0.05, 5), (0.3, 30)]):
        world.policy(alpha)
        world.trainer(2 * number + 1)
        world.now += 31_000
        assert mixer.step() == 2 * 100
        assert synthetic_in_batches(world)[2 * number :] == [most, most]
    world.close()


@pytest.mark.parametrize(("passed", "most"), [(59_999, 4), (60_000, 0), (100_000, 0)])
def test_the_first_batch_after_a_policy_has_expired_has_nothing_synthetic(passed: int, most: int) -> None:
    world = World(recipe(ahead=1))
    ready(world, 0.0)
    world.accepted("a", 100)
    world.trainer(0)
    world.policy(0.5, lasts=60_000)
    mixer = world.mixer()
    assert mixer.step() == 8
    world.now += passed
    world.trainer(1)
    assert mixer.step() == 8
    assert synthetic_in_batches(world) == [4, most]
    world.close()


def test_what_was_under_way_when_its_source_came_back_is_never_drawn(world: World) -> None:
    ready(world)
    world.trainer(100)
    world.policy(0.5, held=[SourceRange(source="a", from_offset=0, to_offset=1 << 62)])
    mixer = world.mixer()
    world.accepted("a", 8, planned=1)
    mixer.step()
    world.policy(0.5, dropped=[SourceRange(source="a", from_offset=0, to_offset=1, planned_before=2)])
    world.accepted("a", 8, planned=1)  # in review until now
    world.accepted("a", 8, planned=2)
    for restarted in (False, True):
        mixer = world.mixer() if restarted else mixer
        for _ in range(4):
            world.now += 31_000
            mixer.step()
        drawn = [event.sample.lineage.source for event in world.mixed() if event.synthetic]
        assert [source.policy_version for source in drawn if source] == [2] * 8
