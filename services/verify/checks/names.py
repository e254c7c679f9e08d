"""What the names in a program mean, as far as that can be seen without running it: `o.remove` is `os.remove`."""

import ast
import builtins
from collections.abc import Iterator

_BUILTIN = "builtins."
_LONGEST = 30  # steps of a name; who calls what a call returns so often is not understood anyway
_IMPORTING = ("builtins.__import__", "importlib.import_module")


class Names:
    """The names of a whole program; functions are not told apart, and what isn't known is a builtin."""

    def __init__(self, tree: ast.AST) -> None:
        self._known: dict[str, str] = {}
        self._texts: dict[str, str] = {}
        self._starred: list[str] = []
        nodes = [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]
        for node in sorted(nodes, key=lambda each: each.lineno):
            self._learn(node)

    def _learn(self, node: ast.stmt) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.partition(".")[0]
                self._known[alias.asname or first] = alias.name if alias.asname else first
        elif isinstance(node, ast.ImportFrom):
            self._known |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
            self._starred += [str(node.module) for alias in node.names if alias.name == "*"]
        else:
            for target, value, part in _bindings(node):
                self._bind(target, value, part)

    def _bind(self, target: ast.expr, value: ast.expr, part: str) -> None:
        """Let a name mean what a value is of a module's; what is said of it later counts."""
        if not isinstance(target, ast.Name):
            return
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            self._texts[target.id] = value.value
        elif (meant := self.of(value)) and not meant.startswith(_BUILTIN):
            self._known[target.id] = meant + part

    def of(self, node: ast.AST) -> str:
        """Return the dotted name of an expression, such as `pathlib.Path().unlink`; empty if it has none."""
        rest = ""
        for _ in range(_LONGEST):
            if isinstance(node, ast.Name):
                return self._meant(node.id) + rest
            if isinstance(node, ast.Attribute):
                rest = f".{node.attr}{rest}"
                node = node.value
            elif isinstance(node, ast.Subscript):
                node, rest = node.value, f"[]{rest}"
            elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
                node = node.left  # a path
            elif isinstance(node, ast.Await):
                node = node.value
            elif isinstance(node, ast.Call):
                if (found := self._named_by_text(node)) is not None:
                    return found + rest
                node, rest = node.func, f"(){rest}"
            else:
                return ""
        return ""

    def texts(self, node: ast.AST) -> Iterator[str]:
        """Yield the strings of an expression and those that its names stand for."""
        for each in ast.walk(node):
            if isinstance(each, ast.Constant) and isinstance(each.value, str):
                yield each.value
            elif isinstance(each, ast.Name) and each.id in self._texts:
                yield self._texts[each.id]

    def _meant(self, name: str) -> str:
        if name in self._known:
            return self._known[name]
        return f"{self._starred[-1] if self._starred and not hasattr(builtins, name) else 'builtins'}.{name}"

    def _named_by_text(self, call: ast.Call) -> str | None:
        """Return what `__import__("os")` or `getattr(os, "system")` is."""
        texts = [arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
        if not texts or not isinstance(call.func, ast.Name | ast.Attribute):
            return None
        if isinstance(call.func, ast.Name) and call.func.id == "getattr" and len(call.args) > 1:
            return f"{self.of(call.args[0])}.{texts[0]}"
        return texts[0] if self.of(call.func) in _IMPORTING else None


def _bindings(node: ast.stmt) -> Iterator[tuple[ast.expr, ast.expr, str]]:
    """Yield what a statement binds: a target, a value, and what part of the value it gets."""
    if isinstance(node, ast.Assign):
        yield from ((target, node.value, "") for target in node.targets)
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        yield node.target, node.value, ""
    elif isinstance(node, ast.For):
        yield node.target, node.iter, "[]"
    elif isinstance(node, ast.With | ast.AsyncWith):
        yield from ((item.optional_vars, item.context_expr, "") for item in node.items if item.optional_vars)
