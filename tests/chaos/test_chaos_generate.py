"""generate buys from a vendor with faults and is killed: exactly N are accepted, and both sides' books agree."""

import os
import random
import subprocess
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest
from buying import KEY, USUAL, Buying, Topics, dollars, faults, is_broken_off, says, tokens
from wire import Sale, Server

from services.generate.ledger import ledger
from services.models.records import is_asked
from streams.codec import Codec
from streams.events import DeadLetter, ModelAnswered

pytestmark = pytest.mark.alone
FULL = os.environ.get("BALLAST_CHAOS") == "full"
TARGET = 14_000 if FULL else 240
REQUESTS = TARGET * 10 // 7
CONCURRENCY = 16 if FULL else 4  # of each of two sources
KILLED_AT = ((0.05, 0.3), (0.65, 0.95)) if FULL else ((0.1, 0.3),)  # of all requests
ENOUGH = 1_000.0
SECONDS = 900 if FULL else 100  # of one process
SEED = int(os.environ.get("BALLAST_CHAOS_SEED", "0")) or random.SystemRandom().randrange(10**6)


@pytest.fixture
def server() -> Iterator[Server]:
    one = Server(says, bills=tokens, seconds=0.02, script=faults(2 * REQUESTS, random.Random(SEED)))
    yield one
    one.close()


@pytest.fixture
def buying(bootstrap: str, unique: Callable[[str], str], tmp_path: Path, server: Server) -> Iterator[Buying]:
    one = Buying(bootstrap, unique("buying"), tmp_path, server.url, target=TARGET, concurrency=CONCURRENCY)
    yield one
    one.close()


def going_on(process: "subprocess.Popen[bytes]") -> Callable[[], bool]:
    """Return an assertion that the process lives and takes no longer than it may."""
    deadline = time.monotonic() + SECONDS

    def on() -> bool:
        assert process.poll() is None
        assert time.monotonic() < deadline
        return True

    return on


def wait(process: "subprocess.Popen[bytes]", is_done: Callable[[], bool]) -> None:
    on = going_on(process)
    while on() and not is_done():
        time.sleep(0.05)


def waits_for(buying: Buying, server: Server, why: str) -> Callable[[], bool]:
    """Tell whether generate has said last that it waits for something, with no call in flight."""

    def is_done() -> bool:
        told = [line for line in buying.log("generate").read_text().splitlines() if "event=generate " in line]
        return bool(told) and f'why="{why}"' in told[-1] and server.in_flight == 0

    return is_done


def killed(buying: Buying, server: Server, budget: float, after: int) -> int:
    """Run generate and kill it after so many requests; return how many there were."""
    process = buying.start("generate", budget)
    wait(process, lambda: len(server.seen) >= after)
    process.kill()
    process.wait()
    return len(server.seen)


