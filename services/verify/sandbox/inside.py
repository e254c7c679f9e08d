"""What runs in the sandbox: limits itself, compiles an answer and its tests, runs both, and tells how they ended.

Started anew for each program, so it imports next to nothing. Answer and tests are compiled apart: a quotation mark that
is left open can't swallow the tests. They share one namespace. The answer is called `answer` and the tests `__main__`,
so that a script's main part doesn't run and `unittest.main()` finds its tests.
"""

import marshal
import os
import resource
import sys
from typing import Any

_LONGEST = 1_000


def main() -> None:
    """Do the job that stdin brings; leaves by `os._exit`, so that nothing that the answer has left behind runs."""
    job: dict[str, Any] = marshal.loads(sys.stdin.buffer.read())  # noqa: S302 - our own, and json takes long to import
    _confine(job["limits"], job["user"])
    me = os.getpid()
    os.write(job["report"], job["began"])
    fault = _fault(job["answer"], job["tests"])
    if os.getpid() == me:  # else the answer has forked: only the first process speaks
        os.write(job["report"], job["token"] if fault is None else fault)
    if fault is not None:
        _flush()
    os._exit(0 if fault is None else 1)


def _confine(limits: list[tuple[int, int, int]], user: int | None) -> None:
    """Set the limits and become a user who may do nothing."""
    for which, soft, hard in limits:
        most = resource.getrlimit(which)[1]
        most = hard if most == resource.RLIM_INFINITY else min(hard, most)
        resource.setrlimit(which, (min(soft, most), most))
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)


def _fault(answer: str, tests: str | None) -> bytes | None:
    """Run both and return what went wrong, as part, line and error; an answer without tests is only compiled."""
    module = type(sys)("__main__")
    sys.modules["answer"] = sys.modules["__main__"] = module
    names = module.__dict__
    try:
        code = compile(answer, "<answer>", "exec", dont_inherit=True)
        if tests is None:
            return None
        testing = compile(tests, "<tests>", "exec", dont_inherit=True)
        names["__name__"] = "answer"
        exec(code, names)  # noqa: S102 - what this is for
        names["__name__"] = "__main__"
        exec(testing, names)  # noqa: S102
    except MemoryError:
        return b"\n\nMemoryError: "  # there may be none left to say more
    except BaseException as error:  # noqa: BLE001 - whatever an answer raises
        return None if _is_end(error) else _told(error)
    return None


def _is_end(error: BaseException) -> bool:
    """Tell whether `unittest.main()`, which leaves by an exit, was called by the tests and found nothing wrong."""
    files = _files(error)
    return (
        isinstance(error, SystemExit)
        and not error.code
        and files[1:2] == ["<tests>"]
        and files[-1].endswith("/unittest/main.py")
        and "<answer>" not in files
    )


def _files(error: BaseException) -> list[str]:
    files, trace = [], error.__traceback__
    while trace is not None:
        files.append(trace.tb_frame.f_code.co_filename)
        trace = trace.tb_next
    return files


def _told(error: BaseException) -> bytes:
    """Return part, line and last line of an exception; its text may be the answer's own code."""
    part, line, trace = "", 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename in ("<answer>", "<tests>"):
            part, line = trace.tb_frame.f_code.co_filename, trace.tb_lineno
        trace = trace.tb_next
    if isinstance(error, SyntaxError) and error.filename in ("<answer>", "<tests>"):
        part, line = error.filename, error.lineno or 0
    try:
        text = str(error.msg if isinstance(error, SyntaxError) else error)
    except BaseException:  # noqa: BLE001
        text = ""
    return f"{part.strip('<>')}\n{line or ''}\n{type(error).__name__}: {text}"[:_LONGEST].encode(errors="replace")


def _flush() -> None:
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:  # noqa: BLE001 - the answer may have closed or replaced them
        return


if __name__ == "__main__":
    main()
