"""Whether documents copy the seeds: how much of each is in no seed, held against what a seed has in no other seed."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from streams.stats.moments import mean_and_sd
from streams.stats.statistic import State
from streams.words import Flat, Hashes, grams

_LENGTH = 3
_SURE = 0.95


class SeedGrams(NamedTuple):
    """The word 3-grams of the seeds, rising, in how many seeds each is, and each seed's share that no other has."""

    grams: Hashes
    documents: NDArray[np.int64]
    novel: NDArray[np.float64]


def fit(seeds: Flat) -> SeedGrams:
    """Return the 3-grams of the seeds. A seed that is there twice is a copy, so take duplicates out before."""
    found, owners = _grams(seeds)
    if not len(found):
        raise ValueError(f"A dictionary of seeds needs texts of {_LENGTH} words or more; there is none.")
    order = np.argsort(found, kind="stable")  # owners rise within a gram
    by_gram, by_owner = found[order], owners[order]
    new_gram = np.concatenate(([True], by_gram[1:] != by_gram[:-1]))
    new_pair = new_gram | np.concatenate(([True], by_owner[1:] != by_owner[:-1]))
    group = np.cumsum(new_gram) - 1
    documents = np.bincount(group[new_pair])
    sizes = np.bincount(owners)
    alone = np.bincount(by_owner, documents[group] == 1)
    return SeedGrams(by_gram[new_gram], documents, alone[sizes > 0] / sizes[sizes > 0])


class Copying:
    """The share of a document's word 3-grams that are in no seed. `update` takes word hashes.

    Values: `mean` and `sd` of that share; `copied`, the share of documents where it is below the quantile `flag` of
    the seeds' own (each against the other seeds); `certified`, the 95 % upper bound of the share of fresh human
    documents that are flagged too (Clopper and Pearson 1934, Biometrika 26; as the limit is itself a value of the
    seeds, it is also the bound of Wilks 1941). 10,000 seeds can't certify a rate below 3e-4. Documents with fewer
    than 3 words are left out. Merging is exact and the order is of no account.

    Pitfalls: it detects copying and nothing else (a bigram model's text is as novel as a person's); what is copied
    from other text than the seeds is novel; seeds that share boilerplate, or are there twice, lower the limit.

    >>> seeds = Flat(np.array([1, 2, 3, 4, 5, 2, 3, 4, 8, 9], np.uint64), np.array([0, 5, 10]))
    >>> copying = Copying(fit(seeds), flag=0.5)
    >>> copying.update(Flat(np.array([1, 2, 3, 4, 6, 7, 8, 9], np.uint64), np.array([0, 4, 8])))
    >>> {name: round(value, 2) for name, value in copying.get().items()}
    {'mean': 0.5, 'sd': 0.71, 'copied': 0.5, 'certified': 0.78}
    """

    def __init__(self, dictionary: SeedGrams, *, flag: float = 0.001) -> None:
        self._grams, self._alone = dictionary.grams, dictionary.documents == 1
        self._limit = float(np.quantile(dictionary.novel, flag, method="lower"))
        seeds, flagged = len(dictionary.novel), int((dictionary.novel < self._limit).sum())
        self._certified = float(betaincinv(flagged + 1, seeds - flagged, _SURE))
        self.counts = np.zeros(2, np.int64)  # documents, and flagged ones
        self.moments = np.zeros(2)  # sum and sum of squares

    def flags(self, batch: Flat) -> NDArray[np.bool_]:
        """Return which documents are nearer to the seeds than the limit; short ones are not."""
        return self.flagged(self.novel(batch))

    def novel(self, batch: Flat, seeds: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
        """Return the share of each document's 3-grams that no seed has, or no other if it is one of the `seeds`."""
        found, owners = _grams(batch)
        order = np.argsort(found)  # one way through the table saves cache misses
        found, owners = found[order], owners[order]
        place = np.minimum(np.searchsorted(self._grams, found), len(self._grams) - 1)
        is_new = self._grams[place] != found
        if seeds is not None:
            is_new |= seeds[owners] & self._alone[place]
        texts = len(batch.starts) - 1
        sizes = np.bincount(owners, minlength=texts)
        new = np.bincount(owners, is_new, texts)
        share: NDArray[np.float64] = np.divide(new, sizes, out=np.full(texts, np.nan), where=sizes > 0)
        return share

    def flagged(self, novel: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which of these shares are below the limit; NaN is not."""
        return novel < self._limit

    def update(self, batch: Flat) -> None:
        """Compare documents with the seeds."""
        novel = self.novel(batch)
        novel = novel[~np.isnan(novel)]
        self.counts = self.counts + np.array((len(novel), (novel < self._limit).sum()))
        self.moments = self.moments + np.array((novel.sum(), novel @ novel))

    def merge(self, other: "Copying") -> None:
        """Add what another has compared."""
        self.counts = self.counts + other.counts
        self.moments = self.moments + other.moments

    def get(self) -> Mapping[str, float]:
        """Return the values; NaN where no document was compared, the sd where fewer than two were."""
        count, flagged = self.counts
        mean, sd = mean_and_sd(int(count), *self.moments)
        return {
            "mean": mean,
            "sd": sd,
            "copied": float(flagged / count) if count else np.nan,
            "certified": self._certified,
        }

    def state(self) -> State:
        """Return the counts and the moments."""
        return {"counts": self.counts, "moments": self.moments}

    def restore(self, state: State) -> None:
        """Become what returned the state."""
        self.counts, self.moments = state["counts"], state["moments"]


def _grams(texts: Flat) -> tuple[Hashes, NDArray[np.int64]]:
    """Return the 3-grams and which text each is of."""
    found = grams(texts, _LENGTH)
    sizes = np.diff(found.starts)
    return found.hashes, np.repeat(np.arange(len(sizes)), sizes)
