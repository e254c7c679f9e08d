"""The real Prometheus and Alertmanager on our rules: an induced alarm reaches the receiver."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alerts import DEADLINE, Received, alerting, until
from prometheus_client import start_http_server

from streams.metrics import Metrics

GROUP = "generate/text/bi"


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


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[tuple[Metrics, threading.Event, Received]]:
    with exporter() as (stage, metrics, scraped), alerting(tmp_path, [stage], "200ms") as received:
        yield metrics, scraped, received


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
