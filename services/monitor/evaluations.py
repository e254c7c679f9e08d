"""What evaluations say about the models that were trained: the last judged one counts, until the next."""

from collections.abc import Sequence

from streams.broker import Record
from streams.codec import Codec
from streams.events import EvaluationCompleted


class Evaluations:
    """The fold of topic `evaluate`; `losses` are the last by set."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._judged: EvaluationCompleted | None = None
        self.losses: dict[str, float] = {}

    def fold(self, records: Sequence[Record]) -> None:
        """Take records of the topic in."""
        for record in records:
            event = self._codec.decode(record.value)
            if isinstance(event, EvaluationCompleted):
                self.losses[event.set_name] = event.loss
                if event.verdict not in ("none", "unknown"):
                    self._judged = event

    @property
    def collapsed(self) -> str | None:
        """The run whose model got worse on real text but not on synthetic, if that is the last judged one."""
        return self._judged.run_id if self._judged is not None and self._judged.verdict == "collapse" else None
