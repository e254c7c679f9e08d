"""The composition root: the stages in the order of flow, and everything that one slot of a stage is built from.

Only the process that runs a stage imports it.
"""

import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from services.recipe import Recipe
from services.settings import Settings
from services.stage import Context, Stage
from streams import topics
from streams.broker import Broker
from streams.codec import Codec
from streams.metrics import Metrics
from streams.processor import Wiring
from streams.published import PublishedSchemas

STAGES = ("ingest", "generate", "verify", "review", "mix", "sketch", "monitor", "evaluate")


def now() -> int:
    """Return the time in UTC milliseconds."""
    return time.time_ns() // 1_000_000


def slots(recipe: Recipe) -> list[tuple[str, int]]:
    """Return every (stage, slot) that the recipe runs, in the order of flow."""
    counts = {
        "generate": recipe.generate.slots,
        "verify": recipe.verify.slots,
        "sketch": recipe.monitor.sketch_slots,
        "monitor": recipe.monitor.slots,
        "evaluate": int(recipe.evaluate is not None),
    }
    return [(stage, slot) for stage in STAGES for slot in range(counts.get(stage, 1))]


def codec(broker: Broker, pipeline: str) -> Codec:
    """Return a codec that finds foreign schemas in the topic `schema`."""
    return Codec(PublishedSchemas(broker, pipeline).lookup)


def prepare(broker: Broker, pipeline: str) -> None:
    """Create the topics and publish the schemas, as far as they are not there. Blocks; raises TopicError."""
    topics.ensure(broker, pipeline)
    PublishedSchemas(broker, pipeline).publish(now())


def context(recipe: Recipe, settings: Settings, broker: Broker, slot: int = 0) -> Context:
    """Return what the stages of this process are built from."""
    return Context(
        recipe=recipe,
        broker=broker,
        codec=codec(broker, recipe.pipeline),
        slot=slot,
        now=now,
        metrics=Metrics(),
        spools=settings.spools(recipe.pipeline),
        folder=settings.folder(recipe.pipeline),
        dead_letter_limit=settings.dead_letter_limit,
        review_host=settings.review_host,
        evaluate_host=settings.evaluate_host,
        evaluate_token=settings.evaluate_token,
        keys=settings.key,
    )


def build(stage: str, parts: Context) -> Stage:
    """Return one slot of a stage; imports the stage alone."""
    make: Callable[[Context], Stage] = import_module(f"services.{stage}.service").build
    return make(parts)


def wiring(stage: str) -> Wiring | None:
    """Return what a stage reads as a member of its group; None for one that follows no group."""
    found: Wiring | None = getattr(import_module(f"services.{stage}.service"), "WIRING", None)
    return found


def log_file(folder: Path, stage: str, slot: int) -> Path:
    """Return where the log of one slot lies under the pipeline's folder."""
    return folder / "logs" / f"{stage}-{slot}.log"
