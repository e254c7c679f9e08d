from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import stamina
from crashing import Crash, CrashingBroker
from hypothesis import given
from hypothesis import strategies as st
from idling import until_idle

from streams.broker import Outgoing, Record, TopicPartition
from streams.codec import Codec
from streams.errors import (
    AbortableError,
    DeadLetterLimitError,
    FatalError,
    OffsetsLostError,
    RetriableError,
    UnavailableError,
    UnknownSchemaError,
)
from streams.events import DeadLetter, SampleGenerated, SampleRejected, SampleVerified
from streams.memory import MemoryBroker
from streams.processor import Handled, Input, Limits, Processor, Wiring
from streams.samples import Lineage, Sample, Turn
from streams.topics import ensure, name
from streams.writer import Output

CODEC = Codec()


@pytest.fixture(autouse=True)
def without_pauses() -> Iterator[None]:
    with stamina.set_testing(True, attempts=8, cap=True):
        yield


WIRING = Wiring("verify", ("generate",), ("verify",), ("verify", "reject"))


def sample(number: int, text: str) -> Sample:
    return Sample(
        sample_id=f"s{number}",
        content_hash=text,
        task="text",
        turns=(Turn(role="document", text=text),),
        lineage=Lineage(origin="SYNTHETIC", generation=1),
    )


def candidate(number: int, text: str) -> SampleGenerated:
    return SampleGenerated(event_id=f"g{number}", occurred_at=0, call_index=number, sample=sample(number, text))


class Unique:
    """Accepts each text once and rejects it from then on; raises for the text `poison`."""

    def __init__(self) -> None:
        self.seen: dict[str, str] = {}
        self.raises: Callable[[], Exception] = lambda: ValueError("poison")
        self.together: Callable[[int], None] = lambda _: None

    def fold(self, records: Sequence[Record]) -> None:
        for record in records:
            event = CODEC.decode(record.value)
            assert isinstance(event, SampleVerified)
            self.apply({event.sample.content_hash: event.sample.sample_id})

    def handle(self, batch: Sequence[Input]) -> Handled:
        self.together(len(batch))
        new: dict[str, str] = {}
        outputs = []
        for _, event in batch:
            assert isinstance(event, SampleGenerated)
            one = event.sample
            if one.content_hash == "poison":
                raise self.raises()
            if one.content_hash in self.seen or one.content_hash in new:
                rejected = SampleRejected(event_id=one.sample_id, occurred_at=0, reasons=("duplicate",), sample=one)
                outputs.append(Output("reject", one.sample_id, rejected))
            else:
                new[one.content_hash] = one.sample_id
                accepted = SampleVerified(event_id=one.sample_id, occurred_at=0, sample=one)
                outputs.append(Output("verify", one.sample_id, accepted))
        return Handled(outputs, new)

    def apply(self, delta: Any) -> None:
        for text, sample_id in delta.items():
            assert self.seen.setdefault(text, sample_id) == sample_id


def broker_with(*texts: str) -> MemoryBroker:
    broker = MemoryBroker()
    ensure(broker, "p")
    add(broker, "generate", [CODEC.encode(candidate(n, text)) for n, text in enumerate(texts)])
    return broker


def add(broker: MemoryBroker, word: str, values: Sequence[bytes]) -> None:
    producer = broker.producer()
    producer.send([Outgoing(name("p", word), f"s{n}".encode(), value) for n, value in enumerate(values)])
    producer.flush()


THREE = Limits(3, 0.0)


def processor(broker: Any, handler: Any = None, limits: Limits = THREE) -> Processor:
    return Processor(
        broker=broker,
        codec=CODEC,
        pipeline="p",
        wiring=WIRING,
        slot=0,
        handler=handler or Unique(),
        limits=limits,
        now=lambda: 1,
    )


def drain(broker: Any, handler: Any = None, limits: Limits = THREE) -> Processor:
    stage = processor(broker, handler, limits)
    stage.start()
    until_idle(stage)
    return stage


