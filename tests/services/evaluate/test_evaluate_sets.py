from collections import Counter
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from evaluate_world import SIZE, World, documents, generated, human, outputs, seeds

from services.evaluate import cycle
from services.evaluate.classifier import Classifier
from services.evaluate.cycle import Batches, Cycle
from services.evaluate.integrity import Integrity
from services.evaluate.proxy import flat, has_labels
from services.evaluate.sets import Draw, benchmark, held_back, held_back_of, real_sets
from services.index.ids import pack
from services.verify.holdout import Holdout
from streams.codec import Codec
from streams.errors import UnavailableError
from streams.events import SampleMixed
from streams.words import text_of, words


def test_a_fifth_of_the_accepted_samples_is_held_back_by_their_ids_alone() -> None:
    found = [held_back(generated(f"text {n}").sample_id) for n in range(5_000)]
    assert 0.17 < sum(found) / 5_000 < 0.23
    assert found == [held_back(generated(f"text {n}").sample_id) for n in range(5_000)]


def test_the_benchmark_has_as_many_of_each_source_and_each_sample_once() -> None:
    made = [generated(f"a {n}", "a") for n in range(700)] + [generated(f"b {n}", "b") for n in range(40)]
    found = benchmark(made + made)
    assert len({sample.sample_id for sample in found}) == len(found)
    assert Counter(sample.lineage.source.name for sample in found if sample.lineage.source) == {"a": 500, "b": 40}
    assert {sample.sample_id for sample in benchmark(made[::-1])} == {sample.sample_id for sample in found}


def test_a_few_samples_are_no_benchmark() -> None:
    assert benchmark([generated(f"a {n}") for n in range(24)]) == []
    assert len(benchmark([generated(f"a {n}") for n in range(25)])) == 25


def test_safety_is_the_domain_of_that_name_within_the_holdout() -> None:
    samples = [human("a"), human("b", domain="safety"), human("c", domain="history"), human("a")]
    found = real_sets(samples)
    assert [each.turns[0].text for each in found["safety"]] == ["b"]
    assert sorted(each.turns[0].text for each in found["holdout"]) == ["a", "b", "c"]
    assert real_sets([human("a")]).keys() == {"holdout"}


@pytest.mark.parametrize("most", [300, 100_000])
def test_a_draw_does_not_depend_on_the_order_and_has_the_words_that_are_asked_for(most: int) -> None:
    samples = [human(text) for text in seeds()[:200]]
    one, other = Draw(most), Draw(most)
    one.add(samples)
    for sample in reversed(samples):
        other.add([sample])
    assert one.words == other.words == sum(len(words(text_of(sample))) for sample in samples)
    found = one.take(250)
    assert [each.sample_id for each in found] == [each.sample_id for each in other.take(250)]
    assert 250 <= sum(len(words(text_of(sample))) for sample in found) < 350
    assert found != samples[: len(found)]


def mixed(world: World, batches: Batches) -> list[SampleMixed]:
    found: list[SampleMixed] = []
    cycle.read(world.broker, Codec(), "p", batches, found.extend)
    return found


def test_a_cycle_is_read_by_its_batches() -> None:
    world = World()
    world.mix([human(text) for text in seeds()[: 6 * SIZE]])
    assert cycle.mixed_batches(world.broker, "p") == 6
    assert {event.batch_index for event in mixed(world, Batches(2, 5))} == {2, 3, 4}
    assert len(mixed(world, Batches(2, 5))) == 3 * SIZE


def test_a_batch_that_is_not_whole_is_not_evaluated() -> None:
    world = World()
    world.batch([human(text) for text in seeds()[:3]], size=4)
    with pytest.raises(UnavailableError, match=r"Batch 0 of p\.mix is not whole"):
        mixed(world, Batches(0, 1))


