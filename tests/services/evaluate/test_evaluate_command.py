import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from evaluate_world import World, documents, generated, human, outputs

from streams.kafka import KafkaBroker

RECIPE = """
pipeline: {name}
seeds: {{reader: text, path: texts, licence: CC0}}
sources: [{{name: a, provider: local, family: one}}]
generate: {{target: 10}}
"""


class Pipeline:
    def __init__(self, bootstrap: str, name: str, home: Path) -> None:
        self.world = World(KafkaBroker(bootstrap), name)
        self._home, self._bootstrap = home, bootstrap
        self._recipe = home / "recipe.yaml"
        self._recipe.write_text(RECIPE.format(name=name))

    def evaluate(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("BALLAST_")}
        environment |= {"BALLAST_HOME": str(self._home), "BALLAST_KAFKA_BOOTSTRAP": self._bootstrap, "NO_COLOR": "1"}
        command = [sys.executable, "-m", "services.cli", "evaluate", *arguments, "--recipe", str(self._recipe)]
        return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=120)


@pytest.fixture
def pipeline(bootstrap: str, unique: Callable[[str], str], tmp_path: Path) -> Pipeline:
    return Pipeline(bootstrap, unique("evaluate"), tmp_path)


def test_the_command_ends_with_3_on_collapse_and_says_the_same_again(pipeline: Pipeline) -> None:
    pipeline.world.holdout([human(text) for text in documents()[-200:]])
    pipeline.world.healthy(0, 600)
    done = pipeline.evaluate()
    assert done.returncode == 0, done.stderr
    assert "Cycle 0: steady" in done.stdout
    pipeline.world.mix([generated(text) for text in outputs(4)[:600]])
    done = pipeline.evaluate("--json")
    assert done.returncode == 3, done.stderr
    (found,) = json.loads(done.stdout)
    assert (found["cycle"], found["verdict"], found["new"], found["leaks"]) == (1, "collapse", True, 0)
    assert [each["set_name"] for each in found["evaluators"]["proxy-ngram"]] == ["holdout", "synthetic"]
    done = pipeline.evaluate()
    assert done.returncode == 3
    assert "Cycle 1: collapse (evaluated before)" in done.stdout
    assert len(pipeline.world.scores()) == 4


def test_a_trainer_reports_by_command(pipeline: Pipeline, tmp_path: Path) -> None:
    done = pipeline.evaluate("show")
    assert done.returncode == 2
    assert "Nothing is evaluated yet" in done.stderr
    losses = tmp_path / "losses.jsonl"
    losses.write_text("".join(f'{{"sample_id": "d{n}", "loss": {2 + n % 5}}}\n' for n in range(100)))
    first = ("report", "--run", "r0", "--cycle", "0", "--set", "holdout", "--losses", str(losses))
    assert pipeline.evaluate(*first, "--metric", "accuracy=0.5").returncode == 0
    losses.write_text("".join(f'{{"sample_id": "d{n}", "loss": {3 + n % 5}}}\n' for n in range(100)))
    second = ("report", "--run", "r1", "--cycle", "1", "--set", "holdout", "--losses", str(losses))
    done = pipeline.evaluate(*second)
    assert done.returncode == 1  # worse, and no synthetic set tells whether it is a collapse
    assert "Cycle 1: regressed" in done.stdout
    found = pipeline.world.scores()
    assert [(event.run_id, event.documents, event.metrics) for event in found] == [
        ("r0", 100, {"accuracy": 0.5}), ("r1", 100, {}),
    ]  # fmt: skip
    assert pipeline.evaluate(*second, "--metric", "accuracy").returncode == 2
