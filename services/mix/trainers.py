"""How far the trainers are: each commits the batch it wants next, so that the mixer does not run away from them."""

from collections.abc import Mapping

from streams.broker import Broker


def prefix(pipeline: str) -> str:
    """Return how the groups of all trainers begin."""
    return f"{pipeline}.trainer."


def progress(broker: Broker, pipeline: str) -> Mapping[str, int]:
    """Return the next batch_index of every trainer by name; one that has committed nothing yet stands at 0."""
    found: dict[str, int] = {}
    for group in broker.groups(prefix(pipeline)):
        marks = [int(position.metadata) for position in broker.committed(group).values() if position.metadata.isdigit()]
        found[group.removeprefix(prefix(pipeline))] = max(marks, default=0)
    return found
