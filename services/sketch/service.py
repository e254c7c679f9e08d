"""sketch: reads seed, generate, verify, reject and mix (state: reference, policy and its own outputs), writes sketch.

Waits until a reference version is accepted, for what it writes is computed by models of the reference.
"""

from services import meaning
from services.on_reference import OnReference
from services.reference import accepted
from services.sketch.groups import Groups
from services.sketch.handler import Handler
from services.sketch.wiring import WIRING
from services.stage import Context, Stage
from streams.events import MixPolicySet
from streams.processor import Limits, Processor
from streams.topics import name

_SECONDS = 2.0
_RECORDS = 1_000
_RECORDS_WITH_MEANINGS = 400  # with a vector each, a sketch of twice as many is more than Kafka takes in one record


def build(context: Context) -> Stage:
    """Return one slot of sketch; raises UnavailableError where an extra is missing."""
    meaning.check(context.recipe.monitor.embeddings)
    return OnReference(context, WIRING.stage, lambda policy: _fitted(context, policy))


def _fitted(context: Context, policy: MixPolicySet) -> Processor:
    embeddings = context.recipe.monitor.embeddings
    artefact = accepted(context.broker, context.codec, context.pipeline, policy, embeddings).artefact
    return Processor(
        broker=context.broker,
        codec=context.codec,
        pipeline=context.pipeline,
        wiring=WIRING,
        slot=context.slot,
        handler=Handler(
            context.codec,
            pipeline=context.pipeline,
            artefact=artefact,
            groups=Groups([source.name for source in context.recipe.sources], artefact.tasks),
            partitions=context.broker.partitions()[name(context.pipeline, "generate")],
            now=context.now,
        ),
        limits=Limits(_RECORDS_WITH_MEANINGS if embeddings else _RECORDS, _SECONDS, context.dead_letter_limit),
        now=context.now,
        metrics=context.metrics,
    )
