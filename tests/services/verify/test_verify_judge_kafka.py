from collections.abc import Callable
from dataclasses import replace

from judge_world import OURS, Books, made_by
from verify_world import CODEC, context, text

from services.recipe import parse
from services.stage import Stage
from services.verify.service import build
from streams.broker import Outgoing, Record
from streams.errors import AbortableError
from streams.events import ModelAnswered, SampleGenerated, SampleVerified
from streams.fold import Fold
from streams.kafka import KafkaBroker
from streams.topics import ensure, name

CASES = [made_by("ngram", n, text(n)) for n in range(12)]


def test_on_a_real_broker_a_batch_that_is_read_again_is_judged_by_the_same_answers(
    bootstrap: str, unique: Callable[[str], str]
) -> None:
    pipeline, broker, books = unique("j"), KafkaBroker(bootstrap), Books()
    ensure(broker, pipeline)
    frames = [CODEC.encode(SampleGenerated(event_id="", occurred_at=0, sample=one)) for one in CASES]
    producer = broker.producer()
    producer.send([Outgoing(name(pipeline, "generate"), b"", frame, 0) for frame in frames])
    producer.flush()
    first = verifier(broker, pipeline, books)
    write = first._writer.write  # type: ignore[attr-defined]

    def refuse(*_: object) -> None:
        first._writer.write = write  # type: ignore[attr-defined]
        raise AbortableError("the broker is busy")

    first._writer.write = refuse  # type: ignore[attr-defined]
    run(first, lambda: len(books.bought) >= 4)
    later = verifier(broker, pipeline, books)
    run(later, lambda: len(read(broker, pipeline, "verify")) == len(CASES))
    assert set(books.bought.values()) == {1}
    assert len(books.bought) == len(CASES)
    accepted = [event for event in read(broker, pipeline, "verify") if isinstance(event, SampleVerified)]
    assert {event.sample.sample_id for event in accepted} == {one.sample_id for one in CASES}
    asked = [event for event in read(broker, pipeline, "response") if isinstance(event, ModelAnswered)]
    assert sorted((len(event.choices), event.attempt) for event in asked) == [(0, 1)] * 12 + [(1, 1)] * 12


def verifier(broker: KafkaBroker, pipeline: str, books: Books) -> Stage:
    plan = {
        "pipeline": pipeline,
        "seeds": {"path": "x", "licence": "cc0"},
        "generate": {"target": 1},
        "verify": {"audit_share": 0, "checks": ["format", "judge"], "judges": [OURS], "concurrency": 4},
    }
    stage = build(replace(context(broker, parse(plan, "test"))), {"q": books})
    stage.start()
    return stage


def run(stage: Stage, is_done: Callable[[], bool]) -> None:
    for _ in range(200):
        stage.step()
        if is_done():
            break
    stage.close()


def read(broker: KafkaBroker, pipeline: str, word: str) -> list[object]:
    records: list[Record] = []
    fold = Fold(broker, [name(pipeline, word)], records.extend)
    fold.catch_up()
    fold.close()
    return [CODEC.decode(record.value) for record in records]
