from collections import Counter
from contextlib import suppress
from dataclasses import replace
from itertools import chain, groupby

import numpy as np
import pytest
from crashing import Crash, CrashingBroker
from hypothesis import given
from hypothesis import strategies as st
from sketch_world import (
    BUILT,
    CODEC,
    MEMORY,
    PARTITIONS,
    accept,
    cells,
    drain,
    put,
    sample,
    sketched,
    stage,
    text,
    world,
)

from services.artefact import build, columns_of
from services.sketch.groups import Groups
from services.sketch.handler import Handler
from streams.broker import Outgoing, Record, TopicPartition
from streams.errors import UnavailableError
from streams.events import SampleGenerated, SampleRejected
from streams.memory import MemoryBroker
from streams.processor import Input
from streams.samples import Turn
from streams.stats.novelty import Novelty
from streams.stats.repetition import compression
from streams.topics import name
from streams.words import first, hashed, words

GENERATED = [sample(f"g{n}", text(f"g{n}"), "tri" if n % 3 else "bi") for n in range(500)]


def records(broker: MemoryBroker, word: str, partition: int) -> list[Record]:
    consumer = broker.consumer()
    consumer.assign({TopicPartition(name("p", word), partition): 0})
    return consumer.poll(100_000, 0)


def test_cells_are_the_documents_of_each_partition_and_source_in_their_order() -> None:
    broker = world()
    accept(broker)
    sketch = stage(broker)
    for start in range(0, len(GENERATED), 30):  # so few that each stream remembers documents of several batches
        put(broker, "generate", GENERATED[start : start + 30])
        while sketch.step():
            pass
    sketch.close()
    found = cells(broker)
    assert {called.partition("#")[0] for called, _ in found} == {
        f"generate/text/{each}" for each in ("tri", "bi", "all")
    }
    for partition in range(PARTITIONS):
        said = [CODEC.decode(record.value).sample for record in records(broker, "generate", partition)]  # type: ignore[union-attr]
        for model in ("tri", "bi"):
            mine = [each for each in said if each.lineage.source and each.lineage.source.name == model]
            keys = [int(each.sample_id[:16], 16) for each in mine]
            whole = [found[f"generate/text/{model}#{n}", partition] for n in range(len(mine) // 25)]
            assert [key for cell in whole for key in cell.keys.tolist()] == keys[: len(mine) // 25 * 25]
            assert all(len(cell.keys) == 25 for cell in whole)
            flat = first(hashed([words(each.turns[0].text) for each in mine]), 64)
            narrow = flat._replace(hashes=(flat.hashes >> np.uint64(32)))
            novelty = Novelty(MEMORY // PARTITIONS).score(narrow)
            scored = np.concatenate([cell.scores[:, :3] for cell in whole])
            np.testing.assert_allclose(scored, novelty[: len(scored)], rtol=1e-6)
            assert (np.concatenate([cell.scores[:, 3] for cell in whole]) > 0).all()


def test_ranges_join_and_cover_every_record() -> None:
    broker = world()
    put(broker, "generate", GENERATED[:300])
    put(broker, "seed", (sample(f"s{n}", text(f"s{n}")) for n in range(200)))
    accept(broker)
    drain(broker)
    spoilt = [Outgoing(name("p", "generate"), None, b"no event", number) for number in range(PARTITIONS)]
    producer = broker.producer()
    producer.send(spoilt)
    put(broker, "generate", GENERATED[300:])
    drain(broker)
    events = sorted(sketched(broker), key=lambda each: (each.source_topic, each.source_partition, each.from_position))
    counted = 0
    for (word, partition), of_part in groupby(events, key=lambda each: (each.source_topic, each.source_partition)):
        position = 0
        for event in of_part:
            assert event.from_position == position
            position = event.to_position
            counted += event.documents
        assert position == records(broker, word, partition)[-1].offset + 1
    assert counted == len(GENERATED) + 200


@given(st.lists(st.integers(1, 40), max_size=4), st.integers(0, 2**32))
def test_wherever_it_is_killed_the_cells_are_those_of_a_run_without_kills(crashes: list[int], seed: int) -> None:
    broker, calm = world(), world()
    for each in (broker, calm):
        accept(each)
    rng = np.random.default_rng(seed)
    left = list(GENERATED[:400])
    while left:
        size = int(rng.integers(1, 160))
        part, left = left[:size], left[size:]
        for each in (broker, calm):
            put(each, "generate", part)
        if crashes:
            with suppress(Crash):  # it may be done before
                drain(CrashingBroker(broker, crashes.pop(), after=bool(rng.integers(2))))
        else:
            drain(broker)
    drain(broker)
    drain(calm)
    one, other = cells(broker), cells(calm)
    assert sorted(one) == sorted(other)
    for key, cell in one.items():
        assert cell.to_bytes() == other[key].to_bytes()


def test_a_batch_that_is_handled_again_gives_the_same() -> None:
    fitted = build(1, [sample(f"r{n}", text(f"r{n}")) for n in range(100)])
    groups = Groups(["tri", "bi"], fitted.tasks)
    made = Handler(CODEC, pipeline="p", artefact=fitted, groups=groups, partitions=PARTITIONS, now=lambda: 0)
    record = Record(name("p", "generate"), 0, 7, b"", b"", 0)
    events = [SampleGenerated(event_id="", occurred_at=0, sample=each) for each in GENERATED[:120]]
    for part in (events[:60], events[60:]):
        batch = [Input(record, each) for each in part]
        handled = made.handle(batch)
        assert made.handle(batch).outputs == handled.outputs
        made.apply(handled.delta)
        assert made.handle(batch).outputs != handled.outputs


def test_too_short_documents_are_counted_and_left_out() -> None:
    broker = world()
    put(broker, "generate", [sample(f"short{n}", text(n, words=10), "tri") for n in range(60)])
    accept(broker)
    drain(broker)
    assert not cells(broker)
    assert sum(event.documents for event in sketched(broker)) == 60


def test_it_waits_for_a_reference_and_starts_again_with_the_next() -> None:
    broker = world()
    put(broker, "generate", GENERATED[:50])
    sketch = stage(broker)
    assert sketch.step() == 0
    assert not sketched(broker)
    accept(broker)
    while not sketched(broker):
        sketch.step()
    put(broker, "reference", [sample("late", text("late"))], "fit")
    accept(broker)
    with pytest.raises(UnavailableError, match="Reference version 2 is accepted; sketch starts again"):
        sketch.step()
    sketch.close()
    put(broker, "generate", GENERATED[50:])
    drain(broker)
    hashes = {event.reference_version: event.artefact_hash for event in sketched(broker)}
    assert set(hashes) == {1, 2}
    assert hashes[1] != hashes[2]
    early = {int(each.sample_id[:16], 16) for each in GENERATED[:50]}
    first_cells = {key for event in sketched(broker) if event.reference_version == 1 for key in event.groups}
    late = [cell for (called, _), cell in cells(broker).items() if called not in first_cells]
    assert late
    assert not early & {key for cell in late for key in cell.keys.tolist()}, "one cell holds two artefacts' numbers"


def test_only_what_was_accepted_and_is_to_fit_makes_the_artefact() -> None:
    broker, plain = world(), world()
    for each in (broker, plain):
        accept(each)
    put(broker, "reference", (sample(f"late{n}", text(f"late{n}")) for n in range(40)), "fit")
    mixed = world(reference=0)
    put(mixed, "reference", (sample(f"c{n}", text(f"c{n}")) for n in range(40)), "calibrate")
    put(mixed, "reference", (sample(f"r{n}", text(f"r{n}")) for n in reversed(range(120))), "fit")
    accept(mixed)
    hashes = set()
    for each in (broker, plain, mixed):
        put(each, "generate", GENERATED[:5])
        BUILT.clear()
        drain(each)
        hashes |= {event.artefact_hash for event in sketched(each)}
    assert len(hashes) == 1


def test_the_columns_say_stratum_and_vectors_of_the_answer_alone() -> None:
    human = [sample(f"r{n}", text(f"r{n}")) for n in range(200)]
    made = build(1, human)
    assert made.strata == ("even", "odd")
    assert [made.stratum(each) for each in human[:20]] == [len(each.turns[0].text) % 2 for each in human[:20]]
    assert made.stratum(replace(human[0], tags={"domain": "elsewhere"})) == 2
    chat = replace(human[0], turns=(Turn(role="user", text=text("question")), Turn(role="assistant", text=text("r0"))))
    np.testing.assert_array_equal(columns_of([chat], made.unit).words, columns_of([human[0]], made.unit).words)
    vectors = made.lsa.vectors(columns_of(human, made.unit).flat())
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, rtol=1e-5)
    assert build(1, human[::-1]).hash == made.hash != build(2, human).hash


def test_the_stratum_of_each_document_is_in_its_cell() -> None:
    broker = world()
    seeds = [sample(f"s{n}", text(f"s{n}")) for n in range(150)]
    put(broker, "seed", seeds)
    accept(broker)
    drain(broker)
    strata = {int(each.sample_id[:16], 16): len(each.turns[0].text) % 2 for each in seeds}
    found = [
        pair for cell in cells(broker).values() for pair in zip(cell.keys.tolist(), cell.strata.tolist(), strict=True)
    ]
    assert len(found) >= 50
    assert all(strata[key] == stratum for key, stratum in found)


def test_the_traits_are_of_the_text_and_tell_copies_of_the_seeds_that_were_there_when_the_reference_was() -> None:
    broker = world()
    seeds = [sample(f"s{n}", text(f"s{n}")) for n in range(150)]
    put(broker, "seed", seeds)
    accept(broker)
    late = sample("late", text("late"))
    put(broker, "seed", [late])
    copies = [sample(f"c{n}", f"{seeds[n].turns[0].text} amen", "tri") for n in range(100)]
    own = [sample(f"o{n}", text("late" if n == 0 else f"o{n}", 64 + n), "own") for n in range(200)]
    put(broker, "generate", [*copies, *own])
    drain(broker)
    found: dict[str, list[tuple[int, list[float]]]] = {}
    for (called, _), cell in cells(broker).items():
        rows = zip(cell.keys.tolist(), cell.traits.tolist(), strict=True)
        found.setdefault(called.partition("#")[0], []).extend(rows)
    texts = {int(each.sample_id[:16], 16): each.turns[0].text for each in [*copies, *own, *seeds, late]}
    for key, (length, ratio, _, _) in chain.from_iterable(found.values()):
        assert length == len(texts[key].split())
        assert ratio == pytest.approx(compression(" ".join(texts[key].split()[:64])))
    assert {(novel, copied) for _, (_, _, novel, copied) in found["generate/text/tri"]} == {(0.0, 1.0)}
    assert min(novel for _, (_, _, novel, _) in found["generate/text/own"]) > 0.9
    assert min(novel for _, (_, _, novel, _) in found["seed/text/human"]) > 0.9  # held against the others


def test_what_was_rejected_is_counted_by_the_first_check_that_failed_with_its_surprisal() -> None:
    broker = world()
    accept(broker)
    fates = [("duplicate", "format"), ("duplicate",), ("edited",), ()]
    events = [
        SampleRejected(event_id=one.sample_id, occurred_at=0, reasons=fates[n % 4], decided_by="review", sample=one)
        for n, one in enumerate([*GENERATED[:40], sample("short", "lo and behold", "tri")])
    ]
    producer = broker.producer()
    producer.send([Outgoing(name("p", "reject"), event.event_id.encode(), CODEC.encode(event)) for event in events])
    producer.flush()
    drain(broker)
    counts, sums = Counter[str](), Counter[str]()
    for event in sketched(broker):
        assert not event.groups
        counts.update(event.rejected)
        sums.update(event.rejected_surprisal)
    sources = ["bi" if n % 3 == 0 else "tri" for n in range(40)]
    by = [f"text/{sources[n]}/{fates[n % 4][0] if n % 4 < 3 else 'review'}" for n in range(40)]
    assert counts == Counter(key for key in by if not key.endswith("edited"))
    fitted = next(iter(BUILT.values()))
    scores = fitted.documents(GENERATED[:40]).scores[:, -1]
    for key, total in sums.items():
        assert total == pytest.approx(sum(scores[n] for n in range(40) if by[n] == key), rel=1e-4)