def ended(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    assert process.wait(30) == 0


@pytest.mark.timeout(2_000)
def test_n_are_accepted_and_what_was_billed_stands_in_our_books(bootstrap: str, buying: Buying, server: Server) -> None:
    print(f"BALLAST_CHAOS_SEED={SEED}")
    began, rng, budget = time.monotonic(), random.Random(SEED), 0.6 * REQUESTS * USUAL
    early, *late = [int(rng.uniform(*place) * REQUESTS) for place in KILLED_AT]
    buying.start("verify", budget)
    kills = [killed(buying, server, budget, early)]
    process = buying.start("generate", budget)
    wait(process, lambda: waits_for(buying, server, "budget spent")() or dollars(server.ledger) > budget)
    ended(process)
    spent = dollars(server.ledger)
    assert budget / 4 < spent <= budget
    kills += [killed(buying, server, ENOUGH, after) for after in late]
    process = buying.start("generate", ENOUGH)
    on, reached = going_on(process), waits_for(buying, server, "target reached")
    with closing(Topics(bootstrap, buying.name)) as topics:
        topics.read(lambda: on() and topics.count("verify") >= TARGET and reached())
        ended(process)
        topics.read(lambda: True)
    seconds = time.monotonic() - began
    each_has_one_fate(topics)
    told = books_agree(topics, server, len(kills))
    cost = buying.told("cost")
    assert cost["spent_dollars"] == pytest.approx(dollars(told.ours))
    assert cost["spent_dollars"] <= dollars(server.ledger) <= cost["spent_dollars"] + cost["at_risk_dollars"]
    the_key_is_nowhere(bootstrap, buying, server)
    print(
        f"{len(server.seen)} requests, {len(server.ledger)} billed, {topics.count('generate')} candidates, "
        f"{topics.count('verify')} accepted; killed after {kills}; bought again {told.again}, broken off "
        f"{told.broken}, refused and billed {told.refused}; ${spent:.4f} of a budget of ${budget:.4f}; {seconds:.0f} s"
    )


def each_has_one_fate(topics: Topics) -> None:
    assert topics.count("verify") == TARGET
    assert set(topics.keys["generate"].values()) == {1}
    assert topics.keys["verify"] + topics.keys["reject"] == topics.keys["generate"]
    assert topics.count("review") == topics.count("dead.verify") == 0


class Books(NamedTuple):
    """What we know to be billed, and how many calls were bought again, broken off or refused."""

    ours: list[Sale]
    again: int
    broken: int
    refused: int


def books_agree(topics: Topics, server: Server, kills: int) -> Books:
    """Hold our records to the vendor's ledger, call by call: the last turn of a prompt names its call."""
    events = [Codec().decode(value) for word in ("response", "dead.generate") for value in topics.values.get(word, ())]
    records = [event for event in events if isinstance(event, ModelAnswered)]
    turns = {record.call_index: record.prompt[-1].text for record in records}
    assert len(set(turns.values())) == len(turns)
    bills = [record for record in records if not is_asked(record)]
    ours = [
        Sale(record.source.model_id, turns[record.call_index], record.source.tokens_in, record.source.tokens_out)
        for record in bills
    ]
    refused = {turns[record.call_index] for record in bills if not record.choices}
    letters: dict[str, set[str]] = defaultdict(set)
    for event in events:
        if isinstance(event, DeadLetter):
            letters[event.error].add(turns[event.call_index or 0])
    assert letters.keys() == {"FilteredError", "RefusedError"}
    assert letters["FilteredError"] == refused
    bought, once = Counter(server.sold), Counter(set(turns.values()) - letters["RefusedError"])
    assert Counter(sale.last_turn for sale in ours) == once
    again = bought - once
    assert again + once == bought
    named = {turns[entry.call_index]: entry.asked for entry in ledger(records)}
    assert all(bought[turn] <= named[turn] for turn in again)
    broken = sum(is_broken_off(fault) for number, fault in server.script.items() if number < len(server.seen))
    assert again.total() <= kills * 2 * CONCURRENCY + broken
    lost = [Sale("", turn, *tokens(turn)) for turn in again.elements()]
    assert billed(server.ledger) == billed([*ours, *lost])
    return Books(ours, again.total(), broken, len(refused))


def billed(sales: list[Sale]) -> tuple[int, int]:
    return sum(sale.tokens_in for sale in sales), sum(sale.tokens_out for sale in sales)


def the_key_is_nowhere(bootstrap: str, buying: Buying, server: Server) -> None:
    assert KEY in str(server.seen[0].headers)
    with closing(Topics(bootstrap, buying.name, "read_uncommitted")) as topics:
        topics.read(lambda: True)
    shown = [value for values in topics.values.values() for value in values]
    shown += [key for keys in topics.keys.values() for key in keys]
    shown += [buying.log(stage).read_bytes() for stage in ("generate", "verify")]
    assert len(shown) > 4 * TARGET
    assert not any(KEY.encode() in each for each in shown)
    assert any(b"not with ********" in each for each in topics.values["dead.generate"])
