from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from review_world import ACCEPT, ANN, BOB, CODEC, LEO, REJECT, ask, people, request, stage

from services.review.decide import decide
from services.review.reviewing import Reviewing
from services.review.service import Review
from streams.broker import Record
from streams.fold import Fold
from streams.kafka import KafkaBroker
from streams.samples import digest
from streams.topics import ensure, name

SAMPLES = 12


def desk_of(review: Review) -> Reviewing:
    assert review._reviewing is not None
    return review._reviewing


def test_on_kafka_clicks_leave_once_although_the_stage_is_killed_and_commands_fence_it(
    bootstrap: str, unique: Callable[[str], str], tmp_path: Path
) -> None:
    broker, pipeline, now = KafkaBroker(bootstrap), unique("review"), [1_000]
    ensure(broker, pipeline)
    ask(broker, *(request(n, expires_at=None) for n in range(SAMPLES)), pipeline=pipeline)
    people(tmp_path, ANN, BOB, LEO)

    def start() -> Review:
        made = stage(broker, lambda: now[0], tmp_path, pipeline, port=1, overlap_share=1.0)
        made.start()
        return made

    review = start()
    for who, ruling in ((ANN, ACCEPT), (BOB, REJECT), (LEO, ACCEPT)):
        for n in range(SAMPLES):
            desk_of(review).submit(who, digest(n), ruling, now[0])
        now[0] += 10_000
        if who is LEO:
            decide(broker, CODEC, pipeline, sample_id=digest(0), ruling=REJECT, now=now[0])
        assert review.step() == SAMPLES
        review.close()  # before it has read what it sent
        review = start()
    assert [told.sample_id for told in desk_of(review).refused(LEO)] == [digest(0)]
    assert review.step() == 0
    review.close()
    found: list[Any] = []

    def take(records: list[Record]) -> None:
        found.extend(CODEC.decode(record.value) for record in records)

    fold = Fold(broker, [name(pipeline, word) for word in ("decision", "verify", "reject")], take)  # type: ignore[arg-type]
    fold.catch_up()
    fold.close()
    assert Counter((event.reviewer, event.settles) for event in found if hasattr(event, "reviewer")) == {
        ("ann", False): SAMPLES, ("bob", False): SAMPLES, ("leo", True): SAMPLES - 1, ("bob", True): 1
    }  # fmt: skip
    assert Counter(type(event).__name__ for event in found if hasattr(event, "sample")) == {
        "SampleVerified": SAMPLES - 1, "SampleRejected": 1
    }  # fmt: skip
