import io
import json
from pathlib import Path
from typing import Any

import pytest
from avro.io import BinaryDecoder, DatumReader
from avro.schema import parse
from event_examples import EXAMPLES
from fastavro import json_reader, parse_schema
from release import GOLDEN, released

from streams import schemas
from streams.codec import EVENTS, HEADER, MAGIC, Codec
from streams.records import from_plain

FILES = sorted(GOLDEN.glob("*.bin"))
CURRENT = {word: schemas.fingerprint_of(schemas.current(word)) for word in schemas.WORDS}


def expected(word: str, fingerprint: str) -> Any:
    text = json.dumps(json.loads((GOLDEN / f"{word}-{fingerprint}.json").read_text(encoding="utf-8")))
    writer: Any = parse_schema(dict(released(word)[fingerprint]), {})
    reader: Any = parse_schema(schemas.current(word), {})
    return from_plain(EVENTS[word])(next(iter(json_reader(io.StringIO(text), writer, reader))))


def test_every_word_has_golden_bytes_of_today() -> None:
    assert {file.stem for file in FILES} >= {f"{word}-{fingerprint}" for word, fingerprint in CURRENT.items()}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_todays_reader_makes_the_expected_event_of_golden_bytes(file: Path) -> None:
    word, fingerprint = file.stem.split("-")
    assert Codec().decode(file.read_bytes()) == expected(word, fingerprint)


@pytest.mark.parametrize("word", schemas.WORDS)
def test_todays_writer_makes_the_golden_bytes(word: str) -> None:
    frame = (GOLDEN / f"{word}-{CURRENT[word]}.bin").read_bytes()
    assert frame[:HEADER] == MAGIC + bytes.fromhex(CURRENT[word])
    assert Codec().encode(Codec().decode(frame)) == frame
    assert Codec().encode(expected(word, CURRENT[word])) == frame


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_reference_implementation_reads_the_same(file: Path) -> None:
    word, fingerprint = file.stem.split("-")
    writer, reader = (parse(json.dumps(s)) for s in (released(word)[fingerprint], schemas.current(word)))
    body = io.BytesIO(file.read_bytes()[HEADER:])
    plain: Any = DatumReader(writer, reader).read(BinaryDecoder(body))
    assert from_plain(EVENTS[word])(plain) == expected(word, fingerprint)
    assert not body.read()


def test_the_examples_set_every_field() -> None:
    for word, event in EXAMPLES.items():
        assert type(event) is EVENTS[word]
        empty = [f for f in event.__slots__ if getattr(event, f) in (None, (), {}, "")]
        assert empty == [], word
