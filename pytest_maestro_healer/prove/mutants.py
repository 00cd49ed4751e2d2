"""Mutants of product functions, made in memory: does a healed test still notice when the product is wrong?

The operators are the standard ones of mutation testing (arithmetic, comparison, boundary, constant, return value, condition, exception;
Jia and Harman, "An Analysis and Survey of the Development of Mutation Testing", 2011). Pure: source text in, source text out.
"""

from __future__ import annotations

import ast
import copy
import types
import warnings
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass

from pytest_maestro_healer.prove.equivalent import boundaries, changes_nothing, only_logs, same_code

_ARITHMETIC: dict[type, type] = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult}
_COMPARE: dict[type, type] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_LEFT_ALONE = ("decorator_list", "returns", "annotation", "type_params", "exc", "msg", "ctx", "format_spec")
_WIDEST = 60
_Chosen = tuple[str, ast.AST, "Site", "Identity | None"]


@dataclass(frozen=True)
class Identity:
    """What a mutant changes, wherever it stands: so it is found again in another version of the file.

    ``qualname`` names the function, ``what`` is the change in words, ``text`` the whole expression (or simple statement) that it lies in, in
    normal form, and ``number`` counts the equal ones of that function.
    """

    qualname: str
    what: str
    text: str
    number: int = 0


@dataclass(frozen=True)
class Mutant:
    """One changed function of one product file.

    ``path`` is root-relative, ``qualname`` names the function, ``code`` is its mutated code object (same name and first line as the original's),
    ``at`` the changed line, ``what`` the change in words, and ``before`` and ``after`` are the changed piece of code.
    """

    path: str
    qualname: str
    code: types.CodeType
    at: int
    what: str
    before: str = ""
    after: str = ""
    identity: Identity | None = None

    @property
    def number(self) -> bool:
        """Whether it puts one number in the place of another: that may be how long something takes."""
        return self.before[:1].isdigit() and self.after[:1].isdigit()

    @property
    def told(self) -> str:
        """The change for a reader: ``total > 0 -> total >= 0 at shop/cart.py:12``, in backquotes what is code."""
        return f"`{self.before}` -> `{self.after}` at {self.path}:{self.at}"


