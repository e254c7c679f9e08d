"""What sketch reads and writes."""

from streams.processor import Wiring

WIRING = Wiring("sketch", ("seed", "generate", "verify", "mix"), ("sketch",), ("sketch",))
