from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from generate_world import World, recipe

from services.generate.corpus import MixCorpus, OwnCorpus, Training
from services.generate.local import LocalProvider
from services.models.provider import Request
from services.recipe import Source
from streams.errors import UnavailableError
from streams.events import SampleGenerated
from streams.samples import Lineage, Sample, Turn, digest

TEXTS = ["a b c d e f", "b c a e d f", "c a d b e f"]


def source(**fields: Any) -> Source:
    return Source.model_validate({"name": "a", "provider": "local", "family": "a", **fields})


def sample(text: str, generation: int) -> Sample:
    return Sample(
        sample_id=text,
        content_hash=digest(text),
        task="text",
        turns=(Turn(role="document", text=text),),
        lineage=Lineage(origin="SYNTHETIC", generation=generation),
    )


def request(index: int = 0) -> Request:
    return Request(digest(index), index, "m", (Turn(role="document", text="a b"),), 1.0, 10)


def test_the_model_id_names_the_order_and_the_training_set() -> None:
    def model_id(texts: list[str], **fields: Any) -> str:
        provider = LocalProvider(source(**fields))
        provider.learn(Training(texts, 0))
        return provider.model().model_id

    one = model_id(TEXTS)
    assert one == model_id(TEXTS)
    assert one.startswith("ngram-3-")
    assert len({one, model_id(TEXTS[:2]), model_id(TEXTS, order=2), model_id(TEXTS, backoff=0.3)}) == 4


def test_an_untrained_model_is_unavailable_not_refusing() -> None:
    with pytest.raises(UnavailableError):
        LocalProvider(source()).answer(request())


def test_answers_are_paced_by_documents_per_second() -> None:
    slept: list[float] = []
    times: Iterator[float] = iter([10.0, 10.0, 10.25, 11.0])
    provider = LocalProvider(source(documents_per_second=4), lambda: next(times), slept.append)
    provider.learn(Training(TEXTS, 0))
    for index in range(4):
        provider.answer(request(index))
    assert slept == [0.25, 0.25]


def test_the_mix_so_far_is_due_at_first_and_whenever_it_has_doubled() -> None:
    corpus, due = MixCorpus(most=100, first=3), []
    for count in range(1, 15):
        corpus.add(sample(f"text {count}", 0))
        if corpus.due():
            due.append(count)
            corpus.take()
    assert due == [3, 6, 12]


def test_a_long_mix_is_drawn_evenly_and_has_the_largest_generation_of_all() -> None:
    corpus = MixCorpus(most=50, first=1)
    for number in range(1_000):
        corpus.add(sample(f"text {number}", 3 if number == 7 else 1))
    texts, generation = corpus.take()
    assert generation == 3
    assert len(set(texts)) == 50
    assert 10 < sum(int(text.split()[1]) < 500 for text in texts) < 40


def test_own_output_is_the_last_accepted_samples_and_their_largest_generation() -> None:
    corpus = OwnCorpus(size=3)
    for number, generation in enumerate([9, 1, 2, 1]):
        assert corpus.due() == (number == 3)
        corpus.add(sample(f"text {number}", generation))
    assert corpus.take() == Training(["text 1", "text 2", "text 3"], 2)
    assert not corpus.due()


def world_of(trained_on: str, corpora: Mapping[str, Any]) -> tuple[World, Any]:
    sources = [{"name": "a", "provider": "local", "family": "a", "order": 2, "trained_on": trained_on}]
    world = World(recipe(target=400, sources=sources, max_tokens=8), seeds=20)
    provider = LocalProvider(world.recipe.sources[0])
    provider.corpus = corpora[trained_on]
    stage = world.slot({"a": provider})
    stage.start()
    return world, stage


def generations(made: list[SampleGenerated]) -> list[tuple[int, int]]:
    found = []
    for event in sorted(made, key=lambda event: event.call_index or 0):
        assert event.sample.lineage.source is not None
        found.append((event.sample.lineage.source.model_generation, event.sample.lineage.generation))
    return found


def test_models_of_seeds_make_the_first_generation_for_ever() -> None:
    world, stage = world_of("seed", {"seed": None})
    for _ in range(10):
        stage.step()
        world.verify()
    assert set(generations(world.made())) == {(0, 1)}


def test_a_model_of_its_own_output_raises_the_generation_with_every_training() -> None:
    world, stage = world_of("self", {"self": OwnCorpus(size=40)})
    while stage.step():
        world.verify()
    found = generations(world.made())
    assert found == sorted(found)
    assert {made - trained for trained, made in found} == {1}
    assert found[-1][1] >= 4


def test_only_accepted_samples_of_its_own_source_train_a_model_of_its_own_output() -> None:
    world, stage = world_of("self", {"self": OwnCorpus(size=40)})
    while len(world.made()) < 300:
        stage.step()
        world.verify(fate=lambda _: "reject")
    assert set(generations(world.made())) == {(0, 1)}


def test_a_model_of_the_mix_has_the_largest_generation_in_it() -> None:
    world, stage = world_of("mix", {"mix": MixCorpus(first=4)})
    stage.step()
    made = world.made()[0].sample
    for number, generation in enumerate([0, 5, 1, 0]):
        world.mixed(1, number, replace(made, lineage=replace(made.lineage, generation=generation)))
    before = len(world.made())
    stage.step()
    assert generations(world.made())[:before] == [(0, 1)] * before
    assert set(generations(world.made())[before:]) == {(5, 6)}


def test_a_restarted_model_of_its_own_output_does_not_fall_back_to_generation_zero() -> None:
    world, stage = world_of("self", {"self": OwnCorpus(size=40)})
    while len(world.made()) < 200:
        stage.step()
        world.verify()
    deepest = generations(world.made())[-1][0]
    assert deepest >= 1
    before = len(world.made())
    provider = LocalProvider(world.recipe.sources[0])
    provider.corpus = OwnCorpus(size=40)
    again = world.slot({"a": provider})
    again.start()
    again.step()
    assert min(trained for trained, _ in generations(world.made())[before:]) >= deepest
