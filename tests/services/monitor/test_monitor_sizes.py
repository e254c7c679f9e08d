"""How large what the monitor reads and stores becomes, on made-up documents: sketch leaves and records of the state."""

from dataclasses import replace

import engine_world as world
import numpy as np
import pytest
from monitor_world import took

from services import embedding, meaning
from services.artefact import SCORES, TRAITS
from services.monitor import control, stored
from services.monitor.cell import Cell
from services.monitor.decisions import Decisions, Source
from services.monitor.group import fresh
from services.monitor.state import State, Step
from services.sketch import service
from streams.parts import SourceRange
from streams.stats.documents import WORDS, Documents
from streams.stats.sequential import CELL

PARTITIONS = 4
WIDTH = 10  # cells of a window of 1,000 documents in each partition
STATE, LEAF = 512 * 1024, 64 * 1024
KAFKAS_MOST = 1_000_000  # bytes of a record, unless somebody allows more
RNG = np.random.default_rng(5)
BASELINE = 40  # cells of each partition
SHIFT = 8.0  # of the scores once the baseline is full: nothing is clean any more, so suspects pile up


def documents(embeddings: int = 0) -> Documents:
    meanings = RNG.normal(size=(CELL, meaning.DIMENSIONS if embeddings else 0)).astype(np.float16)
    meanings[embeddings:] = 0
    return Documents(
        keys=RNG.integers(0, 1 << 63, CELL).astype(np.uint64),
        words=RNG.integers(0, 1 << 32, (CELL, WORDS)).astype(np.uint32),  # every word a new type
        vectors=RNG.normal(size=(CELL, embedding.DIMENSIONS)).astype(np.float16),
        scores=RNG.normal(size=(CELL, len(SCORES))).astype(np.float32),
        traits=RNG.random((CELL, len(TRAITS))).astype(np.float32),
        symbols=RNG.integers(0, 150, (CELL, WORDS), np.uint8),
        strata=np.zeros(CELL, np.uint16),
        meanings=meanings,
    )


def grown(word: str) -> list[int]:
    """Return the record's sizes while a group takes 100,000 documents; by then everything that grows is full."""
    group, sizes = fresh(PARTITIONS, WIDTH), []
    cells = [documents() for _ in range(200)]
    for number in range(100_000 // CELL // PARTITIONS):
        for partition in range(PARTITIONS):
            keys = RNG.integers(0, 1 << 63, CELL).astype(np.uint64)
            scores = (RNG.normal(size=(CELL, len(SCORES))) + SHIFT * (number > BASELINE)).astype(np.float32)
            came = cells[(number * PARTITIONS + partition) % len(cells)]._replace(keys=keys, scores=scores)
            place = (partition, number)
            cell = Cell(*place, came, number * 100, number * 100 + 100, number)
            group, _ = took(group, cell, word)
            group = replace(group, opened={**group.opened, partition: number * 100})
        if number % 50 == 49:
            sizes.append(len(group.to_bytes()))
    return sizes


@pytest.mark.parametrize("word", ["generate", "verify", "mix"])
def test_a_record_of_the_state_stays_within_512_kilobytes_however_much_was_seen(word: str) -> None:
    sizes = grown(word)
    print(word, max(sizes))
    assert max(sizes) <= STATE
    assert sizes[-1] <= 1.01 * sizes[len(sizes) // 2]


def test_decisions_and_guard_are_small_with_as_many_groups_as_there_may_be() -> None:
    sources = {f"source-{n}": Source(phase="quarantined", held=dict.fromkeys(range(4), 1 << 40)) for n in range(64)}
    dropped = tuple(
        SourceRange(source=name, partition=number, from_offset=1 << 40, to_offset=1 << 41)
        for name in sources
        for number in range(4)
    )
    decisions = Decisions(control=control.start(control.Limits(0.05, 0.3)), sources=sources, dropped=dropped)
    positions = {(word, number): 1 << 40 for word in ("seed", "generate", "verify", "mix") for number in range(64)}
    records = stored.records(Step(State(decisions=decisions, positions=positions), frozenset(), ()))
    assert max(map(len, records.values())) <= STATE // 4


@pytest.mark.parametrize(("embeddings", "records"), [(0, service._RECORDS), (CELL, service._RECORDS_WITH_MEANINGS)])
def test_a_sketch_leaf_stays_within_64_kilobytes_and_a_full_batch_within_one_record(
    embeddings: int, records: int
) -> None:
    cells = [documents(embeddings) for _ in range(records // CELL)]
    assert max(len(cell.to_bytes()) for cell in cells) <= LEAF
    event = world.sketches()[0][0]
    full = replace(event, groups={f"generate/text/s#{n}": cell.to_bytes() for n, cell in enumerate(cells)})
    print(len(cells[0].to_bytes()), len(world.CODEC.encode(full)))
    assert len(world.CODEC.encode(full)) <= KAFKAS_MOST
