"""Events to bytes and back: Avro single-object frames (C3 01, fingerprint, body; Avro specification 1.12).

The one seam for wire formats: a registry's frame would be another class with the same methods.
"""

import io
import json
from collections.abc import Callable
from dataclasses import is_dataclass
from functools import cache
from typing import Any, NamedTuple, TypeVar

from fastavro import parse_schema, schemaless_reader

from streams import events, parts, samples, schemas
from streams.errors import DecodeError, UnknownSchemaError
from streams.events import Event
from streams.parts import MixManifest
from streams.readers import Find, Read, compile_finder, compile_picker, compile_reader
from streams.records import from_plain
from streams.samples import Sample, SampleHeader
from streams.writers import Write, compile_writer

MAGIC = b"\xc3\x01"
HEADER = 10
EVENTS: dict[str, type] = {
    "seed": events.SampleIngested,
    "generate": events.SampleGenerated,
    "review": events.ReviewRequested,
    "decision": events.ReviewSubmitted,
    "verify": events.SampleVerified,
    "reject": events.SampleRejected,
    "mix": events.SampleMixed,
    "evaluate": events.EvaluationCompleted,
    "sketch": events.BatchSketched,
    "measure": events.CollapseMeasured,
    "policy": events.MixPolicySet,
    "response": events.ModelAnswered,
    "schema": events.SchemaPublished,
    "dead": events.DeadLetter,
}
_CLASSES = {
    name: value
    for module in (events, parts, samples)
    for name, value in vars(module).items()
    if isinstance(value, type) and is_dataclass(value)
}
_WORDS = {cls.__name__: word for word, cls in EVENTS.items()}
_HEADER_FIELDS = {
    "occurred_at": "occurred_at",
    "sample": {
        "sample_id": "sample_id",
        "lineage": {
            "origin": "origin",
            "generation": "generation",
            "source": {
                "name": "source",
                "family": "family",
                "call_index": "call_index",
                "policy_version": "policy_version",
            },
        },
    },
}
_MANIFEST_FIELDS = {name: name for name in MixManifest._fields if name != "cursor"}

T = TypeVar("T")
Lookup = Callable[[str], str | None]


class Codec:
    """Encodes and decodes every event; `lookup` finds a foreign fingerprint's schema as JSON, or returns None.

    A method that takes a frame raises DecodeError for bad bytes, UnknownSchemaError for a fingerprint found nowhere.
    """

    def __init__(self, lookup: Lookup | None = None) -> None:
        self._lookup = lookup
        self._own = _compiled()
        self._readers = dict(self._own.readers)

    def encode(self, event: Event) -> bytes:
        """Return the frame. A value that does not fit its field raises ValueError: a fault of ours."""
        header, write = self._own.writers[type(event)]
        return header + _written(write, event)

    def decode(self, frame: bytes) -> Event:
        """Return the event."""
        event: Event = _whole(self._readers.get(frame[:HEADER]) or self._fetch(frame), frame)
        return event

    def header(self, frame: bytes) -> SampleHeader:
        """Return the few fields that choosing needs, of an event with a sample; the rest is not checked."""
        if pick := self._own.pickers.get(frame[:HEADER]):
            header: SampleHeader = _whole(pick, frame)
            return header
        event = self.decode(frame)
        sample = _sample(event)
        origin, generation, source = sample.lineage.origin, sample.lineage.generation, sample.lineage.source
        named = (
            (source.name, source.family, source.call_index, source.policy_version)
            if source
            else (None, None, None, None)
        )
        return SampleHeader(event.occurred_at, sample.sample_id, origin, generation, *named)

    def sample_bytes(self, frame: bytes) -> bytes:
        """Return the event's sample as `mixed` takes it; not decoded or checked if its schema is today's."""
        if find := self._own.finders.get(frame[:HEADER]):
            start = _attempt(find, frame)
            if start >= len(frame):
                raise DecodeError(f"the frame ends at byte {len(frame)}, before its sample")
            return frame[start:]
        return _written(self._own.write_sample, _sample(self.decode(frame)))

    def mixed(self, manifest: MixManifest, sample: bytes) -> bytes:
        """Return the frame of SampleMixed with this manifest and the sample that `sample_bytes` returned."""
        header, _ = self._own.writers[events.SampleMixed]
        return header + _written(self._own.write_manifest, manifest) + sample

    def manifest(self, frame: bytes) -> MixManifest:
        """Return the manifest of a SampleMixed, without its cursor; the sample is not read or checked."""
        if pick := self._own.manifests.get(frame[:HEADER]):
            found: MixManifest
            found, start = _attempt(pick, frame)
            if start >= len(frame):
                raise DecodeError(f"the frame ends at byte {len(frame)}, before its sample")
            return found
        event = self.decode(frame)
        if not isinstance(event, events.SampleMixed):
            raise DecodeError(f"a {type(event).__name__} has no manifest")
        return MixManifest(**{name: getattr(event, name) for name in _MANIFEST_FIELDS})

    def _fetch(self, frame: bytes) -> Read:
        start, fingerprint = frame[: len(MAGIC)], frame[len(MAGIC) : HEADER].hex()
        if len(frame) < HEADER or start != MAGIC:
            raise DecodeError(f"{len(frame)} bytes that start with {start.hex()!r} are no Avro single-object frame")
        text = schemas.released(fingerprint) or (self._lookup(fingerprint) if self._lookup else None)
        if text is None:
            raise UnknownSchemaError(
                f"schema {fingerprint} is neither built in nor in the topic `schema`; "
                "update this process, or publish the writer's schema"
            )
        self._readers[frame[:HEADER]] = read = _resolving(fingerprint, text)
        return read


