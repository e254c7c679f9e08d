from dataclasses import replace

import pytest
from books import CODEC, NAME, Books, sample

from services.errors import InputError
from services.policy import allowed_share
from services.steering import _set, accept_reference, history, release_source, set_share
from streams.events import MixPolicySet, SampleIngested
from streams.parts import SourceRange


@pytest.fixture
def books() -> Books:
    return Books()  # with policy 0


def share(books: Books, alpha: float, expires_at: int | None = None) -> MixPolicySet:
    return set_share(books.broker, CODEC, NAME, alpha=alpha, expires_at=expires_at, reason="why", now=1_000)


def test_each_policy_has_the_next_version_and_its_own_id(books: Books) -> None:
    first, second = share(books, 0.2), share(books, 0.3, 5_000)
    assert [first.version, second.version] == [1, 2]
    assert first.event_id != second.event_id
    assert (second.alpha, second.expires_at, second.reason, second.occurred_at) == (0.3, 5_000, "why", 1_000)
    assert second.set_by
    assert [each.version for each in history(books.broker, CODEC, NAME)] == [0, 1, 2]
    assert history(books.broker, CODEC, NAME)[-1] == second


def test_a_version_that_the_monitor_writes_first_costs_a_person_nothing(books: Books) -> None:
    asked = []

    def change(last: MixPolicySet) -> MixPolicySet:
        asked.append(last.version)
        if len(asked) == 1:
            books.policy(last.version, 0.05)
        return replace(last, alpha=0.2, reason="mine")

    made = _set(books.broker, CODEC, NAME, change, 1_000)
    assert (asked, made.version) == ([1, 2], 2)
    assert [each.alpha for each in history(books.broker, CODEC, NAME)][-2:] == [0.05, 0.2]
    assert history(books.broker, CODEC, NAME)[-1] == made


def test_a_policy_that_was_sent_again_is_in_the_history_once(books: Books) -> None:
    first = share(books, 0.2)
    books.write("policy", "", first)
    assert [each.version for each in history(books.broker, CODEC, NAME)] == [0, 1]


def test_a_person_who_sets_the_share_does_not_release_what_is_held(books: Books) -> None:
    held = (SourceRange(source="a", from_offset=0, to_offset=9),)
    books.policy(1, 0.1, held=held, weights={"a": 0.0}, regenerate=("a",))
    made = share(books, 0.3)
    assert (made.held, made.weights) == (held, {"a": 0.0})
    assert made.regenerate == ()  # an order, given once


def test_a_source_that_is_out_can_be_released_and_the_share_stays(books: Books) -> None:
    of_a, of_b = (SourceRange(source=name, from_offset=0, to_offset=9) for name in "ab")
    books.policy(1, 0.1, held=(of_a, of_b), weights={"a": 0.0, "b": 0.0})
    made = release_source(books.broker, CODEC, NAME, source="a", reason="false alarm", now=2_000)
    assert (made.held, made.weights, made.alpha, made.reason) == ((of_b,), {"a": 1.0, "b": 0.0}, 0.1, "false alarm")
    with pytest.raises(InputError, match="Source c is not out"):
        release_source(books.broker, CODEC, NAME, source="c", reason="?", now=2_000)


def test_a_reference_is_accepted_as_it_is_now_and_the_share_stays(books: Books) -> None:
    human = sample(50, "human")
    event = SampleIngested(event_id="e", occurred_at=1, pool="reference", sample=human)
    for partition in (0, 0, 2):
        books.write("reference", human.sample_id, event, partition)
    books.write("seed", human.sample_id, event, 3)
    made = accept_reference(books.broker, CODEC, NAME, reason="good", now=2_000)
    assert made.seed_end == (6, 0, 0, 1)
    assert (made.reference_version, made.reference_end, made.alpha) == (1, (2, 0, 1, 0), 0.5)
    assert accept_reference(books.broker, CODEC, NAME, reason="again", now=3_000).reference_version == 2


def test_before_the_first_policy_a_reference_allows_nothing_synthetic() -> None:
    from streams import topics
    from streams.memory import MemoryBroker

    broker = MemoryBroker()
    topics.ensure(broker, NAME)
    made = accept_reference(broker, CODEC, NAME, reason="good", now=1)
    assert (made.version, made.reference_version) == (0, 1)
    assert allowed_share(0.5, made) == 0.0


@pytest.mark.parametrize("text", ["", "60", "s", "0s", "1.5h", "-5m", "60s60s", "9999999999d"])
def test_a_time_that_is_none_is_bad_input(text: str) -> None:
    from services.commands.policy import _seconds

    with pytest.raises(InputError, match="is no time"):
        _seconds(text)


@pytest.mark.parametrize(("text", "seconds"), [("60s", 60), ("15m", 900), ("8h", 28_800), ("2d", 172_800)])
def test_a_time_is_read_with_its_unit(text: str, seconds: int) -> None:
    from services.commands.policy import _seconds

    assert _seconds(text) == seconds
