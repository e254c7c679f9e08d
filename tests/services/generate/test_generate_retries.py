"""A call that fails is asked again after a pause, and in the end no more."""

from hypothesis import given
from hypothesis import strategies as st

from services.generate.retries import Retries
from services.models.patience import ATTEMPTS


@given(st.floats(0, 1, exclude_max=True), st.floats(0, 60))
def test_pauses_grow_are_longer_than_the_least_and_end_after_eight_attempts(jitter: float, least: float) -> None:
    retries, now, pauses = Retries(lambda: jitter), 0.0, []
    for attempt in range(1, ATTEMPTS + 1):
        assert retries.failed(7, now, least) == (attempt < ATTEMPTS)
        assert retries.resting(now) == {7}
        pause = max(least, min(60.0, 0.5 * 2 ** (attempt - 1))) * (1 + jitter)
        assert retries.resting(now + pause * 0.999) == {7}
        assert retries.resting(now + pause) == set()
        pauses.append(pause)
        now += pause
    assert pauses == sorted(pauses)
    assert retries.failures(7) == ATTEMPTS
    retries.settled(7)
    assert (retries.failures(7), retries.resting(0.0)) == (0, set())
