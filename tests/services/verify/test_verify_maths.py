import signal
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from verify_world import batch, sample

from services.verify.checks.maths import Maths, final
from services.verify.solver import Solver
from streams.samples import Outcome, Sample, Turn, Verdict


@pytest.fixture(scope="module")
def check() -> Iterator[Maths]:
    with closing(Solver()) as solver:
        yield Maths(solver)


@pytest.fixture
def hasty() -> Iterator[Solver]:
    with closing(Solver(seconds=1)) as solver:
        yield solver


def solved(answer: str | None, said: str, task: str = "math") -> Sample:
    turns = (Turn(role="user", text="How many?"), Turn(role="assistant", text=said))
    return replace(sample(said, said), task=task, turns=turns, answer=answer)


def judged(check: Maths, answer: str | None, said: str, task: str = "math") -> Verdict:
    return check.over(batch(solved(answer, said, task)))[0]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("72", "She sells 24 in May. Together that is 48 + 24 = 72 clips."),
        ("72", "48 + 24 = 72\n#### 72\nI hope that helps, dear reader of chapter 5!"),
        ("1/2", "The answer is 0.5"),
        (r"\frac{1}{2}", r"It follows that $x = \frac{2}{4}$."),
        ("x^2+2x+1", r"Therefore \boxed{(x+1)^2}."),
        ("1,234", "In all 1234 dollars."),
        ("50%", "A share of 0.5"),
        ("-3", "x = -3"),
        (r"\{1,2\}", r"The roots are $\{2, 1\}$."),
        (r"\sqrt{8}", r"That is \boxed{2\sqrt{2}}."),
    ],
)
def test_equal_answers_pass_however_they_are_written(check: Maths, answer: str, said: str) -> None:
    assert judged(check, answer, said).outcome == "pass"


@pytest.mark.parametrize(
    ("answer", "said", "told"),
    [
        ("72", "So it is 71.", "The text comes to 71, not to the reference answer 72."),
        ("72", "72 is what I began with.\n#### 74", "The text comes to 74, not to the reference answer 72."),
        (
            "72",
            "No idea.",
            "The text comes to no answer that can be read; the reference answer is 72.",
        ),
        ("x^2", r"Hence \boxed{x^3}", "The text comes to x**3, not to the reference answer x**2."),
        ("-3", "x = 3", "The text comes to 3, not to the reference answer -3."),
    ],
)
def test_what_is_not_equal_fails_and_says_what_was_read(check: Maths, answer: str, said: str, told: str) -> None:
    verdict = judged(check, answer, said)
    assert (verdict.outcome, verdict.explanation) == ("fail", told)
    assert verdict.evidence["reference"] == answer.replace("^", "**")


@given(st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9))
def test_two_numbers_are_equal_just_if_they_are(check: Maths, one: int, other: int) -> None:
    expected: Outcome = "pass" if one == other else "fail"
    assert judged(check, str(one), f"So we have {other:,}").outcome == expected
    assert judged(check, str(one), f"#### {one}").outcome == "pass"


def test_what_can_not_be_compared_waits_for_a_person(check: Maths) -> None:
    verdict = judged(check, "a handful of them", "4")
    assert (verdict.outcome, verdict.evidence) == ("flag", {})
    assert verdict.explanation == "The reference answer can't be read as mathematics; compare it by eye."


@pytest.mark.parametrize("said", ["9**9**9**9**9**9", r"\boxed{9^{9^{9^{9^{9}}}}}"])
def test_an_expression_that_takes_for_ever_is_given_up_and_the_next_is_compared(hasty: Solver, said: str) -> None:
    verdict = judged(Maths(hasty), "9", said)
    assert (verdict.outcome, verdict.evidence) == ("flag", {"error": "no result within 1 s"})
    assert judged(Maths(hasty), "9", "9").outcome == "pass"


def test_a_process_that_was_killed_is_started_again(hasty: Solver) -> None:
    for _ in range(2):
        assert hasty.compare("1", "1").outcome == "equal"
        assert hasty._process is not None
        hasty._process.kill()
        hasty._process.wait()


def test_the_process_ends_itself_though_nobody_waits_for_it(hasty: Solver) -> None:
    hasty.compare("1", "1")
    process = hasty._process
    assert process is not None
    assert process.stdin is not None
    process.stdin.write('["9", "9**9**9**9**9**9"]\n')
    process.stdin.flush()
    assert process.wait(30) == -signal.SIGALRM


@pytest.mark.parametrize(("answer", "task"), [(None, "math"), ("1", "text")])
def test_other_tasks_and_samples_without_a_reference_pass_and_start_no_process(answer: str | None, task: str) -> None:
    solver = Solver()
    assert judged(Maths(solver), answer, "2", task) == Verdict(check="math", outcome="pass")
    assert solver._process is None


def test_what_a_solution_comes_to_follows_its_last_mark() -> None:
    assert final("#### 1\nno, wait\n#### 2 \nyes") == "2"
    assert final("3 apples") == "3 apples"
