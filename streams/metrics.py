"""The names of all metrics, with their meaning: a typo is a type error, and labels stay bounded.

Prefix `ballast_`, base units. A process has one registry and, if it is asked to, one port.
"""

from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

CounterName = Literal["records_consumed", "records_produced", "transactions", "dead_letters", "verdicts", "mix_samples"]
GaugeName = Literal[
    "consumer_lag_records", "sample_age_seconds", "mix_synthetic_share", "mix_synthetic_share_cap", "policy_age_seconds"
]
TimingName = Literal["handle_duration_seconds", "check_duration_seconds"]

_COUNTERS: dict[CounterName, tuple[str, tuple[str, ...]]] = {
    "records_consumed": ("Records that a stage has handled.", ("stage", "topic")),
    "records_produced": ("Records that a stage has written.", ("stage", "topic")),
    "transactions": ("Transactions by outcome: committed or aborted.", ("stage", "outcome")),
    "dead_letters": ("Records that a stage could not handle.", ("stage", "reason")),
    "verdicts": ("Verdicts by check and outcome.", ("check", "outcome")),
    "mix_samples": ("Samples mixed.", ("origin",)),
}
_GAUGES: dict[GaugeName, tuple[str, tuple[str, ...]]] = {
    "consumer_lag_records": ("Committed records that a stage has not handled yet.", ("stage", "topic", "partition")),
    "sample_age_seconds": ("Age of the newest record handled.", ("stage",)),
    "mix_synthetic_share": ("Synthetic share of the last batch, 0 to 1.", ()),
    "mix_synthetic_share_cap": ("Largest synthetic share allowed now, 0 to 1.", ()),
    "policy_age_seconds": ("Age of the policy in force.", ()),
}
_TIMINGS: dict[TimingName, tuple[str, tuple[str, ...]]] = {
    "handle_duration_seconds": ("Time to handle one batch.", ("stage",)),
    "check_duration_seconds": ("Time of one check over one batch.", ("check",)),
}


class Metrics:
    """All metrics of one process."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self._counters = {n: Counter(f"ballast_{n}", d, ls, registry=self.registry) for n, (d, ls) in _COUNTERS.items()}
        self._gauges = {n: Gauge(f"ballast_{n}", d, ls, registry=self.registry) for n, (d, ls) in _GAUGES.items()}
        self._timings = {n: Histogram(f"ballast_{n}", d, ls, registry=self.registry) for n, (d, ls) in _TIMINGS.items()}

    def count(self, name: CounterName, amount: float, *labels: str) -> None:
        """Add to a counter; call it once per batch."""
        counter = self._counters[name]
        (counter.labels(*labels) if labels else counter).inc(amount)

    def set(self, name: GaugeName, value: float, *labels: str) -> None:
        """Set a gauge."""
        gauge = self._gauges[name]
        (gauge.labels(*labels) if labels else gauge).set(value)

    def observe(self, name: TimingName, seconds: float, *labels: str) -> None:
        """Note a duration in seconds."""
        self._timings[name].labels(*labels).observe(seconds)
