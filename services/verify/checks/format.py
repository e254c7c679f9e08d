"""The check `format`: fails a sample whose turns, fields, length, characters or JSON are not what is wanted."""

import re
from collections.abc import Callable, Sequence

from services.faults.damage import damage
from services.faults.fault import Fault, verdicts
from services.faults.unread import unread
from services.verify.check import Batch
from services.verify.checks.fields import fields_fault
from streams.samples import Sample, Turn, Verdict

ROLES = frozenset({"system", "user", "assistant", "document"})
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")

ReadJson = Callable[[str], Fault | None]


class Format:
    """Fails outside of `fewest` to `most` words; `json` finds the fault of a last turn that has to be JSON."""

    name = "format"

    def __init__(self, fewest: int, most: int, json: ReadJson | None) -> None:
        self._fewest, self._most, self._json = fewest, most, json

    def over(self, batch: Batch) -> Sequence[Verdict]:
        """Judge each sample alone."""
        return verdicts(self.name, map(self._fault, batch.samples, batch.words))

    def _fault(self, sample: Sample, words: Sequence[str]) -> Fault | None:
        fault = unread(sample) or turns_fault(sample) or fields_fault(sample)
        fault = fault or length_fault(len(words), self._fewest, self._most)
        if fault is None and self._json is not None:
            return self._json(sample.turns[-1].text)
        return fault


def turns_fault(sample: Sample) -> Fault | None:
    """Return what is wrong with the turns."""
    if not sample.turns:
        return Fault({"turns": "0"}, "The sample has no turns.")
    if len(sample.turns) > 1 and any(turn.role == "document" for turn in sample.turns):
        return Fault({"role": "document"}, "A turn of role document stands beside other turns.")
    return next((fault for n, turn in enumerate(sample.turns) if (fault := _turn_fault(n, turn))), None)


def length_fault(words: int, fewest: int, most: int) -> Fault | None:
    """Return what is wrong with the number of words."""
    if fewest <= words <= most:
        return None
    return Fault({"words": str(words)}, f"The text has {words} words; {fewest} to {most} are allowed.")


def _turn_fault(number: int, turn: Turn) -> Fault | None:
    if turn.role not in ROLES:
        allowed = ", ".join(sorted(ROLES))
        return Fault({"turn": str(number), "role": turn.role[:40]}, f"Turn {number} has a role other than {allowed}.")
    if not turn.text.strip():
        return Fault({"turn": str(number)}, f"Turn {number} is empty.")
    if found := _CONTROL.search(turn.text):
        code = f"U+{ord(found[0]):04X}"
        evidence = {"turn": str(number), "character": code, "place": str(found.start())}
        return Fault(evidence, f"Turn {number} holds the control character {code} at character {found.start()}.")
    if hurt := damage(turn.text):
        kind, what, place = hurt
        evidence = {"turn": str(number), "damage": kind, "place": str(place)}
        return Fault(evidence, f"Turn {number} holds {what} at character {place}.")
    return None
