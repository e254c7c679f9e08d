"""The topics of a pipeline: names, partitions and retention; Ballast creates them and none is made by accident.

No stage relies on co-partitioning, so a cluster's owner may create a data topic with more partitions beforehand.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from streams.broker import Broker, NewTopic
from streams.errors import TopicError

Keep = Literal["for ever", "days", "latest"]
DATA_PARTITIONS = 4
_CONFIG: dict[Keep, dict[str, str]] = {
    "for ever": {"retention.ms": "-1", "retention.bytes": "-1", "cleanup.policy": "delete"},
    "days": {"retention.ms": str(7 * 24 * 3600 * 1000), "cleanup.policy": "delete"},
    "latest": {"cleanup.policy": "compact"},
}


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic of every pipeline; `schema` is the word of its event's schema file, None for original bytes."""

    word: str
    schema: str | None
    partitions: int
    keep: Keep
    key: str


def _data(word: str, schema: str | None = None, key: str = "sample_id") -> Topic:
    return Topic(word, schema or word, DATA_PARTITIONS, "for ever", key)


def _single(word: str, key: str, keep: Keep = "for ever") -> Topic:
    return Topic(word, word, 1, keep, key)


STAGES = ("ingest", "generate", "verify", "review", "mix", "sketch", "monitor")
TOPICS: tuple[Topic, ...] = (
    _data("seed"),
    _data("reference", "seed"),
    _data("holdout", "seed"),
    _data("generate"),
    _data("review"),
    _single("decision", "sample_id"),
    _data("verify"),
    _data("reject"),
    _data("mix", key="batch_index"),
    _single("evaluate", "run_id"),
    _single("sketch", "-", "days"),
    _single("measure", "group"),
    _single("policy", "-"),
    _data("response", key="request_key"),
    _single("schema", "fingerprint", "latest"),
    Topic("state", None, 1, "latest", "group"),  # the monitor's own; bytes that it alone reads
    *(Topic(f"dead.{stage}", "dead", 1, "for ever", "as source") for stage in STAGES),
    *(Topic(f"redo.{stage}", None, 1, "for ever", "event_id of the dead letter") for stage in STAGES),
)
_BY_WORD = {topic.word: topic for topic in TOPICS}


def name(pipeline: str, word: str) -> str:
    """Return the topic's name in the cluster; KeyError for a word that is no topic's."""
    return f"{pipeline}.{_BY_WORD[word].word}"


def word_of(pipeline: str, topic: str) -> str:
    """Return the word of a topic of this pipeline."""
    return topic.removeprefix(f"{pipeline}.")


def group(pipeline: str, stage: str) -> str:
    """Return the name of a stage's consumer group."""
    return f"{pipeline}.{stage}"


def identity(pipeline: str, stage: str, slot: int) -> str:
    """Return a slot's transactional id and group instance id; stable, so that a restart fences its predecessor."""
    return f"{pipeline}.{stage}-{slot}"


def ensure(broker: Broker, pipeline: str) -> None:
    """Create what is missing; raises TopicError where an existing topic has a partition count that can't work."""
    there = broker.partitions()
    broker.create([_new(pipeline, topic) for topic in TOPICS if name(pipeline, topic.word) not in there])
    for topic in TOPICS:
        found = there.get(name(pipeline, topic.word), topic.partitions)
        if topic.partitions == 1 and found != 1:
            raise TopicError(
                f"Topic {name(pipeline, topic.word)} has {found} partitions where its order needs 1; "
                "delete it if it is empty, or choose another pipeline name"
            )


def missing(broker: Broker, pipeline: str) -> Sequence[str]:
    """Return the names of the topics that the cluster does not have."""
    there = broker.partitions()
    return [name(pipeline, topic.word) for topic in TOPICS if name(pipeline, topic.word) not in there]


def _new(pipeline: str, topic: Topic) -> NewTopic:
    return NewTopic(name(pipeline, topic.word), topic.partitions, _CONFIG[topic.keep])
