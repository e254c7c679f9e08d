"""The seeds that ingest would make of a recipe's files, with no topic touched."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from services.errors import InputError
from services.ingest.inputs import Input
from services.ingest.intake import Intake
from services.ingest.rows import Item
from services.recipe import Recipe
from streams.events import SampleIngested
from streams.samples import Sample

MOST = 20_000
_BLOCK = 250  # rows that are decided together


def seeds(recipe: Recipe, files: Sequence[Input]) -> list[Sample]:
    """Return the first 20,000 seeds of the files; raises InputError if there are none."""
    if not (pool := list(islice(_taken(recipe, files), MOST))):
        raise InputError(
            f"{recipe.seeds.path} has no sample that could be a seed; `ballast ingest` says of each line why"
        )
    return pool


def _taken(recipe: Recipe, files: Sequence[Input]) -> Iterator[Sample]:
    intake, rows = Intake(recipe), _rows(files)
    while block := list(islice(rows, _BLOCK)):
        events = [one.output.event for one in intake.decide(block, 0) if one.output is not None]
        yield from (each.sample for each in events if isinstance(each, SampleIngested) and each.pool == "seed")


def _rows(files: Iterable[Input]) -> Iterator[tuple[Item, str | None]]:
    for file in files:
        with file.path.open("rb") as raw:
            yield from ((item, file.domain) for item in file.read(raw, file.name))
