import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from monitor_world import PARTITIONS, SETTING, cells_of_stream, documents, took

from services.artefact import SCORES
from services.monitor import change
from services.monitor.cell import Cell
from services.monitor.change import ADMISSION, Change
from services.monitor.group import Group, fresh, warm_up
from streams.stats.novelty import MEMORY
from streams.stats.second_opinion import SecondOpinion
from streams.stats.sequential import CELL

LEAST = SETTING.threshold


def follow(test: Change, cells: list[Cell]) -> list[Change]:
    """Return the test after each cell."""
    found = []
    for each in cells:
        test = test.take(each)
        found.append(test)
    return found


def begun(rng: np.random.Generator) -> Change:
    return follow(change.fresh(len(SCORES)), cells_of_stream(documents(rng, ADMISSION)))[-1]


BEGUN = begun(np.random.default_rng(3))


def test_the_baseline_is_the_first_2000_documents_after_novelty_has_filled_its_memory() -> None:
    assert ADMISSION == 2_000
    rng = np.random.default_rng(1)
    streams = [cells_of_stream(documents(rng, 3_000), partition) for partition in range(PARTITIONS)]
    group: Group = fresh(PARTITIONS, 2)
    taken = 0
    used: list[Cell] = []
    for turn in zip(*streams, strict=True):
        for each in turn:
            assert group.change.admitted == (taken >= MEMORY + ADMISSION)
            group, _ = took(group, each, "generate")
            taken += CELL
            if MEMORY < taken <= MEMORY + ADMISSION:
                used.append(each)
    np.testing.assert_array_equal(group.change.scores, np.concatenate([each.documents.scores for each in used]))
    assert len(group.change.scores) == ADMISSION
    assert group.change.tested == taken - MEMORY - ADMISSION > 0


@pytest.mark.parametrize("partitions", [1, 2, 3, 4, 7, 12])
def test_no_document_of_the_warm_up_is_in_the_baseline(partitions: int) -> None:
    first = warm_up(partitions)  # cells of each partition, which remembers its share of the memory
    assert (first - 1) * CELL < MEMORY // partitions <= first * CELL


@pytest.mark.parametrize(("word", "is_tested"), [("generate", True), ("seed", True), ("verify", False), ("mix", False)])
def test_only_what_sources_and_humans_say_is_tested(word: str, is_tested: bool) -> None:
    group = fresh(1, 2)
    for each in cells_of_stream(documents(np.random.default_rng(1), MEMORY + ADMISSION + CELL)):
        group, _ = took(group, each, word)
    assert group.change.admitted == is_tested
    assert group.change.tested == (CELL if is_tested else 0)


def test_exchangeable_documents_raise_no_alarm() -> None:
    for seed in range(12):
        rng = np.random.default_rng(seed)
        said = follow(begun(rng), cells_of_stream(documents(rng, 3_000)))
        assert max(each.evidence()[0] for each in said) < LEAST


@given(seed=st.integers(0, 2**32), fall=st.sampled_from([0.3, 0.5, -0.5]), score=st.integers(0, len(SCORES) - 1))
@settings(max_examples=20)
def test_a_change_of_one_score_is_found_soon_and_named(seed: int, fall: float, score: int) -> None:
    changed = documents(np.random.default_rng(seed), 600)
    changed.scores[:, score] -= np.float32(fall)
    said = follow(BEGUN, cells_of_stream(changed))
    assert next(each.tested for each in said if each.evidence()[0] >= LEAST) <= 500
    assert said[-1].evidence()[1] == score
    assert np.sign(said[-1].means(changed)[score]) == -np.sign(fall)


@given(seed=st.integers(0, 2**32), healthy=st.integers(0, 20), fall=st.sampled_from([0.1, 0.3, 0.6]))
@settings(max_examples=30)
def test_the_suspects_are_all_documents_since_the_evidence_was_last_low(seed: int, healthy: int, fall: float) -> None:
    rng = np.random.default_rng(seed)
    cells: list[Cell] = []
    for partition in range(PARTITIONS):
        said = cells_of_stream(documents(rng, healthy * CELL), partition)
        rest = cells_of_stream(documents(rng, 15 * CELL, fall), partition)
        cells += [*said, *(each._replace(number=each.number + healthy, start=each.start + 999) for each in rest)]
    cells.sort(key=lambda each: (each.number, each.partition))
    suspects: list[Cell] = []
    for each, test in zip(cells, follow(BEGUN, cells), strict=True):
        suspects = [*suspects, each] if test.evidence()[0] >= 10 else []
        assert test.suspects.tolist() == [key for one in suspects for key in one.documents.keys.tolist()]
        first: dict[int, int] = {}
        for one in suspects:
            first.setdefault(one.partition, one.start)
        assert test.since == first
    assert suspects or fall == 0.1


