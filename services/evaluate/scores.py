"""Scores as the topic `evaluate` has them: losses to bytes and back, and what each evaluator has said so far."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from streams.events import EvaluationCompleted

Ids = NDArray[np.uint64]
Run = Mapping[str, EvaluationCompleted]  # by name of the set
MOST = 50_000  # documents whose losses fit into one event


def packed(losses: Mapping[str, float]) -> tuple[bytes, bytes]:
    """Return the document_ids and the losses of an event, of losses by sample_id."""
    hashed = sorted((blake2b(key.encode(), digest_size=8).digest(), loss) for key, loss in losses.items())
    return b"".join(key for key, _ in hashed), np.array([loss for _, loss in hashed], "<f4").tobytes()


def paired(one: EvaluationCompleted, other: EvaluationCompleted) -> NDArray[np.float64] | None:
    """Return the loss of `one` minus that of `other` for each document that both have; None if there is none.

    They come in the order of the documents' hashes, which losses have no part in.
    """
    both, left, right = np.intersect1d(_ids(one), _ids(other), assume_unique=True, return_indices=True)
    return _losses(one)[left] - _losses(other)[right] if len(both) else None


def runs(events: Iterable[EvaluationCompleted], evaluator: str) -> Sequence[Run]:
    """Return the runs of an evaluator in the order of their cycles; of a repeated event the first counts."""
    found: dict[tuple[int, str], dict[str, EvaluationCompleted]] = {}
    for event in events:
        if event.evaluator == evaluator:
            found.setdefault((event.cycle, event.run_id), {}).setdefault(event.set_name, event)
    return [found[key] for key in sorted(found)]


def _ids(event: EvaluationCompleted) -> Ids:
    return np.frombuffer(event.document_ids or b"", ">u8").astype(np.uint64)


def _losses(event: EvaluationCompleted) -> NDArray[np.float64]:
    return np.frombuffer(event.losses or b"", "<f4").astype(np.float64)
