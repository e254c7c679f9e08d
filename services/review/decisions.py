"""What people have decided, as the topic `decision` tells it: what is settled, and opinions that wait for another."""

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence

from services.review.agreement import Rated
from services.review.verdict import EXPIRY
from streams.events import Decision, ReviewSubmitted

_FINAL = ("accept", "reject", "edit", "expire")
_HOUR_MS = 3_600_000


class Decisions:
    """Each event counts once, however often it is read; of each its id is kept, and its sample's."""

    def __init__(self) -> None:
        self.settled: Counter[Decision] = Counter()
        self.opinions: dict[str, tuple[ReviewSubmitted, ...]] = {}  # by sample, while it is not settled
        self._known: set[bytes] = set()
        self._closed: set[bytes] = set()
        self._rated: Counter[Rated] = Counter()
        self._times: dict[str, deque[int]] = {}

    def take(self, event: ReviewSubmitted) -> None:
        """Take one event in."""
        if event.decision not in _FINAL or self.has(event.event_id):
            return
        self._known.add(event.event_id.encode())
        self._note_time(event)
        opinions = (*self.opinions.get(event.sample_id, ()), event)
        if not event.settles:
            self.opinions[event.sample_id] = opinions
            return
        self._closed.add(event.sample_id.encode())
        self.settled[event.decision] += 1
        self.opinions.pop(event.sample_id, None)
        self._rated.update(_rated([opinions]))

    def has(self, event_id: str) -> bool:
        """Tell whether the log has a decision."""
        return event_id.encode() in self._known

    def is_settled(self, sample_id: str) -> bool:
        """Tell whether a sample's fate is decided."""
        return sample_id.encode() in self._closed

    def revision(self, sample_id: str, reviewer: str) -> int:
        """Return the number of a person's next decision on a sample that is not settled."""
        return sum(opinion.reviewer == reviewer for opinion in self.opinions.get(sample_id, ()))

    def rated(self) -> Counter[Rated]:
        """Return what was said blindly of each sample that several people have seen."""
        return self._rated + _rated(self.opinions.values())

    def pace(self, now: int) -> Mapping[str, int]:
        """Return how many decisions each person has given in the last hour."""
        recent = {name: sum(at > now - _HOUR_MS for at in times) for name, times in self._times.items()}
        return {name: count for name, count in sorted(recent.items()) if count}

    def _note_time(self, event: ReviewSubmitted) -> None:
        if event.reviewer == EXPIRY:
            return
        times = self._times.setdefault(event.reviewer, deque())
        times.append(event.occurred_at)
        while times[0] <= event.occurred_at - _HOUR_MS:
            times.popleft()


def _rated(samples: Iterable[Sequence[ReviewSubmitted]]) -> Counter[Rated]:
    said = (tuple(sorted(each.decision for each in decisions if each.blind)) for decisions in samples)
    return Counter(each for each in said if len(each) > 1)
