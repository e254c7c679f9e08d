from collections import Counter
from math import exp, log

import numpy as np
import pytest
from stats_texts import documents

from streams.stats.overlap import Overlap
from streams.words import hashed, words

Text = list[str]


def texts(count: int, start: int = 0) -> list[Text]:
    found = [words(text)[:64] for text in documents()[start : start + count + 50]]
    return [text for text in found if len(text) == 64][:count]


def values(found: list[Text]) -> dict[str, float]:
    overlap = Overlap()
    overlap.update(hashed(found))
    return dict(overlap.get())


def plain_bleu(text: Text, others: list[Text]) -> float:
    """Compute sentence BLEU-4 with brevity penalty and smoothing by method 1."""
    logs = 0.0
    for n in range(1, 5):
        own = Counter(zip(*(text[i:] for i in range(n)), strict=False))
        most: Counter[tuple[str, ...]] = Counter()
        for other in others:
            most |= Counter(zip(*(other[i:] for i in range(n)), strict=False))
        logs += log(max((own & most).total(), 0.1) / own.total()) / 4
    closest = min((abs(len(other) - len(text)), len(other)) for other in others)[1]
    return min(1.0, exp(1 - closest / len(text))) * exp(logs)


def test_self_bleu_agrees_with_a_plain_reference() -> None:
    found = texts(40)
    found += [found[0], found[1][:40] + found[2][40:], ["lo"] * 64, [*["lo"] * 32, *found[3][:32]]]
    expected = [plain_bleu(text, found[:place] + found[place + 1 :]) for place, text in enumerate(found)]
    assert expected[0] == pytest.approx(1.0)
    assert values(found)["self_bleu"] == pytest.approx(np.mean(expected))


def test_self_bleu_of_a_window_is_that_of_a_hundred_of_its_documents_in_any_order() -> None:
    found = texts(300)
    overlap = Overlap()
    for start in range(300, 0, -50):
        overlap.update(hashed(found[start - 50 : start]))
    assert len(overlap.state()["keys_document"]) == 100
    assert overlap.get()["self_bleu"] == pytest.approx(values(found)["self_bleu"])


def edited(text: Text, words_changed: int, mark: str) -> Text:
    return text[: 64 - words_changed] + [f"{mark}{place}" for place in range(words_changed)]


def test_documents_are_near_duplicates_from_a_jaccard_index_of_eight_in_ten_on() -> None:
    found = texts(50)
    assert values([*found, edited(found[0], 6, "x")])["near_duplicates"] == pytest.approx(2 / 51)  # 56 / 68 = .82
    assert values([*found, edited(found[0], 7, "x")])["near_duplicates"] == 0  # 55 / 69 = .797
    assert values([*found, found[0], found[0]])["near_duplicates"] == pytest.approx(3 / 52)


@pytest.mark.parametrize(("words_changed", "low", "high"), [(0, 0.93, 1.07), (2, 0.9, 1.06), (6, 0.84, 1.0)])
def test_the_sample_keeps_duplicates_together(words_changed: int, low: float, high: float) -> None:
    # 8 windows of 1,200 documents, of which 20 % have one partner: a sample by document would see 1 / 3 of them.
    rng, pool, found = np.random.default_rng(5), texts(3_000), []
    for turn in range(8):
        window = [pool[place] for place in rng.permutation(len(pool))[:1_080]]
        window += [edited(text, words_changed, f"{turn}x{place}y") for place, text in enumerate(window[:120])]
        found.append(values(window)["near_duplicates"] / 0.2)
    assert low < np.mean(found) < high


def test_texts_that_go_round_in_circles_are_sampled_as_often_as_others() -> None:
    rng, pool, found = np.random.default_rng(6), texts(3_000), []
    for turn in range(8):
        window = [pool[place] for place in rng.permutation(len(pool))[:900]]
        window += [[f"{letter}{turn}d{place}" for letter in "abcd"] * 16 for place in range(50) for _ in range(2)]
        found.append(values(window)["near_duplicates"] / 0.1)
    assert 0.85 < np.mean(found) < 1.15


def test_what_comes_often_in_one_document_is_one_3_gram_of_it() -> None:
    loops = [["lo"] * 61 + ["ho"] * 3, ["lo"] * 32 + ["ho"] * 32]
    assert values([*texts(30), *loops])["near_duplicates"] == pytest.approx(2 / 32)


def test_a_window_of_variants_of_one_text_is_all_duplicates_bounded_and_the_same_in_any_order() -> None:
    pool = texts(2_000)
    all_of_them = Overlap()
    all_of_them.update(hashed(pool))
    rows = hashed(pool).hashes.reshape(-1, 64).astype(np.uint32)
    smallest = int(np.flatnonzero((rows == all_of_them.state()["rows_shingle"][0]).all(axis=1))[0])
    variants = [edited(pool[smallest], 1, f"v{place}w") for place in range(600)]
    forwards, backwards = Overlap(), Overlap()
    for start in range(0, 600, 50):
        forwards.update(hashed(variants[start : start + 50]))
        backwards.update(hashed(variants[550 - start : 600 - start]))
    for key, array in forwards.state().items():
        np.testing.assert_array_equal(backwards.state()[key], array)
    keys = forwards.state()["keys_shingle"]
    assert len(keys) == 400
    assert keys[0] == keys[-1]
    assert forwards.get()["near_duplicates"] == 1.0


def test_fewer_than_two_documents_have_no_overlap() -> None:
    assert all(np.isnan(value) for value in values([*texts(1), ["lo"] * 63]).values())
    assert values(texts(1) * 2) == {"self_bleu": 1.0, "near_duplicates": 1.0}
