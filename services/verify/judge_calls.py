"""The calls of judges: written to `response` before each attempt, stored before they are used, found again later.

What lies in `response` is a fold; only candidates without a fate are kept, so it stays as small as a batch.
"""

from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import NamedTuple

from services.index.ids import Ids, pack
from services.models.answers import Asker, Refusal
from services.models.cost import worst
from services.models.in_flight import InFlight, Question
from services.models.patience import Patience
from services.models.provider import Provider, Request
from services.models.purse import Purse
from services.recipe import Judge
from services.verify.rubric import RUBRIC, prompt
from streams.broker import Broker, Record, TopicPartition
from streams.codec import Codec
from streams.errors import DecodeError
from streams.events import ModelAnswered, event_id
from streams.fold import Fold
from streams.lineage import JUDGE
from streams.metrics import Metrics
from streams.samples import Sample, Source, digest
from streams.topics import name

_UNPLANNED = -1  # a judge's call is no call of generate's plan


class Wanted(NamedTuple):
    """One judge's answer about one candidate; `again` after one that could not be read."""

    sample: Sample
    judge: Judge
    again: bool = False

    @property
    def request(self) -> Request:
        """The call; the same candidate, judge, settings and rubric have the same key."""
        judge, asked = self.judge, prompt(self.sample, again=self.again)
        settings = (judge.name, judge.provider, judge.model or "", repr(judge.temperature), judge.max_tokens)
        words = [word for turn in asked for word in (turn.role, turn.text)]
        key = digest(JUDGE, *settings, RUBRIC, self.sample.sample_id, *words)
        return Request(key, _UNPLANNED, judge.model or "", asked, judge.temperature, judge.max_tokens)


class _Heard(NamedTuple):
    """How often a call was started, and what was answered."""

    attempts: int = 0
    text: str | None = None


class JudgeCalls:
    """Asks judges, with patience; its connections and threads end with the process."""

    def __init__(
        self,
        *,
        broker: Broker,
        codec: Codec,
        pipeline: str,
        slot: int,
        judges: Mapping[str, Provider],
        patience: Mapping[str, Patience],
        purse: Purse,
        fates: Ids,
        now: Callable[[], int],
        metrics: Metrics,
    ) -> None:
        self._broker, self._codec, self._topic = broker, codec, name(pipeline, "response")
        self._slot, self._fates, self._now = slot, fates, now
        self._purse, self._metrics = purse, metrics
        self._asker = Asker(InFlight(broker, codec, pipeline, now), judges, patience, purse, now)
        self._read: dict[TopicPartition, int] = {}
        self._heard: dict[str, dict[str, _Heard]] = {}
        self._fold: Fold | None = None

    def ask(self, wanted: Sequence[Wanted]) -> list[str | Refusal]:
        """Return each answer's text, bought only if it is not stored yet. Blocks; raises UnavailableError.

        Its state is what `response` holds, so a batch may be asked about again.
        """
        if self._fold is None:  # only now: by now the fates are known, so answers that were used are not kept
            self._fold = Fold(self._broker, [self._topic], self._take)
        self._fold.catch_up()
        requests = [each.request for each in wanted]
        told = {
            request.request_key: self._known(each, request).text for each, request in zip(wanted, requests, strict=True)
        }
        new = [
            Question(request, self._asked(each, request))
            for each, request in zip(wanted, requests, strict=True)
            if told[request.request_key] is None
        ]
        try:
            asked = self._asker.ask(new)
        finally:
            self._show()
        refused = {refusal.record.request_key: refusal for refusal in asked.refusals}
        told |= {answer.request_key: answer.choices[0].text for answer in asked.answers}
        return [refused.get(key) or told[key] or "" for key in (request.request_key for request in requests)]

    def _known(self, wanted: Wanted, request: Request) -> _Heard:
        return self._heard.get(wanted.sample.sample_id, {}).get(request.request_key, _Heard())

    def _asked(self, wanted: Wanted, request: Request) -> ModelAnswered:
        sample, now, attempt = wanted.sample, self._now(), self._known(wanted, request).attempts + 1
        most = worst(request, wanted.judge.prices)
        return ModelAnswered(
            event_id=event_id(ModelAnswered, request.request_key, attempt, "asked"),
            occurred_at=now,
            request_key=request.request_key,
            purpose=JUDGE,
            call_index=_UNPLANNED,
            slot=self._slot,
            source=_source(wanted.judge, request),
            parent_ids=(sample.sample_id,),
            parent_generation=max(0, sample.lineage.generation),
            task=sample.task,
            tags=sample.tags,
            prompt=request.prompt,
            choices=(),
            attempt=attempt,
            asked_at=now,
            worst_tokens=most.tokens,
            worst_cost=most.dollars,
        )

    def _show(self) -> None:
        if self._purse.dollars < inf:
            self._metrics.set("budget_dollars", self._purse.dollars, "verify")
            self._metrics.set("budget_remaining_dollars", self._purse.left(), "verify")

    def _take(self, records: Sequence[Record]) -> None:
        for record in records:
            at = TopicPartition(record.topic, record.partition)
            if record.offset < self._read.get(at, 0):
                continue  # taken in already
            self._read[at] = record.offset + 1
            if JUDGE.encode() not in record.value:  # most are calls of generate: not worth decoding
                continue
            try:
                event = self._codec.decode(record.value)
            except DecodeError:
                continue
            if isinstance(event, ModelAnswered) and event.purpose == JUDGE:
                self._hear(event)
                self._purse.read(event)
        self._forget()

    def _hear(self, event: ModelAnswered) -> None:
        calls = self._heard.setdefault(event.parent_ids[0], {})
        before = calls.get(event.request_key, _Heard())
        text = event.choices[0].text if event.choices and before.text is None else before.text
        calls[event.request_key] = _Heard(max(before.attempts, event.attempt), text)

    def _forget(self) -> None:
        known = list(self._heard)
        rows = self._fates.rows(pack([key.encode() for key in known]))
        for key, row in zip(known, rows.tolist(), strict=True):
            if row >= 0:
                del self._heard[key]


def _source(judge: Judge, request: Request) -> Source:
    return Source(
        name=judge.name,
        provider=judge.provider,
        model_id=request.model_id,
        family=judge.family,
        model_generation=0,
        temperature=request.temperature,
        prompt_hash=RUBRIC,
        request_key=request.request_key,
        call_index=_UNPLANNED,
    )
