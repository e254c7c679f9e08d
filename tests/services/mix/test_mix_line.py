from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from services.mix import line
from services.mix.line import Line, Place, line_of


@given(st.lists(st.one_of(st.just("append"), st.integers(1, 6)), max_size=80))
def test_a_line_is_a_queue_whatever_is_dropped(steps: list[str | int]) -> None:
    line._COMPACT = 8
    ours, model, offset = Line(), deque[Place](), 0
    for step in steps:
        if isinstance(step, int):
            count = min(step, len(model))
            ours.drop(count)
            for _ in range(count):
                model.popleft()
        else:
            offset += 3
            place = Place(offset, offset * 10, offset * 100)
            ours.append(place)
            model.append(place)
        assert list(ours) == list(model)
        assert (ours[-1] if ours else None) == (model[-1] if model else None)


def test_a_line_of_places_keeps_them() -> None:
    places = [Place(1, 5, -1), Place(4, 2, 7)]
    assert list(line_of(places)) == places


def test_a_line_that_has_made_itself_shorter_is_the_same() -> None:
    line._COMPACT = 8
    places = [Place(number, number * 10, number * 100) for number in range(40)]
    ours = line_of(places)
    ours.drop(20)
    assert list(ours) == places[20:]
    assert ours[-1] == places[-1]