def test_what_is_held_back_is_never_learnt_from() -> None:
    world = World()
    world.mix([generated(text) for text in outputs(1)[:200]] + [human(text) for text in seeds()[:100]])
    found = Cycle(Draw(10**9), Integrity([human("x")], 0.2))
    found.add(mixed(world, Batches(0, 6)))
    learnt = {sample.sample_id for sample in found.draw.take(10**9)}
    kept = {sample.sample_id for sample in found.held_back}
    assert kept
    assert not learnt & kept
    assert len(learnt) + len(kept) == 300
    assert kept == {sample.sample_id for sample in held_back_of(mixed(world, Batches(0, 6)))}
    assert (found.real, found.synthetic, found.largest_generation) == (100, 200, 1)


def test_a_leak_is_what_verification_calls_contamination() -> None:
    texts = documents()
    holdout = [human(text) for text in texts[9_000:9_300]]
    half = " ".join([*texts[9_000].split()[:40], *texts[0].split()[:40]])
    some = " ".join([*texts[9_001].split()[:14], *texts[1].split()[:60]])  # below the limit
    mix = [human(text) for text in [*texts[:300], texts[9_002], half, some, "nay"]]
    integrity = Integrity(holdout, 0.2)
    integrity.look(mix)
    theirs = Holdout()
    theirs.add(pack([sample.sample_id.encode() for sample in holdout]), flat(holdout))
    overlaps = theirs.overlaps(flat(mix))
    assert integrity.leaks == sum(found is not None and found.share > 0.2 for found in overlaps) == 2
    assert integrity.leaked == {holdout[0].sample_id, holdout[2].sample_id}


def test_nothing_leaks_into_nothing() -> None:
    integrity = Integrity([], 0.2)
    integrity.look([human("to be or not to be that is the question")])
    assert (integrity.leaks, integrity.leaked) == (0, set())


def labelled(start: int, count: int) -> list:  # type: ignore[type-arg]
    return [human(text, label="thou" if " thou " in text else "you") for text in documents()[start : start + count]]


@cache
def classifier() -> Classifier:
    return Classifier(labelled(0, 600))


def test_the_classifier_scores_each_label_and_its_worst() -> None:
    model, test = classifier(), labelled(2_000, 300)
    scored = model.score(test)
    f1 = []
    said = [_said(model, sample) for sample in test]
    for label in ("thou", "you"):
        hits = sum(s == label == sample.label for s, sample in zip(said, test, strict=True))
        f1.append(2 * hits / (said.count(label) + sum(sample.label == label for sample in test)))
    assert scored.metrics["macro_f1"] == pytest.approx(sum(f1) / 2)
    assert scored.metrics["worst_f1"] == pytest.approx(min(f1))
    assert scored.metrics["worst_f1"] > 0.5
    assert scored.losses.mean() < 0.6


def _said(model: Classifier, sample: object) -> str:
    """Ask for the likelier label: the one whose loss is smaller."""
    losses = {label: model.score([replace(sample, label=label)]).losses[0] for label in ("thou", "you")}  # type: ignore[type-var]
    return min(losses, key=losses.__getitem__)


def test_a_label_that_was_never_seen_costs_much_and_not_without_end() -> None:
    scored = classifier().score([human("lo", label="new")])
    assert 4 < scored.losses[0] < 10
    assert scored.metrics["worst_f1"] == 0


def test_what_has_no_label_has_no_loss_and_counts_for_nothing() -> None:
    test, bare = labelled(2_000, 50), [human("lo and behold"), human("to be")]
    scored, alone = classifier().score([bare[0], *test, bare[1]]), classifier().score(test)
    assert np.isnan(scored.losses[[0, -1]]).all()
    assert scored.losses[1:-1] == pytest.approx(alone.losses)
    assert scored.metrics == alone.metrics
    assert classifier().score(bare).metrics == {}


def test_one_label_is_nothing_to_classify() -> None:
    assert has_labels(labelled(0, 10))
    assert not has_labels([human("a", label="x"), human("b", label="x")])
    assert not has_labels([human("a", label="x"), human("b")])
    assert not has_labels([])
