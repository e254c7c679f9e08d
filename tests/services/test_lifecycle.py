"""Real processes: a pipeline that is brought up, loses parts, and is brought down."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

RECIPE = """
pipeline: {name}
seeds: {{reader: text, path: texts, licence: CC0, words: 5}}
sources:
  - {{name: a, provider: local, family: one}}
  - {{name: b, provider: local, family: two, order: 2}}
generate: {{target: 20}}
verify: {{audit_share: 0}}
mix: {{batch: 8, max_wait_seconds: 0.5}}
"""
WORDS = ["the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "while", "seven", "wise", "owls", "look"]


class Pipeline:
    """A pipeline in a folder of its own, used by its commands alone."""

    def __init__(self, folder: Path, name: str, bootstrap: str | None) -> None:
        self.home, self.name, self.recipe = folder / "home", name, folder / "recipe.yaml"
        (folder / "texts").mkdir()
        lines = (" ".join(WORDS[(i * j) % len(WORDS)] for j in range(1, 6)) + f" {i}." for i in range(400))
        (folder / "texts" / "a.txt").write_text("\n\n".join(lines))
        self.recipe.write_text(RECIPE.format(name=name))
        self._environment = {key: value for key, value in os.environ.items() if not key.startswith("BALLAST_")}
        self._environment |= {"BALLAST_HOME": str(self.home), "NO_COLOR": "1"}
        if bootstrap is not None:
            self._environment |= {"BALLAST_KAFKA_BOOTSTRAP": bootstrap}

    def __call__(self, *arguments: str, code: int = 0) -> str:
        command = [sys.executable, "-m", "services.cli", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env=self._environment, check=False, timeout=120)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def up(self, code: int = 0) -> str:
        return self("up", str(self.recipe), code=code)

    def status(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self("status", "--json"))
        return told

    def pids(self) -> list[int]:
        told = self.status()
        pids = [told["supervisor_pid"], told["broker_pid"], *(each["pid"] for each in told["stages"])]
        return [pid for pid in pids if pid is not None]

    def stage(self, name: str) -> dict[str, Any]:
        return next(each for each in self.status()["stages"] if each["stage"] == name)


def eventually(what: Callable[[], bool], seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if what():
            return True
        time.sleep(0.05)
    return False


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory, bootstrap: str) -> Iterator[Pipeline]:
    """Give a pipeline on the session's broker, up and with everything that it wants to do done."""
    made = Pipeline(tmp_path_factory.mktemp("pipeline"), f"life-{os.getpid()}", bootstrap)
    made.up()
    try:
        made("policy", "set", "--alpha", "0.5", "--pinned", "--reason", "a test")
        assert eventually(lambda: _places(made)["mixed_synthetic"] == 20, 60), made("audit")
        yield made
    finally:
        made("down")


def _places(made: Pipeline) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(made("audit", "--json"))
    assert told["balanced"], told["faults"]
    places: dict[str, Any] = told["places"]
    return places


def test_the_audit_counts_every_place(pipeline: Pipeline) -> None:
    places = _places(pipeline)
    assert places["accepted"] == places["mixed_synthetic"] == 20
    assert places["candidates"] == places["accepted"] + places["rejected"]
    assert places["seed"] + places["reference"] + places["holdout"] > 0
    assert places["largest_share"] <= 0.3  # the recipe's cap is lower than the policy's
    assert "is balanced" in pipeline("audit")


def test_the_status_tells_bootstrap_pipeline_and_each_stage(pipeline: Pipeline, bootstrap: str) -> None:
    told = pipeline.status()
    assert (told["pipeline"], told["state"], told["bootstrap"]) == (pipeline.name, "up", bootstrap)
    assert [each["stage"] for each in told["stages"]] == [
        "ingest",
        "generate",
        "verify",
        "review",
        "mix",
        "sketch",
        "monitor",
    ]
    assert all(psutil.pid_exists(each["pid"]) and each["state"] == "running" for each in told["stages"])
    assert {each["stage"]: each["lag"] for each in told["stages"]} == {
        "ingest": None,
        "generate": None,
        "verify": 0,
        "review": 0,
        "mix": 0,
        "sketch": None,  # no reference is accepted
        "monitor": None,
    }


def test_a_second_up_on_the_same_folder_says_so(pipeline: Pipeline) -> None:
    before = pipeline.pids()
    told = pipeline.up(code=1)
    assert told.startswith(f"Error: Pipeline {pipeline.name} is already up (supervisor {before[0]})")
    assert pipeline.pids() == before


def test_a_killed_stage_comes_back(pipeline: Pipeline) -> None:
    before = pipeline.stage("verify")
    os.kill(before["pid"], signal.SIGKILL)
    assert eventually(lambda: pipeline.stage("verify")["pid"] not in (None, before["pid"]))
    assert eventually(lambda: pipeline.stage("verify")["state"] == "running")
    assert pipeline.stage("verify")["restarts"] == before["restarts"] + 1


