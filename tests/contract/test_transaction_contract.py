from collections.abc import Callable

import pytest
from contract.clients import Clients, from_zero, join, outgoing, polls, to_end, values

from streams.broker import Broker, Consumer, Outgoing, Producer, Record, TopicPartition
from streams.errors import AbortableError, BrokerError, FatalError

Unique = Callable[[str], str]


def test_a_committed_transaction_is_read_whole_and_in_order(
    broker: Broker, clients: Clients, topic: TopicPartition, unique: Unique
) -> None:
    producer = clients.producer(unique("id"))
    producer.begin()
    producer.send(outgoing(topic, "abc"))
    producer.send(outgoing(topic, "de"))
    producer.commit()
    assert values(to_end(broker, clients.reader({topic: 0}))) == list("abcde")


def test_the_bounds_after_a_commit_hold_all_of_it(
    broker: Broker, clients: Clients, topic: TopicPartition, unique: Unique
) -> None:
    producer = clients.producer(unique("id"))
    for number in range(10):
        producer.begin()
        producer.send(outgoing(topic, [str(number)]))
        producer.commit()
        assert values(to_end(broker, clients.reader({topic: 0}))) == [str(n) for n in range(number + 1)]


def test_an_aborted_transaction_is_never_read(
    broker: Broker, clients: Clients, topic: TopicPartition, unique: Unique
) -> None:
    producer = clients.producer(unique("id"))
    producer.begin()
    producer.send(outgoing(topic, "no"))
    producer.flush()
    producer.abort()
    producer.begin()
    producer.send(outgoing(topic, "y"))
    producer.commit()
    assert values(to_end(broker, clients.reader({topic: 0}))) == ["y"]


def test_an_empty_transaction_leaves_the_producer_fit(
    broker: Broker, clients: Clients, topic: TopicPartition, unique: Unique
) -> None:
    producer = clients.producer(unique("id"))
    producer.begin()
    producer.commit()
    producer.begin()
    producer.abort()
    producer.begin()
    producer.send(outgoing(topic, "a"))
    producer.commit()
    assert values(to_end(broker, clients.reader({topic: 0}))) == ["a"]


def test_nothing_behind_an_open_transaction_is_read_until_its_id_is_initialised_again(
    broker: Broker, clients: Clients, topic: TopicPartition, unique: Unique
) -> None:
    dead, other = clients.producer(unique("dead")), clients.producer(unique("other"))
    dead.begin()
    dead.send(outgoing(topic, "x"))
    dead.flush()
    other.begin()
    other.send(outgoing(topic, "y"))
    other.commit()
    reader = clients.reader({topic: 0})
    assert reader.poll(10, 0.5) == []
    clients.producer(unique("dead"))
    assert values(to_end(broker, reader)) == ["y"]


def test_a_transaction_over_two_partitions_becomes_visible_in_both(
    broker: Broker, clients: Clients, topic: TopicPartition, unique: Unique
) -> None:
    second = topic._replace(partition=1)
    producer = clients.producer(unique("id"))
    producer.begin()
    producer.send([*outgoing(topic, "a"), *outgoing(second, "b")])
    producer.commit()
    assert sorted(values(to_end(broker, clients.reader({topic: 0, second: 0})))) == ["a", "b"]


def test_a_marker_takes_an_offset_in_each_partition_written_to(
    broker: Broker, clients: Clients, topic: TopicPartition, unique: Unique
) -> None:
    producer = clients.producer(unique("id"))
    for value in "ab":
        producer.begin()
        producer.send(outgoing(topic, [value]))
        producer.commit()
    records = to_end(broker, clients.reader({topic: 0}))
    assert [record.offset for record in records] == [0, 2]
    second = topic._replace(partition=1)
    assert polls(clients.reader({topic: 0}), lambda _: broker.bounds([topic])[topic] == (0, 4)) is not None
    assert broker.bounds([second])[second] == (0, 0)


def test_a_newer_producer_of_the_id_fences_the_older_in_its_transaction(
    broker: Broker, clients: Clients, topic: TopicPartition, unique: Unique
) -> None:
    zombie = clients.producer(unique("id"))
    zombie.begin()
    zombie.send(outgoing(topic, "x"))
    zombie.flush()
    heir = clients.producer(unique("id"))
    with pytest.raises(FatalError):
        zombie.commit()
    heir.begin()
    heir.send(outgoing(topic, "y"))
    heir.commit()
    assert values(to_end(broker, clients.reader({topic: 0}))) == ["y"]


def test_a_fenced_producer_gets_no_new_transaction_through(
    broker: Broker, clients: Clients, topic: TopicPartition, unique: Unique
) -> None:
    zombie = clients.producer(unique("id"))
    clients.producer(unique("id"))

    def write() -> None:
        zombie.begin()
        zombie.send(outgoing(topic, "x"))
        zombie.commit()

    for _ in range(2):
        with pytest.raises(FatalError):
            write()
    assert to_end(broker, clients.reader({topic: 0})) == []