def records(broker: MemoryBroker, word: str) -> list[Record]:
    topic = name("p", word)
    consumer = broker.consumer()
    consumer.assign({TopicPartition(topic, n): 0 for n in range(broker.partitions()[topic])})
    return consumer.poll(100_000, 0)


def events(broker: MemoryBroker, word: str) -> list[Any]:
    return [CODEC.decode(record.value) for record in records(broker, word)]


def fates(broker: MemoryBroker) -> Counter[tuple[str, str]]:
    found = [("verify", e.sample) for e in events(broker, "verify")] + [
        ("reject", e.sample) for e in events(broker, "reject")
    ]
    return Counter((word, one.content_hash) for word, one in found)


def ids(broker: MemoryBroker) -> list[str]:
    return sorted(e.sample.sample_id for word in ("verify", "reject") for e in events(broker, word))


TEXTS = st.lists(st.sampled_from("abcdef"), min_size=1, max_size=14)


@given(TEXTS, st.lists(st.tuples(st.integers(1, 60), st.booleans()), max_size=6), st.integers(1, 5))
def test_crashes_between_any_two_steps_never_lose_or_double_and_no_batch_rejects_itself(
    texts: list[str], crashes: list[tuple[int, bool]], batch: int
) -> None:
    broker = broker_with(*texts)
    for at, after in crashes:
        try:
            drain(CrashingBroker(broker, at, after=after), limits=Limits(batch, 0.0))
        except Crash:
            continue
    drain(broker, limits=Limits(batch, 0.0))
    assert ids(broker) == sorted(f"s{n}" for n in range(len(texts)))
    expected = Counter({("verify", text): 1 for text in texts})
    expected.update({("reject", text): texts.count(text) - 1 for text in texts if texts.count(text) > 1})
    assert fates(broker) == expected


class Refusing:
    """Passes everything on but lets the next calls of one name fail."""

    def __init__(self, inner: Any, call: str, errors: Iterator[Exception]) -> None:
        self._inner, self._call, self._errors = inner, call, errors

    def __getattr__(self, attribute: str) -> Any:
        if attribute == "producer":
            return lambda identity=None: Refusing(self._inner.producer(identity), self._call, self._errors)
        if attribute == self._call:
            return self._may_fail
        return getattr(self._inner, attribute)

    def _may_fail(self, *arguments: Any) -> None:
        if error := next(self._errors, None):
            raise error
        getattr(self._inner, self._call)(*arguments)


@given(TEXTS, st.sampled_from(["send", "send_offsets", "commit"]), st.integers(1, 4))
def test_an_aborted_batch_is_redone_and_never_rejects_itself(texts: list[str], call: str, times: int) -> None:
    broker = broker_with(*texts)
    errors = iter([AbortableError("x")] * times)
    stage = processor(Refusing(broker, call, errors))
    stage.start()
    for _ in range(times + len(texts) + 3):
        stage.step()
    assert ids(broker) == sorted(f"s{n}" for n in range(len(texts)))
    assert sum(fates(broker)["verify", text] for text in set(texts)) == len(set(texts))


def test_a_retriable_call_is_repeated() -> None:
    broker = broker_with("a")
    drain(Refusing(broker, "commit", iter([RetriableError("x")] * 3)))
    assert ids(broker) == ["s0"]


@pytest.mark.parametrize("error", [FatalError("fenced"), RetriableError("for ever")])
def test_a_fatal_or_never_ending_error_comes_out(error: Exception) -> None:
    broker = broker_with("a")
    with pytest.raises(FatalError):
        drain(Refusing(broker, "commit", iter([error] * 100)))


def test_only_the_raising_record_is_dead_lettered_with_its_bytes_in_the_same_transaction() -> None:
    broker = broker_with("a", "poison", "a", "b")
    drain(broker, limits=Limits(10, 0.0))
    assert ids(broker) == ["s0", "s2", "s3"]
    [dead] = events(broker, "dead.verify")
    assert isinstance(dead, DeadLetter)
    assert (dead.stage, dead.reason, dead.error) == ("verify", "handle", "ValueError")
    assert dead.value == CODEC.encode(candidate(1, "poison"))
    assert dead.key == b"s1"
    assert "p.generate, partition" in dead.explanation
    assert fates(broker)["reject", "a"] == 1, "the rest of the batch still sees one another"


