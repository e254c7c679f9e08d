"""Bad candidates on purpose, for the demonstration: what verification has to find among the models' own texts."""

import json
import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from streams.broker import Broker, Record
from streams.codec import Codec
from streams.events import SampleIngested
from streams.fold import Fold
from streams.topics import name

EACH = 40
KINDS = 3  # near copies, leaks from the holdout, too many generations
_TOO_DEEP = 9


def write(broker: Broker, codec: Codec, pipeline: str, path: Path) -> None:
    """Write a file of bad candidates made from the pipeline's own human texts, to be taken in by ingest."""
    seeds, holdout = _texts(broker, codec, pipeline, "seed"), _texts(broker, codec, pipeline, "holdout")
    rows = planted(seeds, holdout, random.Random(0))  # noqa: S311 - the same demonstration each time
    path.write_text("".join(json.dumps({**row, "origin": "SYNTHETIC"}) + "\n" for row in rows), encoding="utf-8")


def planted(seeds: Sequence[str], holdout: Sequence[str], rng: random.Random) -> Iterator[dict[str, str | int]]:
    """Yield rows of each kind; needs at least EACH texts in both pools."""
    for text in seeds[:EACH]:
        words = text.split()
        words[rng.randrange(len(words))] = "ballast"
        yield {"text": " ".join(words), "generation": 1}
    for text, other in zip(holdout[:EACH], seeds[:EACH], strict=True):
        half = text.split()[: len(text.split()) // 2]
        yield {"text": " ".join([*half, *_shuffled(other, rng)[: len(half)]]), "generation": 1}
    for text in seeds[:EACH]:
        yield {"text": " ".join(_shuffled(text, rng)), "generation": _TOO_DEEP}


def _shuffled(text: str, rng: random.Random) -> list[str]:
    words = text.split()
    rng.shuffle(words)
    return words


def _texts(broker: Broker, codec: Codec, pipeline: str, word: str) -> list[str]:
    """Read the longest of a pool's texts: a short one is no near copy any more when one word changes."""
    found: list[str] = []

    def take(records: Sequence[Record]) -> None:
        events = [codec.decode(record.value) for record in records]
        found.extend(event.sample.turns[0].text for event in events if isinstance(event, SampleIngested))

    with closing(Fold(broker, [name(pipeline, word)], take)) as fold:
        fold.catch_up()
    return sorted(found, key=lambda text: (-len(text.split()), text))
