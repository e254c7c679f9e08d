"""Sketch's handler: samples in, columns out, in cells of exactly 25 documents for each group and partition."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from services.artefact import Artefact
from services.sketch.groups import Groups
from services.sketch.rejected import rejected
from services.sketch.stream import Stream
from streams.broker import Record
from streams.codec import Codec
from streams.events import BatchSketched, event_id
from streams.processor import Handled, Input
from streams.samples import Sample
from streams.stats.documents import Documents, from_bytes
from streams.stats.novelty import MEMORY, Novelty
from streams.stats.sequential import CELL
from streams.topics import word_of
from streams.writer import Output

Place = tuple[str, int]  # word of the topic, partition


class Part(NamedTuple):
    """What was sketched of one partition: up to which position, and the streams of its groups."""

    to_position: int
    streams: Mapping[str, Stream]


class _Said(NamedTuple):
    """What a group has said in a batch, and how many samples more that have too few words."""

    documents: Documents
    samples: Sequence[Sample]
    left_out: int


class Handler:
    """Sketches with one artefact; `partitions` are those of a data topic, which share novelty's memory."""

    def __init__(
        self,
        codec: Codec,
        *,
        pipeline: str,
        artefact: Artefact,
        groups: Groups,
        partitions: int,
        now: Callable[[], int],
    ) -> None:
        self._codec, self._pipeline, self._artefact, self._now = codec, pipeline, artefact, now
        self._groups = groups
        self._memory = MEMORY // partitions
        self._parts: dict[Place, Part] = {}

    def fold(self, records: Sequence[Record]) -> None:
        """Take committed sketches in: unfinished cells, and the words that novelty remembers. Idempotent."""
        for record in records:
            event = self._codec.decode(record.value)
            if isinstance(event, BatchSketched):
                self._continue(event)

    def handle(self, batch: Sequence[Input]) -> Handled:
        """Sketch a batch: one event for each partition in it."""
        by_place: dict[Place, list[Input]] = {}
        for each in batch:
            by_place.setdefault((word_of(self._pipeline, each.record.topic), each.record.partition), []).append(each)
        delta: dict[Place, Part] = {}
        outputs = []
        for place, inputs in by_place.items():
            event, delta[place] = self._sketch(place, inputs)
            outputs.append(Output("sketch", "", event))
        return Handled(outputs, delta)

    def apply(self, delta: Mapping[Place, Part]) -> None:
        """Take the change of a committed batch in. Idempotent."""
        self._parts.update(delta)

    def _sketch(self, place: Place, inputs: Sequence[Input]) -> tuple[BatchSketched, Part]:
        start, streams = self._parts.get(place, Part(0, {}))
        to_position = inputs[-1].record.offset + 1
        cells: dict[str, bytes] = {}
        changed: dict[str, Stream] = {}
        for group, said in self._by_group(inputs).items():
            stream = streams.get(group) or self._fresh()
            documents = self._artefact.meant(said.documents, said.samples, stream.place(self._artefact.hash))
            changed[group], full = stream.take(documents, said.left_out, self._artefact.hash)
            first = changed[group].seen // CELL - len(full)
            cells |= {f"{group}#{first + number}": cell.to_bytes() for number, cell in enumerate(full)}
        event = BatchSketched(
            event_id=event_id(BatchSketched, *place, start),
            occurred_at=self._now(),
            source_topic=place[0],
            source_partition=place[1],
            from_position=start,
            to_position=to_position,
            documents=len(inputs),
            artefact_hash=self._artefact.hash,
            reference_version=self._artefact.version,
            groups=cells,
            open_cells={group: stream.to_bytes() for group, stream in changed.items()},
            **rejected(inputs, self._groups, self._artefact),
        )
        return event, Part(to_position, {**streams, **changed})

    def _continue(self, event: BatchSketched) -> None:
        place = (event.source_topic, event.source_partition)
        known = self._parts.get(place, Part(0, {}))
        if event.to_position <= known.to_position:
            return
        filled: dict[str, list[tuple[int, Documents]]] = {}
        for name, data in event.groups.items():
            group, _, number = name.rpartition("#")
            filled.setdefault(group, []).append((int(number), from_bytes(data)))
        streams = dict(known.streams)
        for group, data in event.open_cells.items():
            cells = [cell for _, cell in sorted(filled.get(group, []), key=lambda each: each[0])]
            streams[group] = (streams.get(group) or self._fresh()).continued(cells, data, event.artefact_hash)
        self._parts[place] = Part(event.to_position, streams)

    def _by_group(self, inputs: Sequence[Input]) -> Mapping[str, "_Said"]:
        counted = [found for each in inputs if (found := self._groups.of(each.event)) is not None]
        places: dict[str, list[int]] = {}
        for place, (_, groups) in enumerate(counted):
            for group in groups:
                places.setdefault(str(group), []).append(place)
        placed = self._artefact.placed([sample for sample, _ in counted])
        said = {}
        for called, mine in places.items():
            rows = np.flatnonzero(np.isin(placed.places, mine))
            samples = [counted[place][0] for place in placed.places[rows].tolist()]
            said[called] = _Said(placed.documents.at(rows), samples, len(mine) - len(rows))
        return said

    def _fresh(self) -> Stream:
        return Stream(novelty=Novelty(self._memory))
