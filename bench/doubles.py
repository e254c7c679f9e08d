"""How many near-duplicates two verifiers let through that one would not: both see only what was committed before.

The two take batches of 1,000 at the same time, by the hash of a sample's id, as Kafka's partitions would give them.
Pairs lie so many candidates apart in the stream; a verifier alone finds the second of every pair.
"""

import random
from collections.abc import Sequence

import numpy as np

from services.index.ids import pack
from services.index.minhash import shape
from services.recipe import parse
from services.verify.check import Batch
from services.verify.chosen import checks
from services.verify.known import Known
from services.verify.pipeline import run
from streams.codec import Codec
from streams.samples import Sample, digest

_BATCH = 1_000
_PAIRS = 400
LAGS = (1, 100, 1_000, 4_000)


def doubled(texts: Sequence[Sample], verifiers: int, lag: int, seed: int) -> float:
    """Return the share of pairs, `lag` candidates apart, of which both are accepted."""
    rng = random.Random(seed)
    stream = [_renamed(one, number) for number, one in enumerate(texts)]
    pairs: list[tuple[int, int]] = []
    taken: set[int] = set()
    for first in rng.sample(range(len(stream) - lag), len(stream) - lag):
        if len(pairs) < _PAIRS and not taken & {first, first + lag}:
            pairs.append((first, first + lag))
            taken |= {first, first + lag}
    for first, second in pairs:
        stream[second] = _renamed(stream[first], second)
    accepted = _accepted(stream, verifiers)
    both = [stream[a].sample_id in accepted and stream[b].sample_id in accepted for a, b in pairs]
    return float(np.mean(both))


def _accepted(stream: Sequence[Sample], verifiers: int) -> set[str]:
    plan = {"pipeline": "golden", "seeds": {"path": "x", "licence": "cc0"}, "generate": {"target": 1}}
    recipe = parse({**plan, "verify": {"checks": ["duplicate"], "audit_share": 0}}, "the bench")
    known = [Known(Codec(), "golden", shape(0.8)) for _ in range(verifiers)]
    chosen = [checks(recipe, each) for each in known]
    lines = [[one for one in stream if int(one.sample_id[:8], 16) % verifiers == n] for n in range(verifiers)]
    accepted: set[str] = set()
    for start in range(0, max(map(len, lines)), _BATCH):
        batches = [Batch(line[start : start + _BATCH], shape(0.8)) for line in lines]
        kept = [batch.select(run(each, batch, 0.0).kept) for each, batch in zip(chosen, batches, strict=True)]
        for batch in kept:  # both commit, and both read what was committed
            accepted |= {one.sample_id for one in batch.samples}
            ids = pack([one.sample_id.encode() for one in batch.samples])
            for each in known:
                each.settle(ids, batch.entries)
    return accepted


def _renamed(sample: Sample, number: int) -> Sample:
    return Sample(
        sample_id=digest("of the stream", number),
        content_hash=digest("content", number),
        task=sample.task,
        turns=sample.turns,
        lineage=sample.lineage,
    )
