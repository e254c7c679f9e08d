"""What the monitor is built from: the recipe, and the reference that the policy names."""

from collections import Counter

import structlog

from services.artefact import Artefact
from services.monitor import control
from services.monitor.control import Limits
from services.monitor.core import MonitorCore
from services.monitor.decisions import Decisions
from services.monitor.keeper import Keeper
from services.monitor.state import Setting
from services.monitor.strata import pools_of
from services.monitor.yardstick import PART, Yardstick, human_documents
from services.reference import Parts, accepted
from services.stage import Context
from streams.events import MixPolicySet
from streams.stats.novelty import MEMORY
from streams.stats.sequential import CELL, threshold
from streams.topics import name


def keeper_of(context: Context, policy: MixPolicySet) -> Keeper:
    """Return a keeper for the accepted reference. Reads the topic and takes seconds."""
    recipe = context.recipe
    parts, _, artefact = accepted(context.broker, context.codec, context.pipeline, policy, recipe.monitor.embeddings)
    partitions = context.broker.partitions()[name(context.pipeline, "generate")]
    human = human_documents(artefact, parts["calibrate"], MEMORY // partitions)
    width = width_of(recipe.monitor.window, len(human.keys), partitions)
    size = width * CELL * partitions
    cap = recipe.mix.max_synthetic_share
    limits = Limits(min(recipe.mix.floor, cap), cap, recipe.monitor.target_excess)
    setting = Setting(
        partitions=partitions,
        width=width,
        threshold=threshold(recipe.monitor.documents_between_false_alarms, len(recipe.sources) + 2),
        limits=limits,
        artefact=artefact.hash,
        version=artefact.version,
    )
    sampled = size // CELL * artefact.embeddings
    yardstick = Yardstick(human, size, pools_of(_strata(parts, artefact)), sampled)
    structlog.get_logger().info(
        "measuring", reference=artefact.version, human=len(human.keys), window=size, calibrated=bool(yardstick.nulls)
    )
    return Keeper(context, MonitorCore(setting, yardstick), setting, Decisions(control=control.start(limits)))


def _strata(parts: Parts, artefact: Artefact) -> list[int]:
    """Return how many documents of each stratum the whole reference has."""
    numbers = Counter(artefact.stratum(sample) for samples in parts.values() for sample in samples)
    return [numbers[number] for number in range(len(artefact.strata))]


def width_of(window: int, human: int, partitions: int) -> int:
    """Return a window's cells in each partition: as many as are wanted, or as the human documents can calibrate."""
    most = min(window, human // PART) // (CELL * partitions)
    return max(1, most)