def test_a_mixed_sample_is_traced_back_to_its_human_ancestor(pipeline: Pipeline) -> None:
    sample = _a_mixed_sample(pipeline)
    steps = json.loads(pipeline("trace", sample, "--json"))
    topics = [[event["topic"].removeprefix(f"{pipeline.name}.") for event in step["events"]] for step in steps]
    assert topics[0] == ["response", "response", "generate", "verify", "mix"]
    assert steps[0]["parents"] == [steps[1]["sample_id"]]
    assert topics[1][0] == "seed"
    assert all(event["offset"] >= 0 and event["partition"] >= 0 for step in steps for event in step["events"])
    assert "HUMAN, generation 0" in pipeline("trace", sample)
    assert "check the id" in pipeline("trace", "0" * 32, code=2)


def _a_mixed_sample(pipeline: Pipeline) -> str:
    from services.pipeline import codec
    from streams.events import SampleMixed
    from streams.fold import Fold
    from streams.kafka import KafkaBroker

    broker = KafkaBroker(pipeline.status()["bootstrap"])
    events: list[Any] = []
    decode = codec(broker, pipeline.name).decode
    fold = Fold(broker, [f"{pipeline.name}.mix"], lambda records: events.extend(decode(r.value) for r in records))
    fold.catch_up()
    fold.close()
    return next(e.sample.sample_id for e in events if isinstance(e, SampleMixed) and e.synthetic)


def test_ingest_again_is_a_no_op_and_a_file_that_is_not_there_is_told(pipeline: Pipeline) -> None:
    told = json.loads(pipeline("ingest", str(pipeline.recipe.parent / "texts"), "--json"))
    assert told["known"] + told["duplicates"] == told["read"] > 0
    assert "does not exist" in pipeline("ingest", str(pipeline.home / "nothing"), code=2)


def test_a_policy_takes_over_what_it_does_not_change(pipeline: Pipeline) -> None:
    pipeline("reference", "accept", "--reason", "it is good")
    told = json.loads(pipeline("policy", "show", "--json"))
    assert told["policy"]["alpha"] == 0.5
    assert (told["policy"]["reference_version"], told["in_force"], told["allowed_share"]) == (1, True, 0.3)
    assert "expired" not in pipeline("policy", "show")
    assert [each["version"] for each in json.loads(pipeline("policy", "history", "--json"))] == [0, 1]


def test_a_report_is_written_where_it_is_wanted_and_says_what_is_not_there_yet(pipeline: Pipeline) -> None:
    path = pipeline.home / "a report.html"
    assert pipeline("report", "--out", str(path)) == f"{path}\n"
    html = path.read_text()
    assert f"Ballast report: {pipeline.name}" in html
    assert "The topic measure is empty" in html
    assert "a test" in html  # the reason of the policy
    assert "can't be written" in pipeline("report", "--out", str(pipeline.home / "no" / "a.html"), code=2)


def test_topics_logs_and_empty_lists(pipeline: Pipeline) -> None:
    rows = json.loads(pipeline("topics", "--json"))
    assert {row["topic"] for row in rows} >= {f"{pipeline.name}.{word}" for word in ("seed", "mix", "dead.verify")}
    assert "event=started" in pipeline("logs", "mix")
    assert "there are: " in pipeline("logs", "cook", code=2)
    assert json.loads(pipeline("dead", "list", "--json")) == []
    assert json.loads(pipeline("review", "list", "--json")) == []
    assert json.loads(pipeline("rejects", "--json"))["accepted"] > 0
    assert "`ballast rejects` shows which there are" in pipeline("rejects", "no-such-reason", code=2)
    assert json.loads(pipeline("trainers", "list", "--json")) == []


@pytest.mark.timeout(180)
def test_an_embedded_pipeline_leaves_no_orphan_when_its_supervisor_is_killed(tmp_path: Path) -> None:
    made = Pipeline(tmp_path, f"orphans-{os.getpid()}", None)
    made.up()
    pids = made.pids()
    try:
        assert len(pids) == 9
        broker = made.status()["broker_pid"]
        os.kill(broker, signal.SIGKILL)
        assert eventually(lambda: made.status()["broker_pid"] not in (None, broker))
        pids += made.pids()
        os.kill(pids[0], signal.SIGKILL)
        assert eventually(lambda: all(gone(pid) for pid in pids), 10)
        assert made.status()["state"] == "down"
        assert "is balanced" in made("audit")  # on a broker of its own
        assert "was not up" in made("down")
    finally:
        made("down")


def test_a_stage_that_cannot_start_is_told_with_its_log(tmp_path: Path, bootstrap: str) -> None:
    made = Pipeline(tmp_path, f"broken-{os.getpid()}", bootstrap)
    for file in (tmp_path / "texts").iterdir():
        file.unlink()
    (tmp_path / "texts").rmdir()
    told = made.up(code=1)
    log = made.home / made.name / "logs" / "ingest-0.log"
    assert told.startswith("Error: Stage ingest does not start: ")
    assert told.endswith(f"see {log}\n")
    assert made.status()["state"] == "down"
