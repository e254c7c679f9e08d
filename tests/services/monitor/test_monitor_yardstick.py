import numpy as np
import pytest
from monitor_plays import MEMORY, artefact, human, said, samples
from monitor_world import WINDOW, documents

from services.artefact import SCORES, TRAITS
from services.monitor import control, measuring
from services.monitor.yardstick import DRAWS, Null, Yardstick, human_documents
from streams.stats import cells, coverage, discrepancy, divergence, spectrum
from streams.stats.c2st import Labelled, TwoSample
from streams.stats.diversity import Diversity
from streams.stats.documents import WORDS, Documents, flat, from_columns, join
from streams.stats.novelty import Novelty
from streams.stats.overlap import Overlap
from streams.stats.repetition import Repetition, Texts
from streams.stats.syntax import Syntax
from streams.stats.vocabulary import Vocabulary

NAMES = {
    *("types", "hapax", "good_turing", "distinct_2", "distinct_3", "novel_1", "novel_2", "novel_3"),
    *("surprisal", "surprisal_sd", "jsd", "mmd2", "precision", "recall", "density", "coverage", "frechet", "vendi"),
    *("near_duplicates", "cells_hit", "cells_unreached", "self_bleu", "c2st_auc", "kl", "chao1", "mattr", "mtld"),
    *("repeated_4", "self_repetition", "templates", "template_entropy"),
    *("compression", "seed_novel", "copied", "length_p05", "length_p50", "length_p95"),
}


@pytest.fixture(scope="module")
def yardstick() -> Yardstick:
    return Yardstick(human("calibrate"), WINDOW)


