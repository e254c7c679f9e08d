"""The oracle for code: canonical solutions pass, wrong ones fail, and each verdict says why."""

import ast
import random

import planted_code
import pytest
from code_world import answered, code, problems, sandbox
from hostile import LOW
from prometheus_client import generate_latest
from verify_world import SHAPE, batch, events, put, recipe, sample, stage, text, world

from services.recipe import parse
from services.settings import Settings
from services.supervise import readiness
from services.supervise.session import Chosen
from services.verify.checks.code import Code, verdict
from services.verify.checks.fenced import code_of
from services.verify.chosen import checks
from services.verify.known import Known
from services.verify.sandbox import ready
from services.verify.sandbox.plain import WARNING, Plain
from services.verify.sandbox.program import Fault, Program, Ran
from services.verify.sandbox.sandbox import Sandbox, most_within
from streams.codec import Codec
from streams.errors import UnavailableError
from streams.metrics import Metrics
from streams.samples import Sample, Verdict

PASS = Verdict(check="code", outcome="pass")


def without_body(one: Sample) -> Sample:
    """Return a problem whose last function does nothing any more."""

    def change(tree: ast.Module) -> None:
        [*_, last] = (node for node in tree.body if isinstance(node, ast.FunctionDef))
        last.body = [ast.Pass()]

    return code(answered(one, change), one.tests)


def test_canonical_solutions_pass_and_fail_without_their_bodies() -> None:
    right = problems()
    check = Code(sandbox())
    wrong = [without_body(one) for one in right]
    verdicts = check.over(batch(*right, *wrong))
    assert len(right) == 164
    assert [one for one, said in zip(right, verdicts, strict=False) if said != PASS] == []
    assert [one for one, said in zip(wrong, verdicts[164:], strict=True) if said.outcome != "fail"] == []
    assert all("error" in said.evidence for said in verdicts[164:])


def said(one: Sample) -> Verdict:
    (verdict,) = Code(sandbox(LOW)).over(batch(one))
    return verdict


@pytest.mark.parametrize(
    ("answer", "tests", "evidence", "explanation"),
    [
        (
            "def f():\n    return 1",
            "assert True\nassert f() == 2",
            {"status": "1", "part": "tests", "line": "2", "error": "AssertionError: "},
            "Line 2 of the tests ended the tests with AssertionError; they have to run to their end.",
        ),
        (
            "def f():\n    return [][0]",
            "f()",
            {"status": "1", "part": "answer", "line": "2", "error": "IndexError: list index out of range"},
            "Line 2 of the answer ended the tests with IndexError; they have to run to their end.",
        ),
        (
            "print('so')\nimport os\nos._exit(3)",
            "f()",
            {"status": "3"},
            "The program ended with exit code 3 before its tests did; they have to run to their end.",
        ),
        (
            "import time\ntime.sleep(60)",
            "f()",
            {"status": "137", "killed": "time"},
            "The program was stopped, for it took too long; its tests have to run to their end.",
        ),
        (
            "x = bytes(1 << 40)",
            "f()",
            {"status": "1", "killed": "memory", "error": "MemoryError: "},
            "The program was stopped, for it used too much memory; its tests have to run to their end.",
        ),
        (
            "def f(:",
            None,
            {"status": "1", "part": "answer", "line": "1", "error": "SyntaxError: invalid syntax"},
            "Line 1 of the answer can't be compiled; code without tests has to be.",
        ),
    ],
)
def test_a_verdict_says_what_ended_the_program_and_where(
    answer: str, tests: str | None, evidence: dict[str, str], explanation: str
) -> None:
    found = said(code(answer, tests))
    assert found == Verdict(check="code", outcome="fail", evidence=evidence, explanation=explanation)


def test_evidence_is_short_whatever_a_program_says() -> None:
    found = said(code("import sys\nprint('x' * 9_000)\nraise ValueError('y' * 9_000)"))
    assert {key: len(value) for key, value in found.evidence.items() if len(value) > 9} == {"output": 200, "error": 200}


def test_code_without_tests_is_compiled_and_not_run() -> None:
    assert said(code("raise ValueError", None)) == PASS


