"""Whatever arrives in whatever order, whatever the policy does, wherever the mixer crashes: these laws hold."""

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from math import ceil, floor
from typing import Any, cast

from crashing import Crash, CrashingBroker
from hypothesis import given
from hypothesis import strategies as st
from mix_world import CODEC, World

from services.mix.real import Position, draw
from streams.broker import Record
from streams.events import SampleIngested, SampleMixed, SampleVerified
from streams.parts import SourceRange
from streams.samples import Source

SOURCES = ("a", "b", "c")
RANGES = st.builds(
    lambda source, partition, start, length: SourceRange(
        source=source, partition=partition, from_offset=start, to_offset=start + length
    ),
    st.sampled_from(SOURCES),
    st.integers(-1, 3),
    st.integers(0, 12),
    st.integers(1, 12),
)
DROPPED = st.builds(
    lambda each, planned_before: replace(each, planned_before=planned_before), RANGES, st.integers(-1, 4)
)
POLICIES = st.fixed_dictionaries(
    {
        "alpha": st.sampled_from([0.0, 0.05, 0.2, 0.3, 0.5, 0.9]),
        "lasts": st.none() | st.integers(1, 60_000),
        "held": st.lists(RANGES, max_size=3),
        "dropped": st.lists(DROPPED, max_size=1),
    }
)
STEPS = st.one_of(
    st.tuples(st.just("seeds"), st.integers(1, 20)),
    st.tuples(st.just("accepted"), st.tuples(st.sampled_from(SOURCES), st.integers(1, 30), st.integers(-1, 4))),
    st.tuples(st.just("policy"), POLICIES),
    st.tuples(st.just("trainer"), st.integers(0, 12)),
    st.tuples(st.just("wait"), st.integers(1, 40_000)),
    st.tuples(st.just("step"), st.integers(1, 3)),
    st.tuples(st.just("crash"), st.tuples(st.integers(1, 70), st.booleans())),
)

HOLDING = st.one_of(
    st.tuples(st.just("accepted"), st.tuples(st.sampled_from(SOURCES), st.integers(1, 30))),
    st.tuples(
        st.just("policy"),
        st.fixed_dictionaries(
            {
                "alpha": st.just(0.5),
                "lasts": st.none(),
                "held": st.lists(RANGES, max_size=4),
                "dropped": st.just([]),
            }
        ),
    ),
    st.tuples(st.just("wait"), st.just(31_000)),
    st.tuples(st.just("step"), st.integers(1, 4)),
    st.tuples(st.just("crash"), st.tuples(st.integers(20, 200), st.booleans())),
)
PRELUDE = [
    ("seeds", 10),
    ("wait", 6_000),
    ("policy", {"alpha": 0.5, "lasts": None, "held": [], "dropped": []}),
    ("accepted", ("a", 5)),
    ("accepted", ("b", 9)),
    ("trainer", 6),
]


