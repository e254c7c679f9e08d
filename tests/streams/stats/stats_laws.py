"""The laws of every statistic; `test_stats_laws.py` tries them on the CASES of each `stats_case_<file>.py` here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from streams.stats.statistic import Statistic, pack, unpack


@dataclass(frozen=True)
class Case:
    """One statistic, how it is made, and inputs for it.

    `batches(rng, count)` gives `count` batches as `update` takes them. `tolerance` is the relative error that the
    statistic states for a merge; 0 means equal to rounding (1e-9). `ordered`: what it is depends on the order of the
    documents, and its docstring says so. `most_bytes` bounds its packed state however much it has seen.
    """

    name: str
    make: Callable[[], Statistic[Any]]
    batches: Callable[[np.random.Generator, int], Sequence[Any]]
    most_bytes: int
    tolerance: float = 0.0
    ordered: bool = False


def after(case: Case, batches: Sequence[Any]) -> Statistic[Any]:
    statistic = case.make()
    for batch in batches:
        statistic.update(batch)
    return statistic


def agree(one: Mapping[str, float], other: Mapping[str, float], tolerance: float) -> None:
    assert list(one) == list(other)
    for key, value in one.items():
        error = max(tolerance, 1e-9)
        np.testing.assert_allclose(other[key], value, rtol=error, atol=1e-12, equal_nan=True, err_msg=key)


def merging_parts_is_one_pass(case: Case, rng: np.random.Generator) -> None:
    batches = case.batches(rng, 12)
    whole = case.make()
    for start in range(0, 12, 4):
        part = after(case, batches[start : start + 4])
        before = pack(part.state())
        whole.merge(part)
        assert pack(part.state()) == before, "merging changed the other"
    agree(after(case, batches).get(), whole.get(), case.tolerance)


def an_empty_one_changes_nothing(case: Case, rng: np.random.Generator) -> None:
    seen = after(case, case.batches(rng, 3))
    expected = dict(seen.get())
    seen.merge(case.make())
    agree(expected, seen.get(), 0.0)
    fresh = case.make()
    fresh.merge(after(case, case.batches(rng, 0)))
    agree(case.make().get(), fresh.get(), 0.0)


def order_does_not_matter(case: Case, rng: np.random.Generator) -> None:
    batches = case.batches(rng, 8)
    shuffled = [batches[place] for place in rng.permutation(len(batches))]
    agree(after(case, batches).get(), after(case, shuffled).get(), case.tolerance)


def a_restored_state_goes_on_the_same(case: Case, rng: np.random.Generator) -> None:
    batches = case.batches(rng, 6)
    first, second = after(case, batches[:3]), case.make()
    second.restore(unpack(pack(first.state())))
    agree(first.get(), second.get(), 0.0)
    for batch in batches[3:]:
        first.update(batch)
        second.update(batch)
    agree(first.get(), second.get(), 0.0)
    assert pack(first.state()) == pack(second.state())


def its_state_stays_small(case: Case, rng: np.random.Generator) -> None:
    statistic = after(case, case.batches(rng, 40))
    assert len(pack(statistic.state())) <= case.most_bytes


LAWS = (
    merging_parts_is_one_pass,
    an_empty_one_changes_nothing,
    order_does_not_matter,
    a_restored_state_goes_on_the_same,
    its_state_stays_small,
)
