import numpy as np
from stats_laws import Case
from stats_vectors import vector_batches, vectors

from streams.stats.cells import Cells, Codebook

CODEBOOK = Codebook(vectors()[:64], np.arange(1, 65), np.arange(64) < 20)
CASES = [Case("cells", lambda: Cells(CODEBOOK), vector_batches, most_bytes=700)]
