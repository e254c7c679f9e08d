"""`ballast run generate` with a paid source on a real broker, killed with -9 while calls are in flight."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from generate_world import World
from paid_world import KEY, source, told, world_of
from wire import Server

from services.generate.ledger import ledger
from streams.kafka import KafkaBroker

CONCURRENCY, TARGET = 6, 60


def test_after_a_kill_every_candidate_is_made_once_and_the_books_differ_by_what_the_ledger_names(
    bootstrap: str, unique: Callable[[str], str], serve: Callable[..., Server], tmp_path: Path
) -> None:
    server = serve()
    world = world_of(
        source(server, concurrency=CONCURRENCY),
        target=TARGET,
        seeds=TARGET,
        pipeline=unique("k"),
        broker=KafkaBroker(bootstrap),
    )
    server.is_held = lambda _: len(server.ledger) >= TARGET // 3
    process = started(world, bootstrap, tmp_path)
    wait(process, lambda: len(server.ledger) >= TARGET // 3 and server.in_flight == CONCURRENCY)
    process.kill()
    process.wait()
    server.is_held = lambda _: False  # the vendor answers nobody, and bills it
    process = started(world, bootstrap, tmp_path)
    wait(process, lambda: len(world.made()) >= TARGET)
    process.terminate()
    assert process.wait(30) == 0
    assert sorted(event.call_index or 0 for event in world.made()) == list(range(TARGET))
    assert world.events("dead.generate") == []
    prompts = {event.call_index: event.prompt[-1].text for event in world.responses()}
    named = {prompts[entry.call_index]: entry.asked for entry in ledger(world.responses())}
    again = {text: count for text, count in Counter(server.sold).items() if count > 1}
    assert named == again == dict.fromkeys(again, 2)
    assert len(again) == CONCURRENCY
    assert told(server, world)[:2] == (120 * CONCURRENCY, 10 * CONCURRENCY)
    assert KEY in str(server.seen[0].headers)
    log = (tmp_path / "log").read_text()
    assert "started" in log
    assert KEY not in log


def started(world: World, bootstrap: str, folder: Path) -> "subprocess.Popen[bytes]":
    recipe = folder / "recipe.yaml"
    recipe.write_text(json.dumps(world.recipe.model_dump(mode="json", exclude_unset=True)))
    where = {"BALLAST_KAFKA_BOOTSTRAP": bootstrap, "BALLAST_HOME": str(folder / "home"), "MY_KEY": KEY}
    command = [sys.executable, "-m", "services.cli", "run", "generate", "--recipe", str(recipe)]
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(command, env={**os.environ, **where}, stdout=log, stderr=log)


def wait(process: "subprocess.Popen[bytes]", is_done: Callable[[], bool]) -> None:
    for _ in range(2_000):
        if is_done():
            return
        assert process.poll() is None
        time.sleep(0.03)
    raise AssertionError("the run does not end")
