from dataclasses import replace

from prometheus_client import generate_latest
from verify_world import CODEC, SHAPE, human, put, recipe, sample, stage, text, world

from services.verify.known import Known
from streams.broker import Outgoing, Record
from streams.events import ReviewSubmitted
from streams.metrics import Metrics
from streams.samples import Sample, Source
from streams.topics import name


def made_by(who: str, words: str) -> Sample:
    source = Source(
        name=who,
        provider="local",
        model_id="m",
        family="f",
        model_generation=0,
        prompt_hash="",
        request_key="",
        call_index=0,
    )
    plain = sample(who, words)
    return replace(plain, lineage=replace(plain.lineage, source=source))


def test_accepted_candidates_are_counted_by_source_and_others_are_not() -> None:
    broker, metrics = world(), Metrics()
    put(broker, "seed", [human(text(1))])
    made, ingested, copied = made_by("a", text(2)), sample("ingested", text(3)), made_by("b", text(1))
    put(broker, "generate", [made, ingested, copied])
    verifier = stage(broker, recipe(), metrics)
    verifier.start()
    verifier.step()
    counts = {
        one.labels["source"]: one.value
        for family in metrics.registry.collect()
        for one in family.samples
        if one.name == "ballast_accepted_total"
    }
    assert counts == {"a": 1, "ingest": 1}


def test_what_waits_for_a_person_is_not_accepted_yet() -> None:
    broker, metrics = world(), Metrics()
    put(broker, "generate", [sample("made", text(2))])
    verifier = stage(broker, recipe(audit_share=1), metrics)
    verifier.start()
    assert verifier.step() == 1
    assert b"ballast_accepted_total{" not in generate_latest(metrics.registry)


def decided(number: int, *, is_right: bool, is_kept: bool) -> ReviewSubmitted:
    return ReviewSubmitted(
        event_id=str(number),
        occurred_at=0,
        sample_id=str(number),
        reviewer="r",
        decision="accept" if is_right else "reject",
        automatic="pass" if is_kept else "fail",
        inclusion_probability=0.1,
        audited=True,
    )


def test_what_people_decide_about_the_audit_is_exported_and_each_decision_counts_once() -> None:
    broker, metrics = world(), Metrics()
    said = [decided(n, is_right=n < 20, is_kept=n % 4 == 0 or n < 15) for n in range(40)]
    producer = broker.producer()
    producer.send([Outgoing(name("p", "decision"), b"", CODEC.encode(event), 0) for event in said])
    producer.flush()
    verifier = stage(broker, recipe(), metrics)
    verifier.start()
    shown = generate_latest(metrics.registry).decode()
    assert 'ballast_verification_keep_ratio{side="value",truth="right"} 0.8' in shown
    assert 'ballast_verification_keep_ratio{side="value",truth="wrong"} 0.25' in shown
    assert f'ballast_verification_break_even_ratio{{side="value"}} {0.8 / 1.05}' in shown
    known = Known(CODEC, "p", SHAPE)
    records = [Record(name("p", "decision"), 0, n, b"", CODEC.encode(event), 0) for n, event in enumerate(said)]
    known.fold(records[:30])
    known.fold(records)
    assert (known.calibration.right.decisions, known.calibration.wrong.decisions) == (20, 20)