class _Compiled(NamedTuple):
    """Functions over today's schemas, by event class or by the first bytes of a frame."""

    writers: dict[type, tuple[bytes, Write]]
    readers: dict[bytes, Read]
    pickers: dict[bytes, Read]
    finders: dict[bytes, Find]
    manifests: dict[bytes, Read]
    write_manifest: Write
    write_sample: Write


@cache
def _compiled() -> _Compiled:
    manifest, sample = schemas.split(schemas.current("mix"), "sample")
    own = _Compiled({}, {}, {}, {}, {}, compile_writer(manifest), compile_writer(sample))
    for word, cls in EVENTS.items():
        schema = schemas.current(word)
        header = MAGIC + bytes.fromhex(schemas.fingerprint_of(schema))
        own.writers[cls] = (header, compile_writer(schema))
        own.readers[header] = compile_reader(schema, _CLASSES)
        if schema["fields"][-1]["name"] == "sample":
            own.pickers[header] = compile_picker(schema, _HEADER_FIELDS, SampleHeader)
            own.finders[header] = compile_finder(schema, "sample")
        if word == "mix":
            own.manifests[header] = compile_picker(manifest, _MANIFEST_FIELDS, MixManifest)
    return own


def _resolving(fingerprint: str, text: str) -> Read:
    """Return the reader from another version's schema to today's class."""
    try:
        schema = json.loads(text)
        word = _WORDS.get(schema["name"])
        found = schemas.fingerprint_of(schema)
        writer: Any = parse_schema(schema, {})
        schemas.refuse_unbounded(writer)
    except Exception as error:  # what the topic holds may be anything
        raise UnknownSchemaError(f"schema {fingerprint} is not usable: {type(error).__name__}: {error}") from error
    if found != fingerprint:
        raise UnknownSchemaError(f"schema {fingerprint} was published with the text of schema {found}")
    if word is None:
        raise DecodeError(f"schema {fingerprint} is of a foreign event, {schema['name']!r}")
    reader: Any = parse_schema(schemas.current(word), {})
    make = from_plain(EVENTS[word])

    def read(frame: bytes, start: int) -> tuple[Any, int]:
        body = io.BytesIO(frame)
        body.seek(start)
        plain: Any = schemaless_reader(body, writer, reader)
        return make(plain), body.tell()

    return read


def _whole(read: Read, frame: bytes) -> Any:
    value, end = _attempt(read, frame)
    if end != len(frame):
        raise DecodeError(f"the event ends at byte {end}, but its frame at byte {len(frame)}")
    return value


def _attempt(function: Callable[[bytes, int], T], frame: bytes) -> T:
    try:
        return function(frame, HEADER)
    except Exception as error:  # whatever broken bytes meet first
        raise DecodeError(f"the frame's body does not follow its schema: {type(error).__name__}: {error}") from error


def _written(write: Write, value: object) -> bytes:
    try:
        return write(value)
    except Exception as error:  # whatever a wrong type meets first
        raise ValueError(
            f"a {type(value).__name__} does not fit its schema: {type(error).__name__}: {error}"
        ) from error


def _sample(event: Event) -> Sample:
    sample = getattr(event, "sample", None)
    if not isinstance(sample, Sample):
        raise DecodeError(f"a {type(event).__name__} has no sample")
    return sample
