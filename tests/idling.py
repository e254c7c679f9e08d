"""Runs a stage on a memory broker until nothing is left to do."""

from services.stage import Stage

_IDLE = 3  # steps without work: a poll takes from one partition at a time


def until_idle(stage: Stage) -> None:
    """Step until a few steps in a row found nothing."""
    idle = 0
    while idle < _IDLE:
        idle = 0 if stage.step() else idle + 1
