"""The prompts of samples: what is said before the answer, and what is remembered of it."""

from collections.abc import Sequence

from services.index.minhash import Shape
from services.index.texts import Entries, entries_of
from streams.samples import Sample, digest
from streams.words import hashed, words

_NO_PROMPT = frozenset({"document", "system"})


def prompt_of(sample: Sample) -> str:
    """Return all turns before the answer but the system's; empty for a document."""
    is_answered = bool(sample.turns) and sample.turns[-1].role == "assistant"
    turns = sample.turns[:-1] if is_answered else sample.turns
    return "\n".join(turn.text for turn in turns if turn.role not in _NO_PROMPT)


def asks_anew(sample: Sample) -> bool:
    """Tell whether a sample has a prompt that is not its seed's."""
    source = sample.lineage.source
    return bool(prompt_of(sample)) and (source is None or source.strategy != "answer")


def entries(samples: Sequence[Sample], shape: Shape) -> Entries:
    """Return what is to be remembered of prompts, under the ids of their samples."""
    texts = [prompt_of(sample) for sample in samples]
    contents = [digest("prompt", text) for text in texts]
    return entries_of(
        [sample.sample_id for sample in samples], contents, hashed([words(text) for text in texts]), shape
    )
