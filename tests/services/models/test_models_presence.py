"""Whether a model is there, asked of a server that speaks the vendors' protocols; nothing may be bought for it."""

import re
from collections.abc import Iterator

import pytest
from pydantic import SecretStr
from wire import Fault, Server

from services.models.door import find
from services.models.endpoint import Endpoint
from streams.errors import UnavailableError

KEY = "sk-secret-0123456789"
BOTH = pytest.mark.parametrize("provider", ["openai", "anthropic"])


@pytest.fixture
def server() -> Iterator[Server]:
    one = Server(lambda said: f"said {said}")
    one.models = [*(f"m-{number}" for number in range(1, 8)), "qwen3-8b", "maker/big"]
    yield one
    assert one.seen == []
    one.close()


def endpoint(server: Server, provider: str, model: str = "m-1", seconds: float = 5) -> Endpoint:
    base = f"{server.url}/v1" if provider == "openai" else server.url
    return Endpoint("q", provider, model, base, SecretStr(KEY), "MY_KEY", None, seconds)


@BOTH
@pytest.mark.parametrize("model", ["m-1", "maker/big", "alias", "maker/alias"])
def test_a_model_that_is_told_or_known_by_its_name_is_there(server: Server, provider: str, model: str) -> None:
    server.hidden = {"alias", "maker/alias"}
    where = endpoint(server, provider, model)
    assert find(where) == (f"{model} at {where.base_url} is there", None)
    assert KEY in str(server.looks[0].headers)
    assert len(server.looks) == 1 + ("alias" in model)


@BOTH
@pytest.mark.parametrize(
    ("model", "hint"),
    [
        ("qwen3-8B", "did you mean qwen3-8b?"),
        ("other", "it has m-1, m-2, m-3, m-4, m-5 and 4 more"),
    ],
)
def test_a_model_that_is_absent_is_told_with_what_is_there(
    server: Server, provider: str, model: str, hint: str
) -> None:
    with pytest.raises(UnavailableError) as caught:
        find(endpoint(server, provider, model))
    assert str(caught.value) == f"q at {endpoint(server, provider).base_url} has no model {model}; {hint}"


def test_a_server_without_models_says_so(server: Server) -> None:
    server.models = []
    with pytest.raises(UnavailableError, match=r"has no model m-1; it has none$"):
        find(endpoint(server, "openai"))


@BOTH
@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Fault(401, {"error": {"message": f"who is {KEY}?"}}), r"does not accept the key \(who is \*+\?\); set MY_KEY"),
        (Fault(402, {"error": {"message": "pay"}}), r"no credit left \(pay\)"),
        (Fault(500, "oops"), r"q at http\S+ gives no answer: it answered HTTP status 500 \(oops\); check the network"),
        (Fault(cuts=True), "gives no answer: .*; check the network and `base_url`"),
        (Fault(200, "<html>"), "gives no answer: what it says is no answer of this protocol; check the network"),
        (Fault(200, {"data": [{"name": "m-1"}]}), "no answer of this protocol"),
        (Fault(hangs=True), "gives no answer: it said nothing for 0.2 s"),
    ],
)
def test_what_would_meet_every_call_is_told_in_one_sentence(
    server: Server, provider: str, fault: Fault, told: str
) -> None:
    server.faults.append(fault)
    with pytest.raises(UnavailableError, match=told) as caught:
        find(endpoint(server, provider, seconds=0.2 if fault.hangs else 5))
    assert KEY not in repr(caught.value) + repr(caught.value.__context__)


@BOTH
@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (Fault(403, "no"), r"its server does not tell its models \(HTTP status 403\)"),
        (Fault(404, "no"), r"its server does not tell its models \(HTTP status 404\)"),
        (
            Fault(429, {"error": {"message": f"slow, {KEY}"}}),
            r"its server is busy: it answered HTTP status 429 \(slow, \*+",
        ),
    ],
)
def test_what_a_server_does_not_tell_is_a_note(server: Server, provider: str, fault: Fault, why: str) -> None:
    server.faults.append(fault)
    found = find(endpoint(server, provider))
    assert found.told.endswith(" answers")
    assert found.note is not None
    assert re.search(f"Whether q has model m-1 is not known: {why}.*; if calls fail, look at `base_url`$", found.note)


def test_a_server_that_is_not_there_is_told(server: Server) -> None:
    where = endpoint(server, "openai")._replace(base_url="http://127.0.0.1:9/v1")
    with pytest.raises(UnavailableError, match=r"q at http://127\.0\.0\.1:9/v1 gives no answer: it cannot be reached"):
        find(where)
