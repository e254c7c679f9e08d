from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import dataset
from streams.broker import Outgoing, TopicPartition
from streams.codec import Codec
from streams.dataset import Dataset, State
from streams.errors import DecodeError
from streams.events import SampleMixed
from streams.memory import MemoryBroker
from streams.samples import Lineage, Sample, Turn
from streams.topics import ensure, name

CODEC = Codec()
SIZE = 3


def mixed(batch_index: int, position: int) -> SampleMixed:
    one = Sample(
        sample_id=f"{batch_index}/{position}",
        content_hash="",
        task="text",
        turns=(Turn(role="document", text="x"),),
        lineage=Lineage(origin="HUMAN", generation=0),
    )
    return SampleMixed(
        event_id="",
        occurred_at=0,
        batch_index=batch_index,
        position=position,
        batch_size=SIZE,
        epoch=0,
        cut=(),
        next_real=0,
        alpha=0.0,
        recipe_cap=0.0,
        policy_version=-1,
        synthetic=False,
        synthetic_total=0,
        source_topic="seed",
        source_partition=0,
        source_offset=0,
        sample=one,
    )


def broker_with(batches: int) -> MemoryBroker:
    """Return a log with an aborted try before each third batch, as a restarted mixer leaves it."""
    broker = MemoryBroker()
    ensure(broker, "p")
    producer = broker.producer("p.mix-0")
    producer.init()
    for index in range(batches):
        records = [
            Outgoing(name("p", "mix"), str(index).encode(), CODEC.encode(mixed(index, position)), index % 4)
            for position in range(SIZE)
        ]
        for end in [producer.abort] * (index % 3 == 0) + [producer.commit]:
            producer.begin()
            producer.send(records)
            end()
    return broker


def patience(times: int) -> Callable[[], bool]:
    """Stop after so many questions: nothing comes to a memory broker while we wait."""
    left = iter(range(times))
    return lambda: next(left, None) is None


def opened(broker: MemoryBroker, consumer: int = 0, consumers: int = 1) -> Dataset:
    return Dataset(broker, CODEC, "p", trainer="t", consumer=consumer, consumers=consumers, stopping=patience(2_000))


def ids(samples: Iterator[SampleMixed], count: int) -> list[str]:
    return [next(samples).sample.sample_id for _ in range(count)]


ALL = [f"{index}/{position}" for index in range(13) for position in range(SIZE)]


def test_samples_come_in_the_order_of_batches_and_positions() -> None:
    assert [event.sample.sample_id for event in opened(broker_with(13))] == ALL


def test_whole_batches_come_in_order() -> None:
    batches = list(opened(broker_with(13)).batches())
    assert [batch.batch_index for batch in batches] == list(range(13))
    assert [event.sample.sample_id for batch in batches for event in batch.samples] == ALL


@given(st.lists(st.integers(0, len(ALL)), max_size=4))
def test_cut_anywhere_the_rest_is_exactly_what_was_left(cuts: list[int]) -> None:
    broker = broker_with(13)
    read: list[str] = []
    state = State(batch_index=0, position=0)
    for cut in [*sorted(cuts), len(ALL)]:
        data = opened(broker)
        data.load_state_dict(state)
        read += ids(iter(data), cut - len(read))
        state = data.state_dict()
        data.close()
    assert read == ALL


def test_whole_batches_after_a_cut_begin_with_the_rest_of_the_one_begun() -> None:
    data = opened(broker_with(5))
    ids(iter(data), 4)
    [first, *_] = data.batches()
    assert [event.position for event in first.samples] == [1, 2]
    assert first.batch_index == 1


@pytest.mark.parametrize("consumers", [2, 3, 4, 5, 8])
def test_consumers_share_the_batches_without_overlap(consumers: int) -> None:
    broker = broker_with(13)
    shares = [[b.batch_index for b in opened(broker, c, consumers).batches()] for c in range(consumers)]
    assert shares == [list(range(c, 13, consumers)) for c in range(consumers)]


def test_other_consumers_batches_are_skipped_without_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    broker = broker_with(12)
    decoded: list[int] = []

    class Counting(Codec):
        def decode(self, frame: bytes) -> object:  # type: ignore[override]
            event = super().decode(frame)
            assert isinstance(event, SampleMixed)
            decoded.append(event.batch_index)
            return event

    list(Dataset(broker, Counting(), "p", trainer="t", consumer=1, consumers=3, stopping=patience(2_000)))
    assert set(decoded) == {1, 4, 7, 10}


def test_a_start_far_inside_reads_little_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset, "_CHUNK", 4)
    broker = broker_with(400)
    data = opened(broker)
    data.load_state_dict(State(batch_index=398, position=2))
    assert [event.sample.sample_id for event in data] == ["398/2", "399/0", "399/1", "399/2"]
    partition = TopicPartition(name("p", "mix"), 398 % 4)
    consumer = broker.consumer()
    [(first, end)] = broker.bounds([partition]).values()
    assert dataset._find(consumer, partition, first, end, 398) > end - 30


def test_progress_is_committed_for_the_mixer() -> None:
    broker = broker_with(5)
    data = opened(broker)
    assert [p.metadata for p in broker.committed("p.trainer.t").values()] == ["0"]
    list(data.batches())
    data.close()
    assert [p.metadata for p in broker.committed("p.trainer.t").values()] == ["5"]


def test_iterating_ends_when_it_is_time_to_stop() -> None:
    data = Dataset(broker_with(5), CODEC, "p", trainer="t", stopping=lambda: True)
    assert list(data) == []


def test_a_batch_with_a_missing_record_is_an_error_not_a_shorter_batch() -> None:
    broker = broker_with(2)
    producer = broker.producer()
    short = [Outgoing(name("p", "mix"), b"2", CODEC.encode(mixed(2, n)), 2) for n in range(SIZE - 1)]
    producer.send([*short, Outgoing(name("p", "mix"), b"6", CODEC.encode(mixed(6, 0)), 2)])
    with pytest.raises(DecodeError, match=r"batch 2 of p\.mix is not whole"):
        list(opened(broker).batches())
