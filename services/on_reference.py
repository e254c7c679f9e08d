"""A stage that is fitted on the accepted reference: it waits for one that is enough, and ends once another is accepted.

Whoever runs its process starts it again, and then it is fitted on the new one.
"""

from collections.abc import Callable

import structlog

from services.artefact import TooFewError
from services.policy import Policies
from services.stage import Context
from streams.errors import UnavailableError
from streams.events import MixPolicySet
from streams.fold import Fold
from streams.processor import Processor
from streams.topics import name

_IDLE_SECONDS = 0.5

Make = Callable[[MixPolicySet], Processor]


class OnReference:
    """Waits for a policy that names a reference, then is the processor that `make` fits on it; `stage` is its name."""

    def __init__(self, context: Context, stage: str, make: Make) -> None:
        self._context, self._stage, self._make = context, stage, make
        self._policies = Policies(context.codec)
        self._processor: Processor | None = None
        self._version = 0  # that it is fitted on, or waits beyond
        self._fold: Fold | None = None

    def start(self) -> None:
        """Begin to watch the policy, and to work if a reference is accepted. Blocks."""
        self._fold = Fold(self._context.broker, [name(self._context.pipeline, "policy")], self._policies.fold)
        self._fold.catch_up()
        self._begin()
        if self._version == 0:
            structlog.get_logger().info("waiting", why="no reference is accepted yet")

    def step(self) -> int:
        """Handle a batch and return its records; raises UnavailableError once the reference is another."""
        assert self._fold is not None
        self._fold.advance(0.0 if self._processor else _IDLE_SECONDS)
        if self._processor is None:
            self._begin()
            return 0
        if (policy := self._policies.latest) is not None and policy.reference_version != self._version:
            raise UnavailableError(
                f"Reference version {policy.reference_version} is accepted; {self._stage} starts again to be fitted "
                "on it"
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
        if policy is None or policy.reference_version in (0, self._version):
            return
        self._version = policy.reference_version
        try:
            processor = self._make(policy)
        except TooFewError as error:
            structlog.get_logger().warning("waiting", why=str(error))
            return
        self._processor = processor
        self._processor.start()
        structlog.get_logger().info("fitted", reference=self._version)
