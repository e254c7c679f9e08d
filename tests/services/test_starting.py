"""What is there when a stage has started is left alone by the garbage collector, and garbage is not kept."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from services.stage import run, start


class Folding:
    """A stage that makes state and garbage as it starts."""

    def __init__(self) -> None:
        self.state: list[list[int]] = []
        self.garbage: weakref.ref[Folding] | None = None
        self.is_closed = False

    def start(self) -> None:
        self.state = [[] for _ in range(100)]
        circle = Folding()
        circle.state = [circle]  # type: ignore[list-item]
        self.garbage = weakref.ref(circle)

    def step(self) -> int:
        return 0

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    gc.disable()  # so that only the start collects
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()
    gc.enable()


def looked_at(state: list[list[int]]) -> bool:
    """Tell whether a collection would look at the state."""
    return any(each is state for each in gc.get_objects())


def test_what_a_stage_has_built_is_never_looked_at_again() -> None:
    stage = Folding()
    start(stage)
    assert not looked_at(stage.state)
    stage.state = [[]]
    assert looked_at(stage.state)


def test_what_was_garbage_by_then_is_gone() -> None:
    stage = Folding()
    start(stage)
    assert stage.garbage is not None
    assert stage.garbage() is None


def test_a_batch_is_not_looked_at_while_it_is_handled() -> None:
    start(Folding())
    assert gc.get_threshold()[0] > 15_000  # objects of 1,000 candidates


def test_a_stage_that_is_run_starts_so() -> None:
    stage, seen = Folding(), []
    run(stage, lambda: seen.append(looked_at(stage.state)), lambda: True)
    assert (seen, stage.is_closed) == ([False], True)
