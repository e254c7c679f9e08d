from contextlib import closing
from dataclasses import replace

import pytest
from books import CODEC, NAME, SEEDS, Books, good, sample

from services.books.audit import audit, faults
from services.books.candidates import Fact
from services.books.tally import Tally
from streams.broker import TopicPartition
from streams.deadletter import dead_letter
from streams.parts import SourceRange
from streams.samples import Sample


def test_a_good_log_is_balanced_and_every_candidate_has_one_place() -> None:
    books = good()
    assert books.faults() == []
    counts = books.tally().counts()
    assert (counts.candidates, counts.in_flight, counts.accepted, counts.rejected) == (6, 1, 2, 1)
    assert (counts.waiting_review, counts.dead, counts.mixed_synthetic, counts.waiting_mix) == (1, 1, 2, 0)
    assert (counts.seed, counts.batches, counts.mixed_real, counts.epoch) == (SEEDS, 3, 10, 1)
    assert counts.reasons == {"format": 1}
    assert counts.dead_letters == {"verify": 1}
    assert counts.largest_share == 0.25


def test_a_candidate_that_verify_has_passed_without_a_fate_is_lost() -> None:
    books = good()
    books.verified(6)
    (fault,) = books.faults()
    assert fault.law == "lost"
    assert sample(5).sample_id in fault.what


def test_without_any_committed_offset_everything_is_in_flight() -> None:
    books = Books()
    books.generate(0, 1)
    assert books.faults() == []
    assert books.tally().counts().in_flight == 2


@pytest.mark.parametrize("second", ["reject", "bury"])
def test_a_candidate_with_two_fates_is_a_fault(second: str) -> None:
    books = good()
    getattr(books, second)(0)
    assert books.laws() == {"two fates"}


@pytest.mark.parametrize("fate", ["accept", "reject", "ask", "generate", "bury"])
def test_a_fate_that_is_told_twice_is_a_fault(fate: str) -> None:
    books = good()
    getattr(books, fate)({"accept": 0, "reject": 2, "ask": 3, "generate": 0, "bury": 4}[fate])
    assert books.laws() == {"doubled"}


@pytest.mark.parametrize("fate", ["accept", "reject", "ask"])
def test_a_fate_of_what_was_never_generated_is_a_fault(fate: str) -> None:
    books = good()
    getattr(books, fate)(77)
    assert books.laws() == {"stranger"}


def test_a_decided_review_leaves_its_place() -> None:
    books = good()
    books.accept(3)
    assert books.faults() == []
    assert books.tally().counts().waiting_review == 0


def edit_of(number: int, made: int) -> Sample:
    return sample(made, origin="HUMAN_EDITED", parent_ids=(sample(number).sample_id,))


def test_an_edit_is_accepted_under_its_own_id_if_the_candidate_is_rejected_for_it() -> None:
    books = good()
    books.accept(99, made=edit_of(3, 99))
    assert books.laws() == {"two fates"}
    books.reject(3, reason="edited")
    assert books.faults() == []


def test_every_candidate_has_one_place_although_an_edit_is_accepted_too() -> None:
    books = good()
    books.accept(99, made=edit_of(3, 99))
    books.reject(3, reason="edited")
    counts = books.tally().counts()
    assert (counts.accepted, counts.edited, counts.rejected, counts.waiting_mix) == (3, 1, 2, 1)
    fates = counts.accepted - counts.edited + counts.rejected + counts.waiting_review + counts.dead
    assert counts.candidates == fates + counts.in_flight


def test_a_candidate_rejected_for_another_reason_has_no_edit() -> None:
    books = good()
    books.accept(99, made=edit_of(2, 99))
    (fault,) = books.faults()
    assert fault.law == "two fates"
    assert "no candidate is rejected for it" in fault.what


def test_a_candidate_has_one_edit_at_most() -> None:
    books = good()
    books.reject(3, reason="edited")
    books.accept(98, made=edit_of(3, 98))
    books.accept(99, made=edit_of(3, 99))
    (fault,) = books.faults()
    assert fault.law == "two fates"
    assert f"sample {sample(3).sample_id} is rejected for an edit, but 2 edits are accepted" == fault.what


def test_a_candidate_that_is_rejected_for_an_edit_without_one_is_lost() -> None:
    books = good()
    books.reject(3, reason="edited")
    (fault,) = books.faults()
    assert fault.law == "lost"
    assert sample(3).sample_id in fault.what


