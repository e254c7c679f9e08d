"""The event of the loop comparison, 317 bytes in its frame, and the work that every contender does on it.

It imports fastavro alone, so that a contender in another virtual environment works on the very same bytes.
"""

import io
from collections.abc import Iterator
from typing import Any

from fastavro import parse_schema, schemaless_reader, schemaless_writer
from fastavro.schema import fingerprint, to_parsing_canonical_form

SIZE = 317
SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "SmallEvent",
    "namespace": "bench",
    "fields": [
        {"name": "event_id", "type": "string"},
        {"name": "occurred_at", "type": "long"},
        {"name": "task", "type": "string"},
        {"name": "source", "type": "string"},
        {"name": "generation", "type": "int"},
        {"name": "temperature", "type": ["null", "double"], "default": None},
        {"name": "accepted", "type": "boolean"},
        {"name": "text", "type": "string"},
    ],
}
_PARSED = parse_schema(SCHEMA, {})
HEADER = b"\xc3\x01" + bytes.fromhex(fingerprint(to_parsing_canonical_form(SCHEMA), "CRC-64-AVRO"))
_TEXT = (
    "A text of so many words as a short candidate has, all of them plain, and none of them worth a second look. " * 3
)
_OCCURRED_AT = 1_700_000_000_000


def frames(count: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield the key and the frame of each event."""
    text = _TEXT[: len(_TEXT) + SIZE - len(encode(_event(0, _TEXT)))]
    for number in range(count):
        event = _event(number, text)
        yield event["event_id"].encode(), encode(event)


def decode(frame: bytes) -> dict[str, Any]:
    """Return the event as fastavro reads it."""
    if frame[: len(HEADER)] != HEADER:
        raise ValueError("the frame is of another schema")
    body = io.BytesIO(frame)
    body.seek(len(HEADER))
    event: dict[str, Any] = schemaless_reader(body, _PARSED, None)
    return event


def encode(event: dict[str, Any]) -> bytes:
    """Return the frame as fastavro writes it."""
    body = io.BytesIO()
    body.write(HEADER)
    schemaless_writer(body, _PARSED, event)
    return body.getvalue()


def accept(event: dict[str, Any]) -> dict[str, Any]:
    """Check the event and mark it as accepted."""
    if not event["text"] or event["generation"] < 1:
        raise ValueError(f"event {event['event_id']} has no text or no generation")
    event["accepted"] = True
    return event


def _event(number: int, text: str) -> dict[str, Any]:
    return {
        "event_id": f"{number:032x}",
        "occurred_at": _OCCURRED_AT,
        "task": "text",
        "source": "trigram",
        "generation": 1,
        "temperature": 0.7,
        "accepted": False,
        "text": text,
    }
