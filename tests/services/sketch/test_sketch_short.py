"""Where human texts are short, fewer words of each are counted, and where there are too few the stage waits."""

from contextlib import suppress
from dataclasses import replace

import numpy as np
from crashing import Crash, CrashingBroker
from hypothesis import given, settings
from hypothesis import strategies as st
from sketch_world import accept, cells, context, drain, put, recipe, sample, sketched, stage, text, world
from structlog.testing import capture_logs

from services.artefact import UNITS, build, unit_of
from services.monitor import service as monitor
from streams.memory import MemoryBroker
from streams.samples import Sample


@given(st.lists(st.integers(0, 100), min_size=1))
def test_as_many_words_are_counted_as_half_of_the_documents_have_and_64_at_most(lengths: list[int]) -> None:
    unit = unit_of(lengths)
    assert unit == 8 or 2 * sum(length >= unit for length in lengths) >= len(lengths)
    assert all(2 * sum(length >= more for length in lengths) < len(lengths) for more in UNITS if more > unit)


def short(key: object, words: int = 20, model: str | None = None) -> Sample:
    return sample(key, text(key, words), model)


def test_documents_of_one_unit_are_one_artefact_whatever_their_lengths_and_another_unit_another() -> None:
    made = [build(1, [short(f"r{n}", words + n % 3) for n in range(150)]) for words in (20, 21, 30)]
    assert [each.unit for each in made] == [16, 16, 24]
    assert made[0].hash == made[1].hash != made[2].hash


def test_short_documents_fill_cells_and_shorter_ones_are_left_out() -> None:
    broker = world(reference=0)
    put(broker, "reference", (short(f"r{n}") for n in range(150)), "fit")
    candidates = [short(f"g{n}", 15 if n % 4 == 0 else 17, "tri") for n in range(400)]
    put(broker, "generate", candidates)
    accept(broker)
    drain(broker)
    found = [cell for (called, _), cell in cells(broker).items() if called.startswith("generate/text/tri")]
    assert {cell.words.shape for cell in found} == {(25, 16)}
    assert all(np.isfinite(cell.scores).all() and (cell.scores[:, -1] > 0).all() for cell in found)
    counted = {int(each.sample_id[:16], 16) for number, each in enumerate(candidates) if number % 4}
    keys = [key for cell in found for key in cell.keys.tolist()]
    assert set(keys) <= counted
    assert len(keys) >= len(counted) - 4 * 24, "all but a partial cell of each partition"


@settings(max_examples=15)
@given(st.lists(st.integers(1, 40), max_size=3))
def test_a_reference_of_longer_documents_goes_on_from_shorter_ones_wherever_it_is_killed(crashes: list[int]) -> None:
    broker, calm = MemoryBroker(), MemoryBroker()
    for each in (broker, calm):
        _grow(each, crashes if each is broker else [])
    assert {cell.words.shape[1] for cell in cells(calm).values()} == {16, 64}
    assert cells(broker).keys() == cells(calm).keys()
    for called, cell in cells(calm).items():
        assert cells(broker)[called].to_bytes() == cell.to_bytes()


def _grow(broker: MemoryBroker, crashes: list[int]) -> None:
    broker.__dict__.update(world(reference=0).__dict__)
    for round_, words in enumerate((20, 70)):
        put(broker, "reference", (short(f"r{round_}{n}", words) for n in range(150 + 200 * round_)), "fit")
        accept(broker)
        for part in range(2):
            put(broker, "generate", (short(f"g{round_}{part}{n}", words, "tri") for n in range(150)))
            for at in crashes:
                with suppress(Crash):
                    drain(CrashingBroker(broker, at))
            drain(broker)


def test_too_small_a_reference_is_told_once_and_waited_beyond() -> None:
    broker = world(reference=40)
    accept(broker)
    put(broker, "generate", (sample(f"g{n}", text(f"g{n}"), "tri") for n in range(100)))
    with capture_logs() as logs:
        waiting = stage(broker)
        assert [waiting.step() for _ in range(3)] == [0, 0, 0]
    assert [log["why"].partition(";")[0] for log in logs] == [
        "Only 40 documents of reference version 1 are to fit and have 64 words"
    ]
    put(broker, "reference", (sample(f"more{n}", text(f"more{n}")) for n in range(100)), "fit")
    accept(broker)
    while waiting.step() == 0:
        pass
    assert sketched(broker)


def test_the_monitor_waits_for_more_reference_too() -> None:
    broker, plan = world(reference=40), recipe()
    accept(broker)
    plan = plan.model_copy(update={"monitor": plan.monitor.model_copy(update={"engine": "processor"})})
    with capture_logs() as logs:
        waiting = monitor.build(replace(context(broker), recipe=plan))
        waiting.start()
        assert [waiting.step() for _ in range(3)] == [0, 0, 0]
    assert [log["why"].partition(";")[0] for log in logs if log["event"] == "waiting"] == [
        "Only 40 documents of reference version 1 are to fit and have 64 words"
    ]
    for part in ("fit", "calibrate"):
        put(broker, "reference", (sample(f"{part}{n}", text(f"{part}{n}")) for n in range(300)), part)
    accept(broker)
    put(broker, "generate", (sample(f"g{n}", text(f"g{n}"), "tri") for n in range(400)))
    drain(broker)
    while waiting.step() == 0:
        pass
    waiting.close()
