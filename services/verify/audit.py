"""The draws by which a person sees candidates that no check has flagged; each gives one id the same answer always."""

from streams.samples import fraction


def drawn(sample_id: str, share: float) -> bool:
    """Tell whether a candidate is drawn for the audit, whatever the checks say of it: the audit measures them."""
    return fraction("audit", sample_id) < share


def drawn_as_rare(sample_id: str, share: float) -> bool:
    """Tell whether a candidate is drawn if it lies where few human documents do and no check minds."""
    return fraction("rare", sample_id) < share
