"""What sketch reads and writes."""

from streams.processor import Wiring

WIRING = Wiring("sketch", ("seed", "generate", "verify", "reject", "mix"), ("sketch",), ("sketch",))
