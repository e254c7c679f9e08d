"""A JSON Schema on its way to the vendors, in the words of their own SDKs."""

from typing import Any

import pytest
from pydantic import SecretStr, TypeAdapter
from wire import Server

from services.models.door import connect
from services.models.endpoint import Endpoint
from services.models.provider import Request
from streams.metrics import Metrics
from streams.samples import Turn

SCHEMA = {
    "type": "object",
    "properties": {"prompt": {"type": "string"}},
    "required": ["prompt"],
    "additionalProperties": False,
}


def sent(provider: str, schema: dict[str, Any] | None) -> dict[str, Any]:
    server = Server(lambda _: "{}")
    try:
        base = f"{server.url}/v1" if provider == "openai" else server.url
        vendor = connect(Endpoint("q", provider, "m-1", base, SecretStr("k"), "K", None, 5), Metrics())
        vendor.answer(Request("k", -1, "m-1", (Turn(role="user", text="hello"),), None, 50, schema=schema))
        return dict(server.seen[0].body)
    finally:
        server.close()


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_without_a_schema_nothing_is_said_of_one(provider: str) -> None:
    assert not {"response_format", "output_config"} & set(sent(provider, None))


def test_openai_is_told_a_strict_schema_as_its_sdk_types_it() -> None:
    from openai.types.shared_params import ResponseFormatJSONSchema

    told = sent("openai", SCHEMA)["response_format"]
    TypeAdapter(ResponseFormatJSONSchema).validate_python(told)
    assert told["json_schema"] == {"name": "answer", "strict": True, "schema": SCHEMA}


def test_anthropic_is_told_an_output_format_as_its_sdk_types_it() -> None:
    from anthropic.types import OutputConfigParam

    told = sent("anthropic", SCHEMA)["output_config"]
    TypeAdapter(OutputConfigParam).validate_python(told)
    assert told == {"format": {"type": "json_schema", "schema": SCHEMA}}
