"""monitor: reads sketch, policy and reference, and its own state; writes measure, state and policy.

One is active; a second in another slot is a hot standby. It accepts the first reference itself, once ingest has been
idle; later ones only a person accepts, and each ends the process, so that it starts again with new yardsticks.
"""

from typing import Protocol

import structlog

from services import meaning
from services.artefact import TooFewError
from services.monitor.building import keeper_of
from services.monitor.export import export_state
from services.monitor.first_reference import accept_first
from services.monitor.keeper import Keeper
from services.monitor.steward import Steward
from services.stage import Context, Stage
from streams.errors import UnavailableError
from streams.events import MixPolicySet

_IDLE_SECONDS = 0.5


class Engine(Protocol):
    """What carries sketches to the keeper and its state to the log."""

    @property
    def is_active(self) -> bool:
        """Whether this process has the sketches, or stands by."""

    def start(self) -> None:
        """Build the state and join the group. Blocks."""

    def step(self) -> int:
        """Take sketches for a moment; returns how many."""

    def close(self) -> None:
        """Leave."""


def build(context: Context) -> Stage:
    """Return one slot of the monitor."""
    return Monitor(context)


class Monitor:
    """Waits for a reference that is enough, then measures and steers."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._steward = Steward(context)
        self._weights = {source.name: source.weight for source in context.recipe.sources}
        self._keeper: Keeper | None = None
        self._engine: Engine | None = None
        self._version = 0  # that it measures by, or waits beyond

    def start(self) -> None:
        """Read the policy, and begin if a reference is accepted. Blocks; UnavailableError where an extra is missing."""
        meaning.check(self._context.recipe.monitor.embeddings)
        self._steward.start()
        self._begin(self._steward.look())

    def step(self) -> int:
        """Take sketches and keep the policy in step; raises UnavailableError once the reference is another."""
        if self._engine is None or self._keeper is None:
            self._begin(self._steward.look(_IDLE_SECONDS))
            return 0
        taken = self._engine.step()
        policy = self._steward.look()
        if policy is not None and policy.reference_version != self._version:
            raise UnavailableError(
                f"Reference version {policy.reference_version} is accepted; the monitor starts again to measure by it"
            )
        if self._engine.is_active:
            self._keeper.state = self._steward.tend(self._keeper.state)
            export_state(self._context.metrics, self._keeper.state, self._weights)
        return taken

    def close(self) -> None:
        """Leave."""
        if self._engine is not None:
            self._engine.close()
        self._steward.close()

    def _begin(self, policy: MixPolicySet | None) -> None:
        if policy is None or policy.reference_version == 0:
            accept_first(self._context)
            return
        if policy.reference_version == self._version:
            return
        self._version = policy.reference_version
        try:
            self._keeper = keeper_of(self._context, policy)
        except TooFewError as error:
            structlog.get_logger().warning("waiting", why=str(error))
            return
        self._engine = _engine(self._context, self._keeper)
        self._engine.start()


def _engine(context: Context, keeper: Keeper) -> Engine:
    """Import only the engine that is used: Faust takes a second."""
    if context.recipe.monitor.engine == "processor":
        from services.monitor.on_processor import OnProcessor  # noqa: PLC0415

        return OnProcessor(context, keeper)
    from services.monitor.on_faust import OnFaust  # noqa: PLC0415

    return OnFaust(context, keeper)
