"""Our contender: the library's processor with a handler that passes every record on."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from streams.broker import Record
from streams.events import Event, SampleGenerated, SampleVerified, event_id
from streams.kafka import KafkaBroker
from streams.processor import Handled, Input, Processor, Wiring
from streams.samples import Verdict
from streams.writer import Output

_VERDICTS = tuple(Verdict(check=check, outcome="pass") for check in ("format", "depth", "duplicate", "contamination"))


class PassOn:
    """Transforms each event and keeps its key; has no state."""

    def __init__(self, transform: Callable[[Any], Any]) -> None:
        self._transform = transform

    def fold(self, records: Sequence[Record]) -> None: ...

    def handle(self, batch: Sequence[Input]) -> Handled:
        transform = self._transform
        return Handled([Output("verify", (record.key or b"").decode(), transform(event)) for record, event in batch])

    def apply(self, delta: Any) -> None: ...


def run(bootstrap: str, name: str, count: int, codec: Any, transform: Callable[[Any], Any]) -> None:
    """Take `count` records from `<name>.generate` to `<name>.verify`, exactly once."""
    processor = Processor(
        broker=KafkaBroker(bootstrap),
        codec=codec,
        pipeline=name,
        wiring=Wiring("verify", ("generate",), (), ("verify",)),
        slot=0,
        handler=PassOn(transform),
        now=lambda: time.time_ns() // 1_000_000,
    )
    processor.start()
    while count > 0:
        count -= processor.step()
    processor.close()


def verified(event: Event) -> SampleVerified:
    """Accept a candidate as the stage verify writes it."""
    if not isinstance(event, SampleGenerated):
        raise TypeError(f"a {type(event).__name__} lies where a candidate should be")
    return SampleVerified(
        event_id=event_id(SampleVerified, event.sample.sample_id),
        occurred_at=event.occurred_at,
        decided_by="verify",
        verdicts=_VERDICTS,
        sample=event.sample,
    )
