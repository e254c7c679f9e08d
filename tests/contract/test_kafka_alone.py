"""What only a real broker can show: several members in a group, sessions, an address where nobody answers."""

import itertools
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import pytest
from confluent_kafka import TopicPartition as RawPartition
from contract.clients import POLLS, WAIT, Clients, from_zero, join, outgoing, polls, to_end, values

from streams.broker import Committed, NewTopic, Outgoing, TopicPartition
from streams.errors import AbortableError, UnavailableError
from streams.kafka import KafkaBroker

Unique = Callable[[str], str]
NOBODY = "127.0.0.1:1"


@pytest.fixture
def broker(kafka: KafkaBroker) -> KafkaBroker:
    return kafka


class Copier:
    """Copies a topic exactly once: the smallest stage there can be."""

    def __init__(self, broker: KafkaBroker, clients: Clients, group: str, name: str, topics: tuple[str, str]) -> None:
        self._broker, self._group = broker, group
        self._source, self._target = topics
        self._producer = clients.producer(name)
        self.consumer = clients.member(group, self._source, self._starts, name)
        self.assignments: list[frozenset[TopicPartition]] = []

    def _starts(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        self.assignments.append(frozenset(partitions))
        committed = self._broker.committed(self._group)
        return {tp: committed.get(tp, Committed(0)).offset for tp in partitions}

    def step(self, limit: int = 25) -> None:
        if not (records := self.consumer.poll(limit, WAIT)):
            return
        self._producer.begin()
        self._producer.send(Outgoing(self._target, record.key, record.value) for record in records)
        try:
            self._producer.send_offsets(self.consumer, self._group)
            self._producer.commit()
        except AbortableError:
            self._producer.abort()
            self.consumer.rewind()
        else:
            self.consumer.mark()


@pytest.fixture
def topics(broker: KafkaBroker, unique: Unique) -> tuple[str, str]:
    made = unique("source"), unique("target")
    broker.create([NewTopic(name, 6, {}) for name in made])
    return made


def steps(members: Sequence[Copier], done: Callable[[], bool]) -> None:
    """Let the members work in turn until it is done; the bound turns a hang into a failure."""
    for _ in range(POLLS):
        if done():
            return
        for member in members:
            member.step()
    raise AssertionError([member.consumer.positions() for member in members])


def everything(broker: KafkaBroker, clients: Clients, topic: str) -> list[str]:
    return values(to_end(broker, clients.reader({TopicPartition(topic, number): 0 for number in range(6)})))


def test_members_that_come_and_go_under_load_lose_nothing_and_double_nothing(
    broker: KafkaBroker, clients: Clients, topics: tuple[str, str], unique: Unique
) -> None:
    writer, sent = clients.producer(), itertools.count()

    def make(number: int) -> Copier:
        return Copier(broker, clients, unique("group"), unique(f"copier-{number}"), topics)

    def load() -> None:
        writer.send(Outgoing(topics[0], b"%d" % number, b"%d" % number) for number in itertools.islice(sent, 20))

    def all_work() -> bool:
        load()
        return all(member.consumer.assignment() for member in members)

    def all_done() -> bool:
        ends = broker.bounds(TopicPartition(topics[0], number) for number in range(6))
        committed = broker.committed(unique("group"))
        return all(tp in committed and committed[tp].offset == end for tp, (_, end) in ends.items())

    members: list[Copier] = []
    for number in (1, 2, 3):
        members.append(make(number))
        steps(members, all_work)
    members[1] = make(2)  # takes the place of a member that is dead from now on
    steps(members, all_work)
    writer.flush()
    steps(members, all_done)
    copied = Counter(everything(broker, clients, topics[1]))
    assert copied == Counter(str(number) for number in range(next(sent)))
    assert [len(assignment) for assignment in members[0].assignments] == [6, 3, 2]


def test_a_static_member_that_returns_gets_its_partitions_back_without_a_rebalance(
    broker: KafkaBroker, clients: Clients, topics: tuple[str, str], unique: Unique
) -> None:
    group = unique("group")
    ours, other = (Copier(broker, clients, group, unique(name), topics) for name in ("ours", "other"))
    steps([ours, other], lambda: {len(member.consumer.assignment()) for member in (ours, other)} == {3})
    had, others = ours.consumer.assignment(), len(other.assignments)
    ours.consumer.close()
    back = Copier(broker, clients, group, unique("ours"), topics)
    join(back.consumer)
    assert back.consumer.assignment() == had
    polls(other.consumer, lambda _: True)
    assert len(other.assignments) == others


def test_a_poll_that_meets_a_rebalance_returns_nothing_of_the_lost_partitions(
    broker: KafkaBroker, clients: Clients, topics: tuple[str, str], unique: Unique
) -> None:
    group, writer = unique("group"), clients.producer()
    writer.send(Outgoing(topics[0], None, b"v", number) for number in range(6) for _ in range(20))
    writer.flush()
    first = clients.member(group, topics[0], from_zero)
    polls(first, bool, limit=1)
    clients.member(group, topics[0], from_zero)
    records = first.poll(1000, 5.0)  # old records lie ready; then comes the rebalance, which a heartbeat tells
    kept = first.assignment()
    assert len(kept) == 3
    read = Counter((record.partition, record.offset) for record in records)
    assert read == Counter((at.partition, offset) for at in kept for offset in range(20))


def test_positions_wait_for_a_transaction_that_may_still_change_them(
    broker: KafkaBroker, clients: Clients, topics: tuple[str, str], unique: Unique
) -> None:
    group, at = unique("group"), TopicPartition(topics[0], 0)
    writer, producer = clients.producer(), clients.producer(unique("id"))
    member = Copier(broker, clients, group, unique("member"), topics).consumer
    for number in range(20):  # the answer comes faster than the marker in about one of three
        writer.send(outgoing(at, ["v"]))
        writer.flush()
        polls(member, bool, limit=1)
        producer.begin()
        producer.send_offsets(member, group)
        producer.commit()
        assert broker.committed(group)[at].offset == number + 1


def test_positions_are_not_told_while_a_transaction_may_change_them(
    broker: KafkaBroker, clients: Clients, topics: tuple[str, str], unique: Unique
) -> None:
    group, producer = unique("group"), clients.producer(unique("id"))
    member = Copier(broker, clients, group, unique("member"), topics).consumer
    join(member)
    told: list[Mapping[TopicPartition, Committed]] = []
    for end in (producer.commit, producer.abort):  # the first commit of a group is a case of its own
        producer.begin()
        producer.send_offsets(member, group)
        asking = threading.Thread(target=lambda: told.append(broker.committed(group)))
        asking.start()
        asking.join(0.5)
        assert asking.is_alive()
        end()
        asking.join(30)
    assert told == [{TopicPartition(topics[0], number): Committed(0) for number in range(6)}] * 2


def test_the_end_lies_behind_a_transaction_that_is_open(
    broker: KafkaBroker, clients: Clients, topics: tuple[str, str], unique: Unique
) -> None:
    at, producer = TopicPartition(topics[0], 0), clients.producer(unique("id"))
    producer.begin()
    producer.send(outgoing(at, "ab"))
    producer.flush()
    assert broker.bounds([at])[at] == (0, 2)


@pytest.mark.parametrize(
    "call",
    [
        lambda broker: broker.partitions(),
        lambda broker: broker.create([NewTopic("topic", 1, {})]),
        lambda broker: broker.bounds([TopicPartition("topic", 0)]),
        lambda broker: broker.committed("group"),
        lambda broker: broker.commit("group", {TopicPartition("topic", 0): Committed(1)}),
        lambda broker: broker.groups(""),
        lambda broker: broker.forget("group"),
        lambda broker: broker.producer("id").init(),
    ],
)
def test_an_address_where_nobody_answers_is_named_in_one_sentence(call: Callable[[KafkaBroker], object]) -> None:
    with pytest.raises(UnavailableError, match=NOBODY) as caught:
        call(KafkaBroker(NOBODY, timeout=0.5))
    assert "\n" not in str(caught.value)


def test_records_that_nobody_takes_fail_the_flush() -> None:
    producer = KafkaBroker(NOBODY, timeout=0.5).producer()
    producer.send([Outgoing("topic", None, b"v")])
    with pytest.raises(UnavailableError, match=NOBODY):
        producer.flush()
    producer.close()


def test_the_client_librarys_own_lines_do_not_reach_the_terminal() -> None:
    script = f"""
from streams.kafka import KafkaBroker
from streams.broker import Outgoing
producer = KafkaBroker({NOBODY!r}, timeout=0.5).producer()
producer.send([Outgoing("topic", None, b"v")])
try:
    producer.flush()
except Exception as error:
    print(type(error).__name__)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout, done.stderr) == ("UnavailableError\n", "")


def test_a_record_that_is_delivered_again_is_dropped(broker: KafkaBroker, clients: Clients, unique: Unique) -> None:
    topic = TopicPartition(unique("again"), 0)
    broker.create([NewTopic(topic.topic, 1, {})])
    producer = clients.producer()
    producer.send(outgoing(topic, "abc"))
    producer.flush()
    reader = clients.reader({topic: 0})
    assert values(to_end(broker, reader)) == ["a", "b", "c"]
    reader._raw.seek(RawPartition(*topic, 1))
    producer.send(outgoing(topic, "d"))
    producer.flush()
    assert values(to_end(broker, reader)) == ["d"]
    assert reader.positions() == {topic: 4}
