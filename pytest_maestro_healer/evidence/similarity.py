"""How alike two definitions are: by their normalised syntax trees, not by their names."""

from __future__ import annotations

import ast
import difflib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.evidence.symbols import absolute_module, bound_names, flat

Function = ast.FunctionDef | ast.AsyncFunctionDef
DefKind = Literal["function", "method", "staticmethod", "classmethod", "property", "class", "variable", "attribute"]
CALLABLE = frozenset({"function", "method", "staticmethod", "classmethod"})
VALUES = frozenset({"variable", "attribute"})
#: A module: its dotted name, and whether it is a package.
Home = tuple[str, bool]


@dataclass(frozen=True, eq=False)
class Def:
    """One definition of a parsed file: ``qualname``, what it is, and its node (the value's expression for variables and attributes)."""

    qualname: str
    kind: DefKind
    node: ast.AST
    line: int

    @property
    def name(self) -> str:
        """The last part of the qualified name."""
        return self.qualname.rpartition(".")[2]

    @property
    def scope(self) -> str:
        """The class that it stands in, ``""`` at module level."""
        return self.qualname.rpartition(".")[0]

    @property
    def function(self) -> Function | None:
        """The function node, where it is one."""
        return self.node if isinstance(self.node, (ast.FunctionDef, ast.AsyncFunctionDef)) else None

    @property
    def is_async(self) -> bool:
        """Whether it is an ``async def``."""
        return isinstance(self.node, ast.AsyncFunctionDef)


def definitions(tree: ast.Module | None) -> dict[str, Def]:
    """Everything that a module and its classes define, instance attributes set through ``self`` included, by qualified name."""
    out: dict[str, Def] = {}
    if tree is not None:
        _scope(tree.body, "", out)
    return out


def _scope(body: Sequence[ast.stmt], cls: str, out: dict[str, Def]) -> None:
    prefix = f"{cls}." if cls else ""
    for node in flat(body):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            known = out.get(prefix + node.name)
            if known is None or known.kind not in ("property",):  # a setter does not replace its property
                out[prefix + node.name] = Def(prefix + node.name, _kind(node, cls), node, node.lineno)
            if cls:
                for name, value, line in _instance_attributes(node):
                    out.setdefault(f"{prefix}{name}", Def(f"{prefix}{name}", "attribute", value, line))
        elif isinstance(node, ast.ClassDef):
            out[prefix + node.name] = Def(prefix + node.name, "class", node, node.lineno)
            _scope(node.body, prefix + node.name, out)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            value = node.value if node.value is not None else node.annotation if isinstance(node, ast.AnnAssign) else None
            for name in bound_names(node):
                if value is not None:
                    out[prefix + name] = Def(prefix + name, "attribute" if cls else "variable", value, node.lineno)


def _kind(node: Function, cls: str) -> DefKind:
    names = {(last_name(d)) for d in map(_bare, node.decorator_list)}
    if names & {"property", "cached_property", "setter", "getter", "deleter", "hybrid_property", "reify", "lazyproperty"}:
        return "property"
    if not cls:
        return "function"
    return "staticmethod" if "staticmethod" in names else "classmethod" if "classmethod" in names else "method"


def _bare(node: ast.expr) -> ast.expr:
    return node.func if isinstance(node, ast.Call) else node


def _instance_attributes(function: Function) -> Iterator[tuple[str, ast.expr, int]]:
    args = [*function.args.posonlyargs, *function.args.args]
    if not args:
        return
    own = args[0].arg
    for node in ast.walk(function):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        value = getattr(node, "value", None)
        for t in targets:
            if isinstance(t, ast.Attribute) and isinstance(t.value, ast.Name) and t.value.id == own and isinstance(value, ast.expr):
                yield t.attr, value, t.lineno


def identical(a: Def, b: Def, homes: tuple[Home, Home] | None = None) -> bool:
    """Whether two definitions are the same but for their own and local names: decorators, default values, bases, class keywords and fields too.

    ``homes`` are the modules that the two stand in: a relative import has to lead to the same place from both.
    """
    here, there = homes or (None, None)
    return likeness(a, b) == 1.0 and _around(a.node, here) == _around(b.node, there)


def _around(node: ast.AST, home: Home | None) -> list[str]:
    """What stands around a body and changes what it does."""
    out: list[ast.AST | None] = []
    for n in ast.walk(node):
        if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            out += [*n.args.defaults, *n.args.kw_defaults, *(ast.Constant(len(a)) for a in (n.args.posonlyargs, n.args.kwonlyargs))]
        if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            out += n.decorator_list
        if isinstance(n, ast.ClassDef):
            out += n.keywords
            out += [s.annotation for s in n.body if isinstance(s, ast.AnnAssign)]  # a dataclass, a schema or a parser may read them
        if isinstance(n, ast.ImportFrom) and n.level and home is not None:
            out.append(ast.ImportFrom(absolute_module(n, *home), n.names, 0))
        elif isinstance(n, (ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal)):
            out.append(n)
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        out.append(ast.Constant(ast.get_docstring(node) is None))  # a command may show it; another wording is no other thing
    return [ast.dump(n) if n is not None else "" for n in out]


