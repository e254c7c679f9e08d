from collections import Counter
from itertools import islice

import numpy as np
import pytest
from generate_world import recipe
from hypothesis import given
from hypothesis import strategies as st

from services.generate import by_stratum, quota
from services.generate.by_stratum import furthest_behind, rooms, together
from services.generate.calls import Calls, Counts, Seen
from services.generate.passes import Passes
from services.generate.quota import Limits, Room
from services.recipe import Generate, Quotas, RecipeError

NONE = Counts(0, 0, 0, 0, 0)
TARGETS = st.lists(st.integers(1, 40), min_size=1, max_size=5)


def wanted(targets: list[int], slots: int = 1, over: float = 4.0) -> tuple[Generate, Quotas]:
    quotas = Quotas(targets={f"s{number}": target for number, target in enumerate(targets)})
    return Generate(target=sum(targets), quotas=quotas, slots=slots, over_generate=over), quotas


@pytest.mark.parametrize("total", [4, 6])
def test_quotas_that_are_not_the_target_are_refused(total: int) -> None:
    with pytest.raises(RecipeError, match=rf"the quotas sum up to 5 and target is {total}"):
        recipe(target=total, quotas={"targets": {"fiction": 3, "letters": 2}})


def test_quotas_by_label_need_sources_whose_samples_have_one() -> None:
    local = [{"name": "n", "provider": "local", "family": "n"}]
    with pytest.raises(RecipeError, match="source n of provider local makes samples without one"):
        recipe(target=5, sources=local, quotas={"by": "label", "targets": {"good": 5}})
    assert recipe(target=5, sources=local, quotas={"targets": {"good": 5}}).generate.quotas is not None


@given(TARGETS, st.integers(1, 8), st.sampled_from([1.0, 1.5, 3.3]))
def test_the_limits_of_strata_and_slots_sum_up_to_those_of_the_recipe(
    targets: list[int], slots: int, over: float
) -> None:
    generate, quotas = wanted(targets, slots, over)
    found = [by_stratum.limits(generate, quotas, slot) for slot in range(slots)]
    for stratum, target in enumerate(targets):
        column = [each[stratum] for each in found]
        assert sum(limits.own_target for limits in column) == column[0].target == target
        assert sum(limits.own_calls for limits in column) == column[0].calls == int(target * over)
        assert all(limits.own_calls >= limits.own_target for limits in column)
    for slot, each in enumerate(found):
        assert sum(limits.own_target for limits in each) == quota.limits(generate, slot).own_target


@given(st.lists(st.tuples(st.integers(0, 40), st.sampled_from(list(Seen)))), st.data())
def test_the_counts_of_all_strata_are_those_of_the_calls_that_have_one(
    seen: list[tuple[int, Seen]], data: st.DataObject
) -> None:
    strata = data.draw(st.lists(st.integers(-1, 2), max_size=45))
    calls = Calls(1, 3)
    for call, what in seen:
        calls.mark(call, what)
    of = dict(enumerate(strata))
    accepted = sorted({call for call, what in seen if what == Seen.ACCEPTED})
    lost = data.draw(st.sets(st.sampled_from(accepted))) if accepted else set()
    found = calls.by_stratum(np.array(strata, np.int16), 3, np.array(sorted(lost), np.int64))
    for stratum, counts in enumerate(found):
        alone = Calls(1, 3)
        for call, what in seen:
            if of.get(call) == stratum:
                alone.mark(call, what)
        mine = [call for call in lost if of.get(call) == stratum]
        assert counts == alone.without(np.array(mine, np.int64))


def test_each_stratum_has_the_room_that_its_target_and_its_cap_leave() -> None:
    limits = [Limits(10, 20, 5, 10, 1), Limits(6, 24, 3, 12, 1), Limits(2, 2, 1, 1, 1)]
    own = [Counts(1, 1, 1, 1, 0), Counts(0, 0, 0, 0, 11), Counts(0, 0, 0, 1, 0)]
    found = rooms(own, own, limits)
    assert [each.calls for each in found] == [1, 1, 0]
    assert together(found, 50) == Room(2, "asking")
    assert together(found, 1) == Room(1, "asking")
    assert together(found, 0) == Room(0, "waiting for verify and mix")


def test_what_some_stratum_waits_for_is_told_and_else_how_each_has_ended() -> None:
    done, capped, seedless = Room(0, "target reached"), Room(0, "candidate cap reached"), Room(0, "no seed of label x")
    assert together([done, done], 9).why == "target reached"
    assert together([done, capped, seedless], 9).why == "candidate cap reached; no seed of label x"
    assert together([capped, Room(0, "only review is waiting")], 9).why == "only review is waiting"
    assert together([Room(0, "only review is waiting"), Room(0, "waiting for verdicts")], 9).why.endswith("verdicts")


@given(TARGETS)
def test_strata_keep_step_with_their_targets(targets: list[int]) -> None:
    live = [0] * len(targets)
    for calls in range(1, sum(targets) + 1):
        left = [target - count for target, count in zip(targets, live, strict=True)]
        stratum = furthest_behind(live, targets, left)
        assert stratum is not None
        live[stratum] += 1
        for count, target in zip(live, targets, strict=True):
            assert abs(count - calls * target / sum(targets)) <= len(targets)
    assert live == targets
    assert furthest_behind(live, targets, [0] * len(targets)) is None


@given(st.integers(1, 30), st.integers(1, 4), st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.booleans())))
def test_all_slots_draw_each_seed_once_in_a_pass_though_calls_overtake_each_other_and_processes_restart(
    size: int, slots: int, draws: list[tuple[int, int, bool]]
) -> None:
    seeds = list(range(100, 100 + size))
    drawn = [Counter[int]() for _ in range(slots)]
    passes = [Passes("p", seeds, slot, slots) for slot in range(slots)]
    for number, skipped, is_restarted in draws:
        slot = number % slots
        if is_restarted:
            passes[slot] = Passes("p", seeds, slot, slots)
        drawn[slot][next(islice(passes[slot].ahead(drawn[slot]), skipped, None))] += 1
        again = Passes("p", seeds, slot, slots).ahead(drawn[slot])
        assert list(islice(passes[slot].ahead(drawn[slot]), 9)) == list(islice(again, 9))
    each = size * (1 + (len(draws) + 3) // size)  # turns of a slot, none beyond them is taken yet
    for mine, some in zip(drawn, passes, strict=True):
        while mine.total() < each:
            mine[next(some.ahead(mine))] += 1
    assert sum(drawn, Counter()) == dict.fromkeys(seeds, each * slots // size)


def test_passes_have_orders_of_their_own_and_a_seed_that_was_drawn_too_often_waits_for_the_others() -> None:
    seeds = list(range(50))
    plain = list(islice(Passes("p", seeds, 0, 1).ahead(Counter()), 150))
    first, second, third = plain[:50], plain[50:100], plain[100:]
    assert first != second
    assert first != sorted(first)
    early = list(islice(Passes("p", seeds, 0, 1).ahead(Counter({7: 2})), 148))
    assert early == [*(seed for seed in first + second if seed != 7), *third]