def test_a_replayed_dead_letter_is_in_flight_until_verify_has_read_it_again() -> None:
    books = good()
    event = CODEC.decode(books.records("dead.verify")[0].value)
    books.write("redo.verify", event.event_id, b"again")
    assert books.faults() == []
    assert books.tally().counts().dead == 0
    books.verified(5, redo=1)
    assert books.laws() == {"lost"}
    books.accept(4)
    assert books.faults() == []


def test_a_replayed_dead_letter_may_die_again() -> None:
    books = good()
    event = CODEC.decode(books.records("dead.verify")[0].value)
    books.write("redo.verify", event.event_id, b"again")
    output = dead_letter("verify", books.records("redo.verify")[0], ValueError("no"), 2)
    books.write(output.word, output.key, output.event)
    books.verified(5, redo=1)
    assert books.faults() == []
    assert books.tally().counts().dead == 1


def test_a_human_sample_is_in_one_pool_only() -> None:
    books = good()
    frame = books.records("seed")[0].value
    books.write("reference", sample(0, "human").sample_id, frame)
    assert books.laws() == {"doubled"}


def test_a_sample_mixed_twice_is_a_fault() -> None:
    books = good()
    books.mix(0)
    assert "doubled" in books.laws()


def test_a_mixed_sample_that_was_not_accepted_is_a_fault() -> None:
    books = good()
    books.mix(2)
    assert books.laws() == {"stranger"}


def test_a_batch_over_its_cap_is_a_fault() -> None:
    books = good()
    books.generate(10, 11, 12)
    books.accept(10, 11, 12)
    books.mix(10, 11, 12)  # 3 of 4, and floor(0.5 * 4) is 2
    (fault,) = books.faults()
    assert fault.law == "batch"
    assert "3 synthetic samples where its cap allows 2" in fault.what


def test_a_batch_may_use_its_cap_to_the_full() -> None:
    books = good()
    books.generate(10, 11)
    books.accept(10, 11)
    books.mix(10, 11)
    assert books.faults() == []


@pytest.mark.parametrize("change", [{"policy_version": -1}, {"policy_version": 7}, {"alpha": 0.6, "recipe_cap": 0.6}])
def test_a_batch_with_more_than_its_policy_allowed_is_a_fault(change: dict[str, float]) -> None:
    books = good()
    books.mix(**change)
    assert books.laws() == {"cap"}


def test_a_batch_index_that_is_used_twice_is_a_fault() -> None:
    books = good()
    books.mix(batch_index=1)
    assert "batch" in books.laws()


def test_a_position_that_is_used_twice_is_a_fault() -> None:
    books = good()
    events = books.batch()
    for event in [*events[:3], replace(events[3], position=2)]:
        books.write("mix", "3", event, 3)
    assert any("position 2 twice" in fault.what for fault in books.faults())


def test_a_missing_batch_is_a_fault() -> None:
    books = good()
    books.mix(batch_index=4)
    assert [fault.what for fault in books.faults()] == ["batch 3 is missing"]


def test_a_batch_that_is_cut_short_is_a_fault() -> None:
    books = good()
    for event in books.batch()[:2]:
        books.write("mix", "3", event, 3)
    assert "batch 3 is not whole" in [fault.what for fault in books.faults()]


def test_a_real_sample_twice_in_an_epoch_is_a_fault() -> None:
    books = good()
    books.mix(source_offset=0, epoch=1, size=1)
    books.mix(source_offset=0, epoch=1, size=1)
    assert any("is twice in epoch 1" in fault.what for fault in books.faults())


def test_a_real_sample_left_out_of_a_finished_epoch_is_a_fault() -> None:
    books = Books()
    books.mix(size=SEEDS - 1)
    assert books.faults() == []  # the epoch is not finished
    books.mix(size=1, epoch=1, source_offset=0)
    assert [fault.law for fault in books.faults()] == ["batch"]


def test_a_real_sample_from_beyond_the_cut_is_a_fault() -> None:
    books = Books()
    books.mix(size=1, source_offset=SEEDS)
    assert books.laws() == {"batch"}


def test_what_a_policy_holds_or_drops_is_not_waiting() -> None:
    books = Books()
    books.generate(0, 1, 2)
    books.accept(0, 1, 2)
    held = SourceRange(source="a", from_offset=0, to_offset=1)
    dropped = SourceRange(source="a", partition=0, from_offset=2, to_offset=9)
    others = (
        SourceRange(source="a", partition=1, from_offset=0, to_offset=9),
        SourceRange(source="b", from_offset=0, to_offset=9),
    )
    books.policy(1, 0.5, held=(held, *others), dropped=(dropped,))
    counts = books.tally().counts()
    assert (counts.waiting_mix, counts.held, counts.dropped) == (1, 1, 1)
    under_way = replace(dropped, from_offset=0, to_offset=1, planned_before=0)
    books.policy(2, 0.5, held=(), dropped=(under_way,))
    counts = books.tally().counts()
    assert (counts.waiting_mix, counts.held, counts.dropped) == (0, 0, 3)


