from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from services.mix import line
from services.mix.line import Line, line_of


@given(st.lists(st.one_of(st.just("append"), st.integers(1, 6)), max_size=80))
def test_a_line_is_a_queue_whatever_is_dropped(steps: list[str | int]) -> None:
    line._COMPACT = 8
    ours, model, offset = Line(), deque[tuple[int, int]](), 0
    for step in steps:
        if isinstance(step, int):
            count = min(step, len(model))
            ours.drop(count)
            for _ in range(count):
                model.popleft()
        else:
            offset += 3
            ours.append(offset, offset * 10)
            model.append((offset, offset * 10))
        assert list(ours) == list(model)
        assert (ours[-1] if ours else None) == (model[-1] if model else None)


def test_a_line_of_pairs_keeps_them() -> None:
    assert list(line_of([(1, 5), (4, 2)])) == [(1, 5), (4, 2)]
