"""What happened in the demonstration, told from the log: the collapse that was induced, and what the monitor did.

Nothing is taken from the processes themselves, so the story is what anybody could read afterwards.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from streams.broker import Record
from streams.codec import Codec
from streams.events import BatchSketched, CollapseMeasured, MixPolicySet
from streams.topics import word_of

WORDS = ("generate", "sketch", "measure", "policy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Something that happened at `at` (UTC milliseconds), in a sentence."""

    at: int
    told: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """What is known so far; times in UTC milliseconds, shares 0 to 1."""

    induced_at: int | None = None
    alarm: CollapseMeasured | None = None
    documents_to_alarm: int | None = None
    dropped_at: int | None = None
    recovered_at: int | None = None
    false_alarms: tuple[str, ...] = ()
    alpha: float = 0.0
    moments: tuple[Moment, ...] = ()
    sketched: int = 0  # samples
    measured: int = 0  # windows
    jsd: tuple[float, float, float] | None = None  # of the victim's last window: value, null's median and half width


class Story:
    """Folds the topics of WORDS; `victim` is the source that is retrained, `share` the recipe's cap."""

    def __init__(self, codec: Codec, pipeline: str, victim: str, share: float) -> None:
        self._codec, self._pipeline, self._victim, self._share = codec, pipeline, victim, share
        self._echoes: list[tuple[int, int]] = []  # partition and offset of each document of the retrained model
        self._sketched: list[tuple[int, int, int]] = []  # sketch's offset, partition of generate, end
        self.plot = Plot()

    def fold(self, records: Sequence[Record]) -> None:
        """Take committed records in."""
        for record in records:
            if word_of(self._pipeline, record.topic) == "generate":
                self._generated(record)
                continue
            match self._codec.decode(record.value):
                case BatchSketched() as event:
                    self.plot = replace(self.plot, sketched=self.plot.sketched + event.documents)
                    if event.source_topic == "generate":
                        self._sketched.append((record.offset, event.source_partition, event.to_position))
                case CollapseMeasured() as event:
                    self._measured(event)
                case MixPolicySet() as event:
                    self._decided(event)
                case _:
                    pass

    def _generated(self, record: Record) -> None:
        header = self._codec.header(record.value)
        if header.source == self._victim and header.generation > 1:
            self._echoes.append((record.partition, record.offset))
            if self.plot.induced_at is None:
                told = f"source {self._victim} is retrained on its own last 2,000 outputs, nothing else is changed"
                self._tell(record.timestamp, told)
                self.plot = replace(self.plot, induced_at=record.timestamp)

    def _measured(self, event: CollapseMeasured) -> None:
        victim = event.group.startswith("generate/") and event.group.endswith(f"/{self._victim}")
        if event.alarm is None:
            self.plot = replace(self.plot, measured=self.plot.measured + 1)
            if victim:
                self.plot = replace(self.plot, jsd=_jsd(event) or self.plot.jsd)
            return
        if not victim or event.alarm_kind != "change" or self.plot.induced_at is None:
            self.plot = replace(self.plot, false_alarms=(*self.plot.false_alarms, f"{event.group}: {event.alarm}"))
        elif self.plot.alarm is None:
            after = self._echoes_until(event.last_offset)
            self.plot = replace(self.plot, alarm=event, documents_to_alarm=after)
            self._tell(event.occurred_at, f"alarm: {event.alarm} of {event.group}, after {after} of its documents")

    def _echoes_until(self, offset: int) -> int:
        ends: dict[int, int] = {}
        for at, partition, end in self._sketched:
            if at <= offset:
                ends[partition] = max(end, ends.get(partition, 0))
        return sum(at < ends.get(partition, 0) for partition, at in self._echoes)

    def _decided(self, policy: MixPolicySet) -> None:
        before = self.plot
        if policy.set_by == "monitor" and (not before.moments or before.moments[-1].told != policy.reason):
            self._tell(policy.occurred_at, policy.reason)
        healthy = policy.weights.get(self._victim) != 0.0
        self.plot = replace(self.plot, alpha=policy.alpha)
        if before.induced_at is not None and not healthy and before.dropped_at is None:
            self.plot = replace(self.plot, dropped_at=policy.occurred_at)
        is_back = before.dropped_at is not None and policy.alpha >= self._share - 1e-9
        if is_back and before.recovered_at is None:
            self.plot = replace(self.plot, recovered_at=policy.occurred_at)

    def _tell(self, at: int, told: str) -> None:
        self.plot = replace(self.plot, moments=(*self.plot.moments, Moment(at=at, told=told)))


def verdict(plot: Plot, victim: str, began: int) -> Mapping[str, str]:
    """Return what was induced, seen and done, by heading; `began` in UTC milliseconds."""
    found = {"induced": "nothing yet: the source was not retrained"}
    if plot.induced_at is not None:
        found["induced"] = (
            f"at {_seconds(plot.induced_at, began)} source {victim} was retrained on 2,000 of its outputs"
        )
    if plot.alarm is not None:
        evidence = plot.alarm.statistics[0].evidence or 0.0
        found["seen"] = (
            f"{plot.alarm.alarm} of {plot.alarm.group} at {_seconds(plot.alarm.occurred_at, began)}, after "
            f"{plot.documents_to_alarm} of its documents; odds of e^{evidence:.0f} to 1"
        )
    if plot.jsd is not None:
        value, median, halfwidth = plot.jsd
        found["not seen"] = f"JSD of its last window: {value:.3f}; human windows: {median:.3f} +- {halfwidth:.3f}"
    if plot.dropped_at is not None:
        found["done"] = f"weight 0 and samples held at {_seconds(plot.dropped_at, began)}, share to the floor"
    found["recovered"] = (
        f"share back at its cap at {_seconds(plot.recovered_at, began)}"
        if plot.recovered_at is not None
        else f"no: the share is {plot.alpha:.2f}"
    )
    found["false alarms"] = ", ".join(plot.false_alarms) or "none"
    return found


def _jsd(event: CollapseMeasured) -> tuple[float, float, float] | None:
    for each in event.statistics:
        if each.name == "jsd" and each.null_median is not None and each.null_halfwidth is not None:
            return each.value, each.null_median, each.null_halfwidth
    return None


def _seconds(at: int, began: int) -> str:
    return f"{(at - began) / 1000:.0f} s"