def test_the_suspects_are_no_more_than_so_many() -> None:
    cells = cells_of_stream(documents(np.random.default_rng(1), 8_500, 0.2))
    found = follow(BEGUN, cells)[-1]
    assert found.suspects.tolist() == [key for each in cells[-320:] for key in each.documents.keys.tolist()]
    assert found.since[0] < cells[-320].start  # what is older is still told


def test_the_second_opinion_is_of_the_baseline_and_of_every_cell_that_is_tested() -> None:
    cells = cells_of_stream(documents(np.random.default_rng(1), 1_000, 0.2))
    said, expected = follow(BEGUN, cells), SecondOpinion(BEGUN.scores.astype(float))
    assert BEGUN.drifts() == expected.get() == {"adwin_drifts": 0.0, "page_hinkley_drifts": 0.0}
    for each, test in zip(cells, said, strict=True):
        expected.update(each.documents.scores.mean(axis=0, dtype=float)[np.newaxis])
        assert test.drifts() == expected.get()
    assert min(said[-1].drifts().values()) >= len(SCORES)
    assert said[-1].retested().drifts() == said[-1].drifts()
    assert follow(said[-1].anew(), cells)[-1].drifts() == {}
    assert set(BEGUN.drifts().values()) == {0.0}, "the one before is as it was"


def test_retesting_keeps_the_baseline_and_forgets_the_evidence() -> None:
    changed = follow(BEGUN, cells_of_stream(documents(np.random.default_rng(1), 500, 0.5)))[-1]
    again = changed.retested()
    assert again.baseline is changed.baseline
    assert (again.evidence()[0], len(again.suspects), dict(again.since), again.tested) == (0.0, 0, {}, 500)
    assert changed.evidence()[0] > LEAST, "the one before is as it was"


def test_a_new_baseline_makes_normal_what_was_a_change() -> None:
    rng = np.random.default_rng(4)
    test = follow(BEGUN, cells_of_stream(documents(rng, 500, 0.5)))[-1].anew()
    assert (test.admitted, test.tested, len(test.suspects)) == (False, 500, 0)
    said = follow(test, cells_of_stream(documents(rng, 6_200, 0.5)))
    first = (MEMORY * 11 // 10 + ADMISSION) // CELL - 1  # first novelty forgets what was said before
    assert said[first].admitted
    assert not said[first - 1].admitted
    assert max(each.evidence()[0] for each in said) < LEAST
    assert said[-1].tested == 500 + 2_000


def test_ties_are_broken_alike_whenever_a_document_is_tested_and_evenly() -> None:
    keys = np.random.default_rng(1).integers(0, 1 << 63, 20_000).astype(np.uint64)
    drawn = change.draws(keys)
    assert drawn.min() >= 0.0
    assert drawn.max() < 1.0
    np.testing.assert_array_equal(drawn[::7], change.draws(keys[::7]))
    assert np.histogram(drawn, 20, (0, 1))[0] == pytest.approx(1_000, abs=150)
    assert np.histogram(change.draws(np.arange(20_000, dtype=np.uint64)), 20, (0, 1))[0] == pytest.approx(
        1_000, abs=150
    )


def test_means_are_told_in_deviations_of_the_baseline_and_a_score_that_never_varies_in_none() -> None:
    said = documents(np.random.default_rng(1), ADMISSION)
    said.scores[:, 0] = 1.0
    test = follow(change.fresh(len(SCORES)), cells_of_stream(said))[-1]
    moved = said._replace(scores=said.scores + said.scores.std(axis=0) * 2)
    assert test.means(moved) == pytest.approx([0, 2, 2, 2], abs=1e-4)
