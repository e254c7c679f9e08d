import json
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from event_frames import (
    FRAMES,
    GOLDEN,
    NEWER_GOLDEN,
    WITH_SAMPLE,
    codec,
    resolving,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams import schemas
from streams.codec import EVENTS, HEADER, MAGIC, Codec
from streams.errors import DecodeError, UnknownSchemaError

law = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy


def outcome(method: Callable[[bytes], Any], frame: bytes) -> str:
    """Decode and name what came; every other exception than the two fails the test."""
    try:
        method(frame)
    except (DecodeError, UnknownSchemaError) as error:
        return type(error).__name__
    return "read"


def body(word: str, *parts: bytes) -> bytes:
    return GOLDEN[word][:HEADER] + b"".join(parts)


@pytest.mark.parametrize("frame", FRAMES, ids=[*GOLDEN, *(f"newer {word}" for word in EVENTS)])
def test_a_frame_cut_anywhere_is_a_decode_error(frame: bytes) -> None:
    assert outcome(resolving.decode, frame) == "read"
    for end in range(len(frame)):
        assert outcome(resolving.decode, frame[:end]) == "DecodeError"
        assert outcome(resolving.header, frame[:end]) == "DecodeError"
        outcome(resolving.sample_bytes, frame[:end])


@pytest.mark.parametrize("word", WITH_SAMPLE)
def test_a_frame_cut_before_its_sample_has_no_sample_bytes(word: str) -> None:
    frame = GOLDEN[word]
    start = len(frame) - len(codec.sample_bytes(frame))
    for end in range(start + 1):
        assert outcome(codec.sample_bytes, frame[:end]) == "DecodeError"
    assert outcome(codec.sample_bytes, frame[: start + 1]) == "read"


@pytest.mark.parametrize("frame", FRAMES, ids=[*GOLDEN, *(f"newer {word}" for word in EVENTS)])
def test_a_flipped_bit_is_read_or_refused(frame: bytes) -> None:
    seen = set()
    for place in range(len(frame)):
        broken = bytearray(frame)
        broken[place] ^= 1 << place % 8
        seen |= {outcome(method, bytes(broken)) for method in (resolving.decode, resolving.header)}
        outcome(resolving.sample_bytes, bytes(broken))
    assert "DecodeError" in seen


@law
@given(st.sampled_from(FRAMES), st.data())
def test_overwritten_bytes_are_read_or_refused(frame: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(frame)))
    foreign = data.draw(st.binary(max_size=40))
    length = data.draw(st.integers(0, 40))
    for method in (resolving.decode, resolving.header, resolving.sample_bytes):
        outcome(method, frame[:start] + foreign + frame[start + length :])


@law
@given(st.binary(max_size=200))
def test_foreign_bytes_are_a_decode_error(frame: bytes) -> None:
    assert outcome(codec.decode, b"\x00" + frame) == "DecodeError"
    assert outcome(codec.decode, frame[:9]) == "DecodeError"


@law
@given(st.sampled_from(FRAMES), st.binary(min_size=1, max_size=20))
def test_bytes_after_the_end_are_a_decode_error(frame: bytes, rest: bytes) -> None:
    assert outcome(resolving.decode, frame + rest) == "DecodeError"
    assert outcome(resolving.header, frame + rest) == "DecodeError"


def test_an_unknown_fingerprint_stops_the_reader() -> None:
    frame = MAGIC + bytes(8) + GOLDEN["mix"][HEADER:]
    for reader in (codec, resolving):
        for method in (reader.decode, reader.header, reader.sample_bytes):
            with pytest.raises(UnknownSchemaError, match="0000000000000000 is neither built in nor in the topic"):
                method(frame)


def varint(number: int) -> bytes:
    number = number << 1 if number >= 0 else ~(number << 1)
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


ENDLESS = b"\xff" * 100
HUGE = [varint(n) for n in (2**20, 2**31, 2**40, 2**62, 2**63 - 1, -(2**20), -(2**40), -(2**62), -(2**63))] + [ENDLESS]
ID, TIME = b"\x02x", b"\x00"


