"""Numbers about the review: whether people agree, how fast they are, and what is left to do."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, get_args

from services.review.agreement import alpha
from services.review.desk import Desk
from services.review.outbox import Busy
from services.review.terms import Terms

State = Literal["waiting", "leased", "second", "adjudication", "outbox"]
STATES: tuple[State, ...] = get_args(State)


class Figures(NamedTuple):
    """Krippendorff's alpha, decisions in the last hour by person, samples by state, UTC ms of the next expiry."""

    alpha: float | None
    pace: Mapping[str, int]
    backlog: Mapping[State, int]
    next_expiry: int | None


def figures(
    desk: Desk,
    terms: Terms,
    now: int,
    leased: Mapping[str, frozenset[str]] | None = None,
    leaving: Sequence[Busy] = (),
) -> Figures:
    """Return the numbers; hold the desk's lock meanwhile."""
    return Figures(
        alpha=alpha(desk.decisions.rated()),
        pace=desk.decisions.pace(now),
        backlog=_backlog(desk, terms, set(leased or ()), {busy.sample_id for busy in leaving}),
        next_expiry=desk.next_expiry(),
    )


def _backlog(desk: Desk, terms: Terms, leased: set[str], leaving: set[str]) -> dict[State, int]:
    """Return how many samples are in each state; each sample that is not settled is in one."""
    opinions = desk.opinions()
    touched = {sample_id for sample_id in {*opinions, *leased, *leaving} if desk.is_open(sample_id)}

    def state(sample_id: str) -> State:
        if sample_id in leaving:
            return "outbox"
        if sample_id in leased:
            return "leased"
        given = {opinion.reviewer for opinion in opinions[sample_id]}
        return "adjudication" if len(given) >= terms.needed(sample_id) else "second"

    found = Counter(state(sample_id) for sample_id in touched)
    found["waiting"] = len(desk) - len(touched)
    return {each: found[each] for each in STATES}
