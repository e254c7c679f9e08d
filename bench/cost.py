"""What a process has cost so far; printed by each measured process as its last words."""

import json
import resource
import sys
import time
from pathlib import Path


def peak_mb() -> float:
    """Return the largest resident memory so far.

    Linux's `ru_maxrss` starts at that of the process that started this one, so its own high-water mark is read instead.
    """
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def tell(**more: float) -> None:
    """Print the cost as one JSON line."""
    print(json.dumps({"peak_mb": peak_mb(), "total_cpu_seconds": time.process_time(), **more}))
