"""The check `privacy`: fails a sample with personal data of a real person, or with a secret."""

from collections.abc import Sequence

from services.faults.fault import verdicts
from services.faults.personal import personal
from services.verify.check import Batch
from streams.samples import Verdict


class Privacy:
    """Looks at every turn; the evidence masks what it finds."""

    name = "privacy"

    def over(self, batch: Batch) -> Sequence[Verdict]:
        """Judge each sample alone."""
        return verdicts(self.name, map(personal, batch.samples))
