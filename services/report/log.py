"""What the report reads of a pipeline's log: measures, policies, and the batches by their manifests.

Events that were sent again are dropped here, so everything behind sees each fact once.
"""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import NamedTuple

from services.steering import history
from streams.broker import Broker, Record
from streams.codec import Codec
from streams.events import CollapseMeasured, MixPolicySet
from streams.fold import Fold
from streams.topics import name


class Batch(NamedTuple):
    """One training batch: when it was made, its samples, the synthetic ones, and the share that was allowed."""

    number: int
    made_at: int
    size: int
    synthetic: int
    cap: float

    @property
    def share(self) -> float:
        """Synthetic / all, 0 to 1."""
        return self.synthetic / self.size


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """Measures by group and window, policies by version, batches by index; each in its order and once."""

    measures: Sequence[CollapseMeasured] = ()
    policies: Sequence[MixPolicySet] = ()
    batches: Sequence[Batch] = ()

    @property
    def alarms(self) -> list[CollapseMeasured]:
        """The measures that raised an alarm, the oldest first."""
        return sorted((each for each in self.measures if each.alarm), key=lambda each: each.occurred_at)


def read(broker: Broker, codec: Codec, pipeline: str) -> Log:
    """Read the topics measure, policy and mix. Blocks until what is there now is read."""
    return Log(
        measures=_measures(broker, codec, pipeline),
        policies=history(broker, codec, pipeline),
        batches=_batches(broker, codec, pipeline),
    )


def _measures(broker: Broker, codec: Codec, pipeline: str) -> list[CollapseMeasured]:
    found: dict[str, CollapseMeasured] = {}

    def take(records: Sequence[Record]) -> None:
        events = [codec.decode(record.value) for record in records]
        found.update({event.event_id: event for event in events if isinstance(event, CollapseMeasured)})

    with closing(Fold(broker, [name(pipeline, "measure")], take)) as fold:
        fold.catch_up()
    return sorted(found.values(), key=lambda each: (each.group, each.window))


def _batches(broker: Broker, codec: Codec, pipeline: str) -> list[Batch]:
    """Return the batches; a batch lies in one transaction, so each that is seen is whole."""
    found: dict[int, Batch] = {}

    def take(records: Sequence[Record]) -> None:
        for record in records:
            told = codec.manifest(record.value)
            cap = min(told.alpha, told.recipe_cap)
            batch = found.get(told.batch_index) or Batch(told.batch_index, told.occurred_at, told.batch_size, 0, cap)
            found[told.batch_index] = batch._replace(synthetic=batch.synthetic + told.synthetic)

    with closing(Fold(broker, [name(pipeline, "mix")], take)) as fold:
        fold.catch_up()
    return [found[index] for index in sorted(found)]
