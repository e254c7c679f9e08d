"""What a model is shown of a seed: never the answer that it is to give."""

import json

from services.models.marked import Part
from streams.parts import Content
from streams.samples import Sample, Strategy

OPENING_WORDS = 8


def opening(text: str) -> str:
    """Return the words that a text is continued from."""
    return " ".join(text.split(maxsplit=OPENING_WORDS)[:OPENING_WORDS])


def parts_of(seed: Sample, content: Content, strategy: Strategy) -> list[Part]:
    """Return the parts of a seed that a strategy works on: for a new prompt all of it, as an example."""
    if seed.task == "text" and strategy == "answer":
        return [Part("opening", opening(seed.turns[0].text))]
    turns = seed.turns if strategy == "new_prompt" else content.turns
    shown = [
        Part("text" if turn.role == "document" else f"turn of {json.dumps(turn.role)}", turn.text) for turn in turns
    ]
    given = [("label", seed.label)]
    if strategy == "new_prompt":
        given += [("final answer", seed.answer), ("tests", seed.tests)]
    return [*shown, *(Part(name, text) for name, text in given if text is not None)]
