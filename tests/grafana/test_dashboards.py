from pathlib import Path
from typing import Any

import pytest
from deployed import DASHBOARDS, GRAFANA, RUNBOOKS, load

SHOWN = [(path, load(path)) for path in DASHBOARDS]
PANELS = [(path.stem, panel) for path, dashboard in SHOWN for panel in dashboard["panels"]]


def test_there_are_the_three_dashboards_each_with_a_uid_of_its_own() -> None:
    assert {path.stem for path in DASHBOARDS} == {"pipeline", "quality", "collapse"}
    assert {dashboard["uid"] for _, dashboard in SHOWN} == {f"ballast-{path.stem}" for path in DASHBOARDS}


@pytest.mark.parametrize(("dashboard", "panel"), PANELS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_panel_says_what_it_shows_in_which_unit(dashboard: str, panel: dict[str, Any]) -> None:
    assert panel["title"]
    assert panel["description"], dashboard
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["targets"]
    assert all(target["expr"] and target["legendFormat"] for target in panel["targets"])


@pytest.mark.parametrize(("_path", "dashboard"), SHOWN, ids=[path.stem for path in DASHBOARDS])
def test_panels_have_ids_of_their_own_and_do_not_overlap(_path: Path, dashboard: dict[str, Any]) -> None:
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24


def test_dashboards_use_the_datasource_and_lie_where_provisioning_says() -> None:
    (source,) = load(GRAFANA / "provisioning" / "datasources" / "prometheus.yml")["datasources"]
    for _, panel in PANELS:
        assert {target["datasource"]["uid"] for target in (panel, *panel["targets"])} == {source["uid"]}
    (provider,) = load(GRAFANA / "provisioning" / "dashboards" / "ballast.yml")["providers"]
    mounts = load(GRAFANA.parent / "docker-compose.yml")["services"]["grafana"]["volumes"]
    assert f"./grafana/dashboards:{provider['options']['path']}:ro" in mounts


def test_panels_lead_to_runbooks_that_there_are() -> None:
    named = [word for _, panel in PANELS for word in panel["description"].split() if word.startswith("docs/")]
    assert named
    assert all((RUNBOOKS.parents[1] / word).exists() for word in named)