class Run:
    """Carries steps out and notes which ranges were held or dropped when each batch was made."""

    def __init__(self) -> None:
        self.world = World()
        self.stage: Any = None
        self.out_at: dict[int, tuple[SourceRange, ...]] = {}
        self.waiting_at: dict[int, set[str]] = {}

    def do(self, what: str, how: Any) -> None:
        world = self.world
        match what:
            case "seeds":
                world.seeds(how)
            case "accepted":
                world.accepted(*how)
            case "policy":
                # What was dropped once stays dropped in every later policy.
                before = world.policies[-1].dropped if world.policies else ()
                world.policy(**{**how, "dropped": (*before, *how["dropped"])})
            case "trainer":
                world.trainer(how)
            case "wait":
                world.now += how
            case "step":
                self.step(how)
            case "crash":
                self.crash(*how)

    def step(self, times: int) -> None:
        self.stage = self.stage or self.world.mixer()
        for _ in range(times):
            self.stage.step()
            self.note()

    def crash(self, at: int, after: bool) -> None:
        if self.stage:
            self.stage.close()
            self.stage = None
        stage: Any = None
        with suppress(Crash):
            stage = self.world.unstarted(CrashingBroker(self.world.broker, at, after=after))
            stage.start()
            while stage.step():
                pass
        bury(stage)
        self.note()

    def note(self) -> None:
        last = self.world.policies[-1:]
        held = last[0].held if last else ()
        dropped = last[0].dropped if last else ()
        undrawn = {(record.partition, record.offset): made_by(record) for record in self.world.records("verify")}
        out = (*held, *dropped)
        free = {at: one.name for at, one in undrawn.items() if not covered(out, one.name, *at, one.policy_version)}
        for event in self.world.mixed():
            if event.position == 0 and event.batch_index not in self.out_at:
                self.out_at[event.batch_index] = out
                self.waiting_at[event.batch_index] = set(free.values())
            if event.synthetic:
                free.pop((event.source_partition, event.source_offset), None)

    def finish(self) -> None:
        """Let everything through that may go through."""
        dropped = self.world.policies[-1].dropped if self.world.policies else ()
        self.world.now += 120_000
        self.world.seeds(8)
        self.world.now += 6_000
        self.world.policy(0.5, dropped=dropped)
        self.world.trainer(10_000)
        # With a trainer so far ahead, batches stop only when the clock does: so let it stand and look what is left.
        idle = 0
        self.stage = self.stage or self.world.mixer()
        while idle < 3:
            self.world.now += 31_000
            before = sum(event.synthetic for event in self.world.mixed())
            self.step(1)
            idle = 0 if sum(event.synthetic for event in self.world.mixed()) > before else idle + 1


def bury(stage: Any) -> None:
    """Let go of what the system takes back from a dead process: its files and their locks."""
    for spool in ("_seeds", "_accepted"):
        if hasattr(stage, spool):
            getattr(stage, spool).close()


def made_by(record: Record) -> Source:
    source = cast("SampleVerified", CODEC.decode(record.value)).sample.lineage.source
    assert source is not None
    return source


def covered(ranges: tuple[SourceRange, ...], source: str, partition: int, offset: int, planned: int) -> bool:
    mine = [r for r in ranges if r.source == source and r.partition in (-1, partition) and r.from_offset <= offset]
    return any(offset < r.to_offset for r in mine) or any(planned < r.planned_before for r in mine)


def check_batches(run: Run, mixed: list[SampleMixed]) -> None:
    size = run.world.recipe.mix.batch
    assert [(e.batch_index, e.position) for e in mixed] == [divmod(n, size) for n in range(len(mixed))]
    policies = {policy.version: policy for policy in run.world.policies}
    for start in range(0, len(mixed), size):
        batch = mixed[start : start + size]
        policy = policies.get(batch[0].policy_version)
        allowed = 0.0
        if policy is not None:
            assert policy.expires_at is None or batch[0].occurred_at < policy.expires_at
            allowed = min(policy.alpha, run.world.recipe.mix.max_synthetic_share)
        assert {event.alpha for event in batch} == {allowed}
        assert sum(event.synthetic for event in batch) <= floor(allowed * size)
        for first in range(size):
            for last in range(first + 1, size + 1):
                window = batch[first:last]
                assert sum(event.synthetic for event in window) <= ceil(allowed * len(window)) + 1


