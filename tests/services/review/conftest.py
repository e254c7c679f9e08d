from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import stamina
from review_world import House


@pytest.fixture(autouse=True)
def without_pauses() -> Iterator[None]:
    with stamina.set_testing(True, attempts=8, cap=True):
        yield


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Callable[..., House]]:
    """Make houses in one folder, and close them."""
    with ExitStack() as open_ones:

        def made(*requests: Any, **options: Any) -> House:
            found = House(tmp_path, *requests, **options)
            open_ones.callback(found.close)
            return found

        yield made
