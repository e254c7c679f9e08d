"""Sketches of a whole corpus in a few kilobytes: how many distinct things, and how values are spread.

Both are of Apache DataSketches; here they have the shape of every other statistic.
"""

from collections import deque
from collections.abc import Mapping

import numpy as np
from datasketches import hll_sketch, hll_union, kll_doubles_sketch, tgt_hll_type
from numpy.typing import NDArray

from streams.stats.statistic import State
from streams.words import Hashes

_LG_K = 12
_K = 200
_QUANTILES = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}


class Distinct:
    """How many different hashes there were, by HyperLogLog (Flajolet et al. 2007). `update` takes hashes of 64 bits.

    Values: `distinct`, with a relative standard error of 1.6 % (2^12 registers), and `lower` and `upper`, two of them
    away. All three follow from the registers alone, so merging is exact and the order is of no account; the packed
    bytes of the same registers may differ, for the package keeps a running estimate in them that is not used here.

    Pitfall: hashes of things, not the things; equal numbers that are no hashes are as good, for it hashes once more.

    >>> distinct = Distinct()
    >>> distinct.update(np.array([7, 7, 9], np.uint64))
    >>> {name: round(value) for name, value in distinct.get().items()}
    {'distinct': 2, 'lower': 2, 'upper': 2}
    """

    def __init__(self) -> None:
        self.sketch = hll_sketch(_LG_K, tgt_hll_type.HLL_8, start_max_size=True)

    def update(self, batch: Hashes) -> None:
        """Take hashes in. The package takes them one by one, and only as signed integers without loss."""
        deque(map(self.sketch.update, batch.view(np.int64).tolist()), maxlen=0)

    def merge(self, other: "Distinct") -> None:
        """Take in what another has seen."""
        self.sketch = _union(self.sketch, other.sketch)

    def get(self) -> Mapping[str, float]:
        """Return the estimate and its bounds."""
        merged = _union(self.sketch, self.sketch)  # a sketch that was never merged estimates by its history
        lower, upper = merged.get_lower_bound(2), merged.get_upper_bound(2)
        return {"distinct": merged.get_estimate(), "lower": lower, "upper": upper}

    def state(self) -> State:
        """Return the sketch's own bytes."""
        return {"sketch": np.frombuffer(self.sketch.serialize_updatable(), np.uint8)}

    def restore(self, state: State) -> None:
        """Become what returned the state."""
        self.sketch = hll_sketch.deserialize(state["sketch"].tobytes())


class Quantiles:
    """How values are spread, by KLL (Karnin, Lang & Liberty 2016, arXiv 1603.05346). `update` takes float arrays.

    Values: `q05`, `q25`, `q50`, `q75`, `q95`, NaN where there was no value. Up to 200 values are exact. Beyond, the
    rank of each is off by at most 1.65 % of the values in 99 of 100 cases, merged or not. The sketch then flips coins
    that can't be seeded: the same values again, another order, or going on from a restored state may give other
    quantiles, within the same error. NaN is left out.

    Pitfall: the error is one of rank, so where values are sparse (a far tail, a gap) that of the value may be large.

    >>> quantiles = Quantiles()
    >>> quantiles.update(np.arange(100.0))
    >>> dict(quantiles.get())
    {'q05': 5.0, 'q25': 25.0, 'q50': 50.0, 'q75': 75.0, 'q95': 95.0}
    """

    def __init__(self) -> None:
        self.sketch = kll_doubles_sketch(_K)

    def update(self, batch: NDArray[np.float64]) -> None:
        """Take values in."""
        self.sketch.update(np.ascontiguousarray(batch, np.float64))

    def merge(self, other: "Quantiles") -> None:
        """Take in what another has seen."""
        self.sketch.merge(other.sketch)

    def get(self) -> Mapping[str, float]:
        """Return the quantiles."""
        copy = kll_doubles_sketch.deserialize(self.sketch.serialize())  # asking sorts, which would change the state
        values = copy.get_quantiles(list(_QUANTILES.values())) or [np.nan] * len(_QUANTILES)
        return dict(zip(_QUANTILES, values, strict=True))

    def state(self) -> State:
        """Return the sketch's own bytes."""
        return {"sketch": np.frombuffer(self.sketch.serialize(), np.uint8)}

    def restore(self, state: State) -> None:
        """Become what returned the state."""
        self.sketch = kll_doubles_sketch.deserialize(state["sketch"].tobytes())


def _union(one: hll_sketch, other: hll_sketch) -> hll_sketch:
    union = hll_union(_LG_K)
    union.update(one)
    union.update(other)
    return union.get_result(tgt_hll_type.HLL_8)
