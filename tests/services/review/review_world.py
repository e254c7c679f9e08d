"""Requests on a memory broker, and a review stage with its people: all that a page would stand on."""

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from services.recipe import parse
from services.review.decide import decide
from services.review.page import Serve
from services.review.reviewing import Reviewing
from services.review.ruling import Ruling
from services.review.seats import Person, Role
from services.review.sending import send, tidy
from services.review.service import Review, build
from services.review.store import FILE, Store
from services.stage import Context
from streams.broker import Outgoing, Record, TopicPartition
from streams.codec import Codec
from streams.errors import AbortableError
from streams.events import ReviewReason, ReviewRequested, event_id
from streams.memory import MemoryBroker
from streams.metrics import Metrics
from streams.samples import Lineage, Outcome, Sample, Turn, Verdict, digest
from streams.topics import ensure, name

CODEC = Codec()
ACCEPT = Ruling("accept", "ann")
REJECT = Ruling("reject", "bob", ("factual_error", "low_quality"), "no")
ANN, BOB, CAT = (Person(name, "reviewer") for name in ("ann", "bob", "cat"))
LEO, VIC = Person("leo", "lead"), Person("vic", "viewer")
EVERYBODY = (ANN, BOB, CAT, LEO, VIC)
MINUTE = 60_000


def request(
    n: int, reason: ReviewReason = "flagged", automatic: Outcome = "flag", expires_at: int | None = 100
) -> ReviewRequested:
    sample = Sample(
        sample_id=digest(n),
        content_hash=digest(n),
        task="text",
        turns=(Turn(role="user", text=f"question {n}\n"), Turn(role="assistant", text="answer " * 40)),
        lineage=Lineage(origin="SYNTHETIC", generation=1),
    )
    return ReviewRequested(
        event_id=event_id(ReviewRequested, sample.sample_id),
        occurred_at=1,
        reason=reason,
        automatic=automatic,
        expires_at=expires_at,
        inclusion_probability=0.02,
        audited=reason == "audit",
        verdicts=(Verdict(check="format", outcome="pass"), Verdict(check="duplicate", outcome=automatic)),
        sample=sample,
    )


def desk_with(*requests: ReviewRequested) -> MemoryBroker:
    broker = MemoryBroker()
    ensure(broker, "p")
    ask(broker, *requests)
    return broker


def ask(broker: Any, *requests: ReviewRequested, pipeline: str = "p") -> None:
    producer, topic = broker.producer(), name(pipeline, "review")
    producer.send([Outgoing(topic, r.sample.sample_id.encode(), CODEC.encode(r)) for r in requests])
    producer.flush()


def read(broker: MemoryBroker, word: str) -> list[Record]:
    topic = name("p", word)
    consumer = broker.consumer()
    consumer.assign({TopicPartition(topic, n): 0 for n in range(broker.partitions()[topic])})
    return consumer.poll(100_000, 0)


def events(broker: MemoryBroker, word: str) -> list[Any]:
    return [CODEC.decode(record.value) for record in read(broker, word)]


def rule(broker: Any, n: int, ruling: Ruling = ACCEPT) -> None:
    decide(broker, CODEC, "p", sample_id=digest(n), ruling=ruling, now=50)


def nobody(*_: Any) -> None:
    """Serve no page."""


def stage(
    broker: Any,
    now: Callable[[], int],
    folder: Path = Path("/nonexistent"),
    pipeline: str = "p",
    serve: Serve = nobody,
    **review: Any,
) -> Review:
    data = {"pipeline": pipeline, "seeds": {"path": "x", "licence": "cc0"}, "generate": {"target": 1}, "review": review}
    made = build(
        Context(
            recipe=parse(data, "test"),
            broker=broker,
            codec=CODEC,
            slot=0,
            now=now,
            metrics=Metrics(),
            spools=Path("/nonexistent"),
            folder=folder,
        ),
        serve,
    )
    assert isinstance(made, Review)
    return made


class Refuses:
    """A broker that refuses every commit: the transaction is to be aborted."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker

    def __getattr__(self, called: str) -> Any:
        return getattr(self._broker, called)

    def producer(self, transactional_id: str | None = None) -> Any:
        producer = self._broker.producer(transactional_id)
        producer.commit = self._refuse  # type: ignore[method-assign]
        return producer

    def _refuse(self) -> None:
        raise AbortableError("the broker is busy")


class House:
    """A stage and its people; `now` is the time in UTC milliseconds, `port` that of the page, if there is one."""

    def __init__(
        self,
        folder: Path,
        *requests: ReviewRequested,
        share: float = 0.0,
        overlap: int = 2,
        serve: Serve = nobody,
        **review: Any,
    ) -> None:
        self.folder, self.now, self._serve = folder, 1_000_000, serve
        self.broker = desk_with(*requests)
        self._review: dict[str, Any] = {"overlap": overlap, "overlap_share": share, **review}
        self.stage: Review | None = None
        people(folder, *EVERYBODY)
        self.open()

    def open(self, broker: Any = None) -> None:
        """Start the stage; what ran before is as good as killed."""
        self.close()
        self.port = 1 if self._serve is nobody else free_port()
        self.stage = stage(
            broker or self.broker,
            lambda: self.now,
            self.folder,
            serve=self._serve,
            port=self.port,
            **self._review,
        )
        self.stage.start()

    def close(self) -> None:
        """Let go of the file and the port."""
        if self.stage is not None and self.stage._store is not None:
            if self.stage._serving is not None:
                self.stage._serving.close()
            self.stage._store.close()

    @property
    def desk(self) -> Reviewing:
        assert self.stage is not None
        assert self.stage._reviewing is not None
        return self.stage._reviewing

    @property
    def store(self) -> Store:
        assert self.stage is not None
        assert self.stage._store is not None
        return self.stage._store

    def assign(self, who: Person, most: int = 1) -> list[str]:
        return [task.request.sample.sample_id for task in self.desk.assign(who, self.now, most)]

    def submit(self, who: Person, n: int, ruling: Ruling = ACCEPT) -> None:
        self.desk.submit(who, digest(n), ruling, self.now)

    def send(self) -> None:
        """Let the time for an undo go by, send, and read what was sent."""
        self.now += 10_000
        self.step()

    def send_alone(self) -> Store:
        """Send what is due from where the desk is, without reading on before or afterwards."""
        assert self.stage is not None
        assert self.stage._desk is not None
        assert self.stage._store is not None
        desk, store = self.stage._desk, self.stage._store
        send(self.broker, CODEC, "p", desk, store, terms=self.stage._terms, now=self.now)
        tidy(store, desk, self.now)
        return store

    def step(self) -> None:
        """Let the stage run for a while: a poll takes from one partition at a time."""
        assert self.stage is not None
        for _ in range(3):
            self.stage.step()

    def decisions(self) -> list[tuple[str, str, bool]]:
        return [(e.reviewer, e.decision, e.settles) for e in events(self.broker, "decision")]

    def states(self) -> dict[str, int]:
        return {state: count for state, count in self.desk.figures(self.now).backlog.items() if count}


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        number: int = found.getsockname()[1]
        return number


def people(folder: Path, *them: Person) -> None:
    """Write people without passwords into the store."""
    store = Store(folder / FILE)
    with store.transaction() as db:
        rows: list[tuple[str, Role]] = [(each.name, each.role) for each in them]
        db.executemany("INSERT INTO reviewers VALUES (?, ?, '')", rows)
    store.close()
