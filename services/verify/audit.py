"""The audit draw: which candidates a person sees whatever the checks say: it measures the checks."""

from streams.samples import digest

_SPAN = float(1 << 64)


def drawn(sample_id: str, share: float) -> bool:
    """Tell whether a candidate is drawn: with probability `share`, and always the same answer for one id."""
    return int(digest("audit", sample_id)[:16], 16) / _SPAN < share
