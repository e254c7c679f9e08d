"""The whole: a running pipeline, a model that begins to learn from itself, and everybody who has to hear of it."""

import os
import random
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from alerts import alerting

from services import pipeline, settings
from services.show import demo
from services.show.story import verdict

RUNS = 20 if os.environ.get("HYPOTHESIS_PROFILE") == "soak" else 1


@pytest.fixture
def ports(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> range:
    """Have the stages export at free ports in a row, which is what BALLAST_METRICS_PORT means to `up`."""
    count = len(pipeline.slots(demo.plan("p")))
    # Below those that the system and the embedded broker give out, which may be taken between this look and the start.
    chances = iter(lambda: random.randrange(10_000, 19_000), 0)
    first = next(port for port in chances if are_free(range(port, port + count)))
    monkeypatch.setenv("BALLAST_METRICS_PORT", str(first))
    monkeypatch.setenv("BALLAST_HOME", str(tmp_path / "home"))
    return range(first, first + count)


def are_free(ports: range) -> bool:
    for port in ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("", port))
            except OSError:
                return False
    return True


@pytest.mark.alone
@pytest.mark.timeout(400)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the detached supervisor is nobody's
@pytest.mark.parametrize("run", range(RUNS))
def test_a_model_that_learns_from_itself_is_found_put_out_and_told_of(
    run: int, ports: range, tmp_path: Path, unique: Callable[[str], str]
) -> None:
    what = demo.chosen(unique("demo"), settings.read())
    with alerting(tmp_path, ports, "2s") as received:
        outcome = demo.run(what, keep=False, show=lambda _: None, fetching=lambda *_: None)
        alerts = [received.get_nowait() for _ in range(received.qsize())]
    plot, last = outcome.plot, outcome.last
    print({"seconds": round(last.elapsed), **verdict(plot, demo.VICTIM, outcome.began)})
    assert plot.false_alarms == ()
    assert plot.alarm is not None
    assert plot.alarm.group == f"generate/text/{demo.VICTIM}"
    assert str(plot.alarm.alarm).startswith("novel_")
    assert (plot.documents_to_alarm or 0) <= 500
    assert plot.recovered_at is not None
    assert outcome.faults == []
    assert last.counts.largest_share <= demo.SHARE
    fired = {(alert["labels"]["alertname"], alert["labels"].get("source")) for alert in alerts}
    assert ("SourceQuarantined", demo.VICTIM) in fired
    assert {source for name, source in fired if name == "SourceQuarantined"} == {demo.VICTIM}
    assert "TailsThinning" in {name for name, _ in fired}
