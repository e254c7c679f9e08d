import threading

import pytest

from streams.bounded import Bounded


def test_a_call_returns_or_raises_as_the_function_does() -> None:
    bounded = Bounded()
    assert bounded.call(5, divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        bounded.call(5, divmod, 7, 0)
    assert bounded.call(5, len, "abc") == 3


def test_a_call_that_hangs_is_given_up_and_its_late_answer_is_nobodys() -> None:
    bounded, end = Bounded(), threading.Event()
    with pytest.raises(TimeoutError, match="no return after 0 s"):
        bounded.call(0.05, end.wait, 60)
    end.set()
    assert bounded.call(5, len, "late") == 4
