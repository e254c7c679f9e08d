"""The hand-written contender: consume, transform, produce and commit with confluent-kafka and nothing else."""

from collections.abc import Callable

from confluent_kafka import Consumer, Producer, TopicPartition

BATCH = 1_000
SECONDS = 0.25
CONSUMER = {"isolation.level": "read_committed", "auto.offset.reset": "earliest"}
PRODUCER = {
    "linger.ms": 20,
    "retry.backoff.ms": 5,
    "compression.type": "lz4",
    "partitioner": "murmur2_random",
}


def run(bootstrap: str, name: str, count: int, transform: Callable[[bytes], bytes]) -> None:
    """Take `count` records from `<name>.generate` to `<name>.verify`, exactly once."""
    servers = {"bootstrap.servers": bootstrap}
    consumer = Consumer({**servers, **CONSUMER, "group.id": name, "enable.auto.commit": False})
    producer = Producer({**servers, **PRODUCER, "transactional.id": name, "delivery.report.only.error": True})
    producer.init_transactions()
    consumer.subscribe([f"{name}.generate"])
    topic = f"{name}.verify"
    while count > 0:
        messages = [message for message in consumer.consume(BATCH, SECONDS) if message.error() is None]
        if not messages:
            continue
        producer.begin_transaction()
        for message in messages:
            producer.produce(topic, transform(message.value()), message.key())
        offsets = {(message.topic(), message.partition()): message.offset() + 1 for message in messages}
        producer.send_offsets_to_transaction(
            [TopicPartition(*place, offset) for place, offset in offsets.items()], consumer.consumer_group_metadata()
        )
        producer.commit_transaction()
        count -= len(messages)
    consumer.close()
