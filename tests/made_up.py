"""Made-up documents of a human or a model, and the events that bring them."""

import numpy as np

from streams.events import Event, SampleGenerated, SampleIngested
from streams.samples import Lineage, Sample, Source, Turn, digest

NOW = 1_700_000_000_000
_WORDS = np.array([f"word{number}" for number in range(2_000)])


def source_of(called: str) -> Source:
    return Source(
        name=called,
        provider="local",
        model_id=called,
        family=called,
        model_generation=0,
        strategy="answer",
        prompt_hash="",
        request_key="",
        call_index=0,
    )


def samples(key: str, count: int, words: int = 2_000, source: str | None = None) -> list[Sample]:
    """Make documents of words drawn from the first `words`: few words stand for a source that has collapsed."""
    rng = np.random.default_rng(list(key.encode()))
    texts = [" ".join(_WORDS[places]) for places in rng.integers(0, words, (count, 70))]
    lineage = Lineage(
        origin="SYNTHETIC" if source else "HUMAN",
        generation=1 if source else 0,
        source=source_of(source) if source else None,
    )
    return [
        Sample(
            sample_id=digest(f"{key}{number}"),
            content_hash=digest(text),
            task="text",
            turns=(Turn(role="document", text=text),),
            lineage=lineage,
        )
        for number, text in enumerate(texts)
    ]


def event_of(word: str, one: Sample) -> Event:
    if word == "generate":
        return SampleGenerated(event_id=one.sample_id, occurred_at=NOW, sample=one)
    return SampleIngested(event_id=one.sample_id, occurred_at=NOW, pool="seed", part="none", sample=one)
