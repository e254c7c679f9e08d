"""The state of one slot, as a fold over committed topics: what became of the plan's calls, and what waits to be done.

Records come in any order between topics and may come again; the state is the same. Facts of `generate` and
`dead.generate` are folded before `response` at the start, so that only answers without a candidate stay in memory.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from services.generate.again import Orders, seeds_left
from services.generate.budgets import Budgets
from services.generate.calls import Calls, Seen
from services.generate.candidate import PURPOSE
from services.generate.corpus import Corpus
from services.generate.drawn import Drawn
from services.generate.kept_out import KeptOut
from services.generate.pool import SeedPool
from services.generate.strata import Strata
from services.groups import BROUGHT
from services.models.records import cost, costs_nothing, is_asked
from services.policy import Policies
from streams.broker import Record, TopicPartition
from streams.codec import Codec
from streams.errors import DecodeError
from streams.events import DeadLetter, ModelAnswered, SampleMixed, SampleRejected, SampleVerified
from streams.topics import word_of

FACTS = ("policy", "dead.generate", "redo.generate", "generate", "dead.verify", "review", "reject", "verify", "seed")


class State:
    """What the log says; `own` and `mixed` are the corpora of local models, by source."""

    def __init__(
        self,
        *,
        codec: Codec,
        pipeline: str,
        calls: Calls,
        pool: SeedPool,
        own: Mapping[str, Corpus],
        mixed: Sequence[Corpus],
        budgets: Budgets,
        strata: Strata,
    ) -> None:
        self._codec, self._pipeline = codec, pipeline
        self.calls, self.pool, self.budgets, self.strata = calls, pool, budgets, strata
        self.policies = Policies(codec)
        self.accepted = 0
        self.drawn = Drawn()
        self._orders = Orders()
        self._kept_out = KeptOut()
        self._asked: dict[int, int] = {}  # own calls without an answer, others' without a candidate: the attempt
        self.answers: dict[int, ModelAnswered] = {}  # own answers without a candidate
        self.billed: dict[int, ModelAnswered] = {}  # own refused calls with a bill and without a dead letter
        self.replays: set[int] = set()  # own refused calls whose dead letter was replayed
        self._refused: dict[int, DeadLetter] = {}
        self._attempts: dict[int, int] = {}  # of refused calls
        self._replayed: set[str] = set()
        self._own, self._mixed = own, mixed
        self._read: dict[TopicPartition, int] = {}
        self._takers = self._make_takers()

    def fold(self, records: Sequence[Record]) -> None:
        """Take committed records in."""
        fresh: dict[str, list[Record]] = {}
        for record in records:
            at = TopicPartition(record.topic, record.partition)
            if record.offset >= self._read.get(at, 0):
                self._read[at] = record.offset + 1
                fresh.setdefault(word_of(self._pipeline, record.topic), []).append(record)
        for word, some in fresh.items():
            if word == "seed":
                self.pool.fold(some)
            elif word == "policy":
                self._take_policies(some)
            else:
                self._take(self._takers[word], some)

    def responded(self, event: ModelAnswered) -> None:
        """Take a record of `response` in; of other slots' calls only the seed is kept and that they are asked."""
        call = event.call_index
        if event.purpose != PURPOSE:
            return
        self.drawn.note(event)
        self.strata.note(event)
        is_own = self.calls.owns(call)
        if is_own and event.worst_tokens:
            self._spent(event)
        if self.calls.seen(call, Seen.MADE):
            return
        if call in self.answers or event.attempt <= self._attempts.get(call, 0):
            return
        self.calls.mark(call, Seen.ASKED)
        self.replays.discard(call)
        if is_asked(event) or event.unbilled or not is_own:
            self._asked[call] = max(self._asked.get(call, 0), event.attempt)
        elif event.choices:
            self._asked.pop(call, None)
            self.answers[call] = event
        else:
            self.billed[call] = event

    def made(self, call: int) -> None:
        """Note that a call's candidates are written."""
        self.calls.mark(call, Seen.MADE)
        self._asked.pop(call, None)
        self.answers.pop(call, None)
        self.billed.pop(call, None)
        self.replays.discard(call)

    def refused(self, letter: DeadLetter) -> None:
        """Note that a call has a dead letter; asking it again needs a replay."""
        call = letter.call_index
        if call is None or (attempt := self._attempt(letter)) < self._attempts.get(call, 0):
            return
        self._attempts[call] = attempt
        is_own = self.calls.owns(call)
        if is_own:
            self._refused[call] = letter
            self.billed.pop(call, None)
            if costs_nothing(letter):
                self.budgets.refused(call, attempt)
        if call not in self.answers and self._asked.get(call, 0) <= attempt:
            self._asked.pop(call, None)
            self.calls.mark(call, Seen.REFUSED)
            if is_own:
                self._offer(call)

    def unanswered(self) -> list[int]:
        """Return this slot's calls that were asked and have no answer."""
        return [call for call in self._asked if self.calls.owns(call)]

    def kept_out(self) -> NDArray[np.int64]:
        """Return the calls of the accepted samples that no batch will have for now; -1 is one that a file brought."""
        policy = self.policies.latest
        return self._kept_out.calls((*policy.held, *policy.dropped) if policy else ())

    def seeds_again(self) -> list[int]:
        """Return the keys of the seeds that this slot has to draw again before new ones."""
        left = seeds_left(self._orders.open, self.drawn, self.calls, self._kept_out)
        return [key for key in left if self.calls.owns(key)]  # a seed is of one slot, as a call is

    def attempt(self, call: int) -> int:
        """Return the number of the call's next attempt."""
        return 1 + max(self._asked.get(call, 0), self._attempts.get(call, 0))

    def _spent(self, event: ModelAnswered) -> None:
        """Take an attempt at a paid call, or its bill, into the budgets; one without a bill may cost the worst."""
        if is_asked(event):
            self.budgets.asked(event.call_index, event.attempt, event.source.name, cost(event), event.asked_at)
        else:
            self.budgets.answered(event.call_index, event.attempt, cost(event))

    def _offer(self, call: int) -> None:
        if self._refused[call].event_id in self._replayed and not self.calls.seen(call, Seen.MADE):
            self.replays.add(call)
        else:
            self.replays.discard(call)

    def _attempt(self, letter: DeadLetter) -> int:
        question = self._codec.decode(letter.value or b"")
        return question.attempt if isinstance(question, ModelAnswered) else 1

    def _take_policies(self, records: Sequence[Record]) -> None:
        for record in records:
            self.policies.fold([record])
            if self.policies.latest is not None:
                self._orders.take(self.policies.latest)

    def _take(self, taker: Callable[[Record], None], records: Sequence[Record]) -> None:
        for record in records:
            try:
                taker(record)
            except DecodeError:
                continue  # whose input it is sets it aside; here it only counts for nothing

    def _make_takers(self) -> dict[str, Callable[[Record], None]]:
        return {
            "generate": self._take_generate,
            "response": self._take_response,
            "verify": self._take_verify,
            "reject": self._take_reject,
            "review": lambda record: self._mark(self._call_of(record.value), Seen.REVIEW),
            "dead.generate": self._take_dead,
            "redo.generate": self._take_redo,
            "dead.verify": self._take_dead_candidate,
            "mix": self._take_mix,
        }

    def _take_generate(self, record: Record) -> None:
        if (call := self._call_of(record.value)) is not None:
            self.made(call)

    def _take_response(self, record: Record) -> None:
        event = self._codec.decode(record.value)
        if isinstance(event, ModelAnswered):
            self.responded(event)

    def _take_verify(self, record: Record) -> None:
        header = self._codec.header(record.value)
        self.accepted += 1
        source = header.source or BROUGHT
        self._kept_out.add(source, record.partition, record.offset, header.planned, header.call_index)
        self._mark(header.call_index, Seen.ACCEPTED)
        if corpus := self._own.get(header.source or ""):
            event = self._codec.decode(record.value)
            if isinstance(event, SampleVerified):
                corpus.add(event.sample)

    def _take_reject(self, record: Record) -> None:
        event = self._codec.decode(record.value)
        # An edit rejects the candidate and accepts another sample in its place: the call's fate is that one's.
        if isinstance(event, SampleRejected) and "edited" not in event.reasons:
            self._mark(self._call_of(record.value), Seen.LOST)

    def _take_dead(self, record: Record) -> None:
        event = self._codec.decode(record.value)
        if isinstance(event, DeadLetter):
            self.refused(event)

    def _take_redo(self, record: Record) -> None:
        letter = (record.key or b"").decode(errors="replace")
        self._replayed.add(letter)
        for call in [call for call, dead in self._refused.items() if dead.event_id == letter]:
            if call not in self._asked and call not in self.answers:
                self._offer(call)

    def _take_dead_candidate(self, record: Record) -> None:
        event = self._codec.decode(record.value)
        if isinstance(event, DeadLetter) and event.value is not None:
            self._mark(self._call_of(event.value), Seen.LOST)

    def _take_mix(self, record: Record) -> None:
        event = self._codec.decode(record.value)
        if isinstance(event, SampleMixed):
            for corpus in self._mixed:
                corpus.add(event.sample)

    def _mark(self, call: int | None, seen: Seen) -> None:
        if call is not None and call >= 0:
            self.calls.mark(call, seen)

    def _call_of(self, frame: bytes) -> int | None:
        call = self._codec.header(frame).call_index
        return call if call is not None and call >= 0 else None
