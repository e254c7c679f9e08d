"""Both engines of the monitor on a real broker: the same measures and state, whatever the log or Faust's offsets do."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import engine_world as world
import pytest
from confluent_kafka import TopicPartition as RawPartition
from confluent_kafka.admin import AdminClient
from engine_world import CODEC, anywhere, by_the_core, frames, made, measures, running, sketches, state, write

from services.monitor import decisions as deciding
from streams.broker import Broker, Committed, TopicPartition
from streams.errors import FatalError
from streams.kafka import KafkaBroker
from streams.topics import group, name

Unique = Callable[[str], str]


def run(kind: str, broker: KafkaBroker, pipeline: str) -> None:
    with running(kind, broker, pipeline) as monitor:
        monitor.until_stored()


@pytest.fixture
def logs(bootstrap: str, unique: Unique) -> dict[str, KafkaBroker]:
    return {unique(kind): made(bootstrap, unique(kind)) for kind in ("faust", "processor")}


def test_both_engines_write_the_same_measures_and_the_same_state(logs: dict[str, KafkaBroker]) -> None:
    batches = sketches()
    for pipeline, broker in logs.items():
        write(broker, pipeline, frames(batches))
        run(pipeline.partition("-")[0], broker, pipeline)
    one, other = ((measures(broker, pipeline), state(broker, pipeline)) for pipeline, broker in logs.items())
    assert one == other
    for pipeline, broker in logs.items():
        assert len(world.read(broker, pipeline, "measure")) == len(one[0])  # each once
    assert anywhere(one[0]) == by_the_core(len(batches))
    assert {each.alarm_kind for each in one[0].values()} == {"none", "change"}
    groups = {"seed/text/human", "generate/text/tri", "generate/text/all"}
    assert set(one[1]) == {"guard", "decisions", *groups}
    assert deciding.from_bytes(one[1]["decisions"]).source("tri").phase == "quarantined"


@pytest.mark.parametrize("kind", ["faust", "processor"])
def test_no_engine_writes_where_it_was_started(
    kind: str, bootstrap: str, unique: Unique, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pipeline = unique(f"nowhere-{kind}")
    broker = made(bootstrap, pipeline)
    write(broker, pipeline, frames(sketches()[:1]))
    run(kind, broker, pipeline)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["faust", "processor"])
def test_sketches_of_aborted_transactions_are_never_taken(kind: str, bootstrap: str, unique: Unique) -> None:
    pipeline = unique(f"aborted-{kind}")
    broker, batches = made(bootstrap, pipeline), sketches()[:8]
    with running(kind, broker, pipeline) as monitor:
        monitor.until(lambda: monitor.engine.is_active)  # Faust's own consumer reads what comes from now on
        write(broker, pipeline, frames(batches), frames(world.ghosts()))
        monitor.until_stored()
    assert anywhere(measures(broker, pipeline)) == by_the_core(len(batches))


def test_faust_goes_on_from_the_state_wherever_its_group_has_committed(bootstrap: str, unique: Unique) -> None:
    pipeline = unique("beyond")
    broker, batches = made(bootstrap, pipeline), sketches()
    sketch = TopicPartition(name(pipeline, "sketch"), 0)
    for start, end in ((0, 3), (3, 8), (8, len(batches))):
        write(broker, pipeline, frames(batches[start:end]))
        if start:
            at = broker.bounds([sketch])[sketch][1] if start == 3 else 1
            broker.commit(group(pipeline, "monitor"), {sketch: Committed(at)})
        run("faust", broker, pipeline)
    assert anywhere(measures(broker, pipeline)) == by_the_core(len(batches))


def test_what_faust_steps_over_while_it_runs_is_read_from_the_log(bootstrap: str, unique: Unique) -> None:
    pipeline = unique("stepped")
    broker, batches = made(bootstrap, pipeline), sketches()[:6]
    write(broker, pipeline, frames(batches[:2]))
    with running("faust", broker, pipeline) as monitor:
        monitor.until_stored()
        engine = monitor.engine
        take, stepped = engine._take, []

        def careless(offset: int, value: bytes) -> None:
            if len(stepped) < 6:
                stepped.append(offset)
            else:
                take(offset, value)

        engine._take = careless
        write(broker, pipeline, frames(batches[2:]))
        monitor.until_stored()
    assert len(stepped) == 6
    assert anywhere(measures(broker, pipeline)) == by_the_core(len(batches))


@pytest.mark.parametrize("kind", ["faust", "processor"])
def test_what_is_wrong_with_a_sketch_ends_the_process_and_loses_nothing(
    kind: str, bootstrap: str, unique: Unique
) -> None:
    pipeline = unique(f"wrong-{kind}")
    broker, batches = made(bootstrap, pipeline), sketches()[:6]
    write(broker, pipeline, frames(batches[:3]))
    ahead = replace(batches[3][0], from_position=batches[3][0].from_position + 1)
    with running(kind, broker, pipeline) as monitor:
        monitor.until_stored()
        healthy = state(broker, pipeline)
        write(broker, pipeline, [[CODEC.encode(ahead)], *frames(batches[3:4])])
        with pytest.raises(FatalError, match="is expected"):
            monitor.until(lambda: False)
    assert state(broker, pipeline) == healthy
    assert measures(broker, pipeline).keys() == by_the_core(3).keys()


def test_an_error_in_fausts_agent_loses_no_sketch(bootstrap: str, unique: Unique) -> None:
    pipeline = unique("agent")
    broker, batches = made(bootstrap, pipeline), sketches()[:8]
    write(broker, pipeline, frames(batches[:2]))
    sketch = TopicPartition(name(pipeline, "sketch"), 0)
    with running("faust", broker, pipeline) as monitor:
        monitor.until_stored()
        take, keeper = monitor.keeper.take, monitor.keeper
        keeper.take = lambda *_: 1 / 0  # type: ignore[method-assign]
        write(broker, pipeline, frames(batches[2:6]))
        with pytest.raises(ZeroDivisionError):
            monitor.until(lambda: False)
        keeper.take = take  # type: ignore[method-assign]
        loop = monitor.engine._loop
        loop.run_until_complete(asyncio.sleep(1.5))  # Faust commits what its agent has seen: that must not matter
    assert broker.committed(group(pipeline, "monitor"))[sketch].offset > keeper.state.offset + 1
    write(broker, pipeline, frames(batches[6:]))
    run("faust", broker, pipeline)
    assert anywhere(measures(broker, pipeline)) == by_the_core(len(batches))


def test_either_engine_goes_on_with_the_state_of_the_other(bootstrap: str, unique: Unique) -> None:
    pipeline = unique("switched")
    broker, batches = made(bootstrap, pipeline), sketches()
    cuts = (0, 5, 9, len(batches))
    for kind, start, end in zip(("faust", "processor", "faust"), cuts, cuts[1:], strict=False):
        write(broker, pipeline, frames(batches[start:end]))
        run(kind, broker, pipeline)
    assert anywhere(measures(broker, pipeline)) == by_the_core(len(batches))
    assert ends_with_a_marker(broker, name(pipeline, "state"))


def ends_with_a_marker(broker: Broker, topic: str) -> bool:
    """Tell whether the last offset is no record: Faust's own tables would wait for it for ever."""
    end = broker.bounds([TopicPartition(topic, 0)])[TopicPartition(topic, 0)][1]
    return world.read(broker, *topic.rsplit(".", 1))[-1].offset < end - 1


