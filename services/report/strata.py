"""Which human text the accepted synthetic text reaches: strata, the rarest first, and cells of the latent space.

Reads the accepted reference and the latest samples of the topic verify. Cells have their centres from the reference's
part `fit` and their shares from `calibrate`: by documents that the space was fitted on, human text would lose its tail.
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services import reference
from services.artefact import Artefact, build, columns_of
from streams.broker import Broker, Record, TopicPartition
from streams.codec import Codec
from streams.errors import UnavailableError
from streams.events import MixPolicySet, SampleVerified
from streams.fold import Fold
from streams.samples import Sample
from streams.stats.cells import Cells, Codebook, fit
from streams.topics import name
from streams.words import text_of

MOST = 5_000  # accepted samples that are looked at
RARE = 0.1
_EACH = 20  # reference documents a cell: with fewer its share is noise
_LEAST, _CELLS = 2, 200
_SHOWN = 12
_FEW = 0.5
_SEED = 7


class Stratum(NamedTuple):
    """A domain with its share of human and of accepted synthetic text (0 to 1); `rare` if among the rarest tenth."""

    name: str
    human: float
    synthetic: float
    rare: bool


class Missed(NamedTuple):
    """A cell with few synthetic documents: its share of human text, how many were expected and found, an example."""

    share: float
    expected: float
    found: int
    rare: bool
    example: str


class Reach(NamedTuple):
    """What `documents` accepted texts reach; `values` are those of `Cells`, `cells` how many there are."""

    documents: int
    strata: Sequence[Stratum]
    values: dict[str, float]
    cells: int
    missed: Sequence[Missed]


class _Texts(NamedTuple):
    """Texts with their vectors (n, d)."""

    vectors: NDArray[np.float32]
    texts: list[str]


class Pools(NamedTuple):
    """The accepted reference's two parts and the latest accepted synthetic samples."""

    fit: Sequence[Sample]
    calibrate: Sequence[Sample]
    accepted: Sequence[Sample]


def find(broker: Broker, codec: Codec, pipeline: str, policy: MixPolicySet | None) -> Reach | str:
    """Return what the latest accepted samples reach, or a sentence on what is missing. Blocks for seconds."""
    if policy is None or policy.reference_version == 0:
        return "No reference is accepted yet; `ballast reference accept` says which human text to compare with."
    pools = _read(broker, codec, pipeline, policy)
    if not pools.accepted:
        return "No synthetic sample is accepted yet, so there is nothing to compare."
    try:
        artefact = build(policy.reference_version, pools.fit)
    except UnavailableError as error:
        return f"{error}."
    return reach(artefact, pools) or "Too few texts have enough words to be compared."


def reach(artefact: Artefact, pools: Pools) -> Reach | None:
    """Return what the accepted samples reach; None if too few texts have enough words."""
    accepted = _vectors(artefact, pools.accepted).vectors
    vectors, texts = _woven(*(_vectors(artefact, each) for each in (pools.fit, pools.calibrate)))
    cells = min(_CELLS, len(texts) // 2 // _EACH)
    if cells < _LEAST or not len(accepted):
        return None
    codebook = fit(vectors, cells, _SEED)
    counted = Cells(codebook)
    counted.update(accepted)
    return Reach(
        documents=len(accepted),
        strata=by_stratum([*pools.fit, *pools.calibrate], pools.accepted),
        values=dict(counted.get()),
        cells=cells,
        missed=_missed(codebook, counted.counts, vectors, texts),
    )


def by_stratum(human: Sequence[Sample], synthetic: Sequence[Sample]) -> list[Stratum]:
    """Return the domains, the rarest of human text first; those that no human text has come last."""
    of_human, of_synthetic = _domains(human), _domains(synthetic)
    order = sorted(of_human | of_synthetic, key=lambda each: (of_human[each] == 0, of_human[each], each))
    found, before = [], 0.0
    for domain in order:
        share = of_human[domain] / len(human)
        made = of_synthetic[domain] / len(synthetic)
        found.append(Stratum(domain or "(no domain)", share, made, before < RARE))
        before += share
    return found


def _missed(
    codebook: Codebook, counts: NDArray[np.int64], vectors: NDArray[np.floating], texts: Sequence[str]
) -> list[Missed]:
    """Return the cells with less than half of what is expected: the least reached first, of equals the largest."""
    shares = codebook.counts / codebook.counts.sum()
    expected = shares * counts.sum()
    few = np.flatnonzero(counts < _FEW * expected).tolist()
    return [
        Missed(
            share=float(shares[cell]),
            expected=float(expected[cell]),
            found=int(counts[cell]),
            rare=bool(codebook.tail[cell]),
            example=texts[int(np.argmin(((vectors - codebook.centres[cell]) ** 2).sum(1)))],
        )
        for cell in sorted(few, key=lambda cell: (counts[cell] / expected[cell], -shares[cell]))[:_SHOWN]
    ]


def _woven(first: _Texts, second: _Texts) -> _Texts:
    """Return both in turn, as many of each: every other one is for the centres, those between are for the shares."""
    number = min(len(first.texts), len(second.texts))
    vectors = np.stack([first.vectors[:number], second.vectors[:number]], axis=1).reshape(2 * number, -1)
    return _Texts(vectors, list(chain.from_iterable(zip(first.texts[:number], second.texts[:number], strict=True))))


def _vectors(artefact: Artefact, samples: Sequence[Sample]) -> _Texts:
    """Return the vectors and texts of the samples that have enough words."""
    columns = columns_of(samples, artefact.unit)
    texts = [text_of(samples[place]) for place in columns.places.tolist()]
    return _Texts(artefact.lsa.vectors(columns.flat()), texts)


def _domains(samples: Sequence[Sample]) -> Counter[str]:
    return Counter(sample.tags.get("domain", "") for sample in samples)


def _read(broker: Broker, codec: Codec, pipeline: str, policy: MixPolicySet) -> Pools:
    accepted: list[tuple[int, Sample]] = []

    def take(records: Sequence[Record]) -> None:
        events = [codec.decode(record.value) for record in records]
        accepted.extend((event.occurred_at, event.sample) for event in events if isinstance(event, SampleVerified))

    verify = name(pipeline, "verify")
    places = [TopicPartition(verify, number) for number in range(broker.partitions()[verify])]
    starts = {at: max(begin, end - MOST) for at, (begin, end) in broker.bounds(places).items()}
    with closing(Fold(broker, [verify], take, starts)) as fold:
        fold.catch_up()
    accepted.sort(key=lambda each: each[0])
    parts = reference.read(broker, codec, pipeline, policy)
    fit, calibrate = (sorted(parts[part], key=lambda each: each.sample_id) for part in ("fit", "calibrate"))
    return Pools(fit, calibrate, [sample for _, sample in accepted[-MOST:]])