def test_other_tasks_and_no_turns_pass_unrun() -> None:
    odd = code("raise ValueError", task="code")
    object.__setattr__(odd, "turns", ())
    assert Code(sandbox(LOW)).over(batch(code("raise ValueError", task="chat"), odd)) == [PASS, PASS]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("x = 1", "x = 1"),
        ("So:\n```python\nx = 1\n```\nDone.", "x = 1\n"),
        ("So:\n~~~~ py\nx = 1\n~~~~\n", "x = 1\n"),
        ("```\nx = 1\n```", "x = 1\n"),
        ("```bash\npip install x\n```\n\n```Python3\nx = 1\n```", "x = 1\n"),
        ("```python\nx = 1\ny = 2\n```\nUse:\n```python\nx\n```", "x = 1\ny = 2\n"),
        ("Call it:\n```python\nx\n```\nAll:\n```python\nx = 1\ny = 2\n```", "x = 1\ny = 2\n"),
        ("```python\nx = 1\n```\n```\n>>> x, x, x\n1, 1, 1\n```", "x = 1\n"),
        ("1. So:\n   ```python\n   if x:\n       y\n   ```", "if x:\n    y\n"),
        ("```python\nx = 1", "x = 1"),
        ("````python\nx = '''\n```\n'''\n````", "x = '''\n```\n'''\n"),
        ("```json\n{}\n```", "```json\n{}\n```"),
        ("x = '```'", "x = '```'"),
    ],
)
def test_the_code_is_the_longest_python_block_or_else_the_text(text: str, wanted: str) -> None:
    assert code_of(code(text)) == wanted


@pytest.mark.parametrize("plant", [planted_code.failing, planted_code.unfinished, planted_code.leaving])
def test_planted_faults_differ_and_nearly_all_of_a_few_fail(plant: planted_code.Plant) -> None:
    rng = random.Random(5)
    made = [plant(one, rng) for one in problems()]
    assert len({one.sample_id for one in made}) >= 160
    verdicts = Code(sandbox()).over(batch(*made[::6]))
    assert sum(said.outcome == "fail" for said in verdicts) >= 26, "of 28; some mutants do what the original does"


def test_a_planted_fault_is_the_same_again() -> None:
    one = problems()[0]
    assert planted_code.failing(one, random.Random(1)) == planted_code.failing(one, random.Random(1))


def test_killed_programs_are_counted_once_their_batch_is_committed() -> None:
    sandbox()
    broker, metrics = world(), Metrics()
    put(
        broker,
        "generate",
        [code("import os\nos.abort()"), code("x = bytes(1 << 40)"), code("raise ValueError"), code("")],
    )
    verifier = stage(broker, recipe("code", checks=["code"]), metrics)
    verifier.start()
    while verifier.step():
        pass
    told = generate_latest(metrics.registry).decode()
    assert 'ballast_sandbox_kills_total{reason="signal"} 1.0' in told
    assert 'ballast_sandbox_kills_total{reason="memory"} 1.0' in told
    assert told.count("ballast_sandbox_kills_total{") == 2
    assert [one.reasons for one in events(broker, "reject")] == [("code",)] * 3


def test_a_verifier_without_a_sandbox_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(UnavailableError, match="apt-get install bubblewrap"):
        stage(world(), recipe("code", checks=["code"]))
    stage(world(), recipe(checks=["format"]))


def test_plain_processes_are_an_explicit_choice_with_a_warning(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    known = Known(Codec(), "p", SHAPE)
    (check,) = checks(recipe("code", checks=["code"], sandbox="process"), known).costly
    assert "models wrote can read your files" in capsys.readouterr().out
    assert [said.outcome for said in check.over(batch(code("x = 1"), code("x = ")))] == ["pass", "fail"]


def test_a_recipe_without_code_asks_for_no_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ready, "tried", lambda _: pytest.fail("nobody asked"))
    assert [check.name for check in checks(recipe(), Known(Codec(), "p", SHAPE)).costly] == ["math"]


@pytest.mark.parametrize("kind", ["bubblewrap", "process"])
def test_check_tells_whether_programs_can_be_run(
    kind: ready.Kind, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    plan = {"task": "code", "seeds": {"path": "x", "licence": "cc0"}, "generate": {"target": 1}}
    asked = parse({**plan, "verify": {"checks": ["code"], "sandbox": kind}}, "test")
    monkeypatch.setenv("PATH", "/nonexistent")
    found = {one.name: one for one in readiness.findings(Chosen(recipe=asked, settings=Settings(), folder=tmp_path))}
    told = found["sandbox"]
    assert told.ok == (kind == "process")
    assert told.notes == ((WARNING,) if kind == "process" else ())
    assert kind == "process" or "apt-get install bubblewrap" in told.told


def test_a_batch_of_programs_that_never_end_ends_in_time() -> None:
    assert 1 <= most_within(50.0, ready.LIMITS) * ready.LIMITS.seconds <= 50.0 * 64


def test_a_program_that_a_signal_ended_tells_no_line() -> None:
    ended = Ran(is_finished=False, status=139, output="", killed="signal", fault=None)
    assert verdict(Program("", ""), ended).explanation.startswith("The program was stopped, for a signal ended it")
    told = Ran(is_finished=False, status=1, output="", killed=None, fault=Fault(None, None, "X: y"))
    assert verdict(Program("", ""), told).explanation.startswith("The program ended the tests with X;")


def test_texts_are_judged_beside_code() -> None:
    found = Code(Sandbox(Plain(), LOW)).over(batch(sample("a", text(1)), code("x = 1")))
    assert found == [PASS, PASS]
