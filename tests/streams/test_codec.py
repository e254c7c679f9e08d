import io
from dataclasses import FrozenInstanceError, asdict, replace
from typing import Any

import pytest
from event_frames import (
    GOLDEN,
    WITH_SAMPLE,
    codec,
    frame_of,
    newer_frame,
    resolving,
)
from event_strategies import of
from fastavro import parse_schema, schemaless_reader
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams import schemas
from streams.codec import EVENTS, HEADER, Codec
from streams.errors import DecodeError
from streams.events import SampleIngested, SampleMixed, SampleVerified
from streams.parts import MixManifest
from streams.samples import UNPLANNED, SampleHeader

any_event = st.sampled_from(list(EVENTS.values())).flatmap(of)
event_with_sample = st.sampled_from([EVENTS[word] for word in WITH_SAMPLE]).flatmap(of)
law = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy


@law
@given(any_event)
def test_every_event_comes_back_as_it_was_written(event: Any) -> None:
    again = codec.decode(codec.encode(event))
    assert again == event
    assert type(again) is type(event)
    assert codec.encode(again) == codec.encode(event)


@law
@given(any_event)
def test_the_bytes_are_fastavros_and_fastavro_reads_the_same(event: Any) -> None:
    word = next(word for word, cls in EVENTS.items() if cls is type(event))
    frame = codec.encode(event)
    assert frame_of(schemas.current(word), asdict(event)) == frame
    plain: Any = schemaless_reader(io.BytesIO(frame[HEADER:]), parse_schema(schemas.current(word), {}), None)
    assert plain == json_like(asdict(event))


def json_like(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: json_like(inner) for key, inner in value.items()}
    return [json_like(inner) for inner in value] if isinstance(value, tuple) else value


@law
@given(any_event)
def test_a_newer_writers_event_comes_back_as_todays_class(event: Any) -> None:
    word = next(word for word, cls in EVENTS.items() if cls is type(event))
    assert resolving.decode(newer_frame(word, event)) == event


@pytest.mark.parametrize("word", EVENTS)
def test_a_released_schema_needs_no_topic_to_be_read(word: str) -> None:
    reader = Codec()
    reader._readers.clear()  # as if today's schema were another
    assert reader.decode(GOLDEN[word]) == codec.decode(GOLDEN[word])


@pytest.mark.parametrize(
    "number", [-(2**63), -(2**31) - 1, -129, -65, -64, -1, 0, 63, 64, 8191, 8192, 2**31, 2**63 - 1]
)
def test_a_long_holds_64_bits(number: int) -> None:
    event = replace(codec.decode(GOLDEN["policy"]), occurred_at=number)
    assert codec.decode(codec.encode(event)) == event


@pytest.mark.parametrize(
    ("word", "change"),
    [
        ("policy", {"occurred_at": 2**63}),
        ("policy", {"occurred_at": "now"}),
        ("policy", {"occurred_at": None}),
        ("policy", {"reason": None}),
        ("policy", {"reason": "\ud800"}),
        ("policy", {"reason": b"bytes"}),
        ("policy", {"alpha": "much"}),
        ("mix", {"position": 2**31}),
        ("mix", {"position": -(2**31) - 1}),
        ("seed", {"pool": "attic"}),
        ("seed", {"sample": None}),
        ("dead", {"value": "text"}),
    ],
)
def test_a_value_that_does_not_fit_its_field_is_a_value_error(word: str, change: Any) -> None:
    with pytest.raises(ValueError, match="does not fit its schema"):
        codec.encode(replace(codec.decode(GOLDEN[word]), **change))


def test_what_is_decoded_is_frozen_and_equals_what_was_built() -> None:
    event = codec.decode(GOLDEN["verify"])
    assert isinstance(event, SampleVerified)
    with pytest.raises(FrozenInstanceError):
        event.audited = False
    with pytest.raises(FrozenInstanceError):
        event.sample.lineage.generation = 0
    assert replace(event, event_id="x") == SampleVerified(
        event_id="x", **{name: getattr(event, name) for name in SampleVerified.__slots__[1:]}
    )


@law
@given(event_with_sample)
def test_a_header_holds_the_events_own_values(event: Any) -> None:
    lineage = event.sample.lineage
    one = lineage.source
    source = (one.name, one.family, one.call_index, one.policy_version) if one else (None,) * 4
    expected = SampleHeader(event.occurred_at, event.sample.sample_id, lineage.origin, lineage.generation, *source)
    word = next(word for word, cls in EVENTS.items() if cls is type(event))
    assert codec.header(codec.encode(event)).planned == (one.policy_version if one else UNPLANNED)
    assert codec.header(codec.encode(event)) == expected
    assert resolving.header(newer_frame(word, event)) == expected


@law
@given(st.sampled_from([SampleIngested, SampleVerified]).flatmap(of), of(MixManifest))
def test_a_spliced_frame_is_the_frame_of_the_event(event: Any, manifest: MixManifest) -> None:
    whole = codec.encode(SampleMixed(**manifest._asdict(), sample=event.sample))
    word = "seed" if isinstance(event, SampleIngested) else "verify"
    for frame in (codec.encode(event), newer_frame(word, event)):
        assert resolving.mixed(manifest, resolving.sample_bytes(frame)) == whole


def test_an_event_without_a_sample_has_no_header_and_no_sample_bytes() -> None:
    for word in set(EVENTS) - set(WITH_SAMPLE):
        for method in (codec.header, codec.sample_bytes):
            with pytest.raises(DecodeError, match="has no sample"):
                method(GOLDEN[word])
