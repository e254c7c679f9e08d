import ast
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml
from deployed import GRAFANA, ROOT, RULE_TESTS, RULES, RUNBOOKS, Query, alerts, exported, faults, load, queries, run
from prometheus_client import generate_latest

from services.cli import COMMANDS
from streams.metrics import Metrics

OF_THE_MONITOR = {
    "alarms",
    "statistic",
    "vocabulary_types",
    "vocabulary_growth_beta",
    "alarm_evidence",
    "source_weight",
    "collapse_state",
    "evaluation_loss",
}


def test_prometheus_accepts_its_configuration_and_all_rules() -> None:
    told = run("promtool", "check", "config", GRAFANA / "prometheus" / "prometheus.yml")
    assert all(path.name in told for path in RULES)


def test_alertmanager_accepts_its_configuration() -> None:
    run("amtool", "check-config", GRAFANA / "alertmanager" / "alertmanager.yml")


def test_every_rule_fires_and_stays_silent_as_its_cases_say() -> None:
    run("promtool", "test", "rules", *RULE_TESTS)


def test_every_alert_has_cases_in_which_it_fires_and_in_which_it_is_silent() -> None:
    fires: dict[str, set[str]] = defaultdict(set)
    silent = set()
    for path in RULE_TESTS:
        for case in load(path)["tests"]:
            for each in case["alert_rule_test"]:
                if not each["exp_alerts"]:
                    silent.add(each["alertname"])
                for expected in each["exp_alerts"]:
                    fires[each["alertname"]].add(expected["exp_labels"].get("basis", ""))
    for alert in alerts():
        assert alert["labels"].get("basis", "") in fires[alert["alert"]], alert["alert"]
        assert alert["alert"] in silent


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: str(alert["alert"]))
def test_an_alert_says_how_bad_what_and_where_to_read_on(alert: dict[str, Any]) -> None:
    assert alert["labels"]["severity"] in ("warning", "critical")
    assert {"summary", "description", "runbook_url"} <= set(alert["annotations"])
    page = ROOT / alert["annotations"]["runbook_url"]
    assert page == RUNBOOKS / f"{alert['alert']}.md"
    text = page.read_text(encoding="utf-8")
    for part in (f"# {alert['alert']}\n", "**What it means.**", "**Why it matters.**", "## Look at", "## Do"):
        assert part in text


def test_no_runbook_is_left_of_an_alert_that_is_gone() -> None:
    assert {page.stem for page in RUNBOOKS.glob("*.md")} == {alert["alert"] for alert in alerts()}


@pytest.mark.parametrize("page", [*RUNBOOKS.glob("*.md"), ROOT / "docs" / "deploy.md"], ids=lambda page: page.stem)
def test_a_page_names_only_commands_and_pages_that_there_are(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert set(re.findall(r"`ballast (\w+)", text)) <= set(COMMANDS)
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        assert (page.parent / link).exists(), link


def test_the_real_parser_accepts_every_expression(tmp_path: Path) -> None:
    recorded = [{"record": f"query:{number}", "expr": one.expression} for number, one in enumerate(queries())]
    path = tmp_path / "all.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": recorded}]}), encoding="utf-8")
    assert f"{len(recorded)} rules found" in run("promtool", "check", "rules", path)


@pytest.mark.parametrize("query", queries(), ids=lambda query: query.where)
def test_a_query_names_only_metrics_and_labels_that_are_exported(query: Query) -> None:
    assert faults(query) == []


@pytest.mark.parametrize(
    ("expression", "shown", "fault"),
    [
        ("rate(ballast_alarm_total[5m])", "", "nobody exports ballast_alarm_total"),
        ("ballast_verdicts > 0", "", "nobody exports ballast_verdicts"),
        ('ballast_accepted_total{check="x"}', "", "ballast_accepted_total has no label check"),
        ("sum by (topics) (ballast_consumer_lag_records)", "", "no metric has label topics"),
        ("ballast_source_weight", "group", "no metric has label group"),
        ('ballast:alarms:rise{name="x"}', "", "ballast_alarms_total has no label name"),
    ],
)
def test_a_query_that_names_what_is_not_exported_is_found(expression: str, shown: str, fault: str) -> None:
    labels = frozenset([shown]) if shown else frozenset()
    assert faults(Query("q", expression, labels)) == [f"q: {fault}"]


def test_the_names_are_those_that_the_process_serves() -> None:
    metrics = Metrics()
    for name, counter in metrics._counters.items():
        metrics.count(name, 1, *counter._labelnames)
    for gauge_name, gauge in metrics._gauges.items():
        metrics.set(gauge_name, 1, *gauge._labelnames)
    for timing_name, timing in metrics._timings.items():
        metrics.observe(timing_name, 1, *timing._labelnames)
    lines = generate_latest(metrics.registry).decode().splitlines()
    served = {re.split(r"[ {]", line)[0] for line in lines if not line.startswith("#")}
    assert {name for name in served if not name.endswith("_created")} == set(exported())


def test_every_metric_is_set_somewhere() -> None:
    metrics = Metrics()
    constants = set()
    for path in (*ROOT.glob("streams/**/*.py"), *ROOT.glob("services/**/*.py")):
        if path != ROOT / "streams" / "metrics.py":
            nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            constants |= {
                node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)
            }
    coming = set() if (ROOT / "services" / "monitor" / "service.py").exists() else OF_THE_MONITOR
    assert {*metrics._counters, *metrics._gauges, *metrics._timings} - constants - coming == set()
