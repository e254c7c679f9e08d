"""Scores by HTTP: a real client, a real socket, the same judgement as by command."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from evaluate_world import CODEC, World
from pydantic import SecretStr

from services.errors import InputError
from services.evaluate import application, reporting, service
from services.evaluate.service import build
from services.pipeline import slots
from services.recipe import parse
from services.serving import is_loopback
from services.stage import Context
from streams.errors import RetriableError, UnavailableError
from streams.kafka import KafkaBroker
from streams.loopback import free_port
from streams.metrics import Metrics

TOKEN = "a-token-of-sixteen-letters"
GOOD = {"run": "r0", "cycle": 0, "set": "holdout", "loss": 2.5, "documents": 10, "metrics": {"accuracy": 0.5}}
JSON = {"Content-Type": "application/json"}


def context(world: World, **fields: Any) -> Context:
    given = {"seeds": {"path": "x", "licence": "CC0"}, "generate": {"target": 1}, "evaluate": {"port": free_port()}}
    return Context(
        recipe=parse({"pipeline": "p", **given}, "test"),
        codec=CODEC,
        slot=0,
        now=lambda: 5,
        metrics=Metrics(),
        spools=Path(tempfile.gettempdir()),
        **{"broker": world.broker, **fields},
    )


class Served:
    """A running stage, and who reports to it."""

    def __init__(self, where: Context) -> None:
        self.port = where.recipe.evaluate.port if where.recipe.evaluate else 0

    def ask(
        self, body: Any = b"", headers: dict[str, str] = JSON, method: str = "POST", path: str = "/scores"
    ) -> tuple[int, Any]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path, body if isinstance(body, bytes) else json.dumps(body).encode(), headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, json.loads(text) if text.startswith(b"{") else text

    def told(self, body: Any, **keywords: Any) -> tuple[int, str]:
        """Return the status and the sentence of a refusal."""
        status, answer = self.ask(body, **keywords)
        return status, answer["error"]


@contextmanager
def served(where: Context) -> Iterator[Served]:
    stage = build(where)
    stage.start()
    try:
        yield Served(where)
        assert stage.step() == 0
    finally:
        stage.close()


@pytest.fixture
def world() -> World:
    return World()


def test_a_report_is_judged_once_and_a_repeat_is_told_the_same(world: World) -> None:
    with served(context(world)) as here:
        first = here.ask(GOOD)
        assert first[0] == 201
        assert (first[1]["run"], first[1]["cycle"], first[1]["verdict"], first[1]["new"]) == ("r0", 0, "steady", True)
        assert first[1]["metrics"] == {"trainer/holdout": {"accuracy": 0.5}}
        assert here.ask(GOOD) == (200, {**first[1], "new": False})
        status, second = here.ask({**GOOD, "run": "r1", "cycle": 1, "loss": 9.0, "model": "m", "trained_to_batch": 7})
        assert (status, second["verdict"]) == (201, "regressed")
    events = world.scores()
    assert [(e.run_id, e.model_id, e.loss, e.documents, e.trained_to_batch) for e in events] == [
        ("r0", "r0", 2.5, 10, None), ("r1", "m", 9.0, 10, 7),
    ]  # fmt: skip


def test_losses_of_documents_are_taken_as_the_command_takes_them(world: World) -> None:
    losses = {f"d{number}": 2.0 + number % 5 for number in range(100)}
    said = {"run": "r0", "cycle": 0, "set": "safety", "trainer": "t", "losses": losses}
    with served(context(world)) as here:
        assert here.ask(said)[0] == 201
        assert here.ask({**said, "losses": {**losses, "d0": 7.0}})[0] == 409
    (event,) = world.scores()
    assert (event.loss, event.documents, event.set_name, event.evaluator) == (4.0, 100, "safety", "t")
    again = reporting.Report(run_id="r0", cycle=0, set_name="safety", trainer="t", model_id="r0", losses=losses)
    assert not reporting.report(world.broker, CODEC, "p", again, 9).is_new


@pytest.mark.parametrize(("change", "why"), [({"loss": 2.6}, "2.5"), ({"cycle": 1, "set": "safety"}, "cycle 0")])
def test_what_contradicts_a_known_report_is_a_conflict(world: World, change: dict[str, Any], why: str) -> None:
    with served(context(world)) as here:
        here.ask(GOOD)
        status, told = here.told({**GOOD, **change})
        assert (status, why in told) == (409, True)
    assert len(world.scores()) == 1


@pytest.mark.parametrize(
    ("body", "status", "why"),
    [
        (b"{", 400, "JSON"),
        (b'{"run": "\xff"}', 400, "JSON"),
        (b"[]", 422, "the body"),
        ({**GOOD, "cycel": 1}, 422, "cycel"),
        ({**GOOD, "cycle": -1}, 422, "cycle"),
        ({**GOOD, "cycle": 2**31}, 422, "cycle"),
        ({**GOOD, "documents": 2**63}, 422, "documents"),
        ({**GOOD, "cycle": "1"}, 422, "cycle"),
        ({**GOOD, "run": ""}, 422, "run"),
        ({**GOOD, "loss": float("nan")}, 422, "loss"),
        ({**GOOD, "loss": None}, 422, "either"),
        ({**GOOD, "losses": {"a": 1.0}}, 422, "either"),
        ({**GOOD, "loss": None, "losses": {}}, 422, "losses"),
        ({**GOOD, "metrics": {"accuracy": float("inf")}}, 422, "metrics.accuracy"),
        ({**GOOD, "trainer": "proxy-ngram"}, 422, "proxy"),
        ({key: value for key, value in GOOD.items() if key != "set"}, 422, "set"),
    ],
)
def test_what_can_not_be_used_is_told_in_a_sentence(world: World, body: Any, status: int, why: str) -> None:
    with served(context(world)) as here:
        found, told = here.told(body)
        assert found == status
        assert why in told
    assert world.scores() == []


def test_a_body_over_the_limit_is_refused_whether_or_not_it_says_its_length(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application, "MOST_BYTES", 200)
    with served(context(world)) as here:
        assert here.ask({**GOOD, "model": "m" * 50})[0] == 201
        assert here.told({**GOOD, "model": "m" * 200})[0] == 413
        with socket.create_connection(("127.0.0.1", here.port), 30) as raw:
            raw.sendall(b"POST /scores HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n")
            raw.sendall(
                b"Transfer-Encoding: chunked\r\n\r\n" + b"64\r\n" + b" " * 100 + b"\r\n" + b"65\r\n" + b" " * 101
            )
            raw.sendall(b"\r\n0\r\n\r\n")
            assert raw.recv(1_000).startswith(b"HTTP/1.1 413")


def test_a_body_that_does_not_come_is_not_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application, "_BODY_SECONDS", 0.05)
    with served(context(world)) as here, socket.create_connection(("127.0.0.1", here.port), 30) as raw:
        raw.sendall(
            b"POST /scores HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n"
        )
        assert raw.recv(1_000).startswith(b"HTTP/1.1 408")


class Away:
    """A broker that is out of reach."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        raise self._error


