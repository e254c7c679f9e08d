"""The audit draw: which candidates a person sees whatever the checks say: it measures the checks."""

from streams.samples import fraction


def drawn(sample_id: str, share: float) -> bool:
    """Tell whether a candidate is drawn: with probability `share`, and always the same answer for one id."""
    return fraction("audit", sample_id) < share
