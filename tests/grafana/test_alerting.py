"""The real Prometheus and Alertmanager on our rules: an induced alarm reaches the receiver."""

import json
import queue
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from deployed import GRAFANA, RULES, load, tool
from prometheus_client import start_http_server

from streams.guard import guarded
from streams.metrics import Metrics

DEADLINE = 60.0
GROUP = "generate/text/bi"
Received = queue.Queue[dict[str, Any]]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def receiver() -> Iterator[tuple[int, Received]]:
    """Serve a webhook; every alert that it is told goes into the queue."""
    received: Received = queue.Queue()

    class Webhook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            for alert in json.loads(self.rfile.read(int(self.headers["Content-Length"])))["alerts"]:
                received.put(alert)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Webhook)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port, received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def running(folder: Path, name: str, *arguments: str) -> Iterator[None]:
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(guarded([tool(name), *arguments]), cwd=folder, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)


@contextmanager
def exporter() -> Iterator[tuple[int, Metrics, threading.Event]]:
    """Serve metrics as a stage does; the event is set by the second scrape."""
    metrics, scraped, count = Metrics(), threading.Event(), 0

    def note() -> None:
        nonlocal count
        count += 1
        if count > 1:
            scraped.set()

    metrics.before_scrape(note)
    server, thread = start_http_server(0, "127.0.0.1", metrics.registry)
    try:
        yield server.server_port, metrics, scraped
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def quick_prometheus(folder: Path, stage: int, alertmanager: int) -> Path:
    """Write our configuration with these ports and short times."""
    config = load(GRAFANA / "prometheus" / "prometheus.yml")
    config["global"] = {"scrape_interval": "200ms", "scrape_timeout": "200ms", "evaluation_interval": "200ms"}
    config["rule_files"] = [str(path) for path in RULES]
    config["alerting"]["alertmanagers"] = [{"static_configs": [{"targets": [f"127.0.0.1:{alertmanager}"]}]}]
    config["scrape_configs"] = [job for job in config["scrape_configs"] if job["job_name"] == "ballast"]
    config["scrape_configs"][0]["static_configs"] = [{"targets": [f"127.0.0.1:{stage}"]}]
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


def quick_alertmanager(folder: Path, webhook: int) -> Path:
    config = load(GRAFANA / "alertmanager" / "alertmanager.yml")
    for route in (config["route"], *config["route"]["routes"]):
        route["group_wait"] = "100ms"
        route["group_interval"] = "200ms"
    config["receivers"][0]["webhook_configs"][0]["url"] = f"http://127.0.0.1:{webhook}/alerts"
    path = folder / "alertmanager.yml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[tuple[Metrics, threading.Event, Received]]:
    manager, port = free_port(), free_port()
    with receiver() as (webhook, received), exporter() as (stage, metrics, scraped):
        manager_arguments = (
            f"--config.file={quick_alertmanager(tmp_path, webhook)}",
            f"--storage.path={tmp_path / 'alerts'}",
            f"--web.listen-address=127.0.0.1:{manager}",
            "--cluster.listen-address=",
        )
        arguments = (
            f"--config.file={quick_prometheus(tmp_path, stage, manager)}",
            f"--storage.tsdb.path={tmp_path / 'series'}",
            f"--web.listen-address=127.0.0.1:{port}",
        )
        with (
            running(tmp_path, "prometheus-alertmanager", *manager_arguments),
            running(tmp_path, "prometheus", *arguments),
        ):
            yield metrics, scraped, received


def until(received: Received, wanted: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    """Return the alerts up to the first wanted one."""
    seen: list[dict[str, Any]] = []
    while not seen or not wanted(seen[-1]):
        seen.append(received.get(timeout=DEADLINE))
    return seen


def test_an_induced_alarm_reaches_the_people_and_nothing_was_told_before(
    watched: tuple[Metrics, threading.Event, Received],
) -> None:
    metrics, scraped, received = watched
    metrics.set("policy_in_force", 1)
    metrics.set("source_weight", 1, "bi")
    assert scraped.wait(DEADLINE)
    assert received.empty()
    metrics.count("alarms", 1, GROUP, "novel_2", "change")
    first = until(received, lambda alert: alert["status"] == "firing")[-1]
    assert first["labels"]["alertname"] == "TailsThinning"
    assert first["labels"]["group"] == GROUP
    assert first["labels"]["statistic"] == "novel_2"
    assert first["annotations"]["runbook_url"] == "docs/runbooks/TailsThinning.md"
    metrics.set("source_weight", 0, "bi")
    seen = until(received, lambda alert: alert["labels"]["alertname"] == "SourceQuarantined")
    assert {alert["labels"]["alertname"] for alert in seen} <= {"TailsThinning", "SourceQuarantined"}
    metrics.set("source_weight", 0.2, "bi")
    until(received, lambda alert: alert["labels"]["alertname"] == "SourceQuarantined" and alert["status"] == "resolved")
