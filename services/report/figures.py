"""Numbers and times as a person reads them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from math import floor, isfinite, log10

from services.policy import Decision
from streams.parts import OPEN_END, SourceRange

_DIGITS = 3


def number(value: float) -> str:
    """Return a value with three digits that count, thousands with commas."""
    if not isfinite(value):
        return "none"
    if value == 0 or abs(value) >= 10 ** (_DIGITS - 1):
        return f"{value:,.0f}"
    decimals = _DIGITS - 1 - floor(log10(abs(value)))
    text = f"{value:.{min(decimals, 9)}f}".rstrip("0").rstrip(".")
    return text if float(text) else f"{value:.1e}"


def percent(share: float) -> str:
    """Return a share, 0 to 1, in percent."""
    return f"{number(100 * share)} %" if isfinite(share) else "none"


def ratio(share: float) -> str:
    """Return the ratio synthetic / real of a share."""
    return f"{share / (1 - share):.2f} to 1" if share < 1 else "no real samples"


def time(milliseconds: float) -> str:
    """Return UTC milliseconds as date and time."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def held(ranges: tuple[SourceRange, ...]) -> str:
    """Return ranges of accepted samples, source by source."""
    return "; ".join(
        f"{part.source}: {_offsets(part)}{'' if part.partition < 0 else f' of partition {part.partition}'}"
        for part in ranges
    )


def _offsets(part: SourceRange) -> str:
    if part.to_offset >= OPEN_END:
        return f"from offset {part.from_offset:,} on"
    return f"offsets {part.from_offset:,} to {part.to_offset - 1:,}"


def named(values: Mapping[str, float]) -> str:
    """Return named numbers in one line."""
    return ", ".join(f"{name} {number(value)}" for name, value in sorted(values.items()))


def versions(decision: Decision) -> str:
    """Return the versions of a decision and of what renewed it."""
    first, last = decision.made.version, decision.renewed.version
    return str(first) if first == last else f"{first} to {last}"
