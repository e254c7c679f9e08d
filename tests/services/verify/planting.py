"""How a fault gets into a sample: the last turn is made another, and the sample is another sample then."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from services.index.minhash import shape
from services.verify.check import Batch, Check
from streams.samples import Sample, Turn, content_hash, digest

Plant = Callable[[Sample, random.Random], Sample]

_QUESTIONS = (
    "Go on with this scene, please.",
    "What does he say next?",
    "Write a short passage in the manner of the old plays.",
    "How would a courtier answer the king here?",
    "Give me some lines that a messenger might bring.",
)


def answering(sample: Sample, text: str) -> Sample:
    """Return the sample with another last turn."""
    turns = (*sample.turns[:-1], Turn(role=sample.turns[-1].role, text=text))
    return _with_turns(sample, turns)


def conversation(sample: Sample, rng: random.Random) -> Sample:
    """Return a document as the answer to a question, of the task chat."""
    if len(sample.turns) > 1:
        return sample
    turns = (Turn(role="user", text=rng.choice(_QUESTIONS)), Turn(role="assistant", text=sample.turns[-1].text))
    return _with_turns(replace(sample, task="chat"), turns)


def with_turns(sample: Sample, *turns: tuple[str, str]) -> Sample:
    """Return the sample with other turns."""
    return _with_turns(sample, tuple(Turn(role=role, text=text) for role, text in turns))


def _with_turns(sample: Sample, turns: tuple[Turn, ...]) -> Sample:
    content = content_hash(sample.task, turns, sample.label, sample.answer, sample.tests)
    return replace(sample, turns=turns, content_hash=content, sample_id=digest("planted", sample.sample_id, content))


def caught(check: Check, plant: Plant, samples: Sequence[Sample], seed: int = 1) -> float:
    """Return the share of planted faults that a check fails."""
    rng = random.Random(seed)
    planted = [plant(one, rng) for one in samples]
    assert len({one.content_hash for one in planted}) >= 100, "as many faults that differ"
    return failed(check, planted) / len(planted)


def failed(check: Check, samples: Sequence[Sample]) -> int:
    """Count the samples that a check fails."""
    return sum(verdict.outcome == "fail" for verdict in check.over(Batch(samples, shape(0.8))))
