"""What every stage is to the process that runs it, and the loop that runs it."""

import gc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydantic import SecretStr

from services.recipe import Recipe
from streams.broker import Broker
from streams.codec import Codec
from streams.metrics import Metrics

_YOUNG = 50_000  # objects; a batch of 1,000 candidates has some 15,000


class Stage(Protocol):
    """One slot of one stage in one process."""

    def start(self) -> None:
        """Fence the predecessor and build the state. Blocks."""

    def step(self) -> int:
        """Do one piece of work and return its size in records; blocks for a second at most when there is none."""

    def close(self) -> None:
        """Let go of connections."""


def _no_key(_: str) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Everything a stage is built from; `now` gives UTC milliseconds, `keys` the API keys by their variables.

    Of the folders only `spools` may be deleted.
    """

    recipe: Recipe
    broker: Broker
    codec: Codec
    slot: int
    now: Callable[[], int]
    metrics: Metrics
    spools: Path
    folder: Path = Path()  # state of the pipeline
    dead_letter_limit: int = 100
    review_host: str = "127.0.0.1"
    evaluate_host: str = "127.0.0.1"
    evaluate_token: SecretStr | None = None
    keys: Callable[[str], SecretStr | None] = _no_key

    @property
    def pipeline(self) -> str:
        """The pipeline's name."""
        return self.recipe.pipeline


def start(stage: Stage) -> None:
    """Start a stage in a process of its own. Blocks.

    What is there by then stays, so the garbage collector need not look at it ever again, and a batch's objects live
    until it is written, so there is no use in looking at them before: both would take a tenth of a stage's time.
    """
    stage.start()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG)


def run(stage: Stage, started: Callable[[], None], stopping: Callable[[], bool]) -> None:
    """Run a stage until `stopping` says so, and tell once it has started; what it raises comes out."""
    try:
        start(stage)
        started()
        while not stopping():
            stage.step()
    finally:
        stage.close()
