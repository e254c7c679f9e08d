"""Frames of every word, of today's schemas and of a newer writer's, for the tests of the codec."""

import io
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fastavro import parse_schema, schemaless_writer

from streams import schemas
from streams.codec import EVENTS, HEADER, MAGIC, Codec

GOLDEN = {
    word: next((Path(__file__).parent.parent / "schemas" / "golden").glob(f"{word}-{fingerprint}.bin")).read_bytes()
    for word in EVENTS
    for fingerprint in [schemas.fingerprint_of(schemas.current(word))]
}
WITH_SAMPLE = [word for word, cls in EVENTS.items() if "sample" in cls.__slots__]
codec = Codec()


def newer(word: str) -> dict[str, Any]:
    """Today's schema with one more field in front, so that its frames need resolution."""
    schema = schemas.current(word)
    return {**schema, "fields": [{"name": "colour", "type": "string", "default": ""}, *schema["fields"]]}


def frame_of(schema: dict[str, Any], plain: Any) -> bytes:
    out = io.BytesIO(MAGIC + bytes.fromhex(schemas.fingerprint_of(schema)))
    out.seek(HEADER)
    schemaless_writer(out, parse_schema(schema, {}), plain)
    return out.getvalue()


def newer_frame(word: str, event: Any) -> bytes:
    return frame_of(newer(word), {"colour": "grün", **asdict(event)})


NEWER = {schemas.fingerprint_of(newer(word)): json.dumps(newer(word)) for word in EVENTS}
NEWER_GOLDEN = {word: newer_frame(word, codec.decode(GOLDEN[word])) for word in EVENTS}
FRAMES = [*GOLDEN.values(), *NEWER_GOLDEN.values()]
resolving = Codec(NEWER.get)
