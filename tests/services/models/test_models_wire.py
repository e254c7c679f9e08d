"""The vendors' own SDKs against a server that speaks their protocols."""

import logging
import re
import traceback
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import structlog
from asking import Asking
from prometheus_client import generate_latest
from pydantic import SecretStr
from wire import Fault, Server

from services.models.door import connect
from services.models.endpoint import Endpoint
from services.models.faults import pause_of
from services.models.provider import Answer, RefusedError, Request
from services.models.records import is_asked
from streams.errors import UnavailableError
from streams.metrics import Metrics
from streams.parts import Choice
from streams.samples import Turn

KEY = "sk-secret-0123456789"
BOTH = pytest.mark.parametrize("provider", ["openai", "anthropic"])


@pytest.fixture
def server() -> Iterator[Server]:
    one = Server(lambda said: f"said {said}")
    yield one
    one.close()


def endpoint(provider: str, url: str, seconds: float = 5, key: str = KEY) -> Endpoint:
    base = f"{url}/v1" if provider == "openai" else url
    return Endpoint("q", provider, "m-1", base, SecretStr(key), "MY_KEY", (1.0, 5.0), seconds)


def vendor(server: Server, provider: str, seconds: float = 5, metrics: Metrics | None = None) -> Asking:
    where = endpoint(provider, server.url, seconds)
    return Asking(connect(where, metrics or Metrics()), where)


def request(text: str = "hello", temperature: float | None = None) -> Request:
    prompt = (Turn(role="system", text="rules"), Turn(role="user", text=text))
    return Request("k", -1, "m-1", prompt, temperature, 50)


def counted(metrics: Metrics, name: str) -> dict[str, float]:
    pattern = rf'^ballast_model_{name}_total{{(?:\w+="([a-z_]+)",)?source="q"}} (\S+)'
    found = re.findall(pattern, generate_latest(metrics.registry).decode(), re.MULTILINE)
    return {label: float(value) for label, value in found}


@BOTH
def test_an_answer_comes_with_its_tokens_and_its_cost(server: Server, provider: str) -> None:
    metrics = Metrics()
    made = vendor(server, provider, metrics=metrics).answer(request())
    assert made == Answer((Choice(text="said hello", finish_reason="stop"),), 120, 10, 170 / 1e6)
    assert counted(metrics, "requests") == {"answered": 1}
    assert counted(metrics, "cost_dollars") == {"": 170 / 1e6}


def test_tokens_are_counted_by_direction(server: Server) -> None:
    metrics = Metrics()
    vendor(server, "openai", metrics=metrics).answer(request())
    assert counted(metrics, "tokens") == {"in": 120, "out": 10}


def test_without_a_price_the_cost_is_unknown_and_not_zero(server: Server) -> None:
    metrics = Metrics()
    free = connect(endpoint("openai", server.url)._replace(prices=None), metrics)
    assert free.answer(request()).cost is None
    assert counted(metrics, "cost_dollars") == {}


@BOTH
def test_what_goes_over_the_wire_is_the_prompt_and_no_setting_that_was_not_made(server: Server, provider: str) -> None:
    one = vendor(server, provider)
    one.answer(request())
    one.answer(request(temperature=0.5))
    plain, warm = (seen.body for seen in server.seen)
    one.answer(request(temperature=0.5)._replace(top_p=0.9))
    assert warm == {**plain, "temperature": 0.5}
    assert server.seen[-1].body == {**warm, "top_p": 0.9}
    user = {"role": "user", "content": "hello"}
    if provider == "openai":
        rules = {"role": "system", "content": "rules"}
        assert plain == {"model": "m-1", "messages": [rules, user], "max_tokens": 50}
    else:
        assert plain == {"model": "m-1", "system": "rules", "messages": [user], "max_tokens": 50}


