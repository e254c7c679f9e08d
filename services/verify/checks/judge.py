"""The check `judge`: models of other families score a candidate by a rubric; what they doubt waits for a person.

A judge never fails a candidate, and a higher score earns it nothing: judges like what models like to write.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from services.models.answers import Refusal
from services.models.purse import SpentError
from services.recipe import Judge as Named
from services.verify.check import Batch
from services.verify.judge_calls import JudgeCalls, Wanted
from services.verify.panel import panel
from services.verify.rubric import CRITERIA, Opinion, read
from streams.samples import Verdict

_SURE = 0.7
_APART = 2
_LONGEST = 200


class Unheard(NamedTuple):
    """Why a judge has no opinion."""

    told: str


class Said(NamedTuple):
    """One judge's part of a verdict."""

    name: str
    family: str
    opinion: Opinion | Unheard


class Judge:
    """Flags scores below the floor that holds now, judges that are unsure or apart, and what no judge has answered."""

    name = "judge"

    def __init__(self, judges: Sequence[Named], votes: int, floor: Callable[[], int], calls: JudgeCalls) -> None:
        self._judges, self._votes, self._floor, self._calls = judges, votes, floor, calls

    def over(self, batch: Batch) -> Sequence[Verdict]:
        """Ask about all samples at once, and once more where an answer can't be read. Blocks for up to a minute.

        Raises UnavailableError where a judge can't be reached; what the others answered is stored by then.
        """
        panels = [panel(sample, self._judges, self._votes) for sample in batch.samples]
        wanted = [Wanted(sample, judge) for sample, some in zip(batch.samples, panels, strict=True) for judge in some]
        opinions, floor = iter(self._opinions(wanted)), self._floor()
        return [verdict([Said(judge.name, judge.family, next(opinions)) for judge in some], floor) for some in panels]

    def _opinions(self, wanted: Sequence[Wanted]) -> list[Opinion | Unheard]:
        found = [_opinion(reply) for reply in self._calls.ask(wanted)]
        unread = [place for place, opinion in enumerate(found) if opinion is None]
        if unread:
            replies = self._calls.ask([wanted[place]._replace(again=True) for place in unread])
            for place, reply in zip(unread, replies, strict=True):
                found[place] = _opinion(reply)
        return [opinion or Unheard("its answer is unreadable, also when asked again") for opinion in found]


def verdict(said: Sequence[Said], floor: int) -> Verdict:
    """Judge by what the judges said; the verdict's score is the least that any of them gave for a criterion."""
    scores = [score for _, _, opinion in said if isinstance(opinion, Opinion) for score in opinion.scores.values()]
    doubt = _doubt(said, floor)
    return Verdict(
        check="judge",
        outcome="flag" if doubt else "pass",
        score=min(scores, default=None),
        evidence={f"{each.name} ({each.family})": _told(each.opinion)[:_LONGEST] for each in said},
        explanation=doubt,
    )


def _doubt(said: Sequence[Said], floor: int) -> str:
    """Return why a person should look, or nothing."""
    if not said:
        return "No judge is of another family than the candidate's source; add one to the recipe."
    for name, _, opinion in said:
        if isinstance(opinion, Unheard):
            return f"Judge {name} has no opinion: {opinion.told[:_LONGEST]}."
    heard = [(name, opinion) for name, _, opinion in said if isinstance(opinion, Opinion)]
    for name, opinion in heard:
        worst = min(CRITERIA, key=opinion.scores.__getitem__)
        if opinion.scores[worst] < floor:
            return f"Judge {name} gives {opinion.scores[worst]} of 5 for {worst}; {floor} is the least allowed."
        if opinion.confidence < _SURE:
            return f"Judge {name} is {opinion.confidence:.0%} sure of its scores; {_SURE:.0%} are asked for."
    for criterion in CRITERIA:
        given = [opinion.scores[criterion] for _, opinion in heard]
        if max(given) - min(given) >= _APART:
            return f"The judges give {min(given)} and {max(given)} of 5 for {criterion}; they may differ by 1."
    return ""


def _told(opinion: Opinion | Unheard) -> str:
    if isinstance(opinion, Unheard):
        return opinion.told
    scores = ", ".join(f"{criterion} {opinion.scores[criterion]}" for criterion in CRITERIA)
    return f"{scores}; confidence {opinion.confidence:.2f}; {' '.join(opinion.reason.split())}"


def _opinion(reply: str | Refusal) -> Opinion | Unheard | None:
    """Return what a reply says; None if it can't be read."""
    if isinstance(reply, Refusal):
        is_spent = isinstance(reply.error, SpentError)
        return Unheard(f"{reply.error}" if is_spent else f"the call was refused: {reply.error}")
    try:
        return read(reply)
    except ValueError:
        return None
