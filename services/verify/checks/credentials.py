"""Whether a piece of a program reads secrets of who runs it: key files, password files, the environment."""

import ast
import re

from services.verify.checks.names import Names

_FILES = re.compile(
    r"(?:^|/)\.(?:ssh|aws|gnupg|kube|docker|netrc|pgpass|git-credentials|pypirc|env)(?:/|$)"
    r"|(?:^|/)id_(?:rsa|dsa|ecdsa|ed25519)\b|/etc/(?:shadow|passwd|sudoers)|/proc/\w+/environ|(?:^|/)Login Data$"
)
_OPENS = re.compile(
    r"builtins\.open|io\.open|os\.open|codecs\.open|os\.path\.(?:expanduser|join)|shutil\.copy\w*"
    r"|pathlib\.(?:Posix)?Path(?:\.home\(\))?(?:\.joinpath)?"
)
_VARIABLES = re.compile(
    r"(?:^|_)(?:API_?KEY|KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASS|CREDENTIALS?|AUTH)(?:_|$)", re.IGNORECASE
)
_ENVIRONMENT = ("os.environ", "posix.environ")
_ONE = ("os.getenv", "os.environ.get", "os.environ.pop")
_ALL = ("os.environ.items", "os.environ.copy", "os.environ.values")


def secret(node: ast.AST, names: Names) -> str | None:
    """Return the path or the variable that an expression reads, if it is one of those that are nobody's business."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and names.of(node.left).startswith("pathlib.Path"):
        return _first(_FILES, node.right, names)
    if isinstance(node, ast.Subscript) and names.of(node.value) in _ENVIRONMENT:
        return _first(_VARIABLES, node.slice, names)
    return _asked(names.of(node.func), node.args, names) if isinstance(node, ast.Call) else None


def _asked(name: str, args: list[ast.expr], names: Names) -> str | None:
    if _OPENS.fullmatch(name):
        return next((found for arg in args if (found := _first(_FILES, arg, names))), None)
    if name in _ONE and args:
        return _first(_VARIABLES, args[0], names)
    if name in _ALL:
        return name
    return next((whole for arg in args if (whole := names.of(arg)) in _ENVIRONMENT), None)


def _first(pattern: re.Pattern[str], node: ast.AST, names: Names) -> str | None:
    return next((text for text in names.texts(node) if pattern.search(text)), None)
