"""A broker whose process dies at the n-th call: before the call takes effect, or just after it did."""

from typing import Any

_CLIENTS = ("consumer", "producer")


class Crash(BaseException):
    """The process is gone; nothing in it may catch this."""


class CrashingBroker:
    """Passes every call on to `broker` and its clients until call number `at`; None never crashes."""

    def __init__(self, broker: Any, at: int | None, *, after: bool = False) -> None:
        self._broker = broker
        self._at = at
        self._after = after
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        return _Watched(self, self._broker, name)

    def reach(self, call: Any, arguments: Any, keywords: Any) -> Any:
        self.calls += 1
        dies = self._at is not None and self.calls >= self._at
        if dies and not self._after:
            raise Crash
        result = call(*arguments, **keywords)
        if dies:
            raise Crash
        return result


class _Watched:
    def __init__(self, owner: CrashingBroker, target: Any, name: str) -> None:
        self._owner, self._name = owner, name
        self._call = getattr(target, name)

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        if self._name == "send_offsets":  # the broker knows its own consumer only
            arguments = (arguments[0].inner, *arguments[1:])
        result = self._owner.reach(self._call, arguments, keywords)
        return _Client(self._owner, result) if self._name in _CLIENTS else result


class _Client:
    def __init__(self, owner: CrashingBroker, inner: Any) -> None:
        self.inner = inner
        self._owner = owner

    def __getattr__(self, name: str) -> Any:
        return _Watched(self._owner, self.inner, name)
