"""The demonstration's story, told from records alone."""

from dataclasses import replace
from typing import Any

from services.show.story import Plot, Story, verdict
from streams.broker import Record
from streams.codec import Codec
from streams.events import BatchSketched, CollapseMeasured, MixPolicySet, SampleGenerated
from streams.parts import Statistic
from streams.samples import Lineage, Sample, Source, Turn

CODEC = Codec()
BEGAN = 1_000_000


def record(word: str, offset: int, event: Any, partition: int = 0) -> Record:
    return Record(f"p.{word}", partition, offset, b"", CODEC.encode(event), event.occurred_at)


def generated(offset: int, at: int, generation: int, source: str = "bigram", partition: int = 0) -> Record:
    made = Source(
        name=source,
        provider="local",
        model_id="m",
        family="f",
        model_generation=generation - 1,
        strategy="answer",
        prompt_hash="",
        request_key="",
        call_index=offset,
    )
    lineage = Lineage(origin="SYNTHETIC", generation=generation, source=made)
    turns = (Turn(role="document", text="words"),)
    one = Sample(sample_id=f"{partition}-{offset}", content_hash="c", task="text", turns=turns, lineage=lineage)
    return record("generate", offset, SampleGenerated(event_id="e", occurred_at=at, sample=one), partition)


def sketched(offset: int, end: int, partition: int = 0, word: str = "generate") -> Record:
    event = BatchSketched(
        event_id="e",
        occurred_at=0,
        source_topic=word,
        source_partition=partition,
        from_position=0,
        to_position=end,
        documents=1,
        artefact_hash="a",
        reference_version=1,
        groups={},
    )
    return record("sketch", offset, event)


def measured(
    at: int, last: int, alarm: str | None, group: str = "generate/text/bigram", kind: Any = "change"
) -> Record:
    found = (
        Statistic(name="jsd", value=0.1, null_median=0.102, null_halfwidth=0.003, evidence=18.0),
        Statistic(name="novel_3", value=-1.9),
    )
    event = CollapseMeasured(
        event_id="e",
        occurred_at=at,
        group=group,
        window=1,
        documents=200,
        last_offset=last,
        statistics=found,
        alarm=alarm,
        alarm_kind=kind if alarm else "none",
    )
    return record("measure", 0, event)


def policy(version: int, at: int, alpha: float, reason: str, weights: dict[str, float] | None = None) -> Record:
    made = MixPolicySet(event_id="e", occurred_at=at, version=version, alpha=alpha, set_by="monitor", reason=reason)
    return record("policy", version, replace(made, weights=weights or {}))


def story(*records: Record) -> Plot:
    told = Story(CODEC, "p", "bigram", 0.3)
    for one in records:
        told.fold([one])
    return told.plot


HEALTHY = (policy(0, BEGAN + 10_000, 0.3, "source bigram is admitted"), generated(0, BEGAN + 11_000, 1))
INDUCED = (*HEALTHY, *(generated(n, BEGAN + 30_000 + n, 2, partition=n % 2) for n in range(1, 7)))
SEEN = (*INDUCED, sketched(5, 4), sketched(6, 4, partition=1), measured(BEGAN + 33_000, 5, "novel_3"))
DONE = (*SEEN, policy(1, BEGAN + 34_000, 0.05, "source bigram changed", {"bigram": 0.0}))
BACK = (*DONE, policy(2, BEGAN + 40_000, 0.3, "share raised to 0.30", {"bigram": 0.0}))


def test_the_whole_story_is_told() -> None:
    told = verdict(story(*BACK), "bigram", BEGAN)
    assert told["induced"] == "at 30 s source bigram was retrained on 2,000 of its outputs"
    assert told["seen"].startswith("novel_3 of generate/text/bigram at 33 s, after 1 of its documents; odds of e^18")
    assert told["done"] == "weight 0 and samples held at 34 s, share to the floor"
    assert told["recovered"] == "share back at its cap at 40 s"
    assert told["false alarms"] == "none"


def test_only_documents_that_the_alarm_could_know_count() -> None:
    assert story(*INDUCED, sketched(5, 7), sketched(6, 7, 1), measured(BEGAN, 6, "novel_3")).documents_to_alarm == 6
    assert story(*INDUCED, sketched(5, 7, word="verify"), measured(BEGAN, 6, "novel_3")).documents_to_alarm == 0


def test_jsd_is_told_beside_it() -> None:
    told = verdict(story(*BACK, measured(BEGAN + 35_000, 9, None)), "bigram", BEGAN)
    assert told["not seen"] == "JSD of its last window: 0.100; human windows: 0.102 +- 0.003"


def test_an_alarm_before_or_of_another_source_is_a_false_one() -> None:
    early = story(*HEALTHY, measured(BEGAN, 5, "novel_1"))
    assert (early.alarm, early.false_alarms) == (None, ("generate/text/bigram: novel_1",))
    other = story(*SEEN, measured(BEGAN, 5, "novel_2", "generate/text/trigram"))
    assert other.false_alarms == ("generate/text/trigram: novel_2",)
    shifted = story(*INDUCED, measured(BEGAN, 5, "novel_2", kind="shift"))
    assert (shifted.alarm, len(shifted.false_alarms)) == (None, 1)


def test_what_did_not_happen_is_said() -> None:
    told = verdict(story(*HEALTHY), "bigram", BEGAN)
    assert told["induced"] == "nothing yet: the source was not retrained"
    assert told["recovered"] == "no: the share is 0.30"
    assert verdict(story(*DONE), "bigram", BEGAN)["recovered"] == "no: the share is 0.05"
    assert story(*DONE, policy(2, BEGAN + 40_000, 0.2, "share raised to 0.20", {"bigram": 0.0})).recovered_at is None


def test_a_renewed_policy_is_no_new_moment() -> None:
    twice = story(*DONE, policy(2, BEGAN + 49_000, 0.05, "source bigram changed", {"bigram": 0.0}))
    assert [moment.told for moment in twice.moments].count("source bigram changed") == 1
