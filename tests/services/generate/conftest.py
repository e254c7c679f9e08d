from collections.abc import Callable, Iterator
from typing import Any

import pytest
from generate_world import World
from wire import Server


@pytest.fixture(autouse=True)
def _close_worlds() -> Iterator[None]:
    yield
    World.close_all()


@pytest.fixture(autouse=True)
def _steps_end_when_nothing_is_in_flight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.generate.dispatcher._SECONDS", 50.0)


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    opened: list[Server] = []

    def one(**settings: Any) -> Server:
        opened.append(Server(lambda said: f"said {said}", **settings))
        return opened[-1]

    yield one
    for server in opened:
        server.close()
