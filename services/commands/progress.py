"""Progress bars on stderr, shown only on a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """Yield a function of (done, total) that draws the bar from its first call on."""
    shown = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    task = shown.add_task(what, total=None, visible=False)

    def advance(done: int, total: int) -> None:
        shown.update(task, completed=done, total=total, visible=done < total)

    with shown:
        yield advance


@contextmanager
def fetching() -> Iterator[Callable[[int, int], None]]:
    """Yield the progress of fetching the broker's jars."""
    with bar("Fetching Kafka (44 MB, once)") as advance:
        yield advance
