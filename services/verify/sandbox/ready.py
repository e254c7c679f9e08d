"""The sandbox that a recipe asks for, tried before anything depends on it."""

from typing import Literal

from services.verify.sandbox.bubblewrap import Bubblewrap
from services.verify.sandbox.plain import Plain
from services.verify.sandbox.program import Limits, Program
from services.verify.sandbox.sandbox import Sandbox
from services.verify.sandbox.started import refused

Kind = Literal["bubblewrap", "process"]
LIMITS = Limits()


def tried(kind: Kind, limits: Limits = LIMITS) -> Sandbox:
    """Return the sandbox once it has run a program; raises UnavailableError if it can't. Blocks for a moment."""
    sandbox = Sandbox(Bubblewrap(limits) if kind == "bubblewrap" else Plain(), limits)
    (found,) = sandbox.run([Program("", "")])
    if not found.is_finished:
        raise refused(found.output or str(found))
    return sandbox
