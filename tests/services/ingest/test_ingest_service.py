import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from crashing import Crash, CrashingBroker
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest_world import context, log, recipe

from services.ingest.errors import IngestError
from services.ingest.service import build, ingest
from streams.errors import AbortableError, FatalError, TopicError
from streams.events import DeadLetter
from streams.kafka import KafkaBroker
from streams.memory import MemoryBroker

ROWS: list[Any] = [
    *({"text": f"document {n}", "domain": "d"} for n in range(40)),
    {"text": "document 7"},
    {"text": "made", "origin": "SYNTHETIC"},
    "no object",
    {"text": "edited", "origin": "HUMAN_EDITED", "generation": 1},
    {"text": "made", "origin": "UNKNOWN"},
    {"text": " "},
]
HUMAN = ("seed", "reference", "holdout")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS) + "{broken\n")
    return path


def test_every_row_ends_in_one_place_and_is_counted_there(file: Path) -> None:
    broker = MemoryBroker()
    done = ingest(context(broker, recipe(file, reader="jsonl")))
    found = log(broker)
    assert (done.read, done.candidates, done.duplicates, done.known, done.bad) == (47, 2, 2, 0, 3)
    assert (done.seed, done.reference, done.holdout) == tuple(len(found[word]) for word in HUMAN)
    assert {event.sample.turns[0].text for word in HUMAN for event in found[word]} == {
        f"document {n}" for n in range(40)
    }
    assert {event.sample.lineage.origin for word in HUMAN for event in found[word]} == {"HUMAN"}
    assert all(event.pool == word for word in HUMAN for event in found[word])
    assert {event.sample.turns[0].text for event in found["generate"]} == {"made", "edited"}
    assert all(event.call_index is None and event.sample.lineage.generation > 0 for event in found["generate"])


def test_bad_lines_are_told_and_set_aside_with_file_line_and_bytes(file: Path) -> None:
    broker = MemoryBroker()
    done = ingest(context(broker, recipe(file, reader="jsonl")))
    letters: dict[int, DeadLetter] = {letter.source_offset: letter for letter in log(broker)["dead.ingest"]}
    assert {line: letter.value for line, letter in letters.items()} == {
        43: b'"no object"\n',
        46: b'{"text": " "}\n',
        47: b"{broken\n",
    }
    assert {(letter.source_topic, letter.reason, letter.stage) for letter in letters.values()} == {
        (str(file), "input", "ingest")
    }
    assert done.first_bad[0] == f"{file}, line 43: a JSON str where an object is needed"
    assert len(done.first_bad) == 3


def test_taking_the_same_file_in_again_writes_nothing(file: Path) -> None:
    broker = MemoryBroker()
    first = ingest(context(broker, recipe(file, reader="jsonl")))
    before = log(broker)
    again = ingest(context(broker, recipe(file, reader="jsonl"), now=lambda: 99))
    assert log(broker) == before
    assert (again.seed, again.reference, again.holdout, again.candidates) == (0, 0, 0, 0)
    assert (again.read, again.known + again.duplicates, again.bad) == (first.read, 44, 3)
    assert again.first_bad == first.first_bad


def test_dead_letters_are_counted_when_they_are_written(file: Path) -> None:
    broker, given = MemoryBroker(), recipe(file, reader="jsonl")
    labels = {"stage": "ingest", "reason": "input"}
    first, again = context(broker, given), context(broker, given)
    ingest(first)
    ingest(again)
    assert first.metrics.registry.get_sample_value("ballast_dead_letters_total", labels) == 3
    assert again.metrics.registry.get_sample_value("ballast_dead_letters_total", labels) is None


def test_a_file_that_grew_or_moved_brings_only_what_is_new(file: Path, tmp_path: Path) -> None:
    broker = MemoryBroker()
    ingest(context(broker, recipe(file, reader="jsonl")))
    moved = tmp_path / "moved.jsonl"
    moved.write_text('{"text": "new"}\n' + "".join(json.dumps(row) + "\n" for row in ROWS[:42]))
    done = ingest(context(broker, recipe(moved, reader="jsonl")))
    assert done.seed + done.reference + done.holdout == 1
    assert done.candidates == 0


def test_other_shares_do_not_move_what_is_already_in_a_pool(file: Path) -> None:
    broker = MemoryBroker()
    given = recipe(file, reader="jsonl")
    ingest(context(broker, given))
    before = log(broker)
    ingest(context(broker, given.model_copy(update={"split": given.split.model_copy(update={"holdout": 0.5})})))
    assert log(broker) == before


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_at_any_call_and_a_new_run_lead_to_the_same_log(
    file: Path, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.ingest.service._RECORDS", 10)
    monkeypatch.setattr("services.ingest.service._BLOCK", 10)
    given = recipe(file, reader="jsonl")
    whole = MemoryBroker()
    counting = CrashingBroker(whole, None)
    ingest(context(counting, given))
    calls = counting.calls
    expected = log(whole)
    assert calls > 30
    for at in range(1, calls + 1):
        broker = MemoryBroker()
        context(broker, given)
        with pytest.raises(Crash):
            ingest(context(CrashingBroker(broker, at, after=after), given))
        ingest(context(broker, given))
        assert log(broker) == expected, at


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 60), max_size=6), st.booleans())
def test_any_number_of_crashes_loses_and_doubles_nothing(
    tmp_path_factory: pytest.TempPathFactory, crashes: list[int], after: bool
) -> None:
    path = tmp_path_factory.mktemp("in") / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    given_recipe = recipe(path, reader="jsonl")
    broker = MemoryBroker()
    for at in crashes:
        try:
            ingest(context(CrashingBroker(broker, at, after=after), given_recipe))
        except Crash:
            continue
    ingest(context(broker, given_recipe))
    found = log(broker)
    assert sorted(event.sample.turns[0].text for word in HUMAN for event in found[word]) == sorted(
        f"document {n}" for n in range(40)
    )
    assert (len(found["generate"]), len(found["dead.ingest"])) == (2, 2)


