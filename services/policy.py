"""The mixture's policy as the topic `policy` has it: the newest version counts, and only until it expires.

A policy that is missing or has expired allows no synthetic sample at all: silence of the monitor must not be consent.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from streams.broker import Record
from streams.codec import Codec
from streams.events import MixPolicySet


class Policies:
    """The fold of the topic `policy`."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self.latest: MixPolicySet | None = None

    def fold(self, records: Sequence[Record]) -> None:
        """Take records of the topic in; an older version than the one at hand changes nothing."""
        for record in records:
            event = self._codec.decode(record.value)
            if isinstance(event, MixPolicySet) and (self.latest is None or event.version > self.latest.version):
                self.latest = event

    def in_force(self, now: int) -> MixPolicySet | None:
        """Return the newest policy, or None if there is none or it has expired."""
        latest = self.latest
        return None if latest is None or has_expired(latest, now) else latest


def has_expired(policy: MixPolicySet, now: int) -> bool:
    """Tell whether the policy's time is over; one without `expires_at` is pinned by a person."""
    return policy.expires_at is not None and now >= policy.expires_at


def allowed_share(recipe_cap: float, policy: MixPolicySet | None) -> float:
    """Return alpha, the largest synthetic share of a batch (0 to 1): the smaller of both, 0 without a policy."""
    return 0.0 if policy is None else max(0.0, min(recipe_cap, policy.alpha))


class Decision(NamedTuple):
    """One decision: the policy that made it, and the last version that only renewed it."""

    made: MixPolicySet
    renewed: MixPolicySet


def decisions(policies: Sequence[MixPolicySet]) -> list[Decision]:
    """Return the decisions behind policies in the order of their versions; a monitor renews one every few seconds."""
    found: list[Decision] = []
    for policy in policies:
        if found and _renews(policy, found[-1].made):
            found[-1] = found[-1]._replace(renewed=policy)
        else:
            found.append(Decision(policy, policy))
    return found


def _renews(policy: MixPolicySet, made: MixPolicySet) -> bool:
    """Tell whether a policy changes nothing of the mixture but its time.

    Seeds that are given back are an order, given once; which are drawn more changes with nearly every window.
    """
    same = replace(
        policy,
        event_id=made.event_id,
        occurred_at=made.occurred_at,
        version=made.version,
        expires_at=made.expires_at,
        reason=made.reason,
        inputs=made.inputs,
        regenerate=made.regenerate,
        neglected=made.neglected,
    )
    timed = (policy.expires_at is None) == (made.expires_at is None)
    return timed and same == made and not policy.regenerate
