from collections.abc import Callable, Sequence

import pytest
from contract.clients import Clients, from_zero, join, to_end

from streams.broker import Broker, Committed, NewTopic, Outgoing, TopicPartition
from streams.errors import FatalError
from streams.murmur2 import partition_of

Unique = Callable[[str], str]


def partitions_of(name: str, count: int) -> Sequence[TopicPartition]:
    return [TopicPartition(name, number) for number in range(count)]


def test_a_topic_that_exists_is_left_as_it_is(broker: Broker, unique: Unique) -> None:
    name = unique("topic")
    broker.create([NewTopic(name, 3, {"retention.ms": "-1"}), NewTopic(unique("other"), 1, {})])
    broker.create([NewTopic(name, 5, {})])
    assert broker.partitions()[name] == 3
    assert broker.partitions()[unique("other")] == 1
    assert not [topic for topic in broker.partitions() if topic.startswith("__")]
    broker.create([])


def test_a_new_topic_is_usable_at_once(broker: Broker, clients: Clients, unique: Unique) -> None:
    for number in range(5):
        name = unique(f"topic-{number}")
        broker.create([NewTopic(name, 2, {})])
        assert broker.bounds(partitions_of(name, 2)) == dict.fromkeys(partitions_of(name, 2), (0, 0))


def test_bounds_of_no_partitions_are_empty_and_of_a_missing_topic_an_error(broker: Broker, unique: Unique) -> None:
    assert broker.bounds([]) == {}
    with pytest.raises(FatalError):
        broker.bounds([TopicPartition(unique("nowhere"), 0)])


def test_bounds_of_many_partitions_are_those_of_each(broker: Broker, clients: Clients, unique: Unique) -> None:
    names = [unique("one"), unique("two")]
    broker.create([NewTopic(name, 3, {}) for name in names])
    producer = clients.producer()
    producer.send(Outgoing(name, None, b"v", at) for name in names for at in range(3) for _ in range(at + 1))
    producer.flush()
    asked = [tp for name in names for tp in partitions_of(name, 3)]
    assert broker.bounds(asked) == {tp: (0, tp.partition + 1) for tp in asked}


def test_a_key_decides_about_the_partition_as_in_every_kafka_client(
    broker: Broker, clients: Clients, unique: Unique
) -> None:
    name, count = unique("topic"), 7
    broker.create([NewTopic(name, count, {})])
    keys = [
        b"",
        b"a",
        b"ab",
        b"abc",
        b"abcd",
        "Größe".encode(),
        bytes(range(256)),
        *(b"key-%d" % n for n in range(200)),
    ]
    producer = clients.producer()
    producer.send(Outgoing(name, key, b"v") for key in keys)
    producer.flush()
    records = to_end(broker, clients.reader(from_zero(partitions_of(name, count))))
    assert {r.key: r.partition for r in records} == {key: partition_of(key, count) for key in keys}


def test_a_partition_that_is_named_wins_over_the_key(broker: Broker, clients: Clients, topic: TopicPartition) -> None:
    producer = clients.producer()
    producer.send(Outgoing(topic.topic, b"same key", b"v", number) for number in (0, 1, 1))
    producer.flush()
    records = to_end(broker, clients.reader(from_zero(partitions_of(topic.topic, 2))))
    assert sorted(record.partition for record in records) == [0, 1, 1]


def test_records_without_a_key_reach_more_than_one_partition_in_the_end(
    broker: Broker, clients: Clients, topic: TopicPartition
) -> None:
    producer, both = clients.producer(), partitions_of(topic.topic, 2)
    sent = 0
    while sent < 20_000 and not all(end for _, end in broker.bounds(both).values()):  # drawn anew every 10 ms or so
        producer.send([Outgoing(topic.topic, None, b"v")] * 10)
        producer.flush()
        sent += 10
    records = to_end(broker, clients.reader(from_zero(both)))
    assert len(records) == sent
    assert {record.partition for record in records} == {0, 1}


def test_a_big_record_passes_and_a_too_big_one_is_refused(
    broker: Broker, clients: Clients, topic: TopicPartition
) -> None:
    producer = clients.producer()
    big = bytes(range(256)) * 3600
    producer.send([Outgoing(*topic[:1], None, big, 0)])
    producer.flush()
    with pytest.raises(FatalError, match=str(2_000_000)):
        producer.send([Outgoing(topic.topic, None, bytes(2_000_000), 0)])
    assert [record.value for record in to_end(broker, clients.reader({topic: 0}))] == [big]


def test_positions_set_from_outside_keep_their_metadata(broker: Broker, topic: TopicPartition, unique: Unique) -> None:
    group, second = unique("group"), topic._replace(partition=1)
    assert broker.committed(group) == {}
    broker.commit(group, {topic: Committed(5, "batch 7, position 3"), second: Committed(0)})
    broker.commit(group, {topic: Committed(6, "Größe")})
    assert broker.committed(group) == {topic: Committed(6, "Größe"), second: Committed(0, "")}


def test_positions_of_a_group_with_a_member_are_not_changed_from_outside(
    broker: Broker, clients: Clients, topic: TopicPartition, unique: Unique
) -> None:
    group = unique("group")
    join(clients.member(group, topic.topic, from_zero))
    with pytest.raises(FatalError):
        broker.commit(group, {topic: Committed(1)})


def test_groups_are_listed_by_prefix_and_forgotten(broker: Broker, topic: TopicPartition, unique: Unique) -> None:
    names = [unique("trainer") + ending for ending in ("b", "a", "c")]
    for name in names:
        broker.commit(name, {topic: Committed(1)})
    assert broker.groups(unique("trainer")) == sorted(names)
    broker.forget(names[0])
    broker.forget(names[0])
    assert broker.groups(unique("trainer")) == sorted(names[1:])
    assert broker.committed(names[0]) == {}
    assert broker.groups(unique("none")) == []
