"""What is decided about sources and the share: pure functions from what was measured to the next decisions.

A source is `admitting` until its baseline is complete, then `healthy`, or `refused` if its text is too far from human
text. One that changes is `quarantined`; after a while it is on `probation`: a small weight, and nothing of it is drawn.
Without a new alarm it is healthy again, and what it said in between is never drawn.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Literal

import numpy as np

from services import regions
from services.monitor import control
from services.monitor.control import Control, Limits
from streams.parts import OPEN_END, SourceRange
from streams.stats.cells import Codebook

Phase = Literal["admitting", "healthy", "refused", "quarantined", "probation"]
PROBATION_DOCUMENTS = 1_000
PROBATION_WEIGHT = 0.1  # times the recipe's
_OUT: tuple[Phase, ...] = ("quarantined", "probation")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One source: its phase since when (UTC milliseconds), from where in `verify` it is held, and after which cell."""

    phase: Phase = "admitting"
    since: int = 0
    held: Mapping[int, int] = field(default_factory=dict)
    tested: int = 0  # documents tested when the phase began


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """All that is decided now; `reason` is the last decision in a sentence, `number` counts them."""

    control: Control
    sources: Mapping[str, Source] = field(default_factory=dict)
    declared: Mapping[str, str] = field(default_factory=dict)  # what the recipe said of each source
    version: int = 0  # of the reference by which windows are numbered
    dropped: tuple[SourceRange, ...] = ()
    regenerate: tuple[str, ...] = ()
    reason: str = "the monitor has started; no source is admitted yet"
    inputs: Mapping[str, float] = field(default_factory=dict)
    number: int = 0
    reached: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # of each source's last window, by region
    neglected: tuple[int, ...] = ()  # regions that the sources together reach too little

    def source(self, name: str) -> Source:
        """Return what is decided about a source; a new one is to be admitted."""
        return self.sources.get(name, Source())


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A source has changed: when (UTC milliseconds), what is to be held of it, and how that is told."""

    at: int
    held: Mapping[int, int]
    reason: str
    inputs: Mapping[str, float]


def renumbered(now: Decisions, version: int) -> Decisions:
    """Return the decisions by a reference version: with another one, windows have other lengths and numbers."""
    if now.version == version:
        return now
    return replace(now, version=version, control=replace(now.control, window=-1), reached={}, neglected=())


def declare(now: Decisions, declared: Mapping[str, str]) -> tuple[Decisions, list[str]]:
    """Take what the recipe says of each source; return the names of those of which it says something else than before.

    Those are other sources under an old name: they have to be admitted again.
    """
    others = [name for name, told in sorted(declared.items()) if now.declared.get(name, told) != told]
    sources = {name: source for name, source in now.sources.items() if name not in others}
    reached = {name: counts for name, counts in now.reached.items() if name not in others}
    return replace(now, sources=sources, declared={**now.declared, **declared}, reached=reached), others


def admitted(now: Decisions, name: str, at: int, *, refused_for: str | None) -> Decisions:
    """Decide about a source whose baseline is complete: healthy, or refused for a reason."""
    if now.source(name).phase != "admitting":
        return now
    phase: Phase = "healthy" if refused_for is None else "refused"
    reason = f"source {name} is admitted" if refused_for is None else f"source {name} is refused: {refused_for}"
    return _with(now, name, Source(phase=phase, since=at), reason, {})


def alarmed(now: Decisions, name: str, alarm: Alarm, limits: Limits) -> Decisions:
    """Quarantine a source: its weight 0, its suspect samples held, the share to the floor; again changes nothing."""
    before = now.source(name)
    if before.phase in ("quarantined", "refused"):
        return now
    held = {**alarm.held, **before.held}  # on probation all of it was held already
    made = _with(now, name, Source(phase="quarantined", since=alarm.at, held=held), alarm.reason, alarm.inputs)
    return replace(made, control=control.alarm(now.control, limits), regenerate=(name,))


def alarmed_together(now: Decisions, reason: str, evidence: float, limits: Limits) -> Decisions:
    """Put the share to the floor: all sources have changed, and none is to blame."""
    return replace(
        now,
        control=control.alarm(now.control, limits),
        reason=reason,
        inputs={"evidence": min(evidence, 1e300)},
        number=now.number + 1,
        regenerate=(),
    )


def on_probation(now: Decisions, name: str, at: int, tested: int) -> Decisions:
    """Let a quarantined source speak again, with nothing of it drawn."""
    source = replace(now.source(name), phase="probation", since=at, tested=tested)
    return _with(now, name, source, f"source {name} is on probation; nothing of it is drawn", {})


def returned(now: Decisions, name: str, at: int, ends: Mapping[int, int]) -> Decisions:
    """Take a source back that was on probation; what it said until `ends` of `verify` is never drawn."""
    held = now.source(name).held
    dropped = tuple(
        SourceRange(source=name, partition=number, from_offset=start, to_offset=max(start, ends.get(number, start)))
        for number, start in sorted(held.items())
    )
    made = _with(now, name, Source(phase="healthy", since=at), f"source {name} passed its probation and is back", {})
    return replace(made, dropped=(*now.dropped, *dropped))


def released(now: Decisions, name: str, at: int) -> Decisions:
    """Take a source back on a person's word, with all that was held of it."""
    if now.source(name).phase not in (*_OUT, "refused"):
        return now
    return _with(now, name, Source(phase="healthy", since=at), f"source {name} is released by a person", {})


