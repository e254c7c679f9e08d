"""What the monitor is built from: the recipe, and the reference that the policy names."""

from services.artefact import Artefact
from services.monitor import control
from services.monitor.control import Limits
from services.monitor.core import MonitorCore, Setting
from services.monitor.decisions import Decisions
from services.monitor.keeper import Keeper
from services.monitor.yardstick import Yardstick, human_documents
from services.reference import artefact_of, samples_of
from services.stage import Context
from streams.events import MixPolicySet
from streams.stats.novelty import MEMORY
from streams.stats.sequential import CELL, threshold
from streams.topics import name


def keeper_of(context: Context, policy: MixPolicySet) -> Keeper:
    """Return a keeper for the accepted reference. Reads the topic and takes seconds."""
    artefact, recipe = artefact_of(context, policy), context.recipe
    partitions = context.broker.partitions()[name(context.pipeline, "generate")]
    width = max(1, round(recipe.monitor.window / CELL / partitions))
    limits = Limits(
        recipe.mix.floor, max(recipe.mix.floor, recipe.mix.max_synthetic_share), recipe.monitor.target_excess
    )
    setting = Setting(
        partitions=partitions,
        width=width,
        threshold=threshold(recipe.monitor.documents_between_false_alarms, len(recipe.sources) + 1),
        limits=limits,
        artefact=artefact.hash,
        version=artefact.version,
    )
    yardstick = _yardstick(context, policy, artefact, width * CELL * partitions)
    return Keeper(context, MonitorCore(setting, yardstick), setting, Decisions(control=control.start(limits)))


def _yardstick(context: Context, policy: MixPolicySet, artefact: Artefact, size: int) -> Yardstick:
    partitions = context.broker.partitions()[name(context.pipeline, "generate")]
    samples = samples_of(context, policy, "calibrate")
    return Yardstick(human_documents(artefact, samples, MEMORY // partitions), size)
