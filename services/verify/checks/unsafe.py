"""The check `unsafe`: fails code that does what an answer never needs unless asked, as far as that can be read.

The sandbox holds what runs; this keeps it from being trained on. Who hides what a program does can hide it from this.
"""

import ast
import re
import warnings
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from services.verify.check import Batch
from services.verify.checks.credentials import secret
from services.verify.checks.fenced import TASK, code_of
from services.verify.checks.names import Names
from streams.samples import Sample, Verdict

_LONGEST = 200
_PASS = Verdict(check="unsafe", outcome="pass")
_FILE = r"(?=.*\b(?:files?|director|folder|path|disk))"
_DELETES, _SHELLS, _NETWORK, _HIDDEN = "deletes files", "runs commands", "uses the network", "runs hidden code"
_SECRETS, _BOMB = "reads secrets", "starts processes without end"
_CALLS = {
    _DELETES: r"os\.(?:remove|unlink|rmdir|removedirs)|shutil\.rmtree|pathlib\.Path\b.*\.(?:unlink|rmdir)",
    _SHELLS: r"os\.(?:system|popen|exec[lv]p?e?|spawn[lv]p?e?|posix_spawnp?)|subprocess\.\w+|pty\.spawn|pexpect\.\w+"
    r"|asyncio\.(?:subprocess\.)?create_subprocess_\w+|ctypes\.(?:CDLL\(\)|cdll\..*)\.system",
    _NETWORK: r"socket\.(?:socket|create_connection|create_server)|urllib\.request\.\w+|http\.(?:client|server)\.\w+"
    r"|(?:requests|httpx|aiohttp|urllib3|paramiko|websockets?|ftplib|smtplib|telnetlib|poplib|imaplib|socketserver)\..+"
    r"|xmlrpc\.client\.\w+|asyncio\.(?:open_connection|start_server)",
}
_RUNS = re.compile(r"builtins\.(?:eval|exec|compile)")
_HIDES = re.compile(
    r"base64\.|binascii\.|zlib\.|gzip\.|bz2\.|lzma\.|marshal\.loads|codecs\.decode|builtins\.(?:chr|bytes\.fromhex)\b"
    rf"|{_CALLS[_NETWORK]}"
)
_STARTS = re.compile(r"os\.fork|(?:threading\.Thread|multiprocessing\.(?:context\.)?Process)(?:\(\)\.start)?")
_ASKED = {
    _DELETES: rf"(?s){_FILE}.*\b(?:delet|remov|clean|unlink|eras|purg|temp)",
    _SHELLS: r"\b(?:shell|command|subprocess|bash|terminal|script|executable|git|pip)",
    _NETWORK: r"\b(?:https?|urls?|sockets?|network|servers?|clients?|download|apis?|requests?|web|tcp|udp|ftp"
    r"|e-?mail|scrap)",
    _HIDDEN: r"\b(?:base64|decompress|obfuscat|(?:exec|eval)\b)",
    _SECRETS: r"(?:credential|password|secret|token|environment variable|environ\b|api.key|/etc/passwd|ssh)",
}
_PATTERNS = {kind: re.compile(pattern) for kind, pattern in _CALLS.items()}
_WORDS = {kind: re.compile(pattern, re.IGNORECASE) for kind, pattern in _ASKED.items()}


class Found(NamedTuple):
    """What an answer should not do, the name by which it does, and the line."""

    kind: str
    name: str
    line: int


class Unsafe:
    """Judges samples of the task `code`; the rest pass, and what can't be parsed, for it can't run either."""

    name = "unsafe"

    def over(self, batch: Batch) -> Sequence[Verdict]:
        """Read the code of each sample."""
        return [_verdict(sample) for sample in batch.samples]


def found_in(code: str) -> Iterator[Found]:
    """Yield what a program does of all that, by rising line; nothing for what is no Python."""
    with warnings.catch_warnings(action="ignore"):  # about the code's own backslashes
        try:
            tree = ast.parse(code)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return
    names = Names(tree)
    found = [one for node in ast.walk(tree) for one in (*_called(node, names), *_bombs(node, names))]
    yield from sorted(found, key=lambda one: one.line)


def _called(node: ast.AST, names: Names) -> Iterator[Found]:
    if (name := secret(node, names)) is not None:
        yield Found(_SECRETS, name, getattr(node, "lineno", 0))
    if not isinstance(node, ast.Call):
        return
    name = names.of(node.func)
    if _RUNS.fullmatch(name) and any(_HIDES.match(names.of(part)) for part in _inside(node)):
        yield Found(_HIDDEN, name.removeprefix("builtins."), node.lineno)
    for kind, pattern in _PATTERNS.items():
        if pattern.fullmatch(name):
            yield Found(kind, name, node.lineno)


def _bombs(node: ast.AST, names: Names) -> Iterator[Found]:
    """Yield a fork in a loop, an endless loop of starts, and a function that forks and calls, or starts, itself."""
    if isinstance(node, ast.For | ast.While):
        is_endless = isinstance(node, ast.While) and isinstance(node.test, ast.Constant) and bool(node.test.value)
        if any(isinstance(each, ast.Break | ast.Return) for each in ast.walk(node)):
            is_endless = False
        for call, name in _started(node, names):
            if name == "os.fork" or is_endless:
                yield Found(_BOMB, name, call.lineno)
    elif isinstance(node, ast.FunctionDef):
        calls = {
            each.func.id for each in ast.walk(node) if isinstance(each, ast.Call) and isinstance(each.func, ast.Name)
        }
        for call, name in _started(node, names):
            targets = {each.id for part in _inside(call) for each in [part] if isinstance(each, ast.Name)}
            if node.name in (calls if name == "os.fork" else targets):
                yield Found(_BOMB, name, call.lineno)


def _started(node: ast.AST, names: Names) -> Iterator[tuple[ast.Call, str]]:
    for each in ast.walk(node):
        if isinstance(each, ast.Call) and _STARTS.fullmatch(name := names.of(each.func)):
            yield each, name


def _inside(call: ast.Call) -> Iterator[ast.AST]:
    """Yield all parts of a call's arguments."""
    for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
        yield from ast.walk(argument)


def _verdict(sample: Sample) -> Verdict:
    if sample.task != TASK or not sample.turns:
        return _PASS
    prompt = "\n".join(turn.text for turn in sample.turns[:-1])
    found = next((one for one in found_in(code_of(sample)) if not _is_asked(one.kind, prompt)), None)
    if found is None:
        return _PASS
    name = found.name[:_LONGEST]
    return Verdict(
        check="unsafe",
        outcome="fail",
        evidence={"kind": found.kind, "name": name, "line": str(found.line)},
        explanation=f"Line {found.line} of the code {found.kind} ({name}), for which nobody asked.",
    )


def _is_asked(kind: str, prompt: str) -> bool:
    return kind in _WORDS and _WORDS[kind].search(prompt) is not None
