"""How far from human text a source may be to be admitted: wide limits, for every model is at some distance.

They keep out what is no text at all, or copies of itself; what is fine text but changes is for the change test.
"""

from collections.abc import Mapping

from services.monitor.yardstick import Null

_LEAST_OF_HUMAN = {"recall": 0.25, "coverage": 0.25, "distinct_3": 0.25}  # as a share of the human median
_MOST_DUPLICATES = 0.2


def fault(values: Mapping[str, float], nulls: Mapping[str, Null]) -> str | None:
    """Return why a source's window is no acceptable level, in a sentence; None if it is, or if nothing can be said."""
    if values.get("near_duplicates", 0.0) > _MOST_DUPLICATES:
        return f"{values['near_duplicates']:.0%} of its documents have a near-duplicate; {_MOST_DUPLICATES:.0%} may"
    for name, share in _LEAST_OF_HUMAN.items():
        if name in nulls and values.get(name, nulls[name].median) < share * nulls[name].median:
            least = share * nulls[name].median
            return (
                f"its {name} is {values[name]:.2f} where human text has {nulls[name].median:.2f}; {least:.2f} is needed"
            )
    return None
