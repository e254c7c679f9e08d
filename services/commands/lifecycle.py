"""up, status, logs, down and run: the processes of a pipeline."""

import sys
import time
from collections import deque
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from services import pipeline
from services.books import lag
from services.commands.output import JsonOption, PipelineOption, RecipeOption, note, print_json, say, table
from services.commands.progress import fetching
from services.errors import InputError
from services.supervise import running, session, starting
from services.supervise.running import Running, SlotStatus
from services.supervise.said import said
from services.supervise.session import Chosen
from streams.errors import BrokerError, UnavailableError
from streams.kafka import KafkaBroker

_FOLLOW = 0.3
_PATIENCE = 5.0


def up(path: Annotated[Path, typer.Argument(metavar="RECIPE", help="The recipe's YAML file.")]) -> None:
    """Start a pipeline: broker and all stages, in the background.

    Without BALLAST_KAFKA_BOOTSTRAP it runs an embedded Kafka broker of its own. Each process that ends is started
    again; `ballast down` ends all of them.
    """
    from services.supervise import readiness  # noqa: PLC0415 - it knows every check, and each stage comes by `run`

    chosen = session.choose(None, path)
    for warning in readiness.warnings(chosen.recipe):
        note(warning)
    note(f"Starting pipeline {chosen.name}")
    with fetching() as progress:
        there = starting.up(chosen, progress=progress)
    say(f"Pipeline {there.pipeline} is up: Kafka at {there.bootstrap}, {len(there.stages)} processes of stages")
    say(f"State and logs lie in {chosen.folder}")
    if (port := chosen.recipe.review.port) is not None:
        say(f"People decide at http://{chosen.settings.review_host}:{port}; `ballast reviewer add NAME` lets them in")
    say("Look with `ballast status`, check with `ballast audit`, end with `ballast down`.")


def down(name: PipelineOption = None) -> None:
    """Stop a pipeline and wait until it has ended."""
    chosen = session.choose(name, None)
    note(f"Stopping pipeline {chosen.name}")
    told = "is down" if starting.down(chosen.folder) else "was not up"
    say(f"Pipeline {chosen.name} {told}; its data stays in {chosen.folder}")


def status(name: PipelineOption = None, recipe: RecipeOption = None, json: JsonOption = False) -> None:
    """Show what runs, how far it is behind and why, and what waits for a person."""
    chosen = session.choose(name, recipe)
    there = running.alive(chosen.folder)
    bootstrap = there.bootstrap if there else chosen.settings.kafka_bootstrap or ""
    lags = _lags(chosen.name, bootstrap) if bootstrap else {}
    if json:
        print_json(_status(chosen, there, bootstrap, lags))
        return
    if there is None:
        say(f"Pipeline {chosen.name} is not up; start it with `ballast up RECIPE`")
    else:
        broker = f"embedded, process {there.broker_pid}" if there.broker_pid else "yours"
        say(f"Pipeline {chosen.name} is {there.state}: supervisor {there.pid}, Kafka at {bootstrap} ({broker})")
    rows = [
        (
            *(each.stage, each.slot, each.state, str(each.pid or "-"), _shown(lags.get(each.stage)), each.restarts),
            _said(chosen.folder, each),
        )
        for each in (there.stages if there else ())
    ]
    if rows:
        table("", ["stage", "slot", "state", "pid", "lag", "restarts", "says"], rows)
    if lags.get("review"):
        say(f"{lags['review']} samples wait for a person; see `ballast review list`")


def _lags(name: str, bootstrap: str) -> dict[str, int | None]:
    """Return the lags; none while the broker does not answer, for then the rest of the status matters most."""
    broker = KafkaBroker(bootstrap, _PATIENCE)
    try:
        return lag.lags(broker, pipeline.codec(broker, name), name)
    except (BrokerError, UnavailableError) as error:
        note(str(error))
        return {}


def _status(chosen: Chosen, there: Running | None, bootstrap: str, lags: dict[str, int | None]) -> dict[str, Any]:
    stages = [
        asdict(each) | {"lag": lags.get(each.stage), "says": _said(chosen.folder, each)}
        for each in (there.stages if there else ())
    ]
    return {
        "pipeline": chosen.name,
        "state": there.state if there else "down",
        "bootstrap": bootstrap,
        "supervisor_pid": there.pid if there else None,
        "broker_pid": there.broker_pid if there else None,
        "folder": str(chosen.folder),
        "waiting_review": lags.get("review"),
        "stages": stages,
    }


def _said(folder: Path, each: SlotStatus) -> str:
    return said(folder / "logs" / f"{each.stage}-{each.slot}.log", is_running=each.state == "running")


def _shown(value: int | None) -> object:
    return "-" if value is None else value


def logs(
    stage: Annotated[str | None, typer.Argument(help="One stage, `supervisor` or `broker`; all without it.")] = None,
    name: PipelineOption = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="Lines of each log.")] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as lines come, until Ctrl-C.")] = False,
) -> None:
    """Print the logs of the stages."""
    chosen = session.choose(name, None)
    files = _logs(chosen.folder, stage)
    ends: dict[Path, int] = {}
    for file in files:
        with file.open(encoding="utf-8", errors="replace") as text:
            _print(file, list(deque(text, lines)), len(files) > 1)
            ends[file] = text.tell()
    while follow:
        time.sleep(_FOLLOW)
        for file in files:
            with file.open(encoding="utf-8", errors="replace") as text:
                text.seek(ends[file])
                _print(file, list(text), len(files) > 1)
                ends[file] = text.tell()


def _logs(folder: Path, stage: str | None) -> list[Path]:
    files = [*sorted((folder / "logs").glob("*.log")), folder / "kafka" / "broker.log"]
    wanted = [file for file in files if file.exists() and (stage is None or file.stem.rsplit("-", 1)[0] == stage)]
    if not wanted:
        known = sorted({file.stem.rsplit("-", 1)[0] for file in files if file.exists()})
        raise InputError(
            f"There is no log of {stage or 'any stage'} in {folder}; there are: {', '.join(known) or 'none'}"
        )
    return wanted


def _print(file: Path, lines: list[str], named: bool) -> None:
    for line in lines:
        sys.stdout.write(f"{file.stem:12} {line.rstrip()}\n" if named else f"{line.rstrip()}\n")
    sys.stdout.flush()


def run(
    stage: Annotated[str, typer.Argument(help=f"One of {', '.join(pipeline.STAGES)}.")],
    slot: Annotated[int, typer.Option(min=0, help="Which of the stage's slots; one process for each.")] = 0,
    name: PipelineOption = None,
    recipe: RecipeOption = None,
    ready_fd: Annotated[int | None, typer.Option("--ready-fd", hidden=True)] = None,
) -> None:
    """Run one slot of one stage in the foreground: what a container runs.

    Two processes with the same stage and slot: the newer one fences the older one, which ends.
    """
    if stage not in pipeline.STAGES:
        raise InputError(f"{stage} is no stage; the stages are {', '.join(pipeline.STAGES)}")
    chosen = session.choose(name, recipe)
    if stage == "evaluate" and chosen.recipe.evaluate is None:
        raise InputError("The recipe has no `evaluate`; give it `evaluate: {port: N}` to take scores by HTTP")
    if (stage, slot) not in pipeline.slots(chosen.recipe):
        raise InputError(f"The recipe gives {stage} no slot {slot}; raise `{stage}.slots` in it, or run slot 0")
    from services.supervise.runner import run_stage  # noqa: PLC0415 - metrics and logging are for this command alone

    with session.opened(chosen, note) as opened:
        run_stage(chosen, opened.bootstrap, stage, slot, ready_fd)
