"""The one detached process of a pipeline: parent of the embedded broker and of every stage; run as a module.

Whatever it started dies with it, also when it is killed with -9; a restart finds all state in the log.
"""

import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import structlog

from services import pipeline, recipe, settings
from services.recipe import Recipe
from services.settings import Settings
from services.supervise import kafka, logs, running
from services.supervise.running import Running, State
from services.supervise.slots import Slot, delay
from streams.embedded import EmbeddedKafka
from streams.errors import BallastError
from streams.kafka import KafkaBroker

_TICK = 0.05
_STOP_SECONDS = 10.0
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


class Supervisor:
    """Runs one recipe on one folder until it is asked to stop."""

    def __init__(self, folder: Path, plan: Recipe, where: Settings) -> None:
        self._folder, self._plan, self._where = folder, plan, where
        self._broker: EmbeddedKafka | None = None
        self._bootstrap = ""
        self._broker_failures = 0
        self._broker_due = 0.0
        self._written: Running | None = None
        self._state: State = "starting"
        self._stopping = False
        names = pipeline.slots(plan)
        self._ports = {each: number for number, each in enumerate(names)}
        self._slots = [Slot(*each, self._command, pipeline.log_file(folder, *each)) for each in names]

    def run(self) -> None:
        """Start everything, watch it, and stop it in order. Blocks until SIGTERM or SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        try:
            self._tell()
            self._start()
            while not self._stopping:
                self._tend()
                time.sleep(_TICK)
        finally:
            self._end()

    def fail(self, error: BallastError) -> None:
        """Leave word why it ended, for `ballast up` to tell."""
        self._state = "failed"
        self._tell(str(error))

    def _stop(self, _signal: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _start(self) -> None:
        if self._where.kafka_bootstrap is None:
            self._broker = kafka.embedded(self._where, self._folder)
            self._bootstrap = self._broker.start()
        else:
            self._bootstrap = self._where.kafka_bootstrap
        pipeline.prepare(KafkaBroker(self._bootstrap), self._plan.pipeline)

    def _tend(self) -> None:
        now = time.monotonic()
        if self._broker is not None and not self._broker.alive and now >= self._broker_due:
            self._restart(self._broker, now)
        for slot in self._slots:
            slot.tend(now)
        if all(slot.status.state == "running" for slot in self._slots):
            self._state = "up"
        self._tell()

    def _restart(self, broker: EmbeddedKafka, now: float) -> None:
        """Bring a broker that died back; on another port only if its own is taken, which ends the stages once more."""
        self._broker_failures += 1
        self._broker_due = now + delay(self._broker_failures)
        log = structlog.get_logger()
        log.warning("the broker ended", failures=self._broker_failures)
        try:
            bootstrap = broker.start()
        except BallastError as error:
            log.error("the broker does not start", error=str(error))  # noqa: TRY400 - the sentence tells enough
            return
        self._broker_failures = 0
        if bootstrap != self._bootstrap:
            self._bootstrap = bootstrap
            for slot in self._slots:
                slot.terminate()

    def _end(self) -> None:
        """Stop the stages first: they still need the broker to end well."""
        self._state = "stopping"
        self._tell()
        deadline = time.monotonic() + _STOP_SECONDS
        for slot in self._slots:
            slot.terminate()
        for slot in self._slots:
            slot.wait(deadline - time.monotonic())
        if self._broker is not None:
            self._broker.stop()
        running.forget(self._folder)

    def _tell(self, error: str = "") -> None:
        told = Running(
            pid=os.getpid(),
            pipeline=self._plan.pipeline,
            state=self._state,
            bootstrap=self._bootstrap,
            broker_pid=self._broker.pid if self._broker else None,
            stages=tuple(slot.status for slot in self._slots),
            error=error,
        )
        if told != self._written:
            running.write(self._folder, told)
            self._written = told

    def _command(self, stage: str, number: int, ready: int) -> list[str]:
        """Return what runs one slot; `env` sets what it reads, so that this process reads no environment."""
        variables = [f"{name}=1" for name in _ONE_THREAD]
        variables += [f"BALLAST_KAFKA_BOOTSTRAP={self._bootstrap}", f"BALLAST_HOME={self._where.home}"]
        if self._where.metrics_port is not None:
            variables.append(f"BALLAST_METRICS_PORT={self._where.metrics_port + self._ports[stage, number]}")
        command = ["-m", "services.cli", "run", stage, "--slot", str(number), "--ready-fd", str(ready)]
        return ["env", *variables, sys.executable, *command, "--pipeline", self._plan.pipeline]


def main(arguments: Sequence[str]) -> int:
    """Supervise the pipeline of that name; its folder holds the recipe."""
    (name,) = arguments
    where = settings.read()
    logs.configure(where.log_level, "supervisor", 0)
    folder = where.folder(name)
    try:
        with running.held(folder):
            supervisor = Supervisor(folder, recipe.load(folder / running.RECIPE), where)
            try:
                supervisor.run()
            except BallastError as error:
                supervisor.fail(error)
                raise
    except BallastError as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