@pytest.mark.parametrize("error", [UnavailableError("Kafka is away"), RetriableError("Kafka is away")])
def test_without_kafka_it_is_unavailable_and_still_healthy(world: World, error: Exception) -> None:
    with served(context(world, broker=Away(error))) as here:
        assert here.told(GOOD) == (503, "Kafka is away")
        assert here.ask(method="GET", path="/healthz") == (200, {"status": "ok"})


def test_a_page_in_a_browser_can_not_report(world: World) -> None:
    with served(context(world)) as here:
        assert here.told(GOOD, headers={"Content-Type": "text/plain"})[0] == 415
        assert here.ask(GOOD, {**JSON, "Host": "evil.example"})[0] == 400
        assert here.ask(GOOD, {**JSON, "Host": f"localhost:{here.port}"})[0] == 201
    assert len(world.scores()) == 1


def test_a_token_is_asked_for_and_never_logged(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    where = context(world, evaluate_token=SecretStr(TOKEN), evaluate_host="0.0.0.0")
    with served(where) as here:
        for given in ("", TOKEN, "Bearer ", f"Bearer {TOKEN}x", f"bearer {TOKEN}", "Bearer \xff"):
            assert here.told(GOOD, headers={**JSON, "Authorization": given})[0] == 401
        assert here.told(GOOD)[0] == 401
        assert here.told(b"x" * 10**6)[0] == 401
        assert here.ask(method="GET", path="/healthz")[0] == 200
        assert world.scores() == []
        assert here.ask(GOOD, {**JSON, "Authorization": f"Bearer {TOKEN}", "Host": "any.example"})[0] == 201
    said = capfd.readouterr()
    assert TOKEN not in said.out + said.err + repr(where)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "localhost.example"])
