from dataclasses import replace

from prometheus_client import generate_latest
from verify_world import human, put, recipe, sample, stage, text, world

from streams.metrics import Metrics
from streams.samples import Sample, Source


def made_by(name: str, words: str) -> Sample:
    source = Source(
        name=name,
        provider="local",
        model_id="m",
        family="f",
        model_generation=0,
        prompt_hash="",
        request_key="",
        call_index=0,
    )
    plain = sample(name, words)
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
