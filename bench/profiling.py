"""Which of our functions cost what: a profile in which the libraries' time counts for the function that called them."""

import cProfile
import pstats
from pathlib import Path
from typing import Any

_OURS = ("services", "streams")
_ROOT = Path(__file__).parents[1]


def shares(profile: cProfile.Profile, least: float = 0.02) -> dict[str, float]:
    """Return the share of all time of each function of ours that has at least so much, the costliest first."""
    stats: dict[Any, Any] = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    own: dict[str, float] = {}
    for function, (_, _, alone, _, callers) in stats.items():
        if name := _name(function):
            own[name] = own.get(name, 0.0) + alone
            continue
        for caller, (_, _, _, with_callees) in callers.items():
            if name := _name(caller):
                own[name] = own.get(name, 0.0) + with_callees
    total = sum(own.values())
    found = {name: seconds / total for name, seconds in own.items() if seconds >= least * total}
    return dict(sorted(found.items(), key=lambda each: -each[1]))


def _name(function: tuple[str, int, str]) -> str:
    """Return `module.function` of ours; nothing of others."""
    path = Path(function[0])
    if not path.is_relative_to(_ROOT) or path.relative_to(_ROOT).parts[0] not in _OURS:
        return ""
    return ".".join((*path.relative_to(_ROOT).with_suffix("").parts[-2:], function[2]))