def test_what_mix_has_set_aside_is_neither_waiting_nor_mixed() -> None:
    books = good()
    books.generate(10)
    books.accept(10)
    output = dead_letter("mix", books.records("verify")[-1], ValueError("no"), 1)
    books.write(output.word, output.key, output.event)
    assert books.faults() == []
    counts = books.tally().counts()
    assert (counts.unmixable, counts.waiting_mix) == (1, 0)


def test_a_candidate_of_a_foreign_key_that_is_no_event_has_its_place_as_a_dead_letter() -> None:
    books = good()
    books.write("generate", "not an id", b"not an event")
    output = dead_letter("verify", books.records("generate")[-1], ValueError("no"), 1)
    books.write(output.word, output.key, output.event)
    books.verified(7)
    (lost,) = books.faults()
    assert sample(5).sample_id in lost.what


def test_an_unreadable_record_of_our_own_outputs_is_a_fault() -> None:
    books = good()
    books.write("mix", "9", b"not an event")
    assert books.laws() == {"unreadable"}


def test_a_tally_that_goes_on_counts_as_one_that_starts_anew() -> None:
    books = good()
    with closing(Tally(books.broker, CODEC, NAME)) as tally:
        tally.advance()
        books.generate(10, 11)
        books.accept(10, 5)
        books.reject(11)
        books.verified(8)
        books.mix(10)
        tally.advance()
        assert tally.counts() == books.tally().counts()
        assert tally.counts().in_flight == 0


def test_a_fault_that_the_next_look_does_not_find_is_none() -> None:
    books = good()
    books.verified(6)  # as if the marker of the offsets were visible before that of the outputs

    def late(_seconds: float) -> None:
        if not any(record.key == sample(5).sample_id.encode() for record in books.records("verify")):
            books.accept(5)

    with closing(Tally(books.broker, CODEC, NAME)) as tally:
        assert audit(tally, late) == []


def test_a_fault_that_every_look_finds_lasts() -> None:
    books = good()
    books.verified(6)
    looks = []
    with closing(Tally(books.broker, CODEC, NAME)) as tally:
        assert [fault.law for fault in audit(tally, looks.append)] == ["lost"]
    assert len(looks) == 3


@pytest.mark.parametrize("downstream", ["mix", "verify"])
def test_downstream_is_read_before_upstream(downstream: str) -> None:
    """A record that appears while the audit reads must never look as if it came from nowhere."""
    books = good()
    bounds = books.broker.bounds

    def writing(partitions: list[TopicPartition]) -> object:
        found = bounds(partitions)
        if f"{NAME}.{downstream}" in {partition.topic for partition in partitions}:  # its end is taken, and then:
            books.generate(50)
            books.accept(50)
            books.mix(50)
        return found

    tally = Tally(books.broker, CODEC, NAME)
    books.broker.bounds = writing  # type: ignore[assignment, method-assign]
    tally.advance()
    assert tally.candidates.count(Fact.GENERATED) == 7
    for fact in (Fact.MIXED, Fact.ACCEPTED):
        assert tally.candidates.having(fact, Fact.GENERATED) == []
    assert tally.candidates.having(Fact.MIXED, Fact.ACCEPTED) == []


def test_what_verify_commits_while_the_audit_reads_is_not_lost() -> None:
    books = good()
    committed = books.broker.committed

    def moving(group: str) -> object:
        books.accept(5)
        books.verified(6)
        return committed(group)

    books.broker.committed = moving  # type: ignore[assignment, method-assign]
    assert books.faults() == []


def test_a_record_that_is_delivered_twice_counts_once() -> None:
    books = good()
    tally = books.tally()
    before = tally.counts()
    tally._take(books.records("generate") + books.records("verify") + books.records("seed"))
    assert tally.counts() == before
    assert faults(tally) == []


def test_edited_text_that_came_in_as_a_candidate_needs_no_rejected_parent() -> None:
    books = good()
    edited = sample(60, origin="HUMAN_EDITED", parent_ids=(sample(0).sample_id,))
    books.generate(60)
    books.accept(60, made=edited)
    assert books.faults() == []