@BOTH
def test_the_environment_has_no_say_about_where_and_by_which_key(
    server: Server, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI", "ANTHROPIC"):
        monkeypatch.setenv(f"{name}_API_KEY", "other")
        monkeypatch.setenv(f"{name}_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "other")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "other")
    vendor(server, provider).answer(request())
    connect(endpoint(provider, server.url, key=""), Metrics()).answer(request())
    with_key, without = (dict(seen.headers) for seen in server.seen)
    assert KEY in str(with_key)
    assert "other" not in str(with_key) + str(without)


@BOTH
@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (Fault(429, {"error": {"message": "slow"}}, {"Retry-After": "0.01"}), "rate_limited"),
        (Fault(500, "oops"), "failed"),
        (Fault(529, {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}), "rate_limited"),
        (Fault(408, ""), "timeout"),
        (Fault(200, "{half"), "failed"),
        (Fault(200, "<html>"), "failed"),
        (Fault(200, {}), "failed"),
        (Fault(200, {"choices": [{"message": "x"}], "content": 3, "usage": None}), "failed"),
        (Fault(200, "[]"), "failed"),
        (Fault(cuts=True), "failed"),
    ],
    ids=["429", "500", "529", "408", "half", "html", "empty", "shape", "list", "cut"],
)
def test_what_may_work_again_is_repeated(server: Server, provider: str, fault: Fault, outcome: str) -> None:
    metrics = Metrics()
    server.faults.extend([fault, fault])
    asking = vendor(server, provider, metrics=metrics)
    assert asking.answer(request()).choices[0].text == "said hello"
    assert len(server.seen) == 3
    assert counted(metrics, "requests") == {outcome: 2, "answered": 1}
    records = asking.records()
    asked = [each for each in records if is_asked(each)]
    assert [each.attempt for each in asked] == [1, 2, 3]
    assert len({each.event_id for each in records}) == len(records)
    assert [each.asked_at for each in asked[1:]] == [int(1_000 * sum(asking.pauses[:n])) for n in (1, 2)]
    assert [each.attempt for each in records if each.unbilled] == ([1, 2] if outcome == "rate_limited" else [])
    assert [each.attempt for each in records if each.choices] == [3]


@BOTH
def test_a_silent_vendor_is_asked_again(server: Server, provider: str) -> None:
    metrics = Metrics()
    server.faults.append(Fault(hangs=True))
    assert vendor(server, provider, seconds=0.3, metrics=metrics).answer(request()).choices
    assert counted(metrics, "requests") == {"timeout": 1, "answered": 1}


@BOTH
def test_what_never_works_stops_the_stage_and_not_the_call(server: Server, provider: str) -> None:
    server.faults.extend([Fault(503, "busy")] * 9)
    with pytest.raises(UnavailableError, match=r"q at http\S+ gives no answer: it answered HTTP status 503 \(busy\)"):
        vendor(server, provider).answer(request())
    assert len(server.seen) == 8


@BOTH
def test_a_vendor_that_is_not_there_is_unavailable(server: Server, provider: str) -> None:
    one = vendor(server, provider)
    server.close()
    with pytest.raises(UnavailableError, match="cannot be reached"):
        one.answer(request())


@BOTH
@pytest.mark.parametrize("asked", ["retry-after", "retry-after-ms"])
def test_a_vendor_that_says_when_to_come_back_is_obeyed(server: Server, provider: str, asked: str) -> None:
    pause = {"retry-after": "2.5", "retry-after-ms": "2500"}[asked]
    server.faults.append(Fault(429, "", {asked: pause}))
    asking = vendor(server, provider)
    assert asking.answer(request()).choices
    assert asking.pauses == [2.5]


def test_a_pause_that_is_too_long_for_a_batch_stops_the_stage_at_once(server: Server) -> None:
    server.faults.append(Fault(429, {"error": {"message": "come back tomorrow"}}, {"Retry-After": "3600"}))
    with pytest.raises(UnavailableError, match="come back tomorrow"):
        vendor(server, "openai").answer(request())
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "-7"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Thu, 01 Jan 1970 00:01:40 GMT"}, 10.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:01 GMT"}, 0.0),
        ({"retry-after": "7", "retry-after-ms": "1500"}, 1.5),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(headers: dict[str, str], pause: float | None) -> None:
    assert pause_of(headers, now=90.0) == pause


def said(**error: str) -> dict[str, Any]:
    return {"type": "error", "error": error}


