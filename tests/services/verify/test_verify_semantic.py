import random
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import planted_paraphrases as plant
import pytest
from human_texts import documents
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from idling import until_idle
from numpy.typing import NDArray
from structlog.testing import capture_logs
from verify_world import (
    CODEC,
    SHAPE,
    accept,
    batch,
    context,
    events,
    fates,
    human,
    put,
    recipe,
    refer,
    sample,
    text,
    world,
)

from services import meaning, reference
from services.index.ids import pack
from services.index.texts import Texts
from services.recipe import Recipe
from services.stage import Stage
from services.verify.checks.duplicate import Duplicate
from services.verify.checks.semantic import Semantic, too_few
from services.verify.chosen import Fitted, checks, most_records
from services.verify.known import Known
from services.verify.meanings import Meanings
from services.verify.service import build
from services.verify.vectors import Vectors
from streams.errors import UnavailableError
from streams.memory import MemoryBroker
from streams.samples import Sample, digest

SEMANTIC = recipe(checks=["format", "semantic"], semantic_false_flag=0.02)
_SAYS = re.compile(r"^means (-?[\d.]+) of (\w+)")


class Model:
    """Stands for the model: a text that begins `means c of k` is at cosine c to one that begins `means 1 of k`."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked += texts
        return np.array([_vector(each) for each in texts], np.float32).reshape(-1, meaning.DIMENSIONS)


def _vector(said: str) -> NDArray[np.float64]:
    away = _drawn(said)
    if (found := _SAYS.match(said)) is None:
        return away
    cosine, centre = float(found[1]), _drawn(found[2])
    away -= (away @ centre) * centre
    return cosine * centre + np.sqrt(1 - cosine**2) * away / np.linalg.norm(away)


def _drawn(key: str) -> NDArray[np.float64]:
    found = np.random.default_rng(list(key.encode())).normal(size=meaning.DIMENSIONS)
    return np.asarray(found / np.linalg.norm(found))


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Model:
    made = Model()
    monkeypatch.setattr(meaning, "vectors", made.vectors)
    monkeypatch.setattr(meaning, "find_spec", lambda _: object())
    return made


def means(cosine: float, of: str, key: object = "") -> str:
    return f"means {cosine} of {of} in its own words {key}".strip()


def ids_of(some: Sequence[Sample]) -> NDArray[np.uint64]:
    return pack([one.sample_id.encode() for one in some])


def knowing(folder: Path, known: Sequence[Sample], others: Sequence[Sample] = ()) -> Meanings:
    found = Meanings(Vectors(folder), others)
    found.add(ids_of(known), known)
    return found


def test_the_nearest_known_text_is_named_with_its_beginning(model: Model, tmp_path: Path) -> None:
    seeds = [human(means(1, each)) for each in ("king", "ship", "bread")]
    others = [human(means(n / 200, "king", n)) for n in range(100)]
    check = Semantic(knowing(tmp_path, seeds, others), 0.02)
    near, far, passing = check.over(
        batch(*(sample(n, means(c, of)) for n, (c, of) in enumerate([(0.9, "ship"), (0.2, "ship"), (0.4, "bread")])))
    )
    assert (far.outcome, passing.outcome) == ("pass", "pass")
    assert far is passing
    assert near.outcome == "flag"
    assert near.score == pytest.approx(0.9, abs=1e-3)
    assert near.evidence == {
        "sample_id": seeds[1].sample_id,
        "text": seeds[1].turns[0].text,
        "similarity": "0.900",
        "limit": "0.490",
    }
    assert f"what sample {seeds[1].sample_id} means: their similarity is 0.900, and" in near.explanation
    assert near.explanation.endswith("at most 0.490.")


def test_of_the_known_texts_only_the_beginning_is_told(model: Model, tmp_path: Path) -> None:
    seed = human(means(1, "king", "and so on " * 99))
    (near,), _ = knowing(tmp_path, [seed], [human("other")]).compared([sample("a", means(0.9, "king"))], 0.5)
    assert near is not None
    assert len(near.text) == 120
    assert near.text[:-1] == seed.turns[0].text[:119]


def test_what_comes_before_it_in_its_batch_is_known_and_what_comes_after_is_not(model: Model, tmp_path: Path) -> None:
    check = Semantic(knowing(tmp_path, [human("of nothing")], [human(f"other {n}") for n in range(100)]), 0.02)
    first, second, third = (sample(n, means(c, "king")) for n, c in enumerate((1, 0.8, 0.9)))
    said = check.over(batch(first, second, third))
    assert [each.outcome for each in said] == ["pass", "flag", "flag"]
    assert [each.evidence.get("sample_id") for each in said] == [None, first.sample_id, first.sample_id]
    assert [each.outcome for each in check.over(batch(third, first))] == ["pass", "flag"]


def test_of_a_conversation_the_answers_count_and_not_what_was_asked(model: Model, tmp_path: Path) -> None:
    seed = human(means(1, "king"))
    found = knowing(tmp_path, [seed], [human(f"other {n}") for n in range(100)])
    asked = replace(
        seed, turns=(replace(seed.turns[0], role="user"), replace(seed.turns[0], role="assistant", text="no"))
    )
    assert Semantic(found, 0.02).over(batch(asked))[0].outcome == "pass"


def test_with_nothing_known_only_what_repeats_its_batch_is_flagged(model: Model, tmp_path: Path) -> None:
    check = Semantic(knowing(tmp_path, [], [human(f"other {n}") for n in range(100)]), 0.02)
    said = check.over(batch(sample(1, means(1, "king")), sample(2, means(1, "ship")), sample(3, means(0.9, "king"))))
    assert [each.outcome for each in said] == ["pass", "pass", "flag"]


@given(st.integers(0, 2**32), st.integers(100, 400), st.sampled_from([0.01, 0.05, 0.2]))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_larger_share_of_human_documents_than_wanted_exceeds_the_limit(
    model: Model, tmp_path: Path, seed: int, count: int, rate: float
) -> None:
    rng = np.random.default_rng(seed)
    others = [human(means(cosine, "king", n)) for n, cosine in enumerate(rng.uniform(-0.9, 0.9, count).round(4))]
    found = knowing(tmp_path / str(seed), [human(means(1, "king"))], others)
    _, limit = found.compared([human("of nothing")], rate)
    above = sum(float(_SAYS.match(one.turns[0].text)[1]) > limit + 1e-3 for one in others)  # type: ignore[index]
    assert int(rate * (count + 1)) - 3 <= above <= rate * (count + 1)


def test_what_human_documents_do_too_is_no_fault_even_if_nothing_can_be_nearer(model: Model, tmp_path: Path) -> None:
    seed, others = human("so be it"), [human("so be it"), human("so be it"), *(human(f"other {n}") for n in range(98))]
    check = Semantic(knowing(tmp_path, [seed], others), 0.02)
    assert check.over(batch(sample("a", "so be it")))[0].outcome == "pass"


def test_the_limit_rises_with_what_is_known(model: Model, tmp_path: Path) -> None:
    others = [human(means(0.5, "king", n)) for n in range(100)]
    found = knowing(tmp_path, [human("of nothing")], others)
    asked = [human("of something")]
    _, low = found.compared(asked, 0.02)
    accepted = [sample("a", means(1, "king"))]
    found.add(ids_of(accepted), accepted)
    assert low < 0.3
    assert found.compared(asked, 0.02)[1] == pytest.approx(0.5, abs=1e-3)


@given(st.lists(st.integers(0, 12), max_size=40), st.integers(1, 7), st.randoms(use_true_random=False))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_however_texts_come_the_same_is_known(
    model: Model, tmp_path: Path, keys: list[int], size: int, rng: random.Random
) -> None:
    every = [human(means(n / 14, "king", n)) for n in range(13)]
    others, asked = [human(means(0.3, "king", f"other {n}")) for n in range(50)], [sample("a", means(1, "king"))]
    chosen = [every[key] for key in keys]
    some, calm = Meanings(Vectors(tmp_path), others), Meanings(Vectors(tmp_path), others)
    calm.add(ids_of(chosen), chosen)
    shuffled = rng.sample(chosen, len(chosen)) + chosen[:5]
    for start in range(0, len(shuffled), size):
        part = shuffled[start : start + size]
        some.add(ids_of(part), part)
    assert some.compared(asked, 0.1) == calm.compared(asked, 0.1)


def test_many_texts_are_compared_block_by_block(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.verify.meanings._BLOCK", 7)
    every = [human(means(n / 25, "king", n)) for n in range(23)]
    every = [*every[12:], *every[:12]]  # the nearest neither in the first block nor in the last
    others = [human(means(0.9, "king", "other"))]
    found = knowing(tmp_path, every, others)
    (near,), _ = found.compared([sample("a", means(1, "king"))], 0.5)
    assert near is not None
    assert near.text == human(means(22 / 25, "king", 22)).turns[0].text
    best = max(_vector(one.turns[0].text) @ _vector(others[0].turns[0].text) for one in every)
    assert found.compared([human("of nothing")], 0.5)[1] == pytest.approx(best, abs=1e-3)


def test_who_has_too_few_human_documents_is_told() -> None:
    assert too_few(100, 0.01) is None
    assert "not the 100 that verify.semantic_false_flag 0.01 needs, `semantic` flags nothing" in (
        too_few(99, 0.01) or ""
    )


# the local file


def test_a_restart_works_no_vector_out_again(model: Model, tmp_path: Path) -> None:
    texts = [f"text {n}" for n in range(150)]
    first = Vectors(tmp_path)
    told = first.at(first.rows([*texts, *texts]))
    assert sorted(model.asked) == sorted(texts)
    model.asked.clear()
    again = Vectors(tmp_path)
    np.testing.assert_array_equal(again.at(again.rows(texts)), told[:150])
    assert model.asked == []
    np.testing.assert_allclose(told[:150], model.vectors(texts), atol=1e-3)


@given(cut=st.integers(0, 20 * 788), spoilt=st.none() | st.integers(0, 20 * 788 - 1))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_a_crash_has_spoilt_is_worked_out_again_and_nothing_else(
    model: Model, tmp_path: Path, cut: int, spoilt: int | None
) -> None:
    folder, texts = tmp_path / f"{cut}-{spoilt}", [f"text {n}" for n in range(20)]
    Vectors(folder).rows(texts)
    (file,) = folder.iterdir()
    data = bytearray(file.read_bytes())
    if spoilt is not None:
        data[spoilt] ^= 1
    file.write_bytes(data[:cut])
    model.asked.clear()
    again = Vectors(folder)
    expected = np.array([_vector(each) for each in texts], np.float32).astype(np.float16).astype(np.float32)
    np.testing.assert_array_equal(again.at(again.rows(texts)), expected)
    whole = min(cut, 20 * 788 if spoilt is None else spoilt) // 788
    assert model.asked == texts[whole:]
    model.asked.clear()
    Vectors(folder).rows(texts)
    assert model.asked == []


def test_the_file_is_named_after_the_model(model: Model, tmp_path: Path) -> None:
    Vectors(tmp_path).rows(["a"])
    assert [each.name for each in tmp_path.iterdir()] == ["all-MiniLM-L6-v2.vectors"]


# the stage


@pytest.fixture
def referring(model: Model, monkeypatch: pytest.MonkeyPatch) -> MemoryBroker:
    monkeypatch.setattr(reference, "build_artefact", lambda *_: None)  # seconds, and nothing here asks it
    broker = world()
    put(broker, "seed", [human(means(1, "king")), *(human(text(n, 100)) for n in range(20))])
    refer(broker, "checks", [human(text(40_000 + n, 100)) for n in range(60)])
    accept(broker)
    return broker


def verifying(broker: MemoryBroker, folder: Path, settings: Recipe = SEMANTIC) -> Stage:
    made = build(replace(context(broker, settings), spools=folder))
    made.start()
    until_idle(made)
    return made


def where(broker: MemoryBroker) -> dict[str, str]:
    return dict(fates(broker))


def test_it_flags_what_means_a_seed_or_an_accepted_text_and_rejects_nothing(
    referring: MemoryBroker, tmp_path: Path
) -> None:
    seen = [
        sample("seed again", means(0.9, "king")),
        sample("new", means(1, "ship")),
        sample("far", means(0.1, "king")),
    ]
    put(referring, "generate", seen)
    verifier = verifying(referring, tmp_path)
    put(referring, "generate", [sample("accepted again", means(0.9, "ship"))])
    until_idle(verifier)
    verifier.close()
    expected = {"seed again": "review", "new": "verify", "far": "verify", "accepted again": "review"}
    assert where(referring) == {digest(key): word for key, word in expected.items()}
    told = {e.sample.sample_id: e.verdicts[-1].evidence["sample_id"] for e in events(referring, "review")}
    assert told[digest("accepted again")] == digest("new")
    assert [e.reason for e in events(referring, "review")] == ["flagged", "flagged"]


def test_after_a_restart_it_knows_what_it_knew_and_asks_the_model_for_nothing_old(
    referring: MemoryBroker, tmp_path: Path, model: Model
) -> None:
    put(referring, "generate", [sample("new", means(1, "ship"))])
    verifying(referring, tmp_path).close()
    old = list(model.asked)
    put(referring, "generate", [sample("accepted again", means(0.9, "ship"))])
    verifying(referring, tmp_path).close()
    assert where(referring)[digest("accepted again")] == "review"
    assert model.asked == [*old, means(0.9, "ship")]


def test_what_waits_or_is_rejected_is_not_known(referring: MemoryBroker, tmp_path: Path) -> None:
    audited = recipe(checks=["format", "semantic"], semantic_false_flag=0.02, audit_share=1)
    put(referring, "generate", [sample("waits", means(1, "ship"))])
    verifying(referring, tmp_path, audited).close()
    put(referring, "generate", [sample("long", means(1, "bread", "x " * 4_000))])
    verifier = verifying(referring, tmp_path)
    put(referring, "generate", [sample("near one", means(0.9, "ship")), sample("near other", means(0.9, "bread"))])
    until_idle(verifier)
    verifier.close()
    expected = {"waits": "review", "long": "reject", "near one": "verify", "near other": "verify"}
    assert where(referring) == {digest(key): word for key, word in expected.items()}


def test_with_too_little_reference_it_flags_nothing_and_says_so(referring: MemoryBroker, tmp_path: Path) -> None:
    put(referring, "generate", [sample("a", means(0.9, "king"))])
    strict = recipe(checks=["format", "semantic"], semantic_false_flag=0.01)
    with capture_logs() as logs:
        verifying(referring, tmp_path, strict).close()
    assert where(referring) == {digest("a"): "verify"}
    assert [log["why"] for log in logs if log["event"] == "semantic"] == [too_few(60, 0.01)]


def test_without_the_extra_nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meaning, "find_spec", lambda _: None)
    with pytest.raises(UnavailableError, match=r"^verify.checks names semantic and .*ballast\[embeddings\]', or leave"):
        build(context(world(), SEMANTIC))
    build(context(world(), recipe()))


def test_it_is_asked_last_and_of_fewer_at_once(model: Model, tmp_path: Path) -> None:
    chosen = recipe(checks=["format", "math", "semantic"])
    known = Known(CODEC, "p", SHAPE, meanings=knowing(tmp_path, []))
    assert [check.name for check in checks(chosen, known, Fitted()).costly] == ["math", "semantic"]
    assert most_records(chosen) == 500
    assert most_records(recipe()) == 1_000


# with the real model


@pytest.mark.embeddings
@pytest.mark.parametrize(("rate", "least", "most"), [(0.01, 10, 10), (0.05, 16, 30)])
def test_of_what_is_said_again_in_other_words_it_finds_some_and_of_other_human_text_its_rate(
    tmp_path: Path, rate: float, least: int, most: int
) -> None:
    """`least` of 30, for from verse to the prose of today is far; `most` of 270 more than once in 1,000."""
    said = plant.originals()
    pool = [one for one in documents() if one not in said]
    random.Random(3).shuffle(pool)
    seeds, calibrating, new = [*pool[:400], *said], pool[400:700], pool[700:970]
    check = Semantic(knowing(tmp_path, seeds, calibrating), rate)
    again = [sample(n, each) for n, each in enumerate(plant.PARAPHRASES)]
    found = zip(said, chain.from_iterable(check.over(batch(one)) for one in again), strict=True)
    named = [(each.evidence["sample_id"], one.sample_id) for one, each in found if each.outcome == "flag"]
    assert sum(told == right for told, right in named) >= max(least, len(named) - 1)
    assert sum(each.outcome == "flag" for each in check.over(batch(*new))) <= most


def test_by_their_words_none_of_them_is_near_what_it_says_again() -> None:
    known = Texts(SHAPE)
    known.add(batch(*plant.originals()).entries)
    said = Duplicate(known, 0.1).over(batch(*(sample(n, each) for n, each in enumerate(plant.PARAPHRASES))))
    assert {each.outcome for each in said} == {"pass"}


def test_a_hundred_planted_paraphrases_differ() -> None:
    rng, one = random.Random(1), plant.originals()[0]
    assert len({plant.paraphrase(one, rng).content_hash for _ in range(200)}) >= 100
