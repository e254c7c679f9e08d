"""Writes results with the machine that they are of, because a rate without its machine says nothing."""

import json
import os
import platform
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent / "results"
_PACKAGES = ("confluent-kafka", "fastavro", "numpy")


def machine() -> dict[str, Any]:
    """Return what the rates depend on; `load` is what else ran, as processes that want a core."""
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": platform.platform(),
        "load": round(os.getloadavg()[0], 1),
        "packages": {package: version(package) for package in _PACKAGES},
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def write(name: str, result: dict[str, Any]) -> Path:
    """Write bench/results/<name>.json."""
    _FOLDER.mkdir(exist_ok=True)
    path = _FOLDER / f"{name}.json"
    path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return path
