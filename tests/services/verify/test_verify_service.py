from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
import stamina
from crashing import Crash, CrashingBroker
from hypothesis import given, settings
from hypothesis import strategies as st
from verify_world import CODEC, NOW, SHAPE, Says, drain, events, fates, human, put, recipe, sample, text, world

from services.verify.chosen import checks
from services.verify.handler import Handler
from services.verify.known import Known
from services.verify.pipeline import Checks
from streams.broker import Outgoing, Record
from streams.errors import AbortableError, DecodeError
from streams.events import SampleGenerated, SampleIngested
from streams.memory import MemoryBroker
from streams.metrics import Metrics
from streams.processor import Input
from streams.samples import Sample
from streams.topics import name


@pytest.fixture(autouse=True)
def without_pauses() -> Iterator[None]:
    with stamina.set_testing(True, attempts=8, cap=True):
        yield


def outcome(broker: MemoryBroker, word: str) -> list[tuple[str, Any]]:
    return [(event.sample.sample_id, event) for event in events(broker, word)]


def test_every_kind_of_candidate_meets_its_fate() -> None:
    broker = world()
    put(broker, "seed", [human(text(1))])
    put(broker, "reference", [human(text(2))])
    put(broker, "holdout", [human(text(3))])
    good, copied = sample("good", text(4)), sample("seed copy", text(1))
    cases = [
        good,
        copied,
        sample("reference copy", text(2)),
        sample("holdout copy", text(3)),
        sample("deep", text(5), generation=3),
        sample("short", "two words"),
    ]
    put(broker, "generate", cases)
    drain(broker)
    assert [e.sample for e in events(broker, "verify")] == [good]
    assert {e.sample.sample_id: e.reasons for e in events(broker, "reject")} == {
        sample("seed copy", "").sample_id: ("duplicate",),
        sample("reference copy", "").sample_id: ("duplicate",),
        sample("holdout copy", "").sample_id: ("contamination",),
        sample("deep", "").sample_id: ("depth",),
        sample("short", "").sample_id: ("format",),
    }
    by_id = dict(outcome(broker, "reject"))
    assert by_id[copied.sample_id].verdicts[-1].evidence["sample_id"] == human(text(1)).sample_id
    asked = [v.check for v in by_id[copied.sample_id].verdicts]
    assert (asked[:2], asked[-1]) == (["format", "depth"], "duplicate")
    assert all(e.occurred_at == NOW and e.decided_by == "verify" for e in by_id.values())


def test_an_audited_candidate_waits_for_a_person_and_for_nothing_else() -> None:
    broker = world()
    put(broker, "generate", [sample("good", text(1)), sample("short", "two words")])
    drain(broker, recipe(audit_share=1, audit_expires_hours=2))
    assert events(broker, "verify") == events(broker, "reject") == []
    assert {(e.sample.sample_id, e.automatic, e.reason) for e in events(broker, "review")} == {
        (sample("good", "").sample_id, "pass", "audit"),
        (sample("short", "").sample_id, "fail", "audit"),
    }
    assert {(e.expires_at, e.inclusion_probability, e.audited) for e in events(broker, "review")} == {
        (NOW + 2 * 3_600_000, 1.0, True)
    }


def test_a_copy_of_what_waits_in_review_or_was_accepted_in_an_earlier_run_is_a_duplicate() -> None:
    broker = world()
    put(broker, "generate", [sample("asked", text(1))])
    drain(broker, recipe(audit_share=1)).close()
    put(broker, "generate", [sample("accepted", text(2))])
    drain(broker).close()
    put(broker, "generate", [sample("copy 1", text(1)), sample("copy 2", text(2))])
    drain(broker)
    matched = {e.verdicts[-1].evidence["sample_id"] for e in events(broker, "reject")}
    assert matched == {sample("asked", "").sample_id, sample("accepted", "").sample_id}


@pytest.mark.parametrize("audit_share", [0, 1])
def test_a_candidate_that_is_read_again_gets_no_second_fate(audit_share: float) -> None:
    broker = world()
    cases = [sample("good", text(1)), sample("short", "two words")]
    put(broker, "generate", [*cases, *cases])
    first = drain(broker, recipe(audit_share=audit_share))
    put(broker, "generate", cases)
    while first.step():
        pass
    first.close()
    put(broker, "generate", cases)
    replay = [CODEC.encode(SampleGenerated(event_id="e", occurred_at=0, sample=one)) for one in cases]
    broker.producer().send([Outgoing(name("p", "redo.verify"), b"letter", value) for value in replay])
    drain(broker, recipe(audit_share=audit_share))
    assert len(fates(broker)) == 2


def test_a_candidate_with_the_id_of_a_seed_still_gets_a_fate() -> None:
    broker = world()
    put(broker, "seed", [human(text(1))])
    put(broker, "generate", [human(text(1))])
    drain(broker)
    assert fates(broker) == [(human(text(1)).sample_id, "reject")]


def test_another_event_among_the_candidates_is_a_dead_letter() -> None:
    broker = world()
    alien = CODEC.encode(SampleIngested(event_id="e", occurred_at=0, pool="seed", sample=human(text(1))))
    broker.producer().send([Outgoing(name("p", "generate"), b"k", alien)])
    put(broker, "generate", [sample("good", text(2))])
    drain(broker)
    assert fates(broker) == [(sample("good", "").sample_id, "verify")]
    (letter,) = events(broker, "dead.verify")
    assert letter.explanation.startswith("a SampleIngested lies where a candidate should be")


TEXTS = st.sampled_from([text(n) for n in range(6)] + [text(n, 79) + " other" for n in range(3)] + ["two words", ""])


