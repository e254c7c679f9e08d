from dataclasses import replace

import pytest

from services.commands.policy import COLUMNS, row
from services.policy import Policies, allowed_share, decisions
from streams.broker import Record
from streams.codec import Codec
from streams.events import MixPolicySet
from streams.parts import OPEN_END, SourceRange

CODEC = Codec()


def policy(version: int, alpha: float = 0.3, expires_at: int | None = None) -> MixPolicySet:
    return MixPolicySet(
        event_id="", occurred_at=0, version=version, alpha=alpha, expires_at=expires_at, set_by="t", reason="t"
    )


def folded(*events: MixPolicySet) -> Policies:
    policies = Policies(CODEC)
    policies.fold([Record("p.policy", 0, n, None, CODEC.encode(event), 0) for n, event in enumerate(events)])
    return policies


def test_the_newest_version_counts_whatever_the_order() -> None:
    assert folded(policy(2), policy(3, 0.1), policy(1)).in_force(0) == policy(3, 0.1)


def test_a_policy_ends_at_its_time_and_a_pinned_one_never() -> None:
    assert folded(policy(1, expires_at=10)).in_force(9) is not None
    assert folded(policy(1, expires_at=10)).in_force(10) is None
    assert folded(policy(1)).in_force(10**15) is not None


def test_an_expired_newest_policy_does_not_bring_an_older_one_back() -> None:
    assert folded(policy(1), policy(2, expires_at=5)).in_force(6) is None


@pytest.mark.parametrize(
    ("cap", "alpha", "allowed"), [(0.3, 0.5, 0.3), (0.3, 0.1, 0.1), (0.3, -1.0, 0.0), (0.3, None, 0.0)]
)
def test_the_smaller_of_cap_and_policy_holds_and_none_means_nothing(
    cap: float, alpha: float | None, allowed: float
) -> None:
    assert allowed_share(cap, None if alpha is None else policy(1, alpha)) == allowed


def test_the_history_shows_decisions_with_weights_held_ranges_and_inputs() -> None:
    held = (
        SourceRange(source="b", partition=2, from_offset=5, to_offset=9),
        SourceRange(source="c", from_offset=0, to_offset=1),
        SourceRange(source="d", partition=1, from_offset=4_027, to_offset=OPEN_END),
    )
    made = replace(
        policy(3, 0.05, 60_000), weights={"b": 0.0, "a": 1.0}, held=held, inputs={"excess": 1.833}, set_by="monitor"
    )
    renewed = replace(made, version=5, occurred_at=30_000, expires_at=90_000, inputs={"excess": 9.0})
    (decision,) = decisions([made, renewed])
    assert dict(zip(COLUMNS, row(decision), strict=True)) == {
        "version": "3 to 5",
        "set at": "1970-01-01 00:00:00 UTC",
        "share": 0.05,
        "until": "1970-01-01 00:01:30 UTC",
        "weights": "a 1, b 0",
        "held": "b: offsets 5 to 8 of partition 2; c: offsets 0 to 0; d: from offset 4,027 on of partition 1",
        "by": "monitor",
        "reason": "t",
        "inputs": "excess 1.83",
    }
