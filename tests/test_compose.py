import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from services import recipe
from services.pipeline import STAGES, slots
from services.settings import Settings

ROOT = Path(__file__).parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
RUNS = {name: service for name, service in SERVICES.items() if service.get("command", [""])[0] == "run"}
KNOWN = {*STAGES, "monitor"}


def test_there_is_one_service_for_every_slot_of_the_recipe() -> None:
    plan = recipe.load(ROOT / "examples" / "plays.yaml")
    wanted = {f"{stage}-{slot}" for stage, slot in slots(plan)} | {"monitor-0"}
    assert set(RUNS) == wanted


@pytest.mark.parametrize("name", RUNS)
def test_a_service_runs_the_stage_and_slot_that_its_name_says(name: str) -> None:
    run, stage, option, slot, *rest = RUNS[name]["command"]
    assert (run, option) == ("run", "--slot")
    assert stage in KNOWN
    assert name == f"{stage}-{slot}"
    assert rest == ["--recipe", "/etc/ballast/recipe.yaml"]
    assert any(mount.endswith(":/etc/ballast/recipe.yaml:ro") for mount in RUNS[name]["volumes"])
    assert RUNS[name]["depends_on"] == {"topics": {"condition": "service_completed_successfully"}}


def test_prometheus_scrapes_every_stage_where_it_serves_metrics() -> None:
    config = yaml.safe_load((ROOT / "grafana" / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    (job,) = [job for job in config["scrape_configs"] if job["job_name"] == "ballast"]
    targets = [target for each in job["static_configs"] for target in each["targets"]]
    served = [f"{name}:{service['environment']['BALLAST_METRICS_PORT']}" for name, service in RUNS.items()]
    assert sorted(targets) == sorted(served)


def test_every_image_has_its_version_in_a_variable_with_a_default() -> None:
    for name, service in SERVICES.items():
        assert re.fullmatch(r"[\w./-]+:\$\{[A-Z_]+:-[\w.]+\}", service["image"]), name
    assert COMPOSE["x-ballast"]["build"]["args"]["PYTHON_VERSION"].startswith("${PYTHON_VERSION:-")


def test_kafka_is_of_the_version_that_is_embedded() -> None:
    pinned = re.search(r"kafka-clients:(\S+)", (ROOT / "streams" / "jars.txt").read_text(encoding="utf-8"))
    assert pinned is not None
    assert SERVICES["kafka"]["image"] == f"apache/kafka:${{KAFKA_VERSION:-{pinned[1]}}}"


def test_only_variables_that_there_are_reach_a_container() -> None:
    known = {f"BALLAST_{field.upper()}" for field in Settings.model_fields}
    for name, service in SERVICES.items():
        given = {key for key in service.get("environment", {}) if key.startswith("BALLAST_")}
        assert given <= known, name


def test_what_is_mounted_from_here_is_there() -> None:
    mounts = [mount for service in SERVICES.values() for mount in service.get("volumes", []) if mount[0] in ".$"]
    for mount in mounts:
        here = re.sub(r"\$\{\w+:-([^}]+)\}", r"\1", mount).split(":")[0]
        assert (ROOT / here).exists(), mount


def test_the_ports_are_open_to_this_machine_only() -> None:
    assert all(port.startswith("127.0.0.1:") for service in SERVICES.values() for port in service.get("ports", []))


def test_the_image_runs_ballast_without_being_root_on_packages_whose_hashes_are_checked() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    assert 'ENTRYPOINT ["ballast"]' in lines
    assert lines.index("USER ballast") < lines.index('ENTRYPOINT ["ballast"]')
    assert any("--require-hashes -r requirements.lock" in line for line in lines)
    assert all("${PYTHON_VERSION}" in line for line in lines if line.startswith("FROM"))


def test_the_files_that_the_image_copies_make_a_whole_wheel(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for line in (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            for name in line.split()[1:-1]:
                (source / name).symlink_to(ROOT / name)
    code = "import hatchling.build, sys; print(hatchling.build.build_wheel(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=source, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"services/cli.py", "streams/jars.txt", "streams/schemas/mix.avsc", "services/mix/service.py"} <= names


def test_a_stage_in_a_container_keeps_to_one_core_as_under_the_supervisor() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert all(f"{name}=1" in text for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"))
