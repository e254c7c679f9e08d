"""D7: where documents are short, a source that trains on its own output is found too, only later.

Setting: D1 with documents of 40, 20 and 10 words, of which the first 32, 16 and 8 are counted.
"""

from dataclasses import replace

from experiments import d1_detection
from experiments.bar import Bar

UNITS = (32, 16, 8)
HUMAN_STREAMS, REPEATS = 10, 2


def run(seed: int) -> list[Bar]:
    """Count false alarms and measure delays for each length."""
    found = {unit: d1_detection.run(seed, HUMAN_STREAMS, REPEATS, unit) for unit in UNITS}
    return [replace(bar, name=f"{unit} words, {bar.name}") for unit, bars in found.items() for bar in bars]
