"""Starts one measured process and takes its last words."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")  # as stages have it


class Process:
    """A measured process, started: `python bench/script arguments...`, our interpreter unless another is given."""

    def __init__(self, script: str, arguments: Sequence[str], python: Path = Path(sys.executable)) -> None:
        command = [python, ROOT / "bench" / script, *arguments]
        environment = {**os.environ, **_ONE_THREAD, "PYTHONPATH": str(ROOT)}
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment)

    def finish(self) -> dict[str, float]:
        """Wait for its end and return what `cost.tell` printed; raises CalledProcessError if it failed."""
        printed, _ = self._process.communicate()
        if self._process.returncode:
            raise subprocess.CalledProcessError(self._process.returncode, self._process.args)
        cost: dict[str, float] = json.loads(printed.splitlines()[-1])
        return cost
