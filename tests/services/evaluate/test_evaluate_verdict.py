from dataclasses import replace

import numpy as np
import pytest

from services.evaluate.result import with_losses
from services.evaluate.scores import Run, paired, runs
from services.evaluate.verdict import compare, verdict
from streams.events import EvaluationCompleted

RISE = {"holdout": 0.5, "safety": 0.5, "synthetic": 0.5}


def event(set_name: str, cycle: int, rise: float, count: int = 400) -> EvaluationCompleted:
    """Score documents that differ by far more from each other than cycles do."""
    base = np.random.default_rng(1).normal(6, 1, count)
    noise = np.random.default_rng(100 + cycle).normal(rise, 0.05, count)
    losses = {f"{set_name}-{n}": float(loss) for n, loss in enumerate(base + noise)}
    empty = EvaluationCompleted(
        event_id=f"{cycle}{set_name}", occurred_at=0, run_id=f"r{cycle}", cycle=cycle, model_id="m",
        set_name=set_name, loss=0.0, documents=0, evaluator="e",
    )  # fmt: skip
    return with_losses(empty, losses)


def run(cycle: int, **rises: float) -> Run:
    return {name: event(name, cycle, rise) for name, rise in rises.items()}


def judge(*found: Run) -> str:
    return verdict(compare(found, len(found) - 1))


@pytest.mark.parametrize(
    ("rises", "expected"),
    [
        ({}, "steady"),
        ({"holdout": 0.05}, "steady"),  # within the tolerance
        ({"holdout": 0.3}, "collapse"),
        ({"safety": 0.3}, "collapse"),
        ({"holdout": 0.3, "synthetic": -0.5}, "collapse"),
        ({"holdout": 0.3, "synthetic": 0.3}, "regressed"),
        ({"synthetic": 0.3}, "regressed"),
        ({"holdout": -0.3, "safety": -0.3, "synthetic": -0.3}, "steady"),
    ],
)
def test_real_down_while_synthetic_holds_is_collapse(rises: dict[str, float], expected: str) -> None:
    flat = dict.fromkeys(RISE, 0.0)
    assert judge(run(0, **flat), run(1, **flat)) == "steady"
    assert judge(run(0, **flat), run(1, **flat), run(2, **(flat | rises))) == expected


def test_without_a_synthetic_set_of_an_earlier_cycle_real_text_that_is_harder_is_a_regression() -> None:
    assert judge(run(0, holdout=0), run(1, holdout=0.5)) == "regressed"
    assert judge(run(0, holdout=0), run(1, holdout=0.5, synthetic=0)) == "regressed"


def test_a_slow_decline_is_found_against_the_first_cycle() -> None:
    found = [run(cycle, holdout=0.03 * cycle, synthetic=0) for cycle in range(8)]
    verdicts = [judge(*found[: count + 1]) for count in range(8)]
    assert verdicts[:3] == ["steady"] * 3
    assert verdicts[-1] == "collapse"


def test_means_alone_are_judged_by_their_difference() -> None:
    bare = [
        {name: replace(each, losses=None, document_ids=None) for name, each in one.items()}
        for one in (run(0, holdout=0, synthetic=0), run(1, holdout=0.3, synthetic=0))
    ]
    (holdout, _) = compare(bare, 1)
    assert holdout.interval is None
    assert holdout.low == holdout.since_first == pytest.approx(0.3, abs=0.02)
    assert judge(*bare) == "collapse"


def test_only_documents_of_both_cycles_are_compared() -> None:
    one, other = event("holdout", 0, 0.0, 400), event("holdout", 1, 0.25, 300)
    found = paired(other, one)
    assert found is not None
    assert len(found) == 300
    assert found.mean() == pytest.approx(0.25, abs=0.02)
    assert other.loss - one.loss != pytest.approx(0.25, abs=0.02)  # what the means say
    assert paired(one, event("safety", 1, 0.0)) is None


def test_the_pairs_are_the_documents_and_not_their_places() -> None:
    plain = replace(event("holdout", 0, 0.0), losses=None, document_ids=None)
    losses = {f"d{n}": float(n) for n in range(50)}
    shuffled = dict(sorted(losses.items(), reverse=True))
    ids = with_losses(plain, losses).document_ids
    assert ids is not None
    assert ids == b"".join(sorted(ids[at : at + 8] for at in range(0, len(ids), 8)))
    assert paired(with_losses(plain, losses), with_losses(plain, shuffled)).tolist() == [0.0] * 50  # type: ignore[union-attr]


def test_runs_come_by_cycle_and_a_repeated_event_counts_once() -> None:
    late, early = event("holdout", 2, 0.0), event("holdout", 1, 0.0)
    again = replace(early, loss=99.0)
    found = runs([late, early, again, replace(early, evaluator="other")], "e")
    assert [each["holdout"].cycle for each in found] == [1, 2]
    assert found[0]["holdout"].loss == early.loss


def test_the_comparison_names_the_change_since_the_cycle_before() -> None:
    (found,) = compare([run(0, holdout=0), run(1, holdout=0.2), run(2, holdout=0.25)], 2)
    assert found.since_previous == pytest.approx(0.05, abs=0.02)
    assert found.since_first == pytest.approx(0.25, abs=0.02)
    assert found.interval is not None
    assert found.interval.low < found.since_first < found.interval.high
    assert found.low < found.since_first
