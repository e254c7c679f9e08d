"""Whether reviewers agree: Krippendorff's alpha over decisions of which nobody saw another's."""

from collections.abc import Mapping

from streams.events import Decision

Rated = tuple[Decision, ...]  # what several people said of one sample, in alphabetical order
ENOUGH = 10  # pairs of decisions


def alpha(rated: Mapping[Rated, int]) -> float | None:
    """Return alpha for nominal values: 1 agreement, 0 chance; None below 10 pairs, or if all decisions are the same.

    Krippendorff, K. (2011), Computing Krippendorff's alpha-reliability.

    >>> alpha({("accept", "accept"): 6, ("reject", "reject"): 6})
    1.0
    >>> alpha({("accept", "accept"): 9}) is None
    True
    """
    kinds = sorted({kind for each in rated for kind in each})
    if sum(count * len(each) * (len(each) - 1) // 2 for each, count in rated.items()) < ENOUGH or len(kinds) < 2:  # noqa: PLR2004
        return None
    import krippendorff  # noqa: PLC0415 - brings numpy, which the command line does not need

    counts = [[each.count(kind) for kind in kinds] for each, times in rated.items() for _ in range(times)]
    return float(krippendorff.alpha(value_counts=counts, level_of_measurement="nominal"))
