from collections import Counter
from collections.abc import Callable

from sketch_world import CODEC, accept, put, sample, stage, text

from streams.broker import Record
from streams.events import BatchSketched
from streams.fold import Fold
from streams.kafka import KafkaBroker
from streams.stats.documents import from_bytes
from streams.topics import ensure, name


def test_on_kafka_a_second_process_goes_on_where_the_first_was_left(
    bootstrap: str, unique: Callable[[str], str]
) -> None:
    broker, pipeline = KafkaBroker(bootstrap), unique("sketch")
    ensure(broker, pipeline)
    put(broker, "reference", (sample(f"r{n}", text(f"r{n}")) for n in range(120)), "fit", pipeline)
    accept(broker, pipeline)
    for start in (0, 230):
        candidates = (sample(f"g{n}", text(f"g{n}"), "tri") for n in range(start, start + 230))
        put(broker, "generate", candidates, "none", pipeline)
        sketch, seen = stage(broker, pipeline), 0
        while seen < 230:
            seen += sketch.step()
        sketch.close()
    events: list[BatchSketched] = []

    def take(records: list[Record]) -> None:
        decoded = [CODEC.decode(record.value) for record in records]
        events.extend(event for event in decoded if isinstance(event, BatchSketched))

    fold = Fold(broker, [name(pipeline, "sketch")], take)  # type: ignore[arg-type]
    fold.catch_up()
    fold.close()
    assert sum(event.documents for event in events) == 460
    reached: dict[int, int] = {}
    for event in events:  # markers of transactions lie between the ranges' records, and no gap between the ranges
        assert event.from_position == reached.get(event.source_partition, 0)
        reached[event.source_partition] = event.to_position
    groups = [item for event in events for item in event.groups.items()]
    cells = [from_bytes(data) for called, data in groups if "/all#" not in called]
    keys = Counter(key for cell in cells for key in cell.keys.tolist())
    assert set(keys.values()) == {1}
    assert 460 - 4 * 24 <= len(keys) == 25 * len(cells)
    numbers = sorted(
        (event.source_partition, int(called.rpartition("#")[2]))
        for event in events
        for called in event.groups
        if "/all#" not in called
    )
    most = Counter(partition for partition, _ in numbers)
    assert numbers == [(partition, number) for partition in sorted(most) for number in range(most[partition])]
