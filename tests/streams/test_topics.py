import pytest

from streams import topics
from streams.broker import NewTopic
from streams.errors import TopicError
from streams.memory import MemoryBroker
from streams.schemas import WORDS


def test_every_event_has_a_topic_and_every_schema_exists() -> None:
    assert {topic.schema for topic in topics.TOPICS} - {None} == set(WORDS)


def test_topics_carry_the_pipelines_name_so_that_pipelines_share_a_cluster() -> None:
    broker = MemoryBroker()
    topics.ensure(broker, "one")
    topics.ensure(broker, "two")
    counts = broker.partitions()
    assert counts["one.seed"] == counts["two.mix"] == 4
    assert counts["one.policy"] == counts["one.dead.verify"] == counts["one.redo.verify"] == 1
    assert topics.missing(broker, "one") == []
    assert "three.seed" in topics.missing(broker, "three")


def test_a_topic_that_exists_keeps_its_partitions() -> None:
    broker = MemoryBroker()
    broker.create([NewTopic("p.seed", 12, {})])
    topics.ensure(broker, "p")
    assert broker.partitions()["p.seed"] == 12


def test_a_topic_whose_order_matters_must_have_one_partition() -> None:
    broker = MemoryBroker()
    broker.create([NewTopic("p.policy", 3, {})])
    with pytest.raises(TopicError, match=r"Topic p\.policy has 3 partitions where its order needs 1"):
        topics.ensure(broker, "p")
