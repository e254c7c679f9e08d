"""A, B and A again, each fine-tuned on what the one before brought into the mix: over human seeds, depth ends it."""

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from generate_world import CODEC, World, recipe
from idling import until_idle
from paid_world import KEY, run_until, source
from pydantic import SecretStr
from wire import Server

from services.evaluate.evaluator import Evaluator
from services.evaluate.reporting import Report, report
from services.stage import Context
from services.verify.service import build as verify
from streams.events import SampleIngested, SampleRejected, SampleVerified
from streams.metrics import Metrics
from streams.samples import Lineage, Sample, Turn, digest

EACH = 20
WORDS = [f"word{number}" for number in range(400)]


def text(key: str) -> str:
    return " ".join(random.Random(key).choices(WORDS, k=40))


@pytest.fixture
def server() -> Iterator[Server]:
    one = Server(text)
    yield one
    one.close()


class Line:
    """A pipeline of which one model at a time makes candidates; the mix and the evaluation follow each."""

    def __init__(self, server: Server, most: int) -> None:
        self._server, self._most = server, most
        self.world = World(self._recipe(0, "a", {}), seeds=0)
        self.world.keys["MY_KEY"] = SecretStr(KEY)
        self.world.seeds(3 * EACH, lambda number: text(f"seed {number}"))
        self.world.now += 5_000
        held = [self._human(text(f"held {number}")) for number in range(5)]
        for one in held:
            event = SampleIngested(event_id="", occurred_at=0, pool="holdout", sample=one)
            self.world.send("holdout", one.sample_id, event)
        self._mixed = 0

    def cycle(self, number: int, family: str, trained_on: dict[str, Any]) -> None:
        """Let a model make candidates, verify them, mix what is accepted, and score proxy and trainer on it."""
        world = self.world
        world.recipe = self._recipe(number, family, trained_on)
        stage, made = world.slot(None), len(world.made())
        stage.start()
        run_until(world, stage, lambda: len(world.made()) == made + EACH)
        world.end(stage)
        verifier = verify(self._context())
        verifier.start()
        until_idle(verifier)
        verifier.close()
        for one in self.accepted()[self._mixed :]:
            world.mixed(self._mixed, self._mixed, one)
            self._mixed += 1
        if self._mixed > EACH * number:
            self._score(number)

    def accepted(self) -> list[Sample]:
        events = [event for event in self.world.events("verify") if isinstance(event, SampleVerified)]
        return [event.sample for event in sorted(events, key=lambda event: event.sample.lineage.generation)]

    def rejected(self) -> list[SampleRejected]:
        return [event for event in self.world.events("reject") if isinstance(event, SampleRejected)]

    def _score(self, cycle: int) -> None:
        broker, pipeline = self.world.broker, self.world.pipeline
        Evaluator(broker=broker, codec=CODEC, pipeline=pipeline, most_shared=0.2, now=self.world.now).run()
        said = Report(
            run_id=f"tuned {cycle}", cycle=cycle, set_name="holdout", trainer="ours", model_id="m", loss=2.0,
            trained_to_batch=self._mixed,
        )  # fmt: skip
        report(broker, CODEC, pipeline, said, self.world.now)

    def _recipe(self, cycle: int, family: str, trained_on: dict[str, Any]) -> Any:
        asked = source(self._server, called=f"{family}{cycle}", family=family, **trained_on)
        made = recipe(sources=[asked], target=EACH * (cycle + 1))
        checks = made.verify.model_copy(
            update={"checks": ("format", "depth", "duplicate"), "audit_share": 0.0, "max_generation": self._most}
        )
        return made.model_copy(update={"verify": checks})

    def _context(self) -> Context:
        world = self.world
        return Context(
            recipe=world.recipe, broker=world.broker, codec=CODEC, slot=0, now=lambda: world.now, metrics=Metrics(),
            spools=Path(world.folder.name),
        )  # fmt: skip

    def _human(self, said: str) -> Sample:
        lineage, turns = Lineage(origin="HUMAN", generation=0), (Turn(role="document", text=said),)
        return Sample(sample_id=digest(said), content_hash=digest(said), task="text", turns=turns, lineage=lineage)


@pytest.mark.parametrize("most", [1, 2])
def test_families_that_learn_from_each_other_in_turn_end_at_the_depth_cap(server: Server, most: int) -> None:
    line = Line(server, most)
    for number, family in enumerate("aba"[: most + 1]):
        trained = {"trained_on": {"pipeline": line.world.pipeline, "cycle": number - 1}} if number else {}
        line.cycle(number, family, trained)
    lineages = [event.sample.lineage for event in line.world.made()]
    origins = {one.seed_id for one in lineages}
    assert origins <= {digest("seed", number) for number in range(3 * EACH)}  # human text, each time
    found = Counter((one.source.family, one.source.model_generation, one.generation) for one in lineages if one.source)
    assert found == {(family, number, number + 1): EACH for number, family in enumerate("aba"[: most + 1])}
    assert Counter(one.lineage.generation for one in line.accepted()) == {depth + 1: EACH for depth in range(most)}
    rejected = line.rejected()
    assert {event.reasons for event in rejected} == {("depth",)}
    assert [event.sample.lineage.generation for event in rejected] == [most + 1] * EACH
