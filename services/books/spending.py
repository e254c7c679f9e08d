"""What models were paid for: by source and strategy, with what may have been billed and brought no answer."""

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from typing import NamedTuple

from services.groups import source_of
from services.models.records import costs_nothing, is_asked
from streams.broker import Broker, Record
from streams.codec import Codec
from streams.errors import DecodeError
from streams.events import DeadLetter, ModelAnswered, SampleVerified
from streams.fold import Fold
from streams.lineage import JUDGE
from streams.topics import name, word_of

Money = float | None  # dollars; None where the price is unknown, which is never nothing


class Line(NamedTuple):
    """The calls of one source by one strategy, or of one judge.

    An attempt counts as answered, refused (by a busy vendor too), or open: in flight, or cut off, so that it may have
    been billed. `dollars` is what answers cost, refused ones too, `at_risk` the most that open attempts can cost.
    """

    source: str
    strategy: str
    attempts: int = 0
    answered: int = 0
    refused: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    dollars: Money = 0.0
    at_risk: Money = 0.0
    accepted: int = 0

    @property
    def per_accepted(self) -> Money:
        """Dollars for each accepted sample, by what is known to be spent."""
        return self.dollars / self.accepted if self.dollars is not None and self.accepted else None

    @property
    def tokens_per_accepted(self) -> int | None:
        """Tokens for each accepted sample, which says as much where the price is unknown."""
        return round((self.tokens_in + self.tokens_out) / self.accepted) if self.accepted else None


class Spending(NamedTuple):
    """All calls of a pipeline; accepted samples that a file brought are nobody's."""

    lines: Sequence[Line]
    accepted: int

    @property
    def dollars(self) -> Money:
        """What all answers cost."""
        return _sum([line.dollars for line in self.lines])

    def spent_by(self, *, judges: bool) -> Money:
        """Return what the answers of judges cost, or those of sources."""
        return _sum([line.dollars for line in self.lines if (line.strategy == JUDGE) == judges])

    @property
    def at_risk(self) -> Money:
        """The most that all open attempts can cost."""
        return _sum([line.at_risk for line in self.lines])

    def projected(self, target: int) -> Money:
        """Return what the whole target will cost if the rest costs what the samples so far did."""
        if self.dollars is None or not self.accepted:
            return None
        return self.dollars * max(1.0, target / self.accepted)


def read(broker: Broker, codec: Codec, pipeline: str) -> Spending:
    """Return what was spent until now. Reads response, dead.generate and verify."""
    books = _Books(codec, pipeline)
    words = ("response", "dead.generate", "verify")
    with closing(Fold(broker, [name(pipeline, word) for word in words], books.take)) as fold:
        fold.catch_up()
    return books.told()


class _Books:
    def __init__(self, codec: Codec, pipeline: str) -> None:
        self._codec, self._pipeline = codec, pipeline
        self._lines: dict[tuple[str, str], Line] = {}
        self._open: dict[tuple[str, int], ModelAnswered] = {}
        self._refused: set[tuple[str, int]] = set()
        self._accepted: Counter[tuple[str, str]] = Counter()

    def take(self, records: Sequence[Record]) -> None:
        """Take committed records in."""
        for record in records:
            word = word_of(self._pipeline, record.topic)
            try:
                event = self._codec.decode(record.value)
            except DecodeError:
                continue  # whose input it is sets it aside
            if word == "response" and isinstance(event, ModelAnswered):
                self._call(event)
            elif word == "dead.generate" and isinstance(event, DeadLetter):
                self._letter(event)
            elif isinstance(event, SampleVerified):
                self._accept(event)

    def told(self) -> Spending:
        """Return all that was taken in; what is open by now is at risk unless it was refused."""
        lines = dict(self._lines)
        for attempt, asked in self._open.items():
            line = lines[_place(asked)]
            if attempt in self._refused:
                line = line._replace(refused=line.refused + 1)
            else:
                line = line._replace(at_risk=_plus(line.at_risk, asked.worst_cost))
            lines[_place(asked)] = line
        told = [line._replace(accepted=self._accepted[place]) for place, line in lines.items()]
        ordered = sorted(told, key=lambda line: (line.strategy == JUDGE, line.source, line.strategy))
        return Spending(ordered, self._accepted.total())

    def _call(self, event: ModelAnswered) -> None:
        place, attempt = _place(event), (event.request_key, event.attempt)
        line = self._lines.get(place, Line(*place))
        if is_asked(event):
            self._open[attempt] = event
            line = line._replace(attempts=line.attempts + 1)
        else:
            self._open.pop(attempt, None)
            line = line._replace(
                answered=line.answered + bool(event.choices),
                refused=line.refused + (not event.choices),
                tokens_in=line.tokens_in + event.source.tokens_in,
                tokens_out=line.tokens_out + event.source.tokens_out,
                dollars=line.dollars if event.unbilled else _plus(line.dollars, event.source.cost),
            )
        self._lines[place] = line

    def _letter(self, letter: DeadLetter) -> None:
        question = self._codec.decode(letter.value or b"")
        if costs_nothing(letter) and isinstance(question, ModelAnswered):
            self._refused.add((question.request_key, question.attempt))

    def _accept(self, event: SampleVerified) -> None:
        source = event.sample.lineage.source
        self._accepted[source_of(event.sample), source.strategy if source is not None else ""] += 1


def _place(event: ModelAnswered) -> tuple[str, str]:
    return event.source.name, JUDGE if event.purpose == JUDGE else event.source.strategy


def _plus(one: Money, other: Money) -> Money:
    return None if one is None or other is None else one + other


def _sum(some: Sequence[Money]) -> Money:
    known = [each for each in some if each is not None]
    return sum(known) if len(known) == len(some) else None