def measured(
    now: Decisions, window: int, excess: float | None, limits: Limits, inputs: Mapping[str, float]
) -> Decisions:
    """Let the share follow the excess of a window of the mix; until a source is healthy it stays at the floor."""
    if window <= now.control.window:
        return now
    if not any(source.phase == "healthy" for source in now.sources.values()):
        return replace(now, control=replace(now.control, window=window))
    following = control.step(now.control, window, excess, limits)
    if following.alpha == now.control.alpha:
        return replace(now, control=following)
    way = "raised" if following.alpha > now.control.alpha else "lowered"
    told = "can't be compared with human text" if excess is None else f"lies {excess:.2f} tolerances beyond human text"
    reason = f"share {way} to {following.alpha:.2f}: window {window} of the mix {told}"
    return replace(now, control=following, reason=reason, inputs=inputs, number=now.number + 1, regenerate=())


def reached(now: Decisions, name: str, counts: regions.Counts, of: Codebook) -> Decisions:
    """Take in how many documents of a source's window lie in each region; what a source that is out says is nothing."""
    known = {**now.reached, name: tuple(counts.tolist())}
    heard = [known[each] for each in sorted(known) if now.source(each).phase in ("admitting", "healthy")]
    together = np.sum([np.array(each, np.int64) for each in heard], axis=0) if heard else np.zeros_like(counts)
    return replace(now, reached=known, neglected=regions.neglected(together, of))


def weights(now: Decisions) -> dict[str, float]:
    """Return by how much the recipe's weight is multiplied, for each source that does not keep it."""
    factors: dict[Phase, float] = {"quarantined": 0.0, "refused": 0.0, "probation": PROBATION_WEIGHT}
    return {name: factors[source.phase] for name, source in now.sources.items() if source.phase in factors}


def held(now: Decisions) -> tuple[SourceRange, ...]:
    """Return the ranges of `verify` that are not drawn."""
    refused = [name for name, source in sorted(now.sources.items()) if source.phase == "refused"]
    whole = [SourceRange(source=name, from_offset=0, to_offset=OPEN_END) for name in refused]
    return (*whole, *_suspect(now))


def _suspect(now: Decisions) -> Iterator[SourceRange]:
    return (
        SourceRange(source=name, partition=number, from_offset=start, to_offset=OPEN_END)
        for name, source in sorted(now.sources.items())
        if source.phase in _OUT
        for number, start in sorted(source.held.items())
    )


def to_bytes(now: Decisions) -> bytes:
    """Return the decisions as JSON."""
    return json.dumps(asdict(now), sort_keys=True).encode()


def from_bytes(data: bytes) -> Decisions:
    """Return the decisions that gave the bytes."""
    of = json.loads(data)
    sources = {
        name: Source(**{**each, "held": {int(number): start for number, start in each["held"].items()}})
        for name, each in of["sources"].items()
    }
    dropped = tuple(SourceRange(**each) for each in of["dropped"])
    parts = {"sources": sources, "dropped": dropped, "control": control.from_dict(of["control"])}
    seen = {name: tuple(counts) for name, counts in of.get("reached", {}).items()}
    told = {"regenerate": tuple(of["regenerate"]), "reached": seen, "neglected": tuple(of.get("neglected", ()))}
    return Decisions(**{**of, **parts, **told})


def _with(now: Decisions, name: str, source: Source, reason: str, inputs: Mapping[str, float]) -> Decisions:
    sources = {**now.sources, name: source}
    return replace(now, sources=sources, reason=reason, inputs=inputs, number=now.number + 1, regenerate=())