@settings(max_examples=60)
@given(
    st.lists(TEXTS, min_size=1, max_size=14),
    st.lists(st.tuples(st.integers(1, 60), st.booleans()), max_size=4),
    st.sampled_from([0, 0.4]),
)
def test_every_candidate_has_exactly_one_fate_however_often_the_process_dies(
    contents: list[str], crashes: list[tuple[int, bool]], audit_share: float
) -> None:
    broker = world()
    put(broker, "seed", [human(text(0))])
    cases = [sample(n, content) for n, content in enumerate(contents)]
    put(broker, "generate", cases[::2])
    chosen = recipe(audit_share=audit_share)
    for at, after in crashes:
        with suppress(Crash):
            drain(CrashingBroker(broker, at, after=after), chosen)
    put(broker, "generate", cases[1::2])
    drain(broker, chosen)
    assert Counter(sample_id for sample_id, _ in fates(broker)) == Counter(one.sample_id for one in cases)
    assert_no_text_is_kept_twice(broker, cases)


def assert_no_text_is_kept_twice(broker: MemoryBroker, cases: list[Sample]) -> None:
    accepted = Counter(e.sample.content_hash for e in events(broker, "verify"))
    assert not accepted or max(accepted.values()) == 1
    kept = {e.sample.sample_id for word in ("verify", "review") for e in events(broker, word)}
    for event in events(broker, "reject"):
        if event.reasons == ("duplicate",):  # the text it is a copy of is still there: none rejects itself
            assert event.verdicts[-1].evidence["sample_id"] in kept | {human(text(0)).sample_id}


class AbortsOnce:
    """A broker whose first commit is refused: the transaction is to be aborted."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker, self._refused = broker, False

    def __getattr__(self, called: str) -> Any:
        return getattr(self._broker, called)

    def producer(self, transactional_id: str | None = None) -> Any:
        producer = self._broker.producer(transactional_id)
        commit = producer.commit

        def refuse() -> None:
            if not self._refused:
                self._refused = True
                raise AbortableError("the broker is busy")
            commit()

        producer.commit = refuse  # type: ignore[method-assign]
        return producer


def test_an_aborted_batch_does_not_reject_itself() -> None:
    broker = world()
    cases = [sample("a", text(1)), sample("b", text(2)), sample("short", "two words")]
    put(broker, "generate", cases)
    drain(AbortsOnce(broker))
    assert {one.sample_id: word for one, word in zip(cases, ("verify", "verify", "reject"), strict=True)} == dict(
        fates(broker)
    )
    assert [e.reasons for e in events(broker, "reject")] == [("format",)]


def record(word: str, one: Sample, offset: int = 0) -> Record:
    value = CODEC.encode(SampleIngested(event_id="e", occurred_at=0, pool="seed", sample=one))
    return Record(name("p", word), 0, offset, one.sample_id.encode(), value, 0)


def test_folding_is_idempotent_and_decodes_nothing_that_is_known() -> None:
    known = Known(CODEC, "p", SHAPE)
    some = [record("seed", human(text(n))) for n in range(5)] + [record("holdout", human(text(9)))]
    known.fold(some)
    known.fold([one._replace(value=b"broken") for one in some])
    assert (len(known.texts), len(known.holdout), len(known.fates)) == (5, 1, 0)


def test_a_committed_batch_is_known_at_once_and_its_own_outputs_are_not_decoded() -> None:
    known, chosen = Known(CODEC, "p", SHAPE), recipe()
    handler = Handler(chosen.verify, known, checks(chosen, known), lambda: NOW, Metrics())
    event = SampleGenerated(event_id="e", occurred_at=0, sample=sample("a", text(1)))
    one = Input(record("generate", event.sample), event)
    copy = Input(one.record, replace(event, sample=sample("b", text(1))))
    outputs, delta = handler.handle([one])
    assert [made.word for made in handler.handle([one]).outputs] == ["verify"]
    handler.apply(delta)
    assert handler.handle([one]).outputs == []
    assert [made.word for made in handler.handle([copy]).outputs] == ["reject"]
    key = outputs[0].key.encode()
    handler.fold([Record(name("p", word), 0, 0, key, b"broken", 0) for word in ("verify", "review")])


def test_what_rejects_most_for_its_cost_comes_first_once_a_batch_that_shows_it_is_committed() -> None:
    checks = [Says("lenient", "pass"), Says("strict", "fail")]
    handler = Handler(recipe().verify, Known(CODEC, "p", SHAPE), Checks(checks, [], None), lambda: NOW, Metrics())
    made = [SampleGenerated(event_id="e", occurred_at=0, sample=sample(n, text(n))) for n in range(200)]
    many = [Input(record("generate", event.sample), event) for event in made]
    for judged_by in (["lenient", "strict"], ["lenient", "strict"], ["strict"]):
        outputs, delta = handler.handle(many)
        assert {tuple(v.check for v in output.event.verdicts) for output in outputs} == {tuple(judged_by)}
        if all(check.asked[1:] for check in checks):
            handler.apply(delta._replace(fates=delta.fates[:0]))


def test_what_cant_be_folded_is_named_with_its_place() -> None:
    known = Known(CODEC, "p", SHAPE)
    with pytest.raises(DecodeError, match=r"p\.seed, partition 0, offset 7"):
        known.fold([record("seed", human(text(1)), 7)._replace(value=b"broken")])
    generated = CODEC.encode(SampleGenerated(event_id="e", occurred_at=0, sample=sample("a", text(1))))
    with pytest.raises(DecodeError, match=r"a SampleGenerated lies at p\.seed"):
        known.fold([record("seed", human(text(1)))._replace(value=generated)])
