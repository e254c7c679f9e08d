"""Releases the current schemas: each whole into `schemas/history/<word>/<fingerprint>.avsc`, with golden bytes.

`python tests/schemas/release.py` after a change of a schema. A change that breaks an older or a newer reader is
refused and nothing is written. Docs and defaults are no part of a fingerprint: they follow in the same file.
"""

import io
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from avro.schema import parse
from event_examples import EXAMPLES
from fastavro import json_writer, parse_schema, schemaless_reader

from streams import schemas
from streams.codec import HEADER, Codec

Schema = Mapping[str, Any]
HISTORY = schemas.folder() / "history"
GOLDEN = Path(__file__).parent / "golden"


def released(word: str) -> dict[str, Schema]:
    """Return every released schema of a word, by fingerprint."""
    files = sorted((HISTORY / word).glob("*.avsc"))
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in files}


def breaks(reader: Schema, writer: Schema) -> list[str]:
    """Return what the reader can't read of the writer's data; a checker serves one pair only."""
    result = ReaderWriterCompatibilityChecker().get_compatibility(parse(json.dumps(reader)), parse(json.dumps(writer)))
    if result.compatibility is SchemaCompatibilityType.compatible:
        return []
    return [f"{message} at {', '.join(sorted(result.locations))}" for message in sorted(result.messages)]


def refusals(schema: Schema, past: Mapping[str, Schema]) -> list[str]:
    """Return why the schema may not follow the past ones: FULL_TRANSITIVE, so each pair in both directions."""
    return [
        f"{reason} ({way} {fingerprint})"
        for fingerprint, old in past.items()
        for way, reasons in (("reading", breaks(schema, old)), ("read by", breaks(old, schema)))
        for reason in reasons
    ]


def write(word: str) -> None:
    """Write the schema's file, and the golden bytes if this fingerprint has none yet."""
    schema = schemas.current(word)
    fingerprint = schemas.fingerprint_of(schema)
    (HISTORY / word).mkdir(parents=True, exist_ok=True)
    (HISTORY / word / f"{fingerprint}.avsc").write_text(rendered(schema), encoding="utf-8")
    golden = GOLDEN / f"{word}-{fingerprint}.bin"
    if not golden.exists():
        GOLDEN.mkdir(exist_ok=True)
        frame = Codec().encode(EXAMPLES[word])
        golden.write_bytes(frame)
        golden.with_suffix(".json").write_text(readable(schema, frame), encoding="utf-8")


def rendered(schema: Schema) -> str:
    """Return the text of a schema's file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def readable(schema: Schema, frame: bytes) -> str:
    """Return the frame's event in Avro's JSON encoding, as fastavro reads it."""
    parsed: Any = parse_schema(dict(schema), {})
    out = io.StringIO()
    json_writer(out, parsed, [schemaless_reader(io.BytesIO(frame[HEADER:]), parsed, None)])
    return json.dumps(json.loads(out.getvalue()), indent=2, ensure_ascii=False) + "\n"


def main() -> int:
    """Release every word, or none."""
    reasons = [
        f"{word}: {reason}" for word in schemas.WORDS for reason in refusals(schemas.current(word), released(word))
    ]
    if reasons:
        sys.stderr.write("\n".join(["Nothing is released, since a reader would break:", *reasons, ""]))
        return 1
    for word in schemas.WORDS:
        write(word)
    return 0


if __name__ == "__main__":
    sys.exit(main())