def test_bytes_that_are_no_event_are_dead_lettered() -> None:
    broker = broker_with("a")
    add(broker, "generate", [b"garbage"])
    drain(broker)
    [dead] = events(broker, "dead.verify")
    assert (dead.reason, dead.value) == ("decode", b"garbage")
    assert ids(broker) == ["s0"]


@pytest.mark.parametrize(
    "error", [UnavailableError("model away"), ConnectionError(), OSError(28, "disk full"), MemoryError()]
)
def test_a_fault_that_is_not_the_records_stops_the_stage_and_dead_letters_nothing(error: Exception) -> None:
    broker = broker_with("a", "poison")
    handler = Unique()
    handler.raises = lambda: error
    with pytest.raises(type(error)):
        drain(broker, handler)
    assert events(broker, "dead.verify") == []


def test_a_fault_of_the_batch_as_a_whole_stops_the_stage() -> None:
    broker = broker_with("a", "b", "c", "d", "e", "f")
    handler = Unique()

    def together(count: int) -> None:
        if count > 1:
            raise KeyError("only together")

    handler.together = together
    with pytest.raises(KeyError):
        drain(broker, handler, Limits(10, 0.0))
    assert events(broker, "dead.verify") == []


def test_an_unknown_schema_stops_the_stage_without_a_dead_letter() -> None:
    broker = broker_with("a")
    add(broker, "generate", [b"\xc3\x01" + bytes(8) + b"body"])
    with pytest.raises(UnknownSchemaError):
        drain(broker)
    assert events(broker, "dead.verify") == []


def test_too_many_dead_letters_stop_the_stage_and_the_batch_stays_unhandled() -> None:
    broker = broker_with(*["poison"] * 5)
    with pytest.raises(DeadLetterLimitError, match="4 of its last 1000 records \\(3 are allowed\\)"):
        drain(broker, limits=Limits(1, 0.0, 3))
    assert len(events(broker, "dead.verify")) == 3
    drain(broker, limits=Limits(1, 0.0, 5))
    assert len(events(broker, "dead.verify")) == 5


def test_a_replayed_record_is_handled_and_counts_once() -> None:
    broker = broker_with("a")
    add(broker, "redo.verify", [CODEC.encode(candidate(7, "b"))])
    drain(broker)
    drain(broker)
    assert ids(broker) == ["s0", "s7"]


def test_a_group_that_forgot_its_offsets_stops_unless_nothing_was_ever_written() -> None:
    broker = broker_with("a")
    drain(broker).close()
    broker.forget("p.verify")
    with pytest.raises(OffsetsLostError, match=r"Group p\.verify has outputs but no offsets"):
        drain(broker)
    assert ids(broker) == ["s0"]


def test_a_stage_begins_with_all_its_state() -> None:
    broker = broker_with("a", "b")
    drain(broker)
    add(broker, "generate", [CODEC.encode(candidate(9, "a"))])
    handler = Unique()
    stage = processor(broker, handler)
    stage.start()
    assert set(handler.seen) == {"a", "b"}
    drain(broker)
    assert fates(broker)["reject", "a"] == 1


def test_a_second_process_of_the_slot_fences_the_first() -> None:
    broker = broker_with(*"abcdef")
    first = processor(broker)
    first.start()
    assert first.step() > 0
    second = processor(broker)
    second.start()
    with pytest.raises(FatalError):
        first.step()
    drain(broker)
    assert ids(broker) == [f"s{n}" for n in range(6)]


def test_an_abort_after_a_commit_goes_back_to_the_commit_and_no_further() -> None:
    broker = broker_with(*"abcdefgh")
    errors: Iterator[Any] = iter([None, AbortableError("x"), None, AbortableError("x")])
    stage = processor(Refusing(broker, "commit", errors))
    stage.start()
    for _ in range(12):
        stage.step()
    assert ids(broker) == [f"s{n}" for n in range(8)]