# -- comparing ---------------------------------------------------------------------------------------------
def tokens(node: ast.AST, own: str = "", *, raw: bool = False) -> tuple[str, ...]:
    """A definition as a token sequence: docstring, annotations and its own name left out, local names numbered by first use.

    With ``raw`` local names stay as they are (to see which name took which place).
    """
    local = set() if raw else _locals(node)
    numbers: dict[str, str] = {}
    out: list[str] = []

    def name(text: str) -> str:
        if text == own and own:
            return "@own"
        return numbers.setdefault(text, f"%{len(numbers)}") if text in local else text

    def visit(n: ast.AST) -> None:
        if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            out.append(type(n).__name__ if n is not node else "def" if not isinstance(n, ast.ClassDef) else "class")
            if n is not node:
                out.append(name(n.name))
            if not isinstance(n, ast.ClassDef):
                for a in [*n.args.posonlyargs, *n.args.args, n.args.vararg, *n.args.kwonlyargs, n.args.kwarg]:
                    if a is not None and not raw:
                        name(a.arg)
            for part in n.bases if isinstance(n, ast.ClassDef) else ():
                visit(part)
            for stmt in without_docstring(n.body):
                visit(stmt)
            return
        out.append(type(n).__name__)
        if isinstance(n, ast.Name):
            out.append(name(n.id))
        elif isinstance(n, ast.Attribute):
            visit(n.value)
            out.append("@own" if n.attr == own and own else n.attr)
            return
        elif isinstance(n, ast.Constant):
            out.append(repr(n.value))
        elif isinstance(n, ast.keyword):
            out.append(n.arg or "**")
        elif isinstance(n, ast.AnnAssign):
            visit(n.target)
            if n.value is not None:
                visit(n.value)
            return
        for child in ast.iter_child_nodes(n):
            if not isinstance(child, (ast.Load, ast.Store, ast.Del)):
                visit(child)

    visit(node)
    return tuple(out)


def without_docstring(body: Sequence[ast.stmt]) -> Sequence[ast.stmt]:
    """The statements of a body after its docstring."""
    first = body[0] if body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        return body[1:]
    return body


def _locals(node: ast.AST) -> set[str]:
    if isinstance(node, ast.ClassDef):
        return set()
    names = {a.arg for a in ast.walk(node) if isinstance(a, ast.arg)}
    return names | {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def likeness(old: Def, new: Def) -> float:
    """0..1: how alike two definitions are, whatever their names; 0 where one is a value and the other is not."""
    if (old.kind in VALUES) != (new.kind in VALUES) or (old.kind == "class") != (new.kind == "class"):
        return 0.0
    a, b = tokens(old.node, old.name), tokens(new.node, new.name)
    return ratio(a, b)


def ratio(a: Sequence[str], b: Sequence[str]) -> float:
    """The likeness of two token sequences."""
    if a == b:
        return 1.0
    if not a or not b or min(len(a), len(b)) / max(len(a), len(b)) < 0.3:
        return 0.0
    matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
    return matcher.ratio() if matcher.quick_ratio() > 0.4 else matcher.quick_ratio() * 0.8


def weight_of_body(definition: Def) -> int:
    """How much there is to compare: the number of tokens that are names or values."""
    return sum(1 for t in tokens(definition.node, definition.name) if not t[:1].isupper())


def replaced(old: ast.AST, new: ast.AST, own: tuple[str, str] = ("", "")) -> Counter[tuple[str, str]]:
    """Which token stands where another stood, with how often: names, attributes and constants that a change put in place of others."""
    a, b = tokens(old, own[0], raw=True), tokens(new, own[1], raw=True)
    votes: Counter[tuple[str, str]] = Counter()
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if tag == "replace" and i2 - i1 == j2 - j1:
            votes.update(p for p in zip(a[i1:i2], b[j1:j2], strict=True) if p[0] != p[1])
    return votes


def returns(function: Function) -> list[ast.expr]:
    """The expressions that a function itself returns."""
    out: list[ast.expr] = []
    todo: list[ast.AST] = list(function.body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Return) and node.value is not None:
            out.append(node.value)
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            todo.extend(ast.iter_child_nodes(node))
    return out


def yields(function: Function) -> bool:
    """Whether it is a generator function."""
    todo: list[ast.AST] = list(function.body)
    while todo:
        node = todo.pop()
        if isinstance(node, (ast.Yield, ast.YieldFrom)):
            return True
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            todo.extend(ast.iter_child_nodes(node))
    return False


def fields_of(cls: ast.ClassDef, known: Mapping[str, Def] | None = None) -> list[str]:
    """The fields of a dataclass, NamedTuple or attrs class in order; else the attributes that its ``__init__`` sets, in order."""
    declared = [
        s.target.id for s in cls.body if isinstance(s, ast.AnnAssign) and isinstance(s.target, ast.Name) and "ClassVar" not in ast.dump(s.annotation)
    ]
    if declared:
        return declared
    init = next((s for s in cls.body if isinstance(s, ast.FunctionDef) and s.name == "__init__"), None)
    return list(dict.fromkeys(n for n, _, _ in _instance_attributes(init))) if init is not None else []


def words(defs: Iterable[Def]) -> set[str]:
    """The last names of some definitions."""
    return {d.name for d in defs}
