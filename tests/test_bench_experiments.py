import cProfile
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

# the experiments are a package of bench/, which isn't installed; last, so that nothing of bench/ hides a test's module
sys.path.append(str(Path(__file__).parents[1] / "bench"))

import profiling
from experiments import (
    b2_categorical,
    b3_gaussian,
    b5_golden_weighting,
    b12_closed_loop,
    d2_slow_drift,
    d3_shift,
    d4_contamination,
    d6_second_opinion,
    detectors,
    replay,
)
from experiments.bar import Bar
from experiments.plays import columns, documents, generated, human

from services import artefact
from services.monitor.yardstick import Yardstick
from streams.stats.statistic import pack
from streams.words import words

SEED = 1


@pytest.mark.parametrize(
    ("experiment", "runs"),
    [
        (b2_categorical.run, 60),
        (b3_gaussian.run, 100_000),
        (b5_golden_weighting.run, 1000),
        (b12_closed_loop.run, 3),
        (d2_slow_drift.run, 3),
        (d4_contamination.run, 9),
    ],
)
def test_collapse_goes_as_its_theory_says(experiment: Callable[[int, int], list[Bar]], runs: int) -> None:
    bars = experiment(SEED, runs)
    assert bars
    assert not [bar for bar in bars if not bar.reached]
    assert json.dumps([asdict(bar) | {"reached": bar.reached} for bar in bars])  # as results are written


def test_a_run_can_be_repeated() -> None:
    assert b5_golden_weighting.run(SEED, 10) == b5_golden_weighting.run(SEED, 10)


@pytest.mark.parametrize(
    ("bar", "reached"),
    [
        (Bar("relative", -0.9, -1.0, 0.11), True),
        (Bar("relative", -0.9, -1.0, 0.05), False),
        (Bar("absolute", 9.9, 10.0, 0.11, "absolute"), True),
        (Bar("absolute", 9.0, 10.0, 0.11, "absolute"), False),
        (Bar("bound", 0.1, 10.0, kind="at most"), True),
        (Bar("bound", 10.1, 10.0, kind="at most"), False),
        (Bar("bound", 10.0, 10.0, kind="at least"), True),
        (Bar("bound", 9.9, 10.0, kind="at least"), False),
    ],
)
def test_a_bar_is_reached_within_its_tolerance_only(bar: Bar, reached: bool) -> None:
    assert bar.reached is reached


def test_slow_drift_is_expected_later_in_longer_windows() -> None:
    assert d2_slow_drift.expected(200) == pytest.approx(3_252, abs=1)
    assert d2_slow_drift.expected(1_000) == pytest.approx(11_762, abs=1)


@pytest.mark.parametrize("shift", [0.0, 1.0, -1.0])
def test_every_detector_tells_after_how_many_documents_a_shift_is_found_and_nothing_where_there_is_none(
    shift: float,
) -> None:
    rng = np.random.default_rng(1)
    baseline, tested = rng.normal(size=(2_000, 3)), rng.normal(size=(1_010, 3))
    tested[500:, 1] += shift
    found = {
        "e-SR": detectors.evidence_alarms(baseline, tested, rng.random(1_010), 1e6),
        **detectors.second_alarms(baseline, tested),
    }
    assert len(found) == 3
    for name, alarms in found.items():
        assert [500 < each <= 1_000 and each % 25 == 0 for each in alarms[:1]] == [True] * (shift != 0), name
        assert len(alarms) <= 10, "each starts afresh after an alarm"
    at_once = detectors.second_alarms(baseline, tested[500:])
    assert all(bool(alarms) == (shift != 0) for alarms in at_once.values()), "they know the baseline"
    quiet = d6_second_opinion.Tried("row", changes=True, documents=1_010, alarms={name: [] for name in found})
    tried = [quiet, quiet._replace(alarms={name: [30, 40] for name in found}), quiet._replace(alarms=found)]
    assert d6_second_opinion._delays(tried) == {name: found[name][0] if shift else np.inf for name in found}
    assert d6_second_opinion._counts(tried) == {name: 2 + len(alarms) for name, alarms in found.items()}


def test_glosses_are_joined_to_documents_without_the_licence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(d3_shift, "GLOSSES", tmp_path)
    with pytest.raises(FileNotFoundError, match="wordnet-base"):
        d3_shift.gloss_documents()
    entry = "00001740 03 n 01 entity 0 000 | " + "word " * 50 + "\n"
    (tmp_path / "data.noun").write_text("  1 This software | is licensed\n" + entry * 3, encoding="utf-8")
    assert d3_shift.gloss_documents() == [" ".join(["word"] * 80)]


def test_a_replay_measures_each_window_of_seeds_and_candidates_once() -> None:
    plays = documents()
    fitted = artefact.build(1, [human(text) for text in plays[:200]])
    run = replay.Replay(fitted, Yardstick(columns(fitted, plays[200:300]), 100), window=100, sources=["bi"])
    seeds = run.seeds([human(text) for text in plays[300:700]])
    candidates = run.candidates([generated(text, "bi", number) for number, text in enumerate(plays[700:1100])])
    groups = {"seed/text/human": seeds, "generate/text/bi": candidates, "generate/text/all": candidates}
    for group, told in groups.items():
        measured = [each for each in told if each.group == group]
        assert [each.window for each in measured] == list(range(len(measured)))
        assert len(measured) >= (1 if group.endswith("/all") else 2), "every other one is drawn for the whole"
        assert all(each.documents == 100 for each in measured)
    assert {each.group for each in (*seeds, *candidates)} == set(groups)


def test_a_profile_counts_the_time_of_libraries_for_the_function_that_called_them() -> None:
    much = {"much": np.random.default_rng(1).random(1 << 20)}  # takes long to compress, and next to nothing else
    profile = cProfile.Profile()
    profile.enable()
    pack(much)
    for _ in range(10_000):
        words("some words")
    profile.disable()
    assert all(name.startswith(("stats.statistic.", "streams.words.")) for name in profiling.shares(profile, 0.0))
    assert list(profiling.shares(profile, 0.5)) == ["stats.statistic.pack"]
