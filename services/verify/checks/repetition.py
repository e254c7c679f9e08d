"""The check `repetition`: fails a turn that repeats an earlier one, and an answer that goes round until its end.

A text goes round if it ends on the same words again and again, or if few of its last runs of three words are distinct.
Verse has refrains, so the limits lie beyond what the plays do.
"""

from collections.abc import Sequence

from services.faults.fault import Fault, verdicts
from services.verify.check import Batch
from services.verify.checks.fenced import TASK as CODE
from streams.samples import Sample, Verdict
from streams.words import words

_FEWEST = 8  # words of a turn that can be the repetition of another: "Yes, please." may come twice
_NEAR = 0.8  # Jaccard similarity of the sets of three-word runs
_RUN = 3
_WINDOWS = ((64, 0.4), (20, 0.3))  # words at the end, and the share of their runs that is distinct at most
_REPETITIVE = 0.6  # of the larger window's words, numbers too, that are distinct: above it no runs are counted
_SHORTEST = 12  # words that go round at least
_ROUNDS = 4
_LONGEST_ROUND = 150  # words
_MARKS = 60  # characters at the end that are looked at for marks alone
_FEW_MARKS = 3
_RULES = "-=_─═*#~+| \n"  # people draw lines and tables with them
_LONGEST_RULE = 120  # characters
_SHOWN = 80


class Repetition:
    """Reads the words that all checks share first: most texts end on words that did not come before."""

    name = "repetition"

    def over(self, batch: Batch) -> Sequence[Verdict]:
        """Judge each sample alone."""
        return verdicts(self.name, map(_fault, batch.samples, batch.lasts, batch.words))


def _fault(sample: Sample, last: str, all_words: Sequence[str]) -> Fault | None:
    said = all_words if len(sample.turns) <= 1 else words(last)
    going_round = _round if sample.task == CODE else _loop  # code says much again: its tests judge it
    return going_round(said) or _marks(last) or (_repeated(sample) if len(sample.turns) > 1 else None)


def _loop(said: Sequence[str]) -> Fault | None:
    """Find an end that goes round; numbers don't count, for a list may go on counting."""
    end = said[-_WINDOWS[0][0] :]
    if len(set(end)) > _REPETITIVE * len(end):
        return _round(said)
    spoken = [word for word in said if not word.isdigit()]
    for length, most in _WINDOWS:
        window = spoken[-length:]
        runs = set(zip(window, window[1:], window[2:], strict=False))
        share = len(runs) / (length - _RUN + 1)
        if len(window) == length and share <= most:
            evidence = {"distinct": f"{share:.2f}", "text": " ".join(window[-10:])[:_SHOWN]}
            told = f"Of the runs of {_RUN} words in the last {length} words {share:.0%} are distinct"
            return Fault(evidence, f"{told}; more than {most:.0%} have to be.")
    return _round(said)


def _round(said: Sequence[str]) -> Fault | None:
    """Find a long passage that the text ends on several times over; its last word may be cut."""
    end = len(said) - 2
    if len(said) < _SHORTEST or said.count(said[end]) < _ROUNDS:
        return None
    for length in range(_RUN, min(_LONGEST_ROUND, len(said) // 2) + 1):
        if said[end - length] != said[end]:
            continue
        same = 0
        while same <= end - length and said[end - same] == said[end - same - length]:
            same += 1
        words_of_it = said[end - length + 1 : end + 1]
        if same + 1 >= max((_ROUNDS - 1) * length, _SHORTEST) and not all(map(str.isdigit, words_of_it)):
            evidence = {"words": str(length), "text": " ".join(words_of_it)[:_SHOWN]}
            return Fault(evidence, f"The text ends on the same {length} words {(same + 1) // length + 1} times over.")
    return None


def _marks(last: str) -> Fault | None:
    end = last[-_MARKS:]
    if len(end) < _MARKS or len(set(end)) > _FEW_MARKS:
        return None
    if set(end) <= set(_RULES) and len(last) - len(last.rstrip(_RULES)) <= _LONGEST_RULE:
        return None
    return Fault({"text": end[:10]}, f"The last {_MARKS} characters are {len(set(end))} different ones.")


def _repeated(sample: Sample) -> Fault | None:
    """Find a turn that says an earlier one again: nearly, in the same role, or exactly, in another.

    In another role a near repetition may be what was asked for: a text corrected.
    """
    spoken = [(n, turn.role, words(turn.text)) for n, turn in enumerate(sample.turns) if turn.role != "system"]
    long = [one for one in spoken if len(one[2]) >= _FEWEST]
    for place, (n, role, said) in enumerate(long):
        for earlier, other_role, other in long[:place]:
            if said == other or (role == other_role and _similarity(said, other) >= _NEAR):
                evidence = {"turn": str(n), "repeats": str(earlier), "text": " ".join(said[:10])[:_SHOWN]}
                return Fault(evidence, f"Turn {n} says what turn {earlier} said.")
    return None


def _similarity(one: Sequence[str], other: Sequence[str]) -> float:
    runs, others = (set(zip(said, said[1:], said[2:], strict=False)) for said in (one, other))
    return len(runs & others) / len(runs | others)