def part(of: Documents, places: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Documents:
    return from_columns({name: column[places] for name, column in of._asdict().items()})


def test_every_statistic_has_a_value_and_a_null(yardstick: Yardstick) -> None:
    assert set(yardstick.values(human("others").part(MEMORY, MEMORY + WINDOW))) == set(yardstick.nulls) == NAMES
    assert set(control.TAIL) < NAMES
    assert all(np.isfinite(null).all() for null in yardstick.nulls.values())


@pytest.mark.parametrize("windows", [4, 8])
def test_the_nulls_hold_about_95_percent_of_windows_of_other_human_documents(windows: int) -> None:
    of_all, inside = human("others"), []
    for seed in range(5):
        order = MEMORY + np.random.default_rng(seed).permutation(len(of_all.keys) - MEMORY)
        made = Yardstick(part(of_all, order[: windows * WINDOW]), WINDOW)
        for start in range(windows * WINDOW, (windows + 10) * WINDOW, WINDOW):
            values = made.values(part(of_all, order[start : start + WINDOW]))
            inside.append([abs(values[name] - null.median) <= null.halfwidth for name, null in made.nulls.items()])
    shares = dict(zip(made.nulls, np.mean(inside, axis=0), strict=True))
    sound = [share for name, share in shares.items() if name not in ("near_duplicates", "cells_hit", "cells_unreached")]
    assert np.mean(sound) == pytest.approx(0.95, abs=0.025), shares
    assert min(sound) >= 0.8, shares


def test_what_models_say_has_lost_recall_while_the_divergence_of_its_words_is_blind(yardstick: Yardstick) -> None:
    for family in range(3):
        values = yardstick.values(said(family).part(0, WINDOW))
        off = {name: (values[name] - null.median) / (null.halfwidth or 1) for name, null in yardstick.nulls.items()}
        assert off["recall"] < -2
        assert off["vendi"] < -2
        assert abs(off["jsd"]) < 1
        assert values["near_duplicates"] == 0.0


def test_a_null_is_as_wide_as_windows_vary() -> None:
    rng = np.random.default_rng(1)
    made = Yardstick(documents(rng, 30 * WINDOW), WINDOW)
    values = [made.values(documents(rng, WINDOW)) for _ in range(100)]
    for name in ("types", "hapax", "novel_1", "surprisal", "surprisal_sd", "vendi"):
        of_name = np.array([each[name] for each in values])
        assert made.nulls[name].halfwidth == pytest.approx(1.96 * of_name.std(), rel=0.45), name
        assert made.nulls[name].median == pytest.approx(np.median(of_name), abs=made.nulls[name].halfwidth)
    assert DRAWS == 40


@pytest.mark.parametrize(("count", "has_nulls"), [(4 * WINDOW - 1, False), (4 * WINDOW, True)])
def test_fewer_than_four_windows_of_documents_give_values_but_no_nulls(count: int, has_nulls: bool) -> None:
    rng = np.random.default_rng(1)
    made = Yardstick(documents(rng, count), WINDOW)
    assert bool(made.nulls) == has_nulls
    assert set(made.values(documents(rng, WINDOW))) == NAMES


def test_the_null_windows_are_of_documents_that_nothing_was_fitted_on() -> None:
    rng = np.random.default_rng(2)
    of_all = documents(rng, 6 * WINDOW)
    made = Yardstick(of_all, WINDOW)
    order = np.random.default_rng(7).permutation(6 * WINDOW)
    against = part(of_all, order[:WINDOW])
    assert made.values(against)["jsd"] == 0.0
    assert made.nulls["jsd"].median - made.nulls["jsd"].halfwidth > 0.1
    assert made.values(against)["recall"] == 1.0
    assert made.nulls["recall"].median < 1.0


def test_the_values_are_those_of_the_statistics() -> None:
    rng = np.random.default_rng(3)
    of_all, window = documents(rng, 5 * WINDOW), documents(rng, WINDOW)
    window = join([window.part(0, WINDOW - 10), window.part(0, 10)._replace(keys=window.keys[-10:])])
    made = Yardstick(of_all, WINDOW)
    mixed = part(of_all, np.random.default_rng(7).permutation(5 * WINDOW))
    against = mixed.part(0, WINDOW)
    values, vectors = made.values(window), window.vectors.astype(np.float64)
    reference = against.vectors.astype(np.float64)
    vocabulary, overlap = Vocabulary(), Overlap()
    vocabulary.update(window.flat())
    overlap.update(window.flat())
    jsd = divergence.Divergence(divergence.binned(against.flat()))
    jsd.update(window.flat())
    covered = coverage.Coverage(coverage.fit(reference))
    covered.update(coverage.Keyed(window.keys, vectors))
    hit = cells.Cells(cells.fit(mixed.vectors.astype(np.float64), 24, 7))
    hit.update(vectors)
    spread = spectrum.Spectrum(spectrum.fit(reference))
    spread.update(vectors)
    apart = discrepancy.Discrepancy(discrepancy.fit(reference, seed=7))
    apart.update(vectors)
    told = TwoSample()
    in_turn = np.stack([against.words, window.words], axis=1).reshape(-1, WORDS)
    told.update(Labelled(flat(in_turn), np.arange(2 * WINDOW) % 2 == 1))
    counted, balls = vocabulary.get(), covered.get()
    expected = {
        **{name: counted[name] for name in ("types", "hapax", "good_turing", "distinct_2", "distinct_3")},
        **{name: window.scores[:, at].mean(dtype=np.float64) for at, name in enumerate(SCORES)},
        "surprisal_sd": window.scores[:, 3].std(dtype=np.float64),
        "jsd": jsd.get()["jsd"],
        "mmd2": apart.get()["mmd2"],
        **{name: balls[name] for name in ("precision", "recall", "density", "coverage")},
        "frechet": spread.get()["frechet"],
        "vendi": spread.get()["vendi"],
        **overlap.get(),
        "kl": jsd.get()["kl"],
        "chao1": counted["chao1"],
        **_varied_and_repeated(window),
        "c2st_auc": told.get()["auc"],
        "cells_hit": hit.get()["hit"],
        "cells_unreached": hit.get()["unreached"],
    }
    assert values == pytest.approx(expected)
    assert values["near_duplicates"] == pytest.approx(0.2)
    exact = discrepancy.mmd2_exact(vectors, reference, discrepancy.fit(reference, seed=7).bandwidth)
    assert values["mmd2"] == pytest.approx(exact, abs=0.02)


def _varied_and_repeated(window: Documents) -> dict[str, float]:
    varied, repeated, built = Diversity(), Repetition(), Syntax()
    varied.update(window.flat())
    repeated.update(Texts((), window.flat()))
    built.update(window.symbols)
    lengths = np.sort(window.traits[:, 0].astype(int))
    return {
        **{name: varied.get()[name] for name in ("mattr", "mtld")},
        **{name: repeated.get()[name] for name in ("repeated_4", "self_repetition")},
        "templates": built.get()["templates"],
        "template_entropy": built.get()["entropy"],
        **{name: window.traits[:, at].mean(dtype=np.float64) for at, name in enumerate(TRAITS) if at},
        **{f"length_p{q:02}": lengths[int(np.ceil(q * len(lengths) / 100)) - 1] for q in (5, 50, 95)},
    }


def test_documents_without_novelty_are_left_out_of_its_mean() -> None:
    rng = np.random.default_rng(1)
    made, window = Yardstick(documents(rng, 2 * WINDOW), WINDOW), documents(rng, WINDOW)
    window.scores[:60, :3] = np.nan
    values = made.values(window)
    assert values["novel_2"] == pytest.approx(window.scores[60:, 1].mean())
    assert values["surprisal"] == pytest.approx(window.scores[:, 3].mean())


def test_the_same_documents_in_the_same_order_give_the_same_yardstick() -> None:
    of_all = documents(np.random.default_rng(1), 4 * WINDOW)
    assert Yardstick(of_all, WINDOW).nulls == Yardstick(of_all, WINDOW).nulls
    assert all(isinstance(null, Null) for null in Yardstick(of_all, WINDOW).nulls.values())


def test_human_documents_are_a_stream_in_the_order_of_their_ids_with_no_novelty_while_its_memory_fills() -> None:
    given = samples("calibrate")[:150]
    found = human_documents(artefact(), given, 40)
    ordered = sorted(given, key=lambda each: each.sample_id)
    assert found.keys.tolist() == [int(each.sample_id[:16], 16) for each in ordered]
    assert human_documents(artefact(), given[::-1], 40).to_bytes() == found.to_bytes()
    assert np.isnan(found.scores[:40, :3]).all()
    np.testing.assert_allclose(found.scores[40:, :3], Novelty(40).score(found.flat())[40:], rtol=1e-6)
    assert np.isfinite(found.scores[:, 3]).all()


def test_human_documents_that_all_fill_novelty_s_memory_give_no_null_of_it_but_of_all_else() -> None:
    few = human("calibrate")
    few = few._replace(scores=few.scores.copy())
    few.scores[:, :3] = np.nan
    nulls = Yardstick(few, 100).nulls
    assert {name for name in nulls if name.startswith("novel_")} == set()
    assert {"types", "hapax", "mmd2", "surprisal"} <= set(nulls)
    window = few.part(0, 100)
    measured = measuring.statistics({**Yardstick(few, 100).values(window), "novel_1": 0.2}, nulls, None)
    assert measuring.tail_excess(measured) is not None
    assert measuring.tail_excess(measuring.statistics({"types": np.nan, "hapax": 0.5}, nulls, None)) is None
