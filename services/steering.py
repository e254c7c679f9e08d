"""What a person sets: each writes the next version of the policy, and takes over what it does not change."""

import getpass
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace

from services.errors import InputError
from streams.broker import Broker, Record, TopicPartition
from streams.codec import Codec
from streams.errors import AbortableError, UnavailableError
from streams.events import MixPolicySet, event_id
from streams.fold import Fold
from streams.topics import identity, name
from streams.writer import Output, Writer

ENOUGH = 300  # documents, for the first reference to be accepted by itself: a third of fewer is too few to fit on
_ATTEMPTS = 5
Change = Callable[[MixPolicySet], MixPolicySet]


def set_share(
    broker: Broker, codec: Codec, pipeline: str, *, alpha: float, expires_at: int | None, reason: str, now: int
) -> MixPolicySet:
    """Set the largest synthetic share of a batch (0 to 1) and return the policy. Blocks."""
    return _set(
        broker,
        codec,
        pipeline,
        lambda last: replace(last, alpha=alpha, expires_at=expires_at, set_by=getpass.getuser(), reason=reason),
        now,
    )


def release_source(broker: Broker, codec: Codec, pipeline: str, *, source: str, reason: str, now: int) -> MixPolicySet:
    """Take back a source that was put out: its weight, and what was held of it. Blocks.

    Raises InputError if the newest policy neither holds it nor gives it the weight 0.
    """

    def change(last: MixPolicySet) -> MixPolicySet:
        held = tuple(each for each in last.held if each.source != source)
        if held == last.held and last.weights.get(source) != 0.0:
            raise InputError(f"Source {source} is not out, so there is nothing to release; see `ballast policy show`")
        author = last.set_by or getpass.getuser()
        return replace(last, weights={**last.weights, source: 1.0}, held=held, set_by=author, reason=reason)

    return _set(broker, codec, pipeline, change, now)


def accept_reference(
    broker: Broker, codec: Codec, pipeline: str, *, reason: str, now: int, is_first: bool = False
) -> MixPolicySet:
    """Make the reference as it is now a new version and return the policy that says so. Blocks.

    Raises UnavailableError if it was to be the first version, and there is one by now.
    """
    reference_end, seed_end = (_ends(broker, name(pipeline, word)) for word in ("reference", "seed"))

    def change(last: MixPolicySet) -> MixPolicySet:
        author = last.set_by or getpass.getuser()  # of the share, which is not touched here
        version = last.reference_version + 1
        if is_first and version > 1:
            raise UnavailableError(f"Reference version {last.reference_version} is accepted already; use that one")
        accepted = replace(last, reference_version=version, reference_end=reference_end, seed_end=seed_end)
        return replace(accepted, set_by=author, reason=reason)

    return _set(broker, codec, pipeline, change, now)


def _ends(broker: Broker, topic: str) -> tuple[int, ...]:
    bounds = broker.bounds([TopicPartition(topic, number) for number in range(broker.partitions()[topic])])
    return tuple(bounds[at][1] for at in sorted(bounds))


def history(broker: Broker, codec: Codec, pipeline: str) -> list[MixPolicySet]:
    """Return every policy that counted, the oldest first. Blocks."""
    log = _Log(codec)
    with closing(Fold(broker, [name(pipeline, "policy")], log.fold)) as fold:
        fold.catch_up()
    return [log.first[version] for version in sorted(log.first)]


def _set(broker: Broker, codec: Codec, pipeline: str, change: Change, now: int) -> MixPolicySet:
    """Write the next version; whoever sets one at the same time is fenced and says so."""
    with closing(Writer(broker, codec, pipeline, identity(pipeline, "policy", 0))) as writer:
        writer.start()
        log = _Log(codec)
        with closing(Fold(broker, [name(pipeline, "policy")], log.fold)) as fold:
            for _ in range(_ATTEMPTS):
                fold.catch_up()
                policy = change(_next(log.latest, now))
                try:
                    writer.write(writer.encode([Output("policy", "", policy)]))
                except AbortableError:
                    break
                fold.catch_up()
                if log.first[policy.version] == policy:  # else the monitor has written that version just before
                    return policy
    raise UnavailableError("The policy was not written, and the one before is in force; set it again")


class _Log:
    """The topic `policy`: of several events with one version the first counts, whoever wrote the others."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self.first: dict[int, MixPolicySet] = {}

    @property
    def latest(self) -> MixPolicySet | None:
        """The newest version."""
        return self.first[max(self.first)] if self.first else None

    def fold(self, records: Sequence[Record]) -> None:
        """Take records in."""
        for record in records:
            event = self._codec.decode(record.value)
            if isinstance(event, MixPolicySet):
                self.first.setdefault(event.version, event)


def _next(last: MixPolicySet | None, now: int) -> MixPolicySet:
    """Return what the next version starts from; before the first, nothing synthetic is allowed."""
    version = last.version + 1 if last else 0
    start = last or MixPolicySet(
        event_id="", occurred_at=now, version=0, alpha=0.0, expires_at=now, set_by="", reason=""
    )
    return replace(
        start,
        event_id=event_id(MixPolicySet, version),
        occurred_at=now,
        version=version,
        regenerate=(),
        inputs={},
    )
