import numpy as np
from crashing import CrashingBroker
from generate_world import CODEC, World
from hypothesis import given
from hypothesis import strategies as st

from services.generate.backlog import Backlog
from services.generate.calls import Calls, Counts, Seen
from services.generate.quota import Limits, room, share
from services.generate.upcoming import Draft, Upcoming
from services.generate.wave import LARGEST_SIZE, next_size
from streams.topics import name

NONE = Counts(0, 0, 0, 0, 0)
SEEN = st.lists(st.tuples(st.integers(0, 30), st.sampled_from(list(Seen))))


@given(st.integers(0, 10_000), st.integers(1, 64))
def test_the_shares_of_all_slots_sum_up_and_differ_by_one_at_most(total: int, slots: int) -> None:
    shares = [share(total, slot, slots) for slot in range(slots)]
    assert sum(shares) == total
    assert max(shares) - min(shares) <= 1


def test_the_smallest_of_target_cap_and_flow_is_the_room() -> None:
    assert room(NONE, NONE, Limits(100, 400, 50, 200, 1_000), 0).calls == 50
    assert room(NONE, NONE, Limits(100, 400, 50, 30, 1_000), 0).calls == 30
    assert room(NONE, NONE, Limits(100, 400, 50, 200, 20), 5).calls == 15
    assert room(Counts(1, 2, 3, 4, 9), Counts(1, 2, 3, 4, 9), Limits(100, 400, 50, 200, 1_000), 0).calls == 40
    assert room(Counts(0, 0, 0, 0, 195), Counts(0, 0, 0, 0, 195), Limits(100, 400, 50, 200, 1_000), 0).calls == 5
    assert room(NONE, Counts(0, 0, 0, 97, 0), Limits(100, 400, 50, 200, 1_000), 0).calls == 3
    assert room(NONE, Counts(0, 0, 0, 0, 395), Limits(100, 400, 50, 200, 1_000), 0).calls == 5


@given(SEEN, SEEN)
def test_counts_do_not_depend_on_repeats_or_on_the_order_of_what_is_seen(
    seen: list[tuple[int, Seen]], again: list[tuple[int, Seen]]
) -> None:
    facts = [(call, what) for call, what in seen if what not in (Seen.ASKED, Seen.REFUSED)]
    forward, backward = Calls(1, 3), Calls(1, 3)
    for call, what in facts:
        forward.mark(call, what)
    repeats = [fact for fact in again if fact in facts]
    for call, what in [*reversed(facts), *repeats]:
        backward.mark(call, what)
    assert forward.all == backward.all
    assert forward.own == backward.own
    assert forward.all.used == len({call for call, _ in facts})
    assert forward.own.used == len({call for call, _ in facts if call % 3 == 1})


@given(SEEN, st.integers(1, 5), st.integers(0, 20))
def test_fresh_calls_are_the_first_of_the_slot_of_which_nothing_was_seen(
    seen: list[tuple[int, Seen]], slots: int, count: int
) -> None:
    slot = slots - 1
    calls = Calls(slot, slots)
    used = set()
    for call, what in seen:
        calls.mark(call, what)
        used.add(call)
        calls.fresh(3)
    expected = [call for call in range(slot, 1_000, slots) if call not in used][:count]
    assert calls.fresh(count) == expected


@given(st.sets(st.integers(0, 40), min_size=1), st.integers(1, 4), st.data())
def test_calls_that_are_as_good_as_lost_leave_the_accepted_of_their_slot_and_of_all(
    accepted: set[int], slots: int, data: st.DataObject
) -> None:
    lost = data.draw(st.sets(st.sampled_from(sorted(accepted))))
    for slot in range(slots):
        calls = Calls(slot, slots)
        for call in accepted:
            calls.mark(call, Seen.ACCEPTED)
        own, everyone = calls.without(np.array(sorted(lost), np.int64))
        mine = [call for call in accepted if call % slots == slot]
        gone = len(lost & set(mine))
        assert own == Counts(0, 0, 0, len(mine) - gone, gone)
        assert everyone == Counts(0, 0, 0, len(accepted) - len(lost), len(lost))


def test_an_accepted_call_stays_accepted_whatever_else_is_seen() -> None:
    calls = Calls(0, 1)
    for what in (Seen.ACCEPTED, Seen.LOST, Seen.REVIEW, Seen.MADE):
        calls.mark(0, what)
    assert calls.all == Counts(0, 0, 0, 1, 0)


def test_asking_again_takes_a_refusal_back() -> None:
    calls = Calls(0, 1)
    calls.mark(0, Seen.REFUSED)
    assert calls.all.lost == 1
    calls.mark(0, Seen.ASKED)
    assert calls.all == Counts(1, 0, 0, 0, 0)


def test_the_mix_is_looked_at_only_when_it_could_matter_and_once_a_second_at_most() -> None:
    world = World()
    broker = CrashingBroker(world.broker, None)
    backlog = Backlog(broker, CODEC, name(world.pipeline, "mix"))
    assert backlog.unmixed(5, 10, 0) == 5
    assert broker.calls == 0
    assert backlog.unmixed(15, 10, 0) == 15
    looked = broker.calls
    assert looked > 0
    assert backlog.unmixed(15, 10, 999) == 15
    assert broker.calls == looked
    backlog.unmixed(15, 10, 1_000)
    assert broker.calls > looked


@given(st.lists(st.sampled_from("abc"), max_size=30), st.lists(st.sets(st.sampled_from("abc")), max_size=40))
def test_each_source_has_its_calls_in_order_and_one_without_room_holds_up_no_other(
    sources: list[str], rooms: list[set[str]]
) -> None:
    drafts = [Draft(index, source, 0, frozenset()) for index, source in enumerate(sources)]
    upcoming, taken = Upcoming(iter(drafts)), list[Draft]()
    for free in rooms:
        found = upcoming.take(lambda draft, free=free: draft.source if draft.source in free else None)
        left = [draft for draft in drafts if draft.source in free and draft not in taken]
        assert (found is None) == (not left)
        if found is not None:
            assert found[1] == found[0].source
            taken.append(found[0])
    for source in "abc":
        mine = [draft for draft in drafts if draft.source == source]
        got = [draft for draft in taken if draft.source == source]
        assert got == mine[: len(got)]


def test_the_plan_is_not_read_further_than_somebody_answers() -> None:
    drafts = iter([Draft(index, "a", 0, frozenset()) for index in range(9)])
    upcoming = Upcoming(drafts)
    assert upcoming.take(lambda draft: draft.source) is not None
    assert next(drafts).call_index == 1


@given(st.integers(1, LARGEST_SIZE), st.floats(0, 1_000))
def test_the_size_of_a_wave_goes_towards_the_time_aimed_at(size: int, taken: float) -> None:
    after = next_size(size, taken)
    assert 1 <= after <= LARGEST_SIZE
    assert after <= size or taken < 1
    assert after >= size or taken > 1
    assert size // 2 <= after <= 2 * size
