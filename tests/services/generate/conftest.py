from collections.abc import Iterator

import pytest
from generate_world import World


@pytest.fixture(autouse=True)
def _close_worlds() -> Iterator[None]:
    yield
    World.close_all()
