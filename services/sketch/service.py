"""sketch: reads seed, generate, verify, reject and mix (state: reference, policy and its own outputs), writes sketch.

Waits until a reference version is accepted, for what it writes is computed by models of the reference. A new version
ends the process, so that it starts again with the new models.
"""

from services import meaning
from services.policy import Policies
from services.reference import accepted
from services.sketch.groups import Groups
from services.sketch.handler import Handler
from services.sketch.wiring import WIRING
from services.stage import Context, Stage
from streams.errors import UnavailableError
from streams.fold import Fold
from streams.processor import Limits, Processor
from streams.topics import name

_SECONDS = 2.0
_IDLE_SECONDS = 0.5
_RECORDS = 1_000
_RECORDS_WITH_MEANINGS = 400  # with a vector each, a sketch of twice as many is more than Kafka takes in one record


def build(context: Context) -> Stage:
    """Return one slot of sketch."""
    return Sketch(context)


class Sketch:
    """Waits for the reference, then is a processor."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._policies = Policies(context.codec)
        self._processor: Processor | None = None
        self._version = 0
        self._fold: Fold | None = None

    def start(self) -> None:
        """Begin to watch the policy. Blocks; raises UnavailableError where an extra is missing."""
        meaning.check(self._context.recipe.monitor.embeddings)
        self._fold = Fold(self._context.broker, [name(self._context.pipeline, "policy")], self._policies.fold)
        self._fold.catch_up()
        self._begin()

    def step(self) -> int:
        """Sketch a batch and return its records; raises UnavailableError once the reference is another."""
        assert self._fold is not None
        self._fold.advance(0.0 if self._processor else _IDLE_SECONDS)
        if self._processor is None:
            self._begin()
            return 0
        if (policy := self._policies.latest) is not None and policy.reference_version != self._version:
            raise UnavailableError(
                f"Reference version {policy.reference_version} is accepted; sketch starts again to be fitted on it"
            )
        return self._processor.step()

    def close(self) -> None:
        """Leave."""
        if self._processor is not None:
            self._processor.close()
        if self._fold is not None:
            self._fold.close()

    def _begin(self) -> None:
        policy = self._policies.latest
        if policy is None or policy.reference_version == 0:
            return
        context, embeddings = self._context, self._context.recipe.monitor.embeddings
        _, artefact = accepted(context.broker, context.codec, context.pipeline, policy, embeddings)
        self._version = artefact.version
        self._processor = Processor(
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
        self._processor.start()
