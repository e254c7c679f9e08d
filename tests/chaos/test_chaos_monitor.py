"""kill -9 and SIGSTOP of sketch and both monitors under load: no document is lost or counted twice."""

import json
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from chaos.monitor_storm import CELL, WINDOW, WORDS, Storm, measured, sketched

from services.monitor.decisions import from_bytes as decisions_of
from services.monitor.group import from_bytes as group_of
from streams.errors import BallastError
from streams.events import MixPolicySet

pytestmark = pytest.mark.alone
FULL = os.environ.get("BALLAST_CHAOS") == "full"
KILLS = 12 if FULL else 2
SEED = int(os.environ.get("BALLAST_CHAOS_SEED", "0")) or random.SystemRandom().randrange(10**6)
WIDTH = WINDOW // CELL // 4
TAKEOVER = 10  # seconds; a session lasts 6
PROCESSES = (("sketch", 0), ("monitor", 0), ("monitor", 1))


@pytest.fixture
def storm(
    request: pytest.FixtureRequest, bootstrap: str, unique: Callable[[str], str], tmp_path: Path
) -> Iterator[Storm]:
    made = Storm(bootstrap, unique("storm"), request.param, tmp_path)
    try:
        yield made
    finally:
        made.thaw()
        made.stop()


def wait(storm: Storm, condition: Callable[[], bool], seconds: float = 120) -> float:
    """Wait, reviving what ends, and return how long it took."""
    began, holds = time.monotonic(), False
    while not holds:
        assert time.monotonic() < began + seconds, storm.output()[-4000:]
        storm.revive()
        time.sleep(0.05)
        with suppress(BallastError):  # of a broker that is slow on a busy machine
            holds = condition()
    return time.monotonic() - began


def state(storm: Storm) -> dict[str, bytes]:
    return {(record.key or b"").decode(): record.value for record in storm.read("state")}


def has_windows(storm: Storm) -> bool:
    """Tell whether enough was fed for a window, of which each partition has a quarter."""
    ends = [end for word in ("generate", "seed") for end in storm.ends(word).values()]
    return len(ends) == 8 and min(ends) >= 2 * WIDTH * CELL


def is_done(storm: Storm) -> bool:
    """Tell whether the stored state reaches to the end of what was fed."""
    guard = json.loads(state(storm).get("guard", b'{"positions": []}'))
    reached = {(word, number): at for word, number, at in guard["positions"]}
    return reached == {**storm.ends("generate"), **storm.ends("seed")}


def is_followed(storm: Storm, last: MixPolicySet) -> bool:
    """Tell whether a monitor has taken over the share that a person had set for a moment."""
    policy = storm.policy()
    return policy.version > last.version and policy.set_by == "monitor"


def check_totals(storm: Storm) -> None:
    """Count the documents of the topics anew, and compare with what the monitor has stored."""
    stored = state(storm)
    for word, called in (("generate", "generate/text/tri"), ("seed", "seed/text/human")):
        group = group_of(stored[called], 4, WIDTH)
        documents = Counter(record.partition for record in storm.read(word))
        assert group.windows.next == {number: count // CELL for number, count in documents.items()}
        windows = min(count // CELL for count in documents.values()) // WIDTH
        assert group.windows.window == windows > 0
        assert group.heaps()["heaps_words"] == windows * WINDOW * WORDS
        print(f"{called}: {documents.total()} documents, {windows} windows")


def check_as_a_clean_run(storm: Storm) -> None:
    """Take the log of sketches in once, without Kafka, and compare every measure, the state and the decisions."""
    keeper, measures = storm.keeper(), {}
    for offset, event in sketched(storm.events("sketch")):
        step = keeper.take(keeper.state, event, offset)
        keeper.state = step.state
        measures.update({each.event_id: each for each in step.measured})
    assert measured(storm.events("measure")) == measures
    stored = state(storm)
    for called, group in keeper.state.groups.items():
        assert stored[called] == group.to_bytes()
    assert decisions_of(stored["decisions"]) == keeper.state.decisions


@pytest.mark.timeout(900)
@pytest.mark.parametrize("storm", ["faust", "processor"] if FULL else ["processor"], indirect=True)
def test_whatever_is_killed_every_document_counts_once(storm: Storm) -> None:
    print(f"BALLAST_CHAOS_SEED={SEED}")
    rng, killed = random.Random(SEED), Counter[str]()
    for process in PROCESSES:
        storm.start(*process)
    wait(storm, lambda: "guard" in state(storm))
    for number in range(KILLS):
        time.sleep(rng.uniform(0.2, 4.0 if FULL else 1.5))
        stage, slot = rng.choice(PROCESSES) if FULL else ("sketch", 0) if number else ("monitor", storm.active() or 0)
        storm.kill(stage, slot)
        killed[stage] += 1
        storm.revive()
    time.sleep(1)
    wait(storm, lambda: has_windows(storm))
    storm.calm()
    waited = wait(storm, lambda: is_done(storm))
    print(f"killed {dict(killed)}; done {waited:.1f} s after the last document")
    check_totals(storm)
    check_as_a_clean_run(storm)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("storm", ["faust", "processor"] if FULL else ["faust"], indirect=True)
def test_the_second_monitor_goes_on_and_one_that_was_frozen_spoils_nothing(storm: Storm) -> None:
    for process in PROCESSES:
        storm.start(*process)
    wait(storm, lambda: "guard" in state(storm) and storm.active() is not None)
    seconds = []
    storm.kill("sketch")
    for fault in ("kill", "freeze") * (3 if FULL else 1):
        # One that was thawed may end by its fence, and without a second monitor there is nobody to go on.
        time.sleep(3 if seconds else 0)
        wait(storm, lambda: storm.members() == 2 and storm.active() is not None)
        active = storm.active()
        assert active is not None
        last = storm.set_share(seconds=1)
        if fault == "kill":
            storm.kill("monitor", active)
        else:
            storm.freeze("monitor", active)
        took = wait(storm, lambda last=last: is_followed(storm, last))  # type: ignore[misc]
        seconds.append(took)
        storm.thaw()
        storm.frozen.clear()
        wait(storm, lambda: storm.active() is not None)
    print(f"the next policy came after {[f'{each:.1f}' for each in seconds]} s")
    assert max(seconds) < (TAKEOVER if FULL else 60)
    storm.calm()
    wait(storm, lambda: is_done(storm))
    check_totals(storm)
    check_as_a_clean_run(storm)
