import pytest

from services.policy import Policies, allowed_share
from streams.broker import Record
from streams.codec import Codec
from streams.events import MixPolicySet

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
