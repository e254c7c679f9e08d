"""Labels that are wrong: written as models write them around the word that was asked for, or another of the task's."""

import random
from collections.abc import Callable
from dataclasses import replace

from streams.samples import Sample, content_hash, digest

Plant = Callable[[Sample, random.Random], Sample]
_MOODS = ("question", "exclamation", "statement")
_WRITTEN = (
    "Label: {}",
    "{}.",
    '"{}"',
    "**{}**",
    "The label is {}.",
    "{} (likely)",
    "{}\n\nReasoning: the tone of the passage is clear.",
    "{}/unknown",
    "1. {}",
    "I would say {}",
    "{}s",
    "not {}",
    "{} or none",
    "Answer - {}",
    '{{"label": "{}"}}',
    " {}",
)


def mood(sample: Sample) -> Sample:
    """Return a human text with the label that its last mark gives it."""
    last = sample.turns[-1].text.rstrip("\"'’”)] \n")[-1:]
    return _labelled(sample, {"?": "question", "!": "exclamation"}.get(last, "statement"))


def wordy(sample: Sample, rng: random.Random) -> Sample:
    """Say more than the label, or write it in another case."""
    label = sample.label or "other"
    written = rng.choice((*_WRITTEN, "upper", "capital"))
    said = {"upper": label.upper(), "capital": label.capitalize()}.get(written, written.format(label))
    return _labelled(sample, said)


def contradicting(sample: Sample, rng: random.Random) -> Sample:
    """Call a question a statement, and the like."""
    return _labelled(sample, rng.choice([each for each in _MOODS if each != sample.label]))


def swapped(labels: "tuple[str, ...]") -> Plant:
    """Return what gives a sample another of these labels, which are the task's."""
    return lambda sample, rng: _labelled(sample, rng.choice([each for each in labels if each != sample.label]))


def _labelled(sample: Sample, label: str) -> Sample:
    content = content_hash(sample.task, sample.turns, label)
    sample_id = digest("labelled", sample.sample_id, content)
    return replace(sample, label=label, content_hash=content, sample_id=sample_id)
