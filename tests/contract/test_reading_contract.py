from collections.abc import Callable, Mapping, Sequence

import pytest
from contract.clients import Clients, from_zero, join, outgoing, polls, to_end, values

from streams.broker import Broker, Outgoing, TopicPartition
from streams.errors import FatalError, OffsetsLostError

Unique = Callable[[str], str]


def write(clients: Clients, at: TopicPartition, what: Sequence[str]) -> None:
    producer = clients.producer()
    producer.send(outgoing(at, what))
    producer.flush()


def test_a_record_comes_back_as_it_was_sent(broker: Broker, clients: Clients, topic: TopicPartition) -> None:
    producer = clients.producer()
    sent = [(b"key", b"\x00\xff"), (None, b"v"), (b"", b"")]
    producer.send(Outgoing(topic.topic, key, value, topic.partition) for key, value in sent)
    producer.flush()
    records = to_end(broker, clients.reader({topic: 0}))
    assert [(record.key, record.value) for record in records] == sent
    assert [record[:3] for record in records] == [(*topic, offset) for offset in range(3)]
    assert all(isinstance(record.timestamp, int) for record in records)


def test_starts_is_asked_at_the_assignment_and_decides_where_reading_begins(
    clients: Clients, topic: TopicPartition, unique: Unique
) -> None:
    write(clients, topic, "abcd")
    second = topic._replace(partition=1)
    asked: list[TopicPartition] = []

    def starts(partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        asked.extend(partitions)
        return {topic: 2, second: 0}

    member = clients.member(unique("group"), topic.topic, starts)
    assert member.assignment() == frozenset()
    assert asked == []
    assert values(polls(member, lambda records: len(records) >= 2)) == ["c", "d"]
    assert sorted(asked) == [topic, second]
    assert member.assignment() == {topic, second}
    assert member.positions() == {topic: 4, second: 0}


def test_what_starts_raises_comes_out_of_poll(clients: Clients, topic: TopicPartition, unique: Unique) -> None:
    def starts(_partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        raise OffsetsLostError("no idea")

    member = clients.member(unique("group"), topic.topic, starts)
    with pytest.raises(OffsetsLostError, match="no idea"):
        polls(member, lambda _: False)


def test_an_offset_that_is_not_there_stops_the_reader(clients: Clients, topic: TopicPartition) -> None:
    write(clients, topic, "ab")
    with pytest.raises(OffsetsLostError):
        polls(clients.reader({topic: 3}), lambda _: False)


def test_a_reader_that_is_up_to_date_gets_nothing(broker: Broker, clients: Clients, topic: TopicPartition) -> None:
    write(clients, topic, "ab")
    reader = clients.reader({topic: 2})
    assert to_end(broker, reader) == []
    assert reader.poll(10, 0.05) == []
    write(clients, topic, "c")
    assert values(polls(reader, bool)) == ["c"]


def test_a_poll_returns_no_more_than_its_limit(broker: Broker, clients: Clients, topic: TopicPartition) -> None:
    second = topic._replace(partition=1)
    write(clients, topic, [str(n) for n in range(50)])
    write(clients, second, [str(n) for n in range(50)])
    reader = clients.reader({topic: 0, second: 0})
    sizes = []
    while sum(sizes) < 100:
        sizes.append(len(polls(reader, bool, limit=7)))
        assert sum(reader.positions().values()) == sum(sizes)
    assert max(sizes) <= 7
    assert to_end(broker, reader) == []


def test_records_of_a_partition_come_in_order_and_once(broker: Broker, clients: Clients, topic: TopicPartition) -> None:
    sent = [str(number) for number in range(3000)]
    write(clients, topic, sent)
    assert values(to_end(broker, clients.reader({topic: 0}))) == sent


def test_positions_follow_the_records_and_reached_passes_markers_and_aborted_records(
    broker: Broker, clients: Clients, topic: TopicPartition, unique: Unique
) -> None:
    producer = clients.producer(unique("id"))
    producer.begin()
    producer.send(outgoing(topic, "ab"))
    producer.commit()
    producer.begin()
    producer.send(outgoing(topic, "xyz"))
    producer.flush()
    producer.abort()
    reader = clients.reader({topic: 0})
    assert reader.positions() == {topic: 0}
    assert reader.reached(topic) == 0
    polls(reader, lambda _: reader.reached(topic) == 7)  # two records, a marker, three records, a marker
    assert reader.positions() == {topic: 2}
    assert broker.bounds([topic])[topic] == (0, 7)


def test_reached_never_runs_ahead_of_what_poll_returned(
    broker: Broker, clients: Clients, topic: TopicPartition, unique: Unique
) -> None:
    producer = clients.producer(unique("id"))
    for value in "abcdef":
        producer.begin()
        producer.send(outgoing(topic, [value]))
        producer.commit()
    reader = clients.reader({topic: 0})
    for expected in range(6):
        polls(reader, bool, limit=1)
        assert reader.positions()[topic] == 2 * expected + 1
        assert reader.reached(topic) in (2 * expected + 1, 2 * expected + 2)
    to_end(broker, reader)


def test_rewind_reads_again_from_the_mark(clients: Clients, topic: TopicPartition) -> None:
    write(clients, topic, "abcd")
    reader = clients.reader({topic: 1})
    first = values(polls(reader, bool, limit=1))
    reader.rewind()
    assert reader.positions() == {topic: 1}
    assert reader.reached(topic) == 1
    assert values(polls(reader, bool, limit=1)) == first == ["b"]
    reader.mark()
    assert values(polls(reader, lambda records: len(records) == 2)) == ["c", "d"]
    reader.rewind()
    reader.rewind()
    assert values(polls(reader, lambda records: len(records) == 2)) == ["c", "d"]


def test_a_member_rewinds_to_the_start_of_its_assignment(
    clients: Clients, topic: TopicPartition, unique: Unique
) -> None:
    write(clients, topic, "ab")
    member = clients.member(unique("group"), topic.topic, from_zero)
    assert values(polls(member, bool)) == ["a", "b"]
    member.rewind()
    assert values(polls(member, bool)) == ["a", "b"]


def test_a_group_goes_on_where_its_transactions_ended(
    broker: Broker, clients: Clients, topic: TopicPartition, unique: Unique
) -> None:
    write(clients, topic, "abcdefgh")
    group = unique("group")

    def starts(partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        committed = broker.committed(group)
        return {tp: committed[tp].offset if tp in committed else 0 for tp in partitions}

    seen = []
    for _ in range(2):  # each round is a process that dies without a word
        producer = clients.producer(unique("id"))
        member = clients.member(group, topic.topic, starts, unique("instance"))
        seen += values(polls(member, bool, limit=2))
        producer.begin()
        producer.send_offsets(member, group)
        producer.commit()
        polls(member, bool, limit=1)  # read, and lost with the process
    assert seen == list("abcdefgh")[: len(seen)]
    assert broker.committed(group)[topic].offset == len(seen)


def test_a_closed_consumer_is_of_no_further_use(clients: Clients, topic: TopicPartition) -> None:
    reader = clients.reader({topic: 0})
    reader.close()
    assert reader.assignment() == frozenset()
    with pytest.raises(FatalError):
        reader.poll(1, 0.05)


def test_a_member_that_closes_leaves_the_group(
    broker: Broker, clients: Clients, topic: TopicPartition, unique: Unique
) -> None:
    group = unique("group")
    member = clients.member(group, topic.topic, from_zero)
    join(member)
    with pytest.raises(FatalError):
        broker.forget(group)
    member.close()
    broker.forget(group)
