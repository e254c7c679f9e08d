"""Runs one slot of one stage in this process until SIGTERM: what `up` starts and what a container runs."""

import os
import signal

import structlog

from services import pipeline
from services.stage import run
from services.supervise import logs
from services.supervise.exporter import export
from services.supervise.session import Chosen
from streams.errors import BallastError
from streams.kafka import KafkaBroker


class _Signals:
    """SIGTERM and SIGINT end the stage after the step at hand."""

    def __init__(self) -> None:
        self.seen = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)

    def _note(self, *_: object) -> None:
        self.seen = True


def run_stage(chosen: Chosen, bootstrap: str, stage: str, slot: int, ready_fd: int | None) -> None:
    """Run the slot. Blocks; whatever ends it but a signal is raised. A byte on `ready_fd` says that it started."""
    plan, where = chosen.recipe, chosen.settings
    logs.configure(where.log_level, stage, slot)
    log = structlog.get_logger()
    signals = _Signals()
    broker = KafkaBroker(bootstrap)
    pipeline.prepare(broker, plan.pipeline)
    parts = pipeline.context(plan, where, broker, slot)
    if where.metrics_port is not None:
        export(parts, bootstrap, stage, where.metrics_port)

    def started() -> None:
        log.info("started", pid=os.getpid(), recipe=plan.version)
        if ready_fd is not None:
            os.write(ready_fd, b"1")
            os.close(ready_fd)

    try:
        run(pipeline.build(stage, parts), started, lambda: signals.seen)
    except BallastError as error:
        log.error("ended", error=type(error).__name__)  # noqa: TRY400 - the sentence follows on stderr
        raise
    except Exception:
        log.exception("crashed")
        raise
    log.info("stopped")