def test_without_a_token_only_this_machine_is_served(world: World, host: str) -> None:
    stage = build(context(world, evaluate_host=host))
    with pytest.raises(InputError, match="BALLAST_EVALUATE_TOKEN"):
        stage.start()
    stage.close()


def test_it_is_a_stage_only_where_the_recipe_asks_for_it(world: World) -> None:
    where = context(world)
    assert ("evaluate", 0) in slots(where.recipe)
    assert "evaluate" not in {stage for stage, _ in slots(where.recipe.model_copy(update={"evaluate": None}))}


def test_loopback_is_known() -> None:
    assert [is_loopback(host) for host in ("127.0.0.1", "127.1.2.3", "::1", "localhost")] == [True] * 4


def test_a_port_that_is_taken_is_told(world: World) -> None:
    where = context(world)
    with served(where):
        stage = build(where)
        with pytest.raises(UnavailableError, match=r"evaluate\.port"):
            stage.start()
        stage.close()


def test_reports_that_come_at_once_are_written_one_after_the_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    together, met = threading.Barrier(2), []

    def slow(*arguments: Any) -> Any:
        with suppress(threading.BrokenBarrierError):
            met.append(together.wait(0.1))
        return reporting.report(*arguments)

    monkeypatch.setattr(service, "report", slow)
    with served(context(world)) as here, ThreadPoolExecutor(4) as clients:
        answers = list(clients.map(lambda number: here.ask({**GOOD, "run": f"r{number}"})[0], range(4)))
    assert answers == [201] * 4
    assert met == []
    assert len(world.scores()) == 4


RECIPE = """
pipeline: {name}
seeds: {{reader: text, path: texts, licence: CC0}}
generate: {{target: 10}}
"""


def test_the_stage_runs_as_a_process_on_a_real_broker(
    bootstrap: str, unique: Callable[[str], str], tmp_path: Path
) -> None:
    name, port = unique("evaluate"), free_port()
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE.format(name=name))
    environment = {key: value for key, value in os.environ.items() if not key.startswith("BALLAST_")}
    environment |= {"BALLAST_HOME": str(tmp_path), "BALLAST_KAFKA_BOOTSTRAP": bootstrap}
    command = [sys.executable, "-m", "services.cli", "run", "evaluate", "--recipe", str(recipe)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, "evaluate: {port: N}" in done.stderr) == (2, True)
    recipe.write_text(RECIPE.format(name=name) + f"evaluate: {{port: {port}}}\n")
    reader, writer = os.pipe()
    with subprocess.Popen([*command, "--ready-fd", str(writer)], env=environment, pass_fds=[writer]) as process:
        os.close(writer)
        assert os.read(reader, 1) == b"1"
        os.close(reader)
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        answers = []
        for _ in range(2):
            connection.request("POST", "/scores", json.dumps(GOOD).encode(), JSON)
            answer = connection.getresponse()
            answers.append((answer.status, json.loads(answer.read())["verdict"]))
        connection.close()
        assert answers == [(201, "steady"), (200, "steady")]
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert [event.run_id for event in World(KafkaBroker(bootstrap), name).scores()] == ["r0"]
