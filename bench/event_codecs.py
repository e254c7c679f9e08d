"""Codecs for the processor of the loop comparison: none at all, fastavro's, and ours on the small event."""

from dataclasses import dataclass
from typing import Any

import small_event

from streams.readers import compile_reader
from streams.writers import compile_writer


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallEvent:
    """The small event as a class, as all events of the library are."""

    event_id: str
    occurred_at: int
    task: str
    source: str
    generation: int
    temperature: float | None
    accepted: bool
    text: str


class Untouched:
    """Leaves bytes as they are, so that the loop alone is measured."""

    def decode(self, frame: bytes) -> bytes:
        return frame

    def encode(self, event: bytes) -> bytes:
        return event


class Fastavro:
    """Reads dictionaries and writes them."""

    def decode(self, frame: bytes) -> dict[str, Any]:
        return small_event.decode(frame)

    def encode(self, event: dict[str, Any]) -> bytes:
        return small_event.encode(event)


class Compiled:
    """The library's compiled reader and writer."""

    def __init__(self) -> None:
        self._read = compile_reader(small_event.SCHEMA, {"SmallEvent": SmallEvent})
        self._write = compile_writer(small_event.SCHEMA)

    def decode(self, frame: bytes) -> SmallEvent:
        header = small_event.HEADER
        if not frame.startswith(header):
            raise ValueError("the frame is of another schema")
        event, end = self._read(frame, len(header))
        if end != len(frame):
            raise ValueError(f"the event ends at byte {end}, but its frame at byte {len(frame)}")
        found: SmallEvent = event
        return found

    def encode(self, event: SmallEvent) -> bytes:
        return small_event.HEADER + self._write(event)


def accept(event: SmallEvent) -> SmallEvent:
    """Check the event and mark it as accepted, as `small_event.accept` does with a dictionary."""
    if not event.text or event.generation < 1:
        raise ValueError(f"event {event.event_id} has no text or no generation")
    return SmallEvent(
        event_id=event.event_id,
        occurred_at=event.occurred_at,
        task=event.task,
        source=event.source,
        generation=event.generation,
        temperature=event.temperature,
        accepted=True,
        text=event.text,
    )