@pytest.mark.timeout(60)
@pytest.mark.parametrize("length", HUGE, ids=lambda length: length.hex()[:20])
@pytest.mark.parametrize("rest", [b"", b"\x00" * 50, b"\x02" * 50], ids=["end", "zeros", "twos"])
def test_a_huge_or_negative_length_is_refused_without_taking_memory_or_time(length: bytes, rest: bytes) -> None:
    policy = body("policy", ID, TIME, TIME, bytes(8), b"\x00", ID, ID)
    reject = body("reject", ID, TIME)
    bodies = [
        body("policy", length, rest),  # a string
        policy + length + rest,  # a map
        policy + b"\x00" + length + rest,  # an array of records
        reject + length + rest,  # an array of strings
        body("dead", ID, TIME, ID, b"\x00", ID, ID, ID, TIME, TIME, b"\x02", length, rest),  # bytes
    ]
    shifted = [frame_like_newer(frame) for frame in bodies]
    tracemalloc.start()
    try:
        for frame in [*bodies, *shifted]:
            assert outcome(resolving.decode, frame) == "DecodeError"
            assert outcome(resolving.header, frame) == "DecodeError"
            outcome(resolving.sample_bytes, frame)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def frame_like_newer(frame: bytes) -> bytes:
    word = next(word for word in EVENTS if GOLDEN[word][:HEADER] == frame[:HEADER])
    return NEWER_GOLDEN[word][:HEADER] + b"\x00" + frame[HEADER:]


@pytest.mark.parametrize(
    "number", [b"\xff" * 9 + b"\x02", b"\x80" * 10 + b"\x00", ENDLESS], ids=["65 bits", "11 bytes", "endless"]
)
def test_a_number_wider_than_64_bits_is_refused(number: bytes) -> None:
    rest = GOLDEN["generate"][GOLDEN["generate"].index(b"\x02", HEADER + 34) :]
    assert outcome(codec.decode, body("generate", ID, varint(1), rest)) == "read"
    assert outcome(codec.decode, body("generate", ID, number, rest)) == "DecodeError"


def test_blocks_with_a_size_and_several_blocks_are_read() -> None:
    reject = body("reject", ID, TIME)
    rest = GOLDEN["reject"][GOLDEN["reject"].index(b"\x12duplicate") + len(b"\x12duplicate\x0cedited\x00") :]
    sized = reject + varint(-2) + varint(4) + b"\x02a\x02b" + varint(1) + b"\x02c" + b"\x00" + rest
    event = codec.decode(sized)
    assert event == replace(codec.decode(GOLDEN["reject"]), event_id="x", occurred_at=0, reasons=("a", "b", "c"))


def published(change: Any) -> tuple[Codec, bytes]:
    """A codec that finds a foreign schema of SampleVerified, and the first bytes of its frames."""
    schema = {**schemas.current("verify"), **change}
    fingerprint = schemas.fingerprint_of(schema)
    return Codec({fingerprint: json.dumps(schema)}.get), MAGIC + bytes.fromhex(fingerprint)


NOTHING = {"type": "record", "name": "Nothing", "fields": []}
NODE = {"type": "record", "name": "Node", "fields": [{"name": "next", "type": ["null", "ballast.Node"]}]}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("items", ["null", NOTHING, {"type": "fixed", "name": "None0", "size": 0}])
def test_a_schema_with_endless_items_of_no_size_is_refused(items: Any) -> None:
    field = {"name": "endless", "type": {"type": "array", "items": items}}
    reader, header = published({"fields": [field, *schemas.current("verify")["fields"]]})
    with pytest.raises(UnknownSchemaError, match="items have no size"):
        reader.decode(header + varint(2**62))


def test_a_schema_that_contains_itself_is_refused() -> None:
    reader, header = published({"fields": [{"name": "first", "type": NODE}, *schemas.current("verify")["fields"]]})
    with pytest.raises(UnknownSchemaError, match="contains itself"):
        reader.decode(header + b"\x02" * 1_000_000)


def test_a_schema_of_a_foreign_event_is_a_decode_error() -> None:
    reader, header = published({"name": "OrderPlaced"})
    with pytest.raises(DecodeError, match="of a foreign event, 'OrderPlaced'"):
        reader.decode(header + b"\x00")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"type": "record"}', '"string"', "[" * 100_000])
def test_a_published_text_that_is_no_schema_stops_the_reader(text: str) -> None:
    with pytest.raises(UnknownSchemaError, match="not usable"):
        Codec(lambda _: text).decode(MAGIC + bytes(8) + b"\x00")


def test_a_schema_under_a_wrong_fingerprint_stops_the_reader() -> None:
    with pytest.raises(UnknownSchemaError, match="was published with the text of schema"):
        Codec(lambda _: json.dumps(schemas.current("mix"))).decode(MAGIC + bytes(8) + b"\x00")
