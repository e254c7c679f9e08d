from collections.abc import Callable, Sequence
from contextlib import suppress

import numpy as np
import pytest
from crashing import Crash, CrashingBroker
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sketch_world import accept, cells, context, drain, put, sample, sketched, text, world

from services import meaning
from services.monitor import service as monitoring
from services.monitor.building import keeper_of
from services.monitor.state import State
from services.policy import Policies
from services.sketch import service as sketching
from services.stage import Context, Stage
from streams.errors import UnavailableError
from streams.events import CollapseMeasured
from streams.fold import Fold
from streams.memory import MemoryBroker
from streams.stats.sequential import CELL
from streams.topics import name

THREE = {"meaning_mmd2", "meaning_recall", "meaning_coverage"}
GENERATED = [sample(f"g{n}", text(f"g{n}", 70 if n % 7 else 10), "tri" if n % 3 else "bi") for n in range(600)]
SAID = {int(each.sample_id[:16], 16): each.turns[0].text for each in GENERATED}


def told(texts: Sequence[str]) -> NDArray[np.float32]:
    """Stand for the model: another vector for each text, whatever stands beside it."""
    seeds = [list(each.encode()) for each in texts]
    return np.array([np.random.default_rng(seed).normal(size=meaning.DIMENSIONS) for seed in seeds], np.float32)


@pytest.fixture
def without_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meaning, "vectors", told)
    monkeypatch.setattr(meaning, "check", lambda _: None)


@pytest.mark.parametrize("embeddings", [2, 5])
def test_the_first_of_each_cell_have_the_vector_of_their_text_and_all_others_none(
    embeddings: int, without_model: None
) -> None:
    broker = world()
    accept(broker)
    for start in range(0, len(GENERATED), 150):
        put(broker, "generate", GENERATED[start : start + 150])
        drain(broker, embeddings)
    found = list(cells(broker).values())
    assert len(found) >= 12
    for cell in found:
        assert cell.meanings.shape == (CELL, meaning.DIMENSIONS)
        expected = told([SAID[key] for key in cell.keys.tolist()]).astype(np.float16)
        np.testing.assert_array_equal(cell.meanings[:embeddings], expected[:embeddings])
        assert not cell.meanings[embeddings:].any()


@given(st.lists(st.integers(1, 40), max_size=4), st.integers(0, 2**32))
@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_wherever_it_is_killed_the_same_documents_have_vectors(
    without_model: None, crashes: list[int], seed: int
) -> None:
    killed_as_calm(GENERATED[:300], crashes, np.random.default_rng(seed))


def killed_as_calm(said: Sequence[object], crashes: list[int], rng: np.random.Generator) -> MemoryBroker:
    """Sketch with and without kills, and see that the cells have the same bytes; return the broker of the kills."""
    broker, calm = world(), world()
    for each in (broker, calm):
        accept(each)
    left = list(said)
    while left:
        size = int(rng.integers(1, 120))
        part, left = left[:size], left[size:]
        for each in (broker, calm):
            put(each, "generate", part)  # type: ignore[arg-type]
        with suppress(Crash):  # it may be done before
            drain(CrashingBroker(broker, crashes.pop() if crashes else 10_000, after=bool(rng.integers(2))), 2)
    drain(broker, 2)
    drain(calm, 2)
    one, other = cells(broker), cells(calm)
    assert sorted(one) == sorted(other)
    for key, cell in one.items():
        assert cell.to_bytes() == other[key].to_bytes()
        assert cell.meanings.any(axis=1).tolist() == [place < 2 for place in range(CELL)]
    return broker


def test_cells_with_and_without_vectors_are_never_joined(without_model: None) -> None:
    broker = world()
    accept(broker)
    put(broker, "generate", GENERATED[:130])
    drain(broker)
    put(broker, "generate", GENERATED[130:400])
    drain(broker, 5)
    put(broker, "generate", GENERATED[400:])
    drain(broker, 2)
    assert len({each.artefact_hash for each in sketched(broker)}) == 3
    sampled = {tuple(np.flatnonzero(cell.meanings.any(axis=1))) for cell in cells(broker).values()}
    assert sampled == {(), (0, 1), (0, 1, 2, 3, 4)}


@pytest.mark.parametrize("build", [sketching.build, monitoring.build])
def test_a_stage_does_not_start_without_the_model_that_the_recipe_wants(
    build: Callable[[Context], Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meaning, "find_spec", lambda _: None)
    with pytest.raises(UnavailableError, match=r"monitor.embeddings is 3 .*pip install 'ballast\[embeddings\]'"):
        build(context(world(), embeddings=3)).start()
    made = build(context(world()))
    made.start()
    made.close()


def measured(broker: MemoryBroker, embeddings: int) -> list[CollapseMeasured]:
    """Return what the monitor's core says of all sketches."""
    made = context(broker, embeddings=embeddings)
    policies = Policies(made.codec)
    fold = Fold(broker, [name("p", "policy")], policies.fold)
    fold.catch_up()
    fold.close()
    assert policies.latest is not None
    keeper = keeper_of(made, policies.latest)
    state: State = keeper.state
    found: list[CollapseMeasured] = []
    for offset, event in enumerate(sketched(broker)):
        step = keeper.take(state, event, offset)
        state, found = step.state, [*found, *step.measured]
    return found


def sampled_windows(crashes: list[int]) -> list[CollapseMeasured]:
    """Return the windows of a source of which a fifth of the documents have a vector, after some kills."""
    broker = world()
    put(broker, "reference", (sample(f"c{n}", text(f"c{n}")) for n in range(450)), "calibrate")
    accept(broker)
    put(broker, "generate", (sample(f"g{n}", text(f"g{n}"), "tri") for n in range(320)))
    for each in crashes:
        with suppress(Crash):
            drain(CrashingBroker(broker, each, after=False), 5)
    drain(broker, 5)
    return measured(broker, 5)


def test_windows_tell_what_is_meant_beside_what_humans_mean(without_model: None) -> None:
    windows = sampled_windows([])
    assert windows
    for window in windows:
        found = {each.name: each for each in window.statistics if each.name.startswith("meaning_")}
        assert set(found) == THREE
        for each in found.values():
            assert each.null_median is not None
            assert np.isfinite((each.value, each.null_median, each.null_halfwidth)).all()


@pytest.mark.embeddings
def test_with_the_model_cells_have_the_same_bytes_after_kills_and_windows_their_statistics() -> None:
    killed_as_calm(GENERATED[:300], [9, 17, 5], np.random.default_rng(1))
    windows = sampled_windows([6, 11])
    assert windows
    assert all({each.name for each in window.statistics} >= THREE for window in windows)
