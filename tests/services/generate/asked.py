"""One human seed of each task, and the prompts that are made of it; as a script it writes them as golden files.

`PYTHONPATH=.:tests python tests/services/generate/asked.py` after a change of a template.
"""

from pathlib import Path
from typing import Any

from services.generate.content import content_of
from services.generate.prompts.shown import parts_of
from services.generate.prompts.templates import STRATEGIES, TASKS, Templates
from streams.samples import Lineage, Sample, Strategy, Turn

GOLDEN = Path(__file__).parent / "golden"
PERSONA = {"style": "plain and brief", "expertise": "a scholar of it"}


def seed(task: str, *turns: tuple[str, str], **fields: Any) -> Sample:
    return Sample(
        sample_id=f"seed-{task}",
        content_hash=f"seed-{task}",
        task=task,
        turns=tuple(Turn(role=role, text=text) for role, text in turns),
        lineage=Lineage(origin="HUMAN", generation=0),
        **fields,
    )


SEEDS = {
    "text": seed("text", ("document", "Now is the winter of our discontent made glorious summer by this sun of York.")),
    "instruction": seed(
        "instruction", ("system", "Be kind."), ("user", "Name three rivers."), ("assistant", "The Rhine, Po and Ebro.")
    ),
    "chat": seed(
        "chat",
        ("user", "My bread does not rise."),
        ("assistant", "How old is the yeast?"),
        ("user", "Two years."),
        ("assistant", "Then buy new yeast."),
    ),
    "classification": seed("classification", ("document", "The soup was cold and the waiter rude."), label="complaint"),
    "math": seed(
        "math",
        ("user", "Ann has 3 apples and buys 4 more. How many has she?"),
        ("assistant", "3 + 4 = 7\n#### 7"),
        answer="7",
    ),
    "code": seed(
        "code",
        ("user", 'def add(a, b):\n    """Return the sum."""\n'),
        ("assistant", "```python\ndef add(a, b):\n    return a + b\n```"),
        tests="assert add(1, 2) == 3",
    ),
}


def prompt(task: str, strategy: Strategy, *, structured: bool = False, persona: Any = None) -> tuple[Turn, ...]:
    one = SEEDS[task]
    parts = parts_of(one, content_of(one), strategy)
    return Templates(task, None, {}).fill(strategy, parts, persona or {}, 20, structured=structured)


def golden() -> dict[str, str]:
    """Return the golden files: each task and strategy as a vendor that keeps to no schema is asked, and some others."""
    found = {f"{task}_{strategy}": prompt(task, strategy, persona=PERSONA) for task in TASKS for strategy in STRATEGIES}
    found |= {f"{task}_structured": prompt(task, "new_prompt", structured=True) for task in ("chat", "code")}
    return {f"{name}.txt": _shown(turns) for name, turns in found.items()}


def _shown(turns: tuple[Turn, ...]) -> str:
    return "\n".join(f"=== {turn.role}\n{turn.text}\n" for turn in turns)


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for name, text in golden().items():
        (GOLDEN / name).write_text(text, encoding="utf-8")