def check_families(run: Run, mixed: list[SampleMixed]) -> None:
    for index, waiting in run.waiting_at.items():
        families = Counter(
            cast("Any", event.sample.lineage.source).name
            for event in mixed
            if event.batch_index == index and event.synthetic
        )
        total = sum(families.values())
        if len(waiting) > 1 and total:
            share = run.world.recipe.mix.max_family_share
            assert max(families.values()) <= max(floor(total * share), total // len(waiting))


def check_reals(mixed: list[SampleMixed], seeds: list[tuple[int, int]]) -> None:
    reals = [event for event in mixed if not event.synthetic]
    last_epoch = max((event.epoch for event in mixed), default=-1)
    for epoch in range(last_epoch + 1):
        drawn = Counter((e.source_partition, e.source_offset) for e in reals if e.epoch == epoch)
        assert set(drawn.values()) <= {1}
        [cut] = {event.cut for event in mixed if event.epoch == epoch}
        pool = {(partition, offset) for partition, offset in seeds if offset < cut[partition]}
        assert set(drawn) <= pool
        if epoch < last_epoch:
            assert set(drawn) == pool


def check_accepted(run: Run, mixed: list[SampleMixed], finished: bool) -> None:
    synthetic = [event for event in mixed if event.synthetic]
    drawn = Counter((event.source_partition, event.source_offset) for event in synthetic)
    assert set(drawn.values()) <= {1}
    assert [event.synthetic_total for event in synthetic] == list(range(1, len(synthetic) + 1))
    for event in synthetic:
        source = cast("Any", event.sample.lineage.source)
        at = (event.source_partition, event.source_offset)
        assert not covered(run.out_at[event.batch_index], source.name, *at, source.policy_version)
    if finished:
        dropped = run.world.policies[-1].dropped
        left = {
            (record.partition, record.offset)
            for record in run.world.records("verify")
            for source in [made_by(record)]
            if not covered(dropped, source.name, record.partition, record.offset, source.policy_version)
        }
        assert left <= set(drawn)


def check_replay(run: Run, mixed: list[SampleMixed]) -> None:
    """The manifest of a record, and the log, give its bytes again."""
    logs = {
        (word, record.partition, record.offset): record.value
        for word in ("seed", "verify")
        for record in run.world.records(word)
    }
    frames = {}
    for record in run.world.records("mix"):
        event = cast("SampleMixed", CODEC.decode(record.value))
        frames[event.batch_index, event.position] = record.value
    for event in mixed:
        source = CODEC.decode(logs[event.source_topic, event.source_partition, event.source_offset])
        assert isinstance(source, SampleIngested | SampleVerified)
        assert source.sample == event.sample
        assert CODEC.encode(event) == frames[event.batch_index, event.position]


class Offsets:
    """The seeds as the log has them."""

    def __init__(self, seeds: list[tuple[int, int]]) -> None:
        self.offsets = {p: sorted(o for q, o in seeds if q == p) for p in range(4)}

    def count(self, partition: int, below: int | None = None) -> int:
        return sum(below is None or offset < below for offset in self.offsets[partition])


def check_order(mixed: list[SampleMixed], seeds: list[tuple[int, int]]) -> None:
    """Epoch, cut and number alone say which real sample comes: anyone can draw them again."""
    pool = Offsets(seeds)
    for event in mixed:
        if not event.synthetic:
            before = Position(epoch=event.epoch, cut=event.cut, next_real=event.next_real - 1)
            [again] = draw(pool, "p", before, event.cut, 1)
            assert (again.partition, pool.offsets[again.partition][again.number]) == (
                event.source_partition,
                event.source_offset,
            )


@given(st.lists(STEPS, min_size=3, max_size=30), st.booleans())
def test_the_mix_keeps_its_laws(steps: list[tuple[str, Any]], finished: bool) -> None:
    check([*PRELUDE, *steps], finished)


@given(st.lists(HOLDING, min_size=4, max_size=30))
def test_what_was_held_is_drawn_once_after_its_release_however_often_the_mixer_restarts(
    steps: list[tuple[str, Any]],
) -> None:
    check([*PRELUDE, ("trainer", 100), *steps], finished=True)


def check(steps: list[tuple[str, Any]], finished: bool) -> None:
    run = Run()
    try:
        for what, how in steps:
            run.do(what, how)
        if finished:
            run.finish()
        mixed = run.world.mixed()
        seeds = [(record.partition, record.offset) for record in run.world.records("seed")]
        check_batches(run, mixed)
        check_families(run, mixed)
        check_reals(mixed, seeds)
        check_accepted(run, mixed, finished)
        check_replay(run, mixed)
        check_order(mixed, seeds)
    finally:
        if run.stage:
            run.stage.close()
        run.world.close()
