"""What an operator deploys, and the tools that read it."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from streams.metrics import Metrics

ROOT = Path(__file__).parents[2]
GRAFANA = ROOT / "grafana"
RULES = sorted((GRAFANA / "prometheus" / "rules").glob("*.yml"))
RULE_TESTS = sorted((GRAFANA / "prometheus" / "tests").glob("*.yml"))
DASHBOARDS = sorted((GRAFANA / "dashboards").glob("*.json"))
RUNBOOKS = ROOT / "docs" / "runbooks"
OF_PROMETHEUS = {"job", "instance", "le"}

_NAME = re.compile(r"\bballast_\w+")
_SELECTOR = re.compile(r"\b(ballast_\w+)\{([^}]*)\}")
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_MADE = re.compile(r'label_replace\([^"]*(?:"[^"]*"[^"]*)*?,\s*"(\w+)",\s*"[^"]*",\s*"\w+",')
_TEXT = re.compile(r'"[^"]*"')
_RECORDED = ("ballast:alarms:rise", "ballast_alarms_total")  # a rule's own series has the labels of its source
_VARIABLES = {
    "$__rate_interval": "5m",
    "$__range": "6h",
    "$group": ".*",
    "$check": ".*",
}


class Query(NamedTuple):
    """One expression; `where` names it in a failure, `shown` are the labels that its legend uses."""

    where: str
    expression: str
    shown: frozenset[str]


def tool(name: str) -> str:
    """Return the path of a binary; where a change is checked it must be installed, elsewhere the test skips."""
    found = shutil.which(name)
    if found is None:
        told = f"{name} is not installed: apt-get install prometheus prometheus-alertmanager"
        if os.environ.get("CI"):
            pytest.fail(told)
        pytest.skip(told)
    return found


def run(name: str, *arguments: str | Path) -> str:
    done = subprocess.run([tool(name), *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def load(path: Path) -> Any:
    text = path.read_text(encoding="utf-8")
    return json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)


def rules() -> Iterator[dict[str, Any]]:
    for path in RULES:
        for group in load(path)["groups"]:
            yield from group["rules"]


def alerts() -> list[dict[str, Any]]:
    return [rule for rule in rules() if "alert" in rule]


def queries() -> list[Query]:
    """Return every expression of rules and dashboards, with Grafana's variables replaced."""
    found = [Query(str(rule.get("alert") or rule["record"]), rule["expr"], frozenset()) for rule in rules()]
    for path in DASHBOARDS:
        for panel in load(path)["panels"]:
            for target in panel["targets"]:
                shown = frozenset(re.findall(r"{{\s*(\w+)\s*}}", target["legendFormat"]))
                found.append(Query(f"{path.stem}: {panel['title']}", _filled(target["expr"]), shown))
    return found


def exported() -> dict[str, set[str]]:
    """Return the series names that `Metrics` has, as Prometheus sees them, with their labels."""
    metrics = Metrics()
    labels: dict[str, set[str]] = {}
    for name, counter in metrics._counters.items():
        labels[f"ballast_{name}_total"] = set(counter._labelnames)
    for name, gauge in metrics._gauges.items():
        labels[f"ballast_{name}"] = set(gauge._labelnames)
    for name, timing in metrics._timings.items():
        for ending in ("bucket", "sum", "count"):
            labels[f"ballast_{name}_{ending}"] = set(timing._labelnames)
    return labels


def faults(query: Query) -> list[str]:
    """Tell what a query names that no process exports: metrics, labels in selectors, groupings and legends."""
    known, found = exported(), []
    outside = _TEXT.sub('""', query.expression).replace(*_RECORDED)
    names = set(_NAME.findall(outside))
    found += [f"{query.where}: nobody exports {name}" for name in sorted(names - set(known))]
    for name, selector in _SELECTOR.findall(outside):
        unknown = set(re.findall(r"(\w+)\s*[=!]", selector)) - known.get(name, set()) - OF_PROMETHEUS
        found += [f"{query.where}: {name} has no label {label}" for label in sorted(unknown)]
    possible = set().union(*(known.get(name, set()) for name in names)) | OF_PROMETHEUS | _made(query.expression)
    grouped = {label.strip() for labels in _GROUPING.findall(outside) for label in labels.split(",") if label.strip()}
    found += [f"{query.where}: no metric has label {label}" for label in sorted((grouped | query.shown) - possible)]
    return found


def _made(expression: str) -> set[str]:
    return set(_MADE.findall(expression))


def _filled(expression: str) -> str:
    for variable, value in _VARIABLES.items():
        expression = expression.replace(variable, value)
    return expression
