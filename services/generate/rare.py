"""Seeds of the regions that the monitor finds neglected: some calls draw one of them instead of the plan's.

Human text of one region differs from the rest, and the monitor must not take what is drawn here for a change of the
source: with one call in eight, no region of the plays moves the mean p-value of a score by more than 0.035, and its
test leaves 0.05 alone. Local models, which only continue a text, have no such calls.
"""

from collections.abc import Sequence

import numpy as np
import structlog
from numpy.typing import NDArray

from services import artefact, regions
from services.artefact import TooFewError, columns_of
from services.generate.plan import seed_number
from services.generate.pool import SeedPool
from services.reference import read
from services.stage import Context
from streams.events import MixPolicySet
from streams.permutation import permuted
from streams.stats.cells import nearest

_SHARE = 1 / 8
_BRONZE = (13**0.5 - 3) / 2  # independent of what draws sources and strategies
_MOST = 20_000  # seeds that are looked at
_BATCH = 1_000


def is_rare(call_index: int) -> bool:
    """Tell whether a call is one of those that draw a seed of a neglected region (additive recurrence)."""
    return (call_index * _BRONZE) % 1.0 < _SHARE


def rare_seed(call_index: int, rare: Sequence[int], key: str) -> int:
    """Return which of the rare seeds the call starts from; no pass over them draws one twice."""
    return rare[seed_number(call_index, len(rare), f"{key}/rare")]


class RareSeeds:
    """Which seeds of a pool lie in the regions that a policy names; nothing is loaded for one that names none."""

    def __init__(self, context: Context, pool: SeedPool) -> None:
        self._context, self._pool = context, pool
        self._is_wanted = any(not source.is_local for source in context.recipe.sources)
        self._of: tuple[int, int] | None = None
        self._numbers: list[int] = []
        self._regions: NDArray[np.int64] = np.empty(0, np.int64)

    def numbers(self, policy: MixPolicySet | None) -> list[int]:
        """Return the numbers of the rare seeds; blocks for some seconds when reference or pool are new."""
        if policy is None or not policy.neglected or not self._is_wanted:
            return []
        if self._of != (of := (policy.reference_version, self._pool.size)):
            self._of = of
            self._look(policy)
        return [self._numbers[place] for place in np.flatnonzero(np.isin(self._regions, policy.neglected)).tolist()]

    def _look(self, policy: MixPolicySet) -> None:
        """Find the region of each seed that has words enough, of at most so many seeds."""
        context, size = self._context, self._pool.size
        self._numbers, found = [], [np.empty(0, np.int64)]
        try:
            parts = read(context.broker, context.codec, context.pipeline, policy)
            fitted = artefact.build(policy.reference_version, parts["fit"])
        except TooFewError as error:
            structlog.get_logger().warning("generate", why=str(error))
            self._regions = np.empty(0, np.int64)
            return
        human = columns_of(sorted(parts["calibrate"], key=lambda sample: sample.sample_id), fitted.unit)
        centres = regions.codebook(fitted.lsa.vectors(human.flat()).astype(np.float16)).centres
        numbers = permuted("rare", size, 0, min(_MOST, size))
        for start in range(0, len(numbers), _BATCH):
            batch = numbers[start : start + _BATCH]
            columns = columns_of([self._pool.seed(number) for number in batch], fitted.unit)
            self._numbers += [batch[place] for place in columns.places.tolist()]
            vectors = fitted.lsa.vectors(columns.flat()).astype(np.float16)  # as the monitor has them
            found.append(nearest(vectors.astype(np.float64), centres))
        self._regions = np.concatenate(found)