class AbortingBroker:
    """Aborts the first `times` commits."""

    def __init__(self, broker: MemoryBroker, times: int) -> None:
        self._broker, self._times = broker, times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._broker, name)

    def producer(self, transactional_id: str | None = None) -> Any:
        producer = self._broker.producer(transactional_id)
        commit = producer.commit

        def aborting() -> None:
            self._times -= 1
            if self._times >= 0:
                raise AbortableError("try again")
            commit()

        producer.commit = aborting  # type: ignore[method-assign]
        return producer


def test_an_aborted_transaction_is_done_again_and_counted_once(file: Path) -> None:
    broker, aborted = MemoryBroker(), MemoryBroker()
    expected = ingest(context(broker, recipe(file, reader="jsonl")))
    assert ingest(context(AbortingBroker(aborted, 3), recipe(file, reader="jsonl"))) == expected
    assert log(aborted) == log(broker)


def test_a_second_ingest_fences_the_first(file: Path) -> None:
    broker = MemoryBroker()
    first = build(context(broker, recipe(file, reader="jsonl")))
    first.start()
    ingest(context(broker, recipe(file, reader="jsonl")))
    before = log(broker)
    with pytest.raises(FatalError):
        first.step()
    assert log(broker) == before
    first.close()


class LateBroker:
    """Lets another process do one more thing just before this one fences it."""

    def __init__(self, broker: MemoryBroker, last: Callable[[], Any]) -> None:
        self._broker, self._last = broker, last

    def __getattr__(self, name: str) -> Any:
        return getattr(self._broker, name)

    def producer(self, transactional_id: str | None = None) -> Any:
        producer = self._broker.producer(transactional_id)
        init = producer.init
        producer.init = lambda: (self._last(), init())  # type: ignore[method-assign]
        return producer


def test_what_a_predecessor_writes_until_it_is_fenced_is_known(file: Path) -> None:
    broker, given = MemoryBroker(), recipe(file, reader="jsonl")
    first = build(context(broker, given))
    first.start()
    done = ingest(context(LateBroker(broker, first.step), given))
    first.close()
    assert done.known + done.duplicates == 44
    assert len(log(broker)["generate"]) == 2


def test_the_stage_takes_its_seeds_in_and_then_waits(file: Path) -> None:
    broker = MemoryBroker()
    stage = build(context(broker, recipe(file, reader="jsonl")))
    stage.start()
    assert stage.step() == 47
    assert stage.step() == 0
    stage.close()
    assert len(log(broker)["generate"]) == 2


def test_progress_grows_to_the_size_of_all_files(tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(" ".join(f"{name}{n}" for n in range(120_000)))
    heard: list[tuple[int, int]] = []
    ingest(context(MemoryBroker(), recipe(tmp_path)), progress=lambda done, total: heard.append((done, total)))
    total = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert len(heard) > 2
    assert heard == sorted(heard)
    assert heard[-1] == (total, total)


def test_nothing_is_written_when_one_of_several_inputs_is_missing(file: Path, tmp_path: Path) -> None:
    broker = MemoryBroker()
    with pytest.raises(IngestError, match=r"gone\.jsonl does not exist"):
        ingest(context(broker, recipe(file)), [str(file), str(tmp_path / "gone.jsonl")])
    assert not any(log(broker).values())


def test_a_pipeline_without_topics_is_told_so(file: Path) -> None:
    given = context(MemoryBroker(), recipe(file, reader="jsonl"))
    object.__setattr__(given, "broker", MemoryBroker())
    with pytest.raises(TopicError, match="ballast topics"):
        ingest(given)


def test_the_real_broker_holds_the_same_log_and_a_second_run_adds_nothing(
    file: Path, bootstrap: str, unique: Callable[[str], str]
) -> None:
    given, memory = recipe(file, reader="jsonl", pipeline=unique("ingest")), MemoryBroker()
    kafka = KafkaBroker(bootstrap)
    ingest(context(memory, given))
    ingest(context(kafka, given))
    assert log(kafka, given.pipeline) == log(memory, given.pipeline)
    again = ingest(context(kafka, given))
    assert again.known + again.duplicates == 44
    assert log(kafka, given.pipeline) == log(memory, given.pipeline)