@BOTH
@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Fault(400, said(code="content_filter", message="not nice")), r"q refuses the call \(not nice\)"),
        (Fault(400, said(code="context_length_exceeded", message="long")), r"q refuses the call as too long \(long\)"),
        (Fault(413, "too big"), r"q refuses the call as too long \(too big\)"),
        (Fault(422, ""), r"q refuses the call \(HTTP status 422\)"),
        (Fault(400, said(type="invalid_request_error", message="empty turn")), r"q refuses the call \(empty turn\)"),
    ],
)
def test_a_refused_call_is_asked_once_and_says_why(server: Server, provider: str, fault: Fault, told: str) -> None:
    metrics = Metrics()
    server.faults.append(fault)
    asking = vendor(server, provider, metrics=metrics)
    with pytest.raises(RefusedError, match=told):
        asking.answer(request())
    assert counted(metrics, "requests") == {"refused": 1}
    assert [each.unbilled for each in asking.records()] == [False, True]


@pytest.mark.parametrize(
    ("provider", "fault"),
    [
        ("openai", Fault(reason="content_filter")),
        ("anthropic", Fault(reason="refusal")),
        ("openai", Fault(200, {"choices": [{"message": {"content": None, "refusal": "no"}}], "usage": {}})),
    ],
)
def test_an_answer_that_was_broken_off_is_refused(server: Server, provider: str, fault: Fault) -> None:
    server.faults.append(fault)
    asking = vendor(server, provider)
    with pytest.raises(RefusedError, match="broke its answer off"):
        asking.answer(request())
    assert len(server.seen) == 1
    assert not any(each.unbilled for each in asking.records())


def test_what_a_refused_answer_cost_is_counted(server: Server) -> None:
    metrics = Metrics()
    server.faults.append(Fault(reason="content_filter"))
    with suppress(RefusedError):
        vendor(server, "openai", metrics=metrics).answer(request())
    assert counted(metrics, "requests") == {"refused": 1}
    assert counted(metrics, "tokens") == {"in": 120, "out": 10}


@pytest.mark.parametrize(("provider", "reason"), [("openai", "length"), ("anthropic", "max_tokens")])
def test_an_answer_that_was_too_long_says_so(server: Server, provider: str, reason: str) -> None:
    server.faults.append(Fault(reason=reason))
    assert vendor(server, provider).answer(request()).choices[0].finish_reason == "length"


@BOTH
@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Fault(401, said(message="who?")), r"does not accept the key \(who\?\); set MY_KEY"),
        (Fault(403, said(message="no")), "does not accept the key"),
        (Fault(404, said(message="no such model")), r"cannot serve model m-1 as the recipe asks \(no such model\)"),
        (Fault(400, said(code="unsupported_value", message="temperature")), "cannot serve model m-1"),
        (Fault(429, said(code="insufficient_quota", message="broke")), r"no credit left \(broke\)"),
        (Fault(402, said(type="billing_error", message="pay")), r"no credit left \(pay\)"),
        (Fault(400, said(message="Your credit balance is too low")), "no credit left"),
    ],
)
def test_what_would_meet_every_call_stops_the_stage_at_once(
    server: Server, provider: str, fault: Fault, told: str
) -> None:
    metrics = Metrics()
    server.faults.append(fault)
    asking = vendor(server, provider, metrics=metrics)
    with pytest.raises(UnavailableError, match=told):
        asking.answer(request())
    assert counted(metrics, "requests") == {"unavailable": 1}
    assert [each.unbilled for each in asking.records()] == [False, True]


@BOTH
@pytest.mark.parametrize("status", [200, 400, 401, 404, 429, 500])
@pytest.mark.parametrize("wrapped", [True, False])
def test_a_key_that_a_server_tells_reaches_no_error_and_no_log(
    server: Server, provider: str, status: int, wrapped: bool, caplog: pytest.LogCaptureFixture
) -> None:
    body = said(message=f"bad key {KEY} given") if wrapped else f"{'.' * 190}{KEY}"
    server.faults.extend([Fault(status, body)] * 9)
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as logs, pytest.raises((RefusedError, UnavailableError)) as caught:
        vendor(server, provider).answer(request())
    shown = "".join(traceback.format_exception(caught.value)) + caplog.text + str(logs)
    assert KEY[:8] not in shown
    assert caught.value.__context__ is None or KEY[:8] not in repr(caught.value.__context__)
    assert KEY not in repr(endpoint(provider, server.url))
