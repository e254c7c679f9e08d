"""The names of all metrics, with their meaning: a typo is a type error, and labels stay bounded.

Prefix `ballast_`, base units. A process has one registry and, if it is asked to, one port.
"""

from collections.abc import Callable
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric

CounterName = Literal[
    "records_consumed",
    "records_produced",
    "transactions",
    "dead_letters",
    "verdicts",
    "accepted",
    "sandbox_kills",
    "review_decisions",
    "mix_samples",
    "mix_blocked",
    "alarms",
    "model_requests",
    "model_tokens",
    "model_cost_dollars",
]
GaugeName = Literal[
    "build_info",
    "consumer_lag_records",
    "sample_age_seconds",
    "review_tasks",
    "review_agreement_alpha",
    "verification_keep_ratio",
    "verification_break_even_ratio",
    "budget_dollars",
    "budget_remaining_dollars",
    "judge_floor",
    "mix_synthetic_share",
    "mix_synthetic_share_cap",
    "mix_trainers",
    "policy_age_seconds",
    "policy_in_force",
    "statistic",
    "vocabulary_types",
    "vocabulary_growth_beta",
    "alarm_evidence",
    "source_weight",
    "model_concurrency",
    "collapse_state",
    "evaluation_loss",
]
TimingName = Literal["handle_duration_seconds", "check_duration_seconds"]

_COUNTERS: dict[CounterName, tuple[str, tuple[str, ...]]] = {
    "records_consumed": ("Records that a stage has handled.", ("stage", "topic")),
    "records_produced": ("Records that a stage has written.", ("stage", "topic")),
    "transactions": ("Transactions by outcome: committed or aborted.", ("stage", "outcome")),
    "dead_letters": ("Records that a stage could not handle.", ("stage", "reason")),
    "verdicts": ("Verdicts by check and outcome.", ("check", "outcome")),
    "accepted": ("Candidates that the checks alone accepted.", ("source",)),
    "sandbox_kills": (
        "Programs that a limit ended: time, memory, processes, output, disk, signal or seccomp.",
        ("reason",),
    ),
    "review_decisions": ("Samples that people, or an expiry, have settled, by what was decided.", ("decision",)),
    "mix_samples": ("Samples mixed; generations beyond the recipe's largest are `more`.", ("origin", "generation")),
    "mix_blocked": ("Looks at which no batch closed, by what it waits for: seeds, trainers or samples.", ("reason",)),
    "alarms": ("Alarms by kind: change, shift or verification_narrows.", ("group", "statistic", "kind")),
    "model_requests": (
        "Calls of paid models by outcome: answered, refused, rate_limited, timeout, failed or unavailable.",
        ("source", "outcome"),
    ),
    "model_tokens": ("Tokens of answers by direction: in or out.", ("source", "direction")),
    "model_cost_dollars": ("What answers cost, where the recipe has the price.", ("source",)),
}
_GAUGES: dict[GaugeName, tuple[str, tuple[str, ...]]] = {
    "build_info": ("1; the labels say which version runs which recipe.", ("version", "recipe")),
    "consumer_lag_records": ("Offsets that a stage has not committed yet.", ("stage", "topic", "partition")),
    "sample_age_seconds": ("Age of the newest record handled.", ("stage",)),
    "review_tasks": (
        "Samples in review by state: waiting, leased, second (opinion needed), adjudication or outbox.",
        ("state",),
    ),
    "review_agreement_alpha": ("Krippendorff's alpha of blind decisions; NaN below 10 pairs.", ()),
    "verification_keep_ratio": (
        "Share of what people find right, or wrong, that the checks keep; side: value, low or high (95 %).",
        ("truth", "side"),
    ),
    "verification_break_even_ratio": (
        "Share of wrong candidates below which training on what is kept helps; side: value, low or high (95 %).",
        ("side",),
    ),
    "budget_dollars": (
        "Dollars that this slot may spend in all, by the budget of the stage: generate, or verify for judges.",
        ("stage",),
    ),
    "budget_remaining_dollars": ("Dollars of the stage's budget that this slot may still spend.", ("stage",)),
    "judge_floor": ("Score of 1 to 5 below which judges flag now, the recipe's or a better by decisions.", ()),
    "mix_synthetic_share": ("Synthetic share of the last batch, 0 to 1.", ()),
    "mix_synthetic_share_cap": ("Largest synthetic share allowed now, 0 to 1.", ()),
    "mix_trainers": ("Trainers that read the mix.", ()),
    "policy_age_seconds": ("Age of the newest policy, whether in force or not.", ()),
    "policy_in_force": ("1 while a policy is in force; 0: batches are real only.", ()),
    "statistic": (
        "Statistic of a group's last window; side: value, null (its median) or excess (tolerances beyond it).",
        ("name", "group", "side"),
    ),
    "vocabulary_types": ("Word types since the start of the group.", ("group",)),
    "vocabulary_growth_beta": ("Heaps' exponent since the start of the group.", ("group",)),
    "alarm_evidence": ("Log e-value of the group's test for change.", ("group",)),
    "source_weight": ("Weight of a source in the plan; 0 while it is quarantined.", ("source",)),
    "model_concurrency": (
        "Calls of a paid source; side: limit (what its vendor seems to bear now) or in_flight.",
        ("source", "side"),
    ),
    "collapse_state": ("1 for the state that the control of the share is in, else 0.", ("state",)),
    "evaluation_loss": ("Loss of the last evaluation by set; lower is better.", ("set",)),
}
_TIMINGS: dict[TimingName, tuple[str, tuple[str, ...]]] = {
    "handle_duration_seconds": ("Time to handle one batch.", ("stage",)),
    "check_duration_seconds": ("Time of one check over one batch.", ("check",)),
}


class Metrics:
    """All metrics of one process."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self._scrapes = _Scrapes()
        self.registry.register(self._scrapes)  # the first to be collected
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

    def before_scrape(self, update: Callable[[], None]) -> None:
        """Have `update` called at the start of each scrape, in the server's thread."""
        self._scrapes.updates.append(update)

    def observe(self, name: TimingName, seconds: float, *labels: str) -> None:
        """Note a duration in seconds."""
        self._timings[name].labels(*labels).observe(seconds)


class _Scrapes:
    """A collector without metrics of its own: it lets others bring theirs up to date."""

    def __init__(self) -> None:
        self.updates: list[Callable[[], None]] = []

    def collect(self) -> tuple[Metric, ...]:
        for update in self.updates:
            update()
        return ()
