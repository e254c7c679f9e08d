"""A trainer that trains nothing: reads every batch of a pipeline as a real one would; run as a module by the demo."""

import signal
import sys
import time
from collections.abc import Sequence

from services import pipeline
from streams.dataset import Dataset
from streams.kafka import KafkaBroker

NAME = "demo"


def main(arguments: Sequence[str]) -> int:
    """Read the pipeline of that name at that address until SIGTERM; the committed progress tells how far.

    The last argument is how many batches it takes a second, as a real one's steps take their time.
    """
    name, bootstrap, pace = arguments
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    broker = KafkaBroker(bootstrap)
    dataset = Dataset(broker, pipeline.codec(broker, name), name, trainer=NAME, stopping=lambda: stopping)
    try:
        for _ in dataset.batches():
            time.sleep(1 / float(pace))
    finally:
        dataset.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
