"""What a recipe says of the batches, the monitor and the evaluation."""

from typing import Literal

from pydantic import Field

from services.recipe.part import Part, Share


class Mix(Part):
    """The training batches and their synthetic cap."""

    batch: int = Field(default=256, ge=1, le=65_536)
    max_synthetic_share: Share = Field(default=0.3, description="Synthetic / all; 0.3 is a ratio of 0.43 to 1.")
    max_family_share: Share = 0.5
    floor: Share = 0.05
    max_wait_seconds: float = Field(default=30, gt=0)
    ahead: int = Field(default=64, ge=1, description="Batches that may wait for the slowest trainer.")


class Monitor(Part):
    """What is measured, and what is done about it."""

    engine: Literal["faust", "processor"] = Field(default="faust", description="What carries the monitor's state.")
    slots: int = Field(default=1, ge=1, le=2, description="2: the second is a hot standby.")
    sketch_slots: int = Field(default=1, ge=1, le=64, description="Processes that turn samples into numbers.")
    window: int = Field(
        default=1000,
        ge=100,
        le=20_000,
        description="Documents of a window; fewer if the reference has less than 12 times as many.",
    )
    target_excess: float = Field(default=1.0, gt=0, description="Where the share settles, in tolerances.")
    documents_between_false_alarms: float = Field(default=25_000_000, ge=25_000)
    embeddings: int = Field(
        default=0, ge=0, le=25, description="Documents of each 25 that get a sentence vector; 0 needs no extra."
    )
    probation_after_seconds: float = Field(default=3600, gt=0, description="When a quarantined source is asked again.")


class Evaluate(Part):
    """Where trainers report their scores by HTTP."""

    port: int = Field(ge=1, le=65_535, description="Port of `POST /scores`, on 127.0.0.1 by default.")
