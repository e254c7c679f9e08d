import pytest

from services.monitor.building import width_of
from services.monitor.yardstick import PART


@pytest.mark.parametrize(
    ("window", "human", "width"),
    [
        (1_000, 10_000, 10),
        (1_000, 4_000, 10),
        (1_000, 3_999, 9),  # as many as there are human documents to compare with
        (200, 1_000, 2),
        (200, 100, 1),  # never nothing; such a window has no nulls
        (250, 10_000, 2),  # whole cells in every partition
    ],
)
def test_a_window_is_as_long_as_wanted_or_as_can_be_calibrated(window: int, human: int, width: int) -> None:
    assert width_of(window, human, 4) == width
    assert width == 1 or width * 25 * 4 * PART <= human