def test_a_transaction_needs_init_and_begin(
    clients: Clients, broker: Broker, topic: TopicPartition, unique: Unique
) -> None:
    producer = broker.producer(unique("id"))
    with pytest.raises(FatalError):
        producer.begin()
    producer.init()
    for call in (lambda: producer.send(outgoing(topic, "x")), producer.commit, producer.abort):
        with pytest.raises(FatalError):
            call()
    producer.close()


def test_offsets_are_committed_with_the_transaction(
    broker: Broker, clients: Clients, topic: TopicPartition, unique: Unique
) -> None:
    group, producer = unique("group"), clients.producer(unique("id"))
    producer.begin()
    producer.send(outgoing(topic, "abc"))
    producer.commit()
    member = clients.member(group, topic.topic, from_zero)
    polls(member, lambda records: len(records) == 3)
    producer.begin()
    producer.send_offsets(member, group)
    producer.abort()
    assert topic not in broker.committed(group)
    producer.begin()
    producer.send_offsets(member, group)
    producer.commit()
    assert broker.committed(group)[topic] == (3, "")


def test_offsets_of_an_open_transaction_are_dropped_by_the_next_init(
    broker: Broker, clients: Clients, topic: TopicPartition, unique: Unique
) -> None:
    group, dead = unique("group"), clients.producer(unique("id"))
    member = clients.member(group, topic.topic, from_zero)
    join(member)
    dead.begin()
    dead.send_offsets(member, group)
    clients.producer(unique("id"))
    assert broker.committed(group) == {}


def read_source(member: Consumer, source: TopicPartition, least: int) -> list[Record]:
    def from_source(records: list[Record]) -> list[Record]:
        return [record for record in records if record.partition == source.partition]

    return from_source(polls(member, lambda records: len(from_source(records)) >= least, limit=2))


def copy(producer: Producer, member: Consumer, group: str, target: TopicPartition, batch: list[Record]) -> None:
    producer.begin()
    producer.send(Outgoing(target.topic, None, record.value, target.partition) for record in batch)
    producer.send_offsets(member, group)


def test_a_batch_is_redone_after_an_abort_with_no_loss_and_no_double(
    broker: Broker, clients: Clients, topic: TopicPartition, unique: Unique
) -> None:
    source, target = topic, topic._replace(partition=1)
    plain, producer, group = clients.producer(), clients.producer(unique("id")), unique("group")
    plain.send(outgoing(source, "abcdef"))
    plain.flush()
    member = clients.member(group, topic.topic, from_zero)
    copied = 0
    while copied < 6:
        batch = read_source(member, source, 1)
        copy(producer, member, group, target, batch)
        producer.abort()
        member.rewind()
        batch = read_source(member, source, len(batch))
        copy(producer, member, group, target, batch)
        producer.commit()
        member.mark()
        copied += len(batch)
    assert values(to_end(broker, clients.reader({target: 0}))) == list("abcdef")
    assert broker.committed(group)[source].offset == 6


def test_the_offsets_of_a_member_that_was_replaced_are_refused(
    broker: Broker, clients: Clients, topic: TopicPartition, unique: Unique
) -> None:
    group, plain = unique("group"), clients.producer()
    plain.send(outgoing(topic, "ab"))
    plain.flush()
    old = clients.member(group, topic.topic, from_zero, unique("instance"))
    polls(old, lambda records: len(records) == 2)
    new = clients.member(group, topic.topic, from_zero, unique("instance"))
    join(new)
    producer = clients.producer(unique("id"))
    producer.begin()
    with pytest.raises((AbortableError, FatalError)):
        producer.send_offsets(old, group)
    with pytest.raises(BrokerError):
        producer.commit()
    producer.abort()
    assert broker.committed(group) == {}


def test_a_replaced_member_reads_no_further(clients: Clients, topic: TopicPartition, unique: Unique) -> None:
    group = unique("group")
    old = clients.member(group, topic.topic, from_zero, unique("instance"))
    join(old)
    join(clients.member(group, topic.topic, from_zero, unique("instance")))
    with pytest.raises(FatalError):
        polls(old, lambda _: False)


def test_offsets_for_another_group_than_the_consumers_are_refused(
    clients: Clients, topic: TopicPartition, unique: Unique
) -> None:
    producer, member = clients.producer(unique("id")), clients.member(unique("group"), topic.topic, from_zero)
    join(member)
    producer.begin()
    with pytest.raises(FatalError):
        producer.send_offsets(member, unique("other"))


def test_a_producer_without_an_id_writes_at_once_and_refuses_transactions(
    broker: Broker, clients: Clients, topic: TopicPartition
) -> None:
    producer = clients.producer()
    producer.send(outgoing(topic, "ab"))
    producer.flush()
    assert values(to_end(broker, clients.reader({topic: 0}))) == ["a", "b"]
    assert broker.bounds([topic])[topic] == (0, 2)
    with pytest.raises(FatalError):
        producer.begin()
