"""Of which generation a source's model is: the largest in the data that it was trained on, as its scores say."""

from collections.abc import Mapping, Sequence
from contextlib import closing

import structlog

from services.recipe import Recipe, Trained
from streams.broker import Broker, Record
from streams.codec import Codec
from streams.errors import TopicError
from streams.events import EvaluationCompleted
from streams.fold import Fold
from streams.topics import name


def generations(recipe: Recipe, broker: Broker, codec: Codec) -> Mapping[str, int]:
    """Return the generation of each source's model but the local ones; an unknown one counts as the depth cap.

    Blocks until the topics `evaluate` of the pipelines that trained them are read.
    """
    found = {}
    for source in recipe.sources:
        if not isinstance(source.trained_on, Trained):
            found[source.name] = 0
            continue
        known = generation(_scores(broker, codec, source.trained_on.pipeline), source.trained_on.cycle)
        if known is None:
            told = "the generation of its model is unknown, so all that it says is rejected as too deep"
            structlog.get_logger().warning(told, source=source.name, **source.trained_on.model_dump())
        found[source.name] = recipe.verify.max_generation if known is None else known
    return found


def generation(scores: Sequence[EvaluationCompleted], cycle: int) -> int | None:
    """Return the largest generation that the model of a cycle has seen, None if that is not known.

    Trainers tell how far they have read; how deep that is, the proxies tell that have read as far.
    """
    mine = [score for score in scores if score.cycle == cycle]
    ends = [score.trained_to_batch for score in mine if score.largest_generation is None]
    if not ends:
        return max((score.largest_generation or 0 for score in mine), default=None)
    if not (known := [end for end in ends if end is not None]):
        return None
    read = sorted(
        (score.trained_to_batch, score.largest_generation)
        for score in scores
        if score.trained_to_batch is not None and score.largest_generation is not None
    )
    if not read or read[-1][0] < max(known):
        return None
    first = next(end for end, _ in read if end >= max(known))
    return max(depth for end, depth in read if end <= first)


def _scores(broker: Broker, codec: Codec, pipeline: str) -> list[EvaluationCompleted]:
    found: list[EvaluationCompleted] = []

    def take(records: Sequence[Record]) -> None:
        events = [codec.decode(record.value) for record in records]
        found.extend(event for event in events if isinstance(event, EvaluationCompleted))

    try:
        with closing(Fold(broker, [name(pipeline, "evaluate")], take)) as fold:
            fold.catch_up()
    except TopicError:
        return []
    return found
