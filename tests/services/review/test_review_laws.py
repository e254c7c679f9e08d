"""Whatever people do, and whoever dies when: a decision is in the log once or refused, a sample is settled once."""

import tempfile
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from crashing import Crash, CrashingBroker
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from review_world import ACCEPT, EVERYBODY, REJECT, House, Refuses, events, request
from review_world import rule as command

from services.review.errors import ReviewError
from services.review.overlap import needed
from services.review.ruling import Ruling
from services.review.seats import Person
from streams.samples import digest

SHARE = 0.5
SAMPLES = range(6)
NEEDED = {digest(n): needed(digest(n), 2, SHARE) for n in SAMPLES}
RULINGS = (ACCEPT, REJECT, Ruling("edit", "", text="one"), Ruling("edit", "", text="two"))
assert set(NEEDED.values()) == {1, 2}

people = st.sampled_from(EVERYBODY)
samples = st.sampled_from(SAMPLES)


class Click(NamedTuple):
    """One decision as it was given; `at` makes it the only one of its kind."""

    reviewer: str
    sample_id: str
    decision: str
    at: int


class Desk(RuleBasedStateMachine):
    """People at one desk; `clicks` are what they have decided and not taken back."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
        requests = [request(n, expires_at=1_400_000 if n % 2 else None) for n in SAMPLES]
        self.house = House(Path(self.folder.name), *requests, share=SHARE)
        self.clicks: list[Click] = []

    @rule(who=people, most=st.integers(1, 3))
    def assign(self, who: Person, most: int) -> None:
        for task in self.house.desk.assign(who, self.house.now, most):
            sample_id = task.request.sample.sample_id
            mine = [click for click in self.clicks if click[:2] == (who.name, sample_id)]
            if task.opinions:
                assert who.role == "lead"
                assert len(task.opinions) == NEEDED[sample_id]
            else:
                assert mine == []
            assert who.role != "viewer"

    @rule(who=people, n=samples, ruling=st.sampled_from(RULINGS))
    def decide(self, who: Person, n: int, ruling: Ruling) -> None:
        self.house.now += 1
        with suppress(ReviewError):
            self.house.submit(who, n, ruling)
            self.clicks.append(Click(who.name, digest(n), ruling.decision, self.house.now))

    @rule(who=people)
    def decide_what_is_there(self, who: Person) -> None:
        for task in self.house.desk.assign(who, self.house.now):
            self.decide(who, next(n for n in SAMPLES if digest(n) == task.request.sample.sample_id), ACCEPT)

    @rule(who=people)
    def undo(self, who: Person) -> None:
        sample_id = self.house.desk.undo(who, self.house.now)
        if sample_id is not None:
            last = max((click for click in self.clicks if click.reviewer == who.name), key=lambda click: click.at)
            assert last.sample_id == sample_id
            self.clicks.remove(last)

    @rule(who=people, n=samples)
    def skip(self, who: Person, n: int) -> None:
        self.house.desk.skip(who, digest(n))

    @rule(seconds=st.sampled_from([1, 9, 10, 601]))
    def wait(self, seconds: int) -> None:
        self.house.now += 1_000 * seconds

    @rule()
    def send(self) -> None:
        self.house.send()

    @rule()
    def step(self) -> None:
        self.house.step()

    @rule(at=st.integers(1, 40), after=st.booleans())
    def crash(self, at: int, after: bool) -> None:
        dying = CrashingBroker(self.house.broker, None, after=after)
        self.house.open(dying)
        dying._at = dying.calls + at
        with suppress(Crash):
            self.house.send()
        self.house.open()

    @rule()
    def abort(self) -> None:
        self.house.open(Refuses(self.house.broker))
        self.house.send()
        self.house.open()

    @rule(n=samples)
    def command(self, n: int) -> None:
        with suppress(ReviewError):
            command(self.house.broker, n, REJECT._replace(reviewer="root"))

    @invariant()
    def each_sample_is_settled_once_with_one_fate(self) -> None:
        decisions = events(self.house.broker, "decision")
        verified = [e.sample for e in events(self.house.broker, "verify")]
        rejected = events(self.house.broker, "reject")
        accepted = [sample.sample_id for sample in verified if not sample.lineage.parent_ids]
        edits = [sample.lineage.parent_ids[0] for sample in verified if sample.lineage.parent_ids]
        settled = Counter(e.sample_id for e in decisions if e.settles)
        assert set(settled.values()) <= {1}
        assert settled == Counter([*accepted, *(e.sample.sample_id for e in rejected)])
        assert Counter(edits) == Counter(e.sample.sample_id for e in rejected if e.reasons == ("edited",))
        assert len({e.event_id for e in decisions}) == len(decisions)

    @invariant()
    def a_sample_is_settled_as_it_should(self) -> None:
        opinions: dict[str, list[Any]] = {}
        for event in events(self.house.broker, "decision"):
            before = opinions.setdefault(event.sample_id, [])
            says = [(each.decision, each.edited_sample_id) for each in before]
            if event.reviewer in ("root", "expiry"):
                assert event.settles
            elif event.blind:
                assert event.reviewer not in {each.reviewer for each in before}
                agree = set(says) <= {(event.decision, event.edited_sample_id)}
                assert event.settles == (agree and len(before) + 1 == NEEDED[event.sample_id])
                assert len(before) < NEEDED[event.sample_id]
            else:
                assert (event.settles, event.reviewer) == (True, "leo")
                assert (len(before), len(set(says))) == (2, 2)
            before.append(event)

    def teardown(self) -> None:
        house = self.house
        house.open()
        house.send()
        house.send()
        logged = Counter(
            Click(e.reviewer, e.sample_id, e.decision, e.occurred_at)
            for e in events(house.broker, "decision")
            if e.reviewer not in ("root", "expiry")
        )
        told = Counter((who.name, each.sample_id) for who in EVERYBODY for each in house.desk.refused(who))
        assert set(logged.values()) <= {1}
        assert logged.keys() <= set(self.clicks), "what was taken back left"
        late = Counter(click[:2] for click in self.clicks if click not in logged)
        assert late == told, "a decision is neither in the log nor refused"
        assert house.states().get("outbox", 0) == 0
        house.close()
        self.folder.cleanup()


TestDesk = Desk.TestCase
TestDesk.settings = settings(stateful_step_count=30)
