"""The check `code`: an oracle that fails an answer whose tests don't run to their end, or that doesn't even compile.

Each program runs in a sandbox. Its end is told by a secret over a pipe of its own, so neither an exit nor anything that
is printed passes for it. Answer and tests share one process, so an answer that sets out to deceive its judge still can:
by looking the secret up in the frames above it, by objects that equal everything, by putting its own into modules that
the tests use. None of that gets out of the sandbox, and none is what a model writes that tries to solve its task.
"""

from collections.abc import Sequence

from services.verify.check import Batch
from services.verify.checks.fenced import TASK, code_of
from services.verify.sandbox.program import Killed, Program, Ran
from services.verify.sandbox.sandbox import Sandbox
from streams.samples import Verdict

_LONGEST = 200
_PASS = Verdict(check="code", outcome="pass")
_KILLED: dict[Killed, str] = {
    "time": "it took too long",
    "memory": "it used too much memory",
    "processes": "it started too many processes or threads",
    "output": "it said too much",
    "disk": "it wrote too much",
    "signal": "a signal ended it",
    "seccomp": "it made a system call that no answer needs",
}


class Code:
    """Judges samples of the task `code`; the rest pass. An answer without tests has to compile."""

    name = "code"

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def over(self, batch: Batch) -> Sequence[Verdict]:
        """Run the programs of all samples, as many at once as there are cores. Blocks; raises UnavailableError."""
        places = [place for place, sample in enumerate(batch.samples) if sample.task == TASK and sample.turns]
        programs = [Program(code_of(batch.samples[place]), batch.samples[place].tests) for place in places]
        verdicts = [_PASS] * len(batch.samples)
        for place, program, ran in zip(places, programs, self._sandbox.run(programs), strict=True):
            verdicts[place] = verdict(program, ran)
        return verdicts


def verdict(program: Program, ran: Ran) -> Verdict:
    """Judge by how a program ended."""
    if ran.is_finished:
        return _PASS
    told = {"killed": ran.killed, "status": str(ran.status), "output": ran.output.strip()[-_LONGEST:]}
    if ran.fault is not None:
        line = None if ran.fault.line is None else str(ran.fault.line)
        told |= {"part": ran.fault.part, "line": line, "error": ran.fault.error[:_LONGEST]}
    return Verdict(
        check="code",
        outcome="fail",
        evidence={key: value for key, value in told.items() if value},
        explanation=_explained(program, ran),
    )


def _explained(program: Program, ran: Ran) -> str:
    fault = ran.fault
    where = "The program" if fault is None or fault.line is None else f"Line {fault.line} of the {fault.part}"
    what = "" if fault is None else f" with {fault.error.partition(':')[0][:_LONGEST]}"
    if program.tests is None:
        return f"{where} can't be compiled; code without tests has to be."
    if ran.killed is not None:
        return f"{where} was stopped, for {_KILLED[ran.killed]}; its tests have to run to their end."
    if fault is None:
        return f"The program ended with exit code {ran.status} before its tests did; they have to run to their end."
    return f"{where} ended the tests{what}; they have to run to their end."
