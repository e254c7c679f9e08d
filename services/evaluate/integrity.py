"""Whether texts of the holdout have leaked into the mix: then a model has seen what it is scored on."""

from collections.abc import Sequence

import numpy as np

from services.evaluate.proxy import flat
from streams.samples import Sample
from streams.words import GRAM, runs


class Integrity:
    """Counts the samples of the mix that leak, and names the holdout documents that they share word 8-grams with.

    A leak is what verification calls contamination: more than `most` of a text's 8-grams are in the holdout.
    """

    def __init__(self, holdout: Sequence[Sample], most: float) -> None:
        grams = runs(flat(holdout), GRAM)
        order = np.argsort(grams.hashes, kind="stable")
        self._ids = [sample.sample_id for sample in holdout]
        self._grams = grams.hashes[order]
        self._owners = np.repeat(np.arange(len(holdout)), np.diff(grams.starts))[order]
        self._most = most
        self.leaks = 0
        self.leaked: set[str] = set()  # sample_ids of the holdout

    def look(self, samples: Sequence[Sample]) -> None:
        """Look a batch of the mix over."""
        grams = runs(flat(samples), GRAM)
        counts = np.diff(grams.starts)
        text = np.repeat(np.arange(len(counts)), counts)
        low = np.searchsorted(self._grams, grams.hashes, "left")
        high = np.searchsorted(self._grams, grams.hashes, "right")
        shares = np.bincount(text, high > low, len(counts)) / counts
        leaking = shares > self._most
        self.leaks += int(leaking.sum())
        for place in np.flatnonzero(leaking[text] & (high > low)).tolist():
            self.leaked |= {self._ids[owner] for owner in self._owners[low[place] : high[place]].tolist()}