def forget_sketches(bootstrap: str, broker: Broker, pipeline: str) -> None:
    """Delete them all, as Kafka does after some days; only the last transaction's marker stays."""
    sketch = TopicPartition(name(pipeline, "sketch"), 0)
    end = broker.bounds([sketch])[sketch][1] - 1
    admin = AdminClient({"bootstrap.servers": bootstrap})  # one that is not held on to never answers
    for future in admin.delete_records([RawPartition(*sketch, end)]).values():
        future.result(timeout=30)


@pytest.mark.parametrize("kind", ["faust", "processor"])
def test_a_monitor_that_starts_again_knows_its_decisions_before_any_sketch_comes(
    kind: str, bootstrap: str, unique: Unique
) -> None:
    pipeline = unique(f"again-{kind}")
    broker = made(bootstrap, pipeline)
    write(broker, pipeline, frames(sketches()))
    run(kind, broker, pipeline)
    known = deciding.from_bytes(state(broker, pipeline)["decisions"])
    assert known.source("tri").phase == "quarantined"
    forget_sketches(bootstrap, broker, pipeline)
    with running(kind, broker, pipeline) as monitor:
        monitor.until(lambda: monitor.engine.is_active)
        assert monitor.keeper.state.decisions == known


def test_a_monitor_that_stands_by_takes_nothing(bootstrap: str, unique: Unique) -> None:
    pipeline = unique("by")
    broker, batches = made(bootstrap, pipeline), sketches()[:4]
    with (
        running("processor", broker, pipeline) as first,
        running("processor", broker, pipeline, slot=1) as second,
    ):

        def both() -> tuple[bool, bool]:
            second.engine.step()
            return first.engine.is_active, second.engine.is_active

        first.until(lambda: sorted(both()) == [False, True])
        write(broker, pipeline, frames(batches))
        first.until(lambda: sorted(both()) == [False, True] and world.all_is_stored(broker, pipeline))
        idle = second if first.engine.is_active else first
        assert idle.keeper.state.offset == -1


def test_a_monitor_that_was_away_can_store_no_more(bootstrap: str, unique: Unique) -> None:
    pipeline = unique("fenced")
    broker, batches = made(bootstrap, pipeline), sketches()[:6]
    write(broker, pipeline, frames(batches[:2]))
    with running("faust", broker, pipeline) as away:
        away.until_stored()
        successor = world.engine("faust", broker, pipeline, slot=1)
        successor.engine._take_over()  # the group would let it only once the first is given up
        write(broker, pipeline, frames(batches[2:4]))
        with pytest.raises(FatalError, match="newer process"):
            away.until(lambda: False)
        assert away.keeper.state.offset > successor.keeper.state.offset
        successor.engine._stand_by()
        assert world.all_is_stored(broker, pipeline, successor.keeper.state.offset)
