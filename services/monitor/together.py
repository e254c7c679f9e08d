"""All sources of a task together: small changes of several add up, where none is clear by itself.

Each document is held against the baseline of its own source, so that it is of no account which source says how much:
with one baseline for all of them, a source that is asked less would look like a change.
"""

from collections.abc import Mapping
from dataclasses import replace
from math import sqrt

from services.groups import Name, parsed
from services.monitor.cell import Cell
from services.monitor.change import Change
from services.monitor.group import Group


def heard(union: Group, source: Change, cell: Cell) -> Group:
    """Return the group of all sources after the cell of one that is tested."""
    return replace(union, change=union.change.after(source.logs(cell.documents), cell))


def is_alarm(union: Group, groups: Mapping[str, Group], of: Name, threshold: float) -> bool:
    """Tell whether all sources have changed and no one stands out; one that does will be told by its own name."""
    if union.change.evidence()[0] < threshold:
        return False
    sources = [group for name, group in groups.items() if _is_beside(parsed(name), of) and group.change.admitted]
    return all(group.change.evidence()[0] < sqrt(threshold) for group in sources)


def told(task: str, statistic: str, evidence: float, documents: int) -> str:
    """Return the reason of a decision."""
    return (
        f"all sources of {task} together changed: {statistic}, odds {evidence:.1e} to 1, over their last {documents} "
        "documents, and none stands out; the share goes to the floor"
    )


def _is_beside(name: Name, of: Name) -> bool:
    return (name.word, name.task, name.is_tested) == (of.word, of.task, True)
