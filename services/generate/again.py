"""Seeds that are drawn again: an alarm gives back those of the samples that it holds, each once.

An order is a policy that names a source. Its seeds are those of the source's calls planned before it whose candidates
are held or not yet decided on, less those that another source has drawn since. All of it follows from the log at any
time, so nothing has to remember how far an order is carried out.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from services.generate.calls import Calls
from services.generate.drawn import NO_POLICY, Drawn, Keys
from services.generate.kept_out import KeptOut
from streams.events import MixPolicySet
from streams.parts import SourceRange


class Order(NamedTuple):
    """The seeds of a source's calls under the policies `after` to `version` - 1, as far as `held` has the samples."""

    source: str
    after: int
    version: int
    held: tuple[SourceRange, ...]


class Orders:
    """The orders to carry out; a renewed policy repeats its order, and a source that is released has none."""

    def __init__(self) -> None:
        self.open: list[Order] = []
        self._latest = NO_POLICY
        self._named: set[str] = set()

    def take(self, policy: MixPolicySet) -> None:
        """Take the next policy in. Idempotent."""
        if policy.version <= self._latest:
            return
        self._latest = policy.version
        kept_out = {_place(each) for each in (*policy.held, *policy.dropped)}
        self.open = [order for order in self.open if any(_place(each) in kept_out for each in order.held)]
        named = set(policy.regenerate)
        for source in sorted(named - self._named):
            held = tuple(each for each in policy.held if each.source == source)
            after = max((order.version for order in self.open if order.source == source), default=NO_POLICY)
            self.open.append(Order(source, after, policy.version, held))
        self._named = {each for each in named | self._named if each in named or policy.weights.get(each) == 0}


def seeds_left(orders: Iterable[Order], drawn: Drawn, calls: Calls, kept_out: KeptOut) -> list[int]:
    """Return the keys of the seeds that are still to be drawn again, in an order that is the same everywhere."""
    left = [_left(order, drawn, calls, kept_out) for order in orders]
    return [int(key) for key in np.unique(np.concatenate(left))] if left else []


def _left(order: Order, drawn: Drawn, calls: Calls, kept_out: KeptOut) -> Keys:
    theirs = drawn.planned(order.source, order.after, order.version)
    if not theirs.size:
        return drawn.keys(theirs)
    suspect = np.isin(theirs, kept_out.calls(order.held)) | calls.undecided(theirs)
    return np.setdiff1d(drawn.keys(theirs[suspect]), drawn.keys(drawn.since(order.version, order.source)))


def _place(of: SourceRange) -> tuple[str, int, int]:
    return of.source, of.partition, of.from_offset
