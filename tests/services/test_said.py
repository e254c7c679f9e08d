"""What `ballast status` says of a stage, from logs as structlog writes them."""

import io
from pathlib import Path

import pytest
import structlog

from services.supervise.said import newest, said

STARTED = "timestamp=2026-11-26T22:58:00.5Z level=info event=started pid=2 recipe=15 stage=sketch slot=0"
FITTED = "timestamp=2026-11-26T22:58:01.5Z level=info event=fitted reference=1 stage=sketch slot=0"
STOPPED = "timestamp=2026-11-26T22:59:56.6Z level=info event=stopped stage=sketch slot=0"
ENDED = "timestamp=2026-11-26T22:59:56.6Z level=error event=ended error=FatalError stage=sketch slot=0"
WAITING = 'timestamp=2026-11-26T22:57:59.5Z level=info event=waiting why="no reference is accepted yet" slot=0'
ERROR = "Error: The broker is gone; start it again"
OTHERS = "WARNING streams.kafka: GETPID [rdkafka#producer-4]: Failed to acquire: retrying"


@pytest.mark.parametrize(
    ("lines", "running", "else_"),
    [
        ([], "", ""),
        ([WAITING, STARTED], "no reference is accepted yet", "no reference is accepted yet"),
        ([WAITING, STARTED, OTHERS], "no reference is accepted yet", "no reference is accepted yet"),
        ([WAITING, STARTED, FITTED], "", ""),
        ([WAITING, STOPPED, STARTED], "", ""),
        ([WAITING, ENDED, ERROR], "", "The broker is gone; start it again"),
        ([ENDED, ERROR, STARTED], "", "The broker is gone; start it again"),
        ([ERROR, WAITING, STARTED], "no reference is accepted yet", "no reference is accepted yet"),
        ([FITTED.replace("fitted", "generate why=asking")], "asking", "asking"),
    ],
)
def test_the_newest_line_of_the_process_decides(lines: list[str], running: str, else_: str) -> None:
    assert newest(lines, is_running=True) == running
    assert newest(lines, is_running=False) == else_


@pytest.mark.parametrize("why", ["one", "two words", 'the "quoted" part', "C:\\folder = x", "é – ü"])
def test_a_reason_comes_out_as_it_was_logged(why: str) -> None:
    out = io.StringIO()
    keys = ["timestamp", "level", "event"]
    log = structlog.wrap_logger(
        structlog.PrintLogger(out),
        processors=[structlog.processors.TimeStamper(), structlog.processors.LogfmtRenderer(key_order=keys)],
    )
    log.info("waiting", level="info", why=why, slot=0)
    assert newest(out.getvalue().splitlines(), is_running=True) == why


def test_a_long_log_is_read_at_its_end_and_a_missing_one_says_nothing(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    assert said(log, is_running=True) == ""
    log.write_text(f"{ERROR}\n" + f"{OTHERS}\n" * 10_000 + f"{WAITING}\n{STARTED}\n")
    assert said(log, is_running=True) == "no reference is accepted yet"
