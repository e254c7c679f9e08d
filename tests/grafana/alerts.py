"""The real Prometheus and Alertmanager on our rules, with short times, and a receiver of alerts."""

import json
import queue
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml
from deployed import GRAFANA, RULES, load, tool

from streams.guard import guarded

DEADLINE = 60.0
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


def quick_prometheus(folder: Path, stages: Sequence[int], alertmanager: int, every: str) -> Path:
    """Write our configuration with these ports and short times."""
    config = load(GRAFANA / "prometheus" / "prometheus.yml")
    config["global"] = {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every}
    config["rule_files"] = [str(path) for path in RULES]
    config["alerting"]["alertmanagers"] = [{"static_configs": [{"targets": [f"127.0.0.1:{alertmanager}"]}]}]
    config["scrape_configs"] = [job for job in config["scrape_configs"] if job["job_name"] == "ballast"]
    config["scrape_configs"][0]["static_configs"] = [{"targets": [f"127.0.0.1:{port}" for port in stages]}]
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


def until(received: Received, wanted: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    """Return the alerts up to the first wanted one."""
    seen: list[dict[str, Any]] = []
    while not seen or not wanted(seen[-1]):
        seen.append(received.get(timeout=DEADLINE))
    return seen


@contextmanager
def alerting(folder: Path, stages: Sequence[int], every: str) -> Iterator[Received]:
    """Run both on processes that export at these ports of this machine; yield the alerts that come out."""
    manager, port = free_port(), free_port()
    with receiver() as (webhook, received):
        manager_arguments = (
            f"--config.file={quick_alertmanager(folder, webhook)}",
            f"--storage.path={folder / 'alerts'}",
            f"--web.listen-address=127.0.0.1:{manager}",
            "--cluster.listen-address=",
        )
        arguments = (
            f"--config.file={quick_prometheus(folder, stages, manager, every)}",
            f"--storage.tsdb.path={folder / 'series'}",
            f"--web.listen-address=127.0.0.1:{port}",
        )
        with running(folder, "prometheus-alertmanager", *manager_arguments), running(folder, "prometheus", *arguments):
            yield received