def mutants(
    path: str, source: bytes, executed: frozenset[int] | None, limit: int, only: Container[Identity] | None = None, *, named: bool = False
) -> list[Mutant]:
    """Up to ``limit`` mutants of the functions of ``source`` on the ``executed`` lines (``None``: on all), spread over functions and operators.

    With ``only`` just those; they then know their identity, as they do where that is asked for by ``named``. Mutants that cannot behave
    otherwise than the code as it is (:mod:`~pytest_maestro_healer.prove.equivalent`) are none.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the product's own, about escapes and literals
            tree = ast.parse(source)
            queues: list[list[_Chosen]] = []
            for qualname, function in functions(tree):
                found: list[tuple[Site, Identity | None]] = []
                if named or only is not None:
                    found += [(s, i) for s, i in identified(qualname, function) if only is None or i in only]
                else:
                    found += [(s, None) for s in sites(function)]
                found = [(s, i) for s, i in found if executed is None or s.line in executed]
                if found:
                    queues.append([(qualname, function, s, i) for s, i in found])
            return _made(path, tree, _round_robin(queues, limit + _SPARE), limit)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


#: Some mutants turn out to be the same code when they are compiled: so many more are looked at.
_SPARE = 4


@dataclass(frozen=True)
class Site:
    """Where (path of field names and indices from the function) and how; ``around`` is the whole expression or simple statement there."""

    steps: tuple[tuple[str, int], ...]
    line: int
    what: str
    change: Callable[[ast.AST], ast.AST]
    around: ast.AST


def identified(qualname: str, function: ast.AST) -> Iterator[tuple[Site, Identity]]:
    """The sites of a function with what they are."""
    texts: dict[int, str] = {}
    seen: dict[tuple[str, str], int] = {}
    for site in sites(function):
        text = texts.get(id(site.around)) or texts.setdefault(id(site.around), ast.unparse(site.around))
        number = seen[site.what, text] = seen.get((site.what, text), -1) + 1
        yield site, Identity(qualname, site.what, text, number)


def functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """The functions of a module and of its classes, with their qualified names."""

    def walk(body: Sequence[ast.stmt], prefix: str) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
        for node in body:
            if isinstance(node, _FUNCTIONS):
                yield prefix + node.name, node
            elif isinstance(node, ast.ClassDef):
                yield from walk(node.body, f"{prefix}{node.name}.")
            else:
                for field in ("body", "handlers", "orelse", "finalbody"):
                    for inner in getattr(node, field, ()):
                        if isinstance(inner, ast.ExceptHandler):
                            yield from walk(inner.body, prefix)
                        elif isinstance(inner, ast.stmt):
                            yield from walk([inner], prefix)

    return walk(tree.body, "")


def sites(function: ast.AST) -> Iterator[Site]:
    """All mutations of a function, without those in its signature, decorators, annotations, docstring, format codes and nested functions."""

    even = boundaries(function)

    def walk(node: ast.AST, steps: tuple[tuple[str, int], ...], around: ast.AST | None) -> Iterator[Site]:
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef, ast.Lambda)) and steps:
            return
        whole = around or (node if isinstance(node, ast.expr) else None)
        for change, what in _changes(node):
            if not changes_nothing(node, what, even):
                yield Site(steps, getattr(node, "lineno", 0), what, change, whole or (node.test if isinstance(node, ast.If) else node))
        for field, value in ast.iter_fields(node):
            if field in _LEFT_ALONE or isinstance(value, ast.arguments):
                continue
            if isinstance(value, list):
                for i, item in enumerate(value):
                    if isinstance(item, ast.AST) and not _docstring(node, field, i, item) and not only_logs(item):
                        yield from walk(item, (*steps, (field, i)), whole)
            elif isinstance(value, ast.AST):
                yield from walk(value, (*steps, (field, -1)), whole)

    return walk(function, (), None)


def _docstring(node: ast.AST, field: str, index: int, item: ast.AST) -> bool:
    return field == "body" and index == 0 and isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant)


def _changes(node: ast.AST) -> Iterable[tuple[Callable[[ast.AST], ast.AST], str]]:
    if isinstance(node, ast.Return) and node.value is not None and not (isinstance(node.value, ast.Constant) and node.value.value is None):
        yield _returns_none, "return value replaced by None"
    elif isinstance(node, (ast.BinOp, ast.AugAssign)) and type(node.op) in _ARITHMETIC and not _is_text(node):
        yield _swap_operator, f"{type(node.op).__name__} replaced by {_ARITHMETIC[type(node.op)].__name__}"
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARE:
        yield _swap_compare, f"{type(node.ops[0]).__name__} replaced by {_COMPARE[type(node.ops[0])].__name__}"
    elif isinstance(node, ast.BoolOp):
        yield _swap_bool, f"{type(node.op).__name__} replaced by {'Or' if isinstance(node.op, ast.And) else 'And'}"
    elif isinstance(node, (ast.If, ast.While, ast.IfExp)) and not isinstance(node, ast.While):
        yield _negate_test, "condition negated"
    elif isinstance(node, ast.Raise):
        yield _no_raise, "exception not raised"
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield _change_constant, f"{node.value} replaced by {not node.value}"
        elif isinstance(node.value, (int, float)):
            yield _change_constant, f"{node.value!r} replaced by {node.value + 1!r}"
        elif isinstance(node.value, str) and node.value:
            yield _change_constant, "text changed"


def _is_text(node: ast.BinOp | ast.AugAssign) -> bool:
    """Concatenation and formatting of strings: another operator would only crash."""
    sides = [node.left, node.right] if isinstance(node, ast.BinOp) else [node.value]
    return any(isinstance(s, ast.JoinedStr) or (isinstance(s, ast.Constant) and isinstance(s.value, (str, bytes))) for s in sides)


def _returns_none(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.Return)
    node.value = ast.Constant(None)
    return node


def _swap_operator(node: ast.AST) -> ast.AST:
    assert isinstance(node, (ast.BinOp, ast.AugAssign))
    node.op = _ARITHMETIC[type(node.op)]()
    return node


def _swap_compare(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.Compare)
    node.ops[0] = _COMPARE[type(node.ops[0])]()
    return node


def _swap_bool(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.BoolOp)
    node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    return node


def _negate_test(node: ast.AST) -> ast.AST:
    assert isinstance(node, (ast.If, ast.IfExp))
    node.test = ast.UnaryOp(ast.Not(), node.test)
    return node


def _no_raise(node: ast.AST) -> ast.AST:
    return ast.Pass()


def _change_constant(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.Constant)
    value = node.value
    if isinstance(value, bool):
        node.value = not value
    elif isinstance(value, str):
        node.value = value + "~"
    else:
        node.value = value + 1  # type: ignore[operator]
    return node


def _round_robin(queues: list[list[_Chosen]], limit: int) -> list[_Chosen]:
    """Take turns between functions, and within one spread over its sites."""
    spread = []
    for q in queues:
        step = max(1, len(q) // max(1, limit // max(1, len(queues))))
        spread.append([*q[::step], *[x for i, x in enumerate(q) if i % step]])
    out: list[_Chosen] = []
    i = 0
    while len(out) < limit and any(len(q) > i for q in spread):
        out += [q[i] for q in spread if len(q) > i]
        i += 1
    return out[:limit]


def _made(path: str, tree: ast.Module, chosen: Sequence[_Chosen], limit: int) -> list[Mutant]:
    """The first ``limit`` mutants that are other code than the original and than each other."""
    out: list[Mutant] = []
    known: dict[str, list[types.CodeType]] = {}
    for qualname, function, site, identity in chosen:
        if len(out) >= limit:
            break
        if qualname not in known:
            original = _compiled(path, tree, function)
            known[qualname] = [original[0]] if original is not None else []
        made = _compiled(path, tree, function, site)
        if made is not None and not any(same_code(made[0], k) for k in known[qualname]):
            known[qualname].append(made[0])
            out.append(Mutant(path, qualname, made[0], site.line, site.what, *made[1:], identity=identity))
    return out


def _compiled(path: str, tree: ast.Module, function: ast.AST, site: Site | None = None) -> tuple[types.CodeType, str, str] | None:
    """The function's code, with one change (and what that is); line numbers stay those of the file."""
    where = _path_to(tree, function)
    if where is None:
        return None
    # the rest of a module may be long, and means nothing for the code but what it takes from the future
    futures: list[ast.stmt] = [n for n in tree.body if isinstance(n, ast.ImportFrom) and n.module == "__future__"]
    top = copy.deepcopy(tree.body[where[0][1]])
    copied = ast.Module([*futures, top], [])
    before, after = _changed(top, (*where[1:], *site.steps), site) if site is not None else ("", "")
    ast.fix_missing_locations(copied)
    try:
        module = compile(copied, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return None
    decorators = getattr(function, "decorator_list", [])
    first = min([getattr(function, "lineno", 0), *(d.lineno for d in decorators)])
    code = _find_code(module, getattr(function, "name", ""), first)
    return (code, before, after) if code is not None else None


def _changed(top: ast.AST, steps: Sequence[tuple[str, int]], site: Site) -> tuple[str, str]:
    """Make the change in ``top``; returns the piece of code as it was and as it is."""
    node = top
    for field, index in steps[:-1]:
        value = getattr(node, field)
        node = value[index] if index >= 0 else value
    if not steps:
        site.change(node)
        return "", ""
    field, index = steps[-1]
    old = getattr(node, field)[index] if index >= 0 else getattr(node, field)
    before = _shown(old)
    new = ast.copy_location(site.change(old), old)
    if index >= 0:
        getattr(node, field)[index] = new
    else:
        setattr(node, field, new)
    return before, _shown(new)


def _shown(node: ast.AST) -> str:
    """A piece of code in a line: of a condition what is asked."""
    text = " ".join(ast.unparse(node.test if isinstance(node, (ast.If, ast.IfExp)) else node).split())
    return text if len(text) <= _WIDEST else text[:_WIDEST] + "..."


def _find_code(code: types.CodeType, name: str, first: int) -> types.CodeType | None:
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            if const.co_name == name and const.co_firstlineno == first:
                return const
            inner = _find_code(const, name, first)
            if inner is not None:
                return inner
    return None


def _path_to(tree: ast.AST, target: ast.AST) -> tuple[tuple[str, int], ...] | None:
    for field, value in ast.iter_fields(tree):
        items = list(enumerate(value)) if isinstance(value, list) else [(-1, value)]
        for i, item in items:
            if item is target:
                return ((field, i),)
            if isinstance(item, (ast.stmt, ast.ExceptHandler)) and not isinstance(item, _FUNCTIONS):
                inner = _path_to(item, target)
                if inner is not None:
                    return ((field, i), *inner)
    return None
