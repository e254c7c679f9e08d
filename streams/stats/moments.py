"""Mean and deviation from sums, which add up where means and deviations don't."""

import numpy as np


def mean_and_sd(count: int, total: float, squares: float) -> tuple[float, float]:
    """Return both for `count` values with that sum and that sum of squares; NaN without, the deviation below two.

    >>> mean_and_sd(2, 4.0, 10.0)
    (2.0, 1.4142135623730951)
    """
    mean = total / count if count else np.nan
    variance = (squares - total * mean) / (count - 1) if count > 1 else np.nan
    return float(mean), float(np.sqrt(np.maximum(variance, 0.0)))  # rounding may leave a variance just below 0
