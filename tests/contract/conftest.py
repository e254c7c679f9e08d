from collections.abc import Callable, Iterator

import pytest
from contract.clients import Clients

from streams.broker import Broker, NewTopic, TopicPartition
from streams.kafka import KafkaBroker
from streams.memory import MemoryBroker


@pytest.fixture(scope="session")
def kafka(bootstrap: str) -> KafkaBroker:
    return KafkaBroker(bootstrap)


@pytest.fixture(params=["memory", "kafka"])
def broker(request: pytest.FixtureRequest) -> Broker:
    """Give each implementation in turn: what holds for one must hold for the other."""
    return MemoryBroker() if request.param == "memory" else request.getfixturevalue("kafka")


@pytest.fixture
def clients(broker: Broker) -> Iterator[Clients]:
    with Clients(broker) as clients:
        yield clients


@pytest.fixture
def topic(broker: Broker, unique: Callable[[str], str]) -> TopicPartition:
    """Give partition 0 of a new topic of two."""
    name = unique("topic")
    broker.create([NewTopic(name, 2, {})])
    return TopicPartition(name, 0)
