"""Do those who use a class still fit how its instances are made now? Calls of data classes, annotations and subclasses too."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from pytest_maestro_healer.evidence.changes import Changes
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.evidence.finished.names.forms import names_as_data, near
from pytest_maestro_healer.evidence.finished.names.mentions import references
from pytest_maestro_healer.evidence.finished.users.fields import Signatures
from pytest_maestro_healer.evidence.finished.users.taken import parents
from pytest_maestro_healer.evidence.finished.users.uses import binds

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
#: Decorators of a function that make nothing of its annotations.
_QUIET = frozenset({"property", "staticmethod", "classmethod", "abstractmethod", "cached_property", "contextmanager", "override", "wraps", "setter"})
#: Classes whose fields or bases lead to the class are followed that far.
_DEPTH = 3


def built_right(ctx: Context, path: str, node: ast.expr, definitions: Sequence[tuple[str, _Definition]]) -> bool:
    """Whether ``node``, a use of a class in the product's file ``path``, makes no instance, or makes it as the class is made now.

    Parameters:
        ctx: the project
        path: the file of the use
        node: the use, a name or an attribute
        definitions: (path, node) of the definitions that it may mean

    Where the product works with names as data near the class (lists its fields, takes keywords from elsewhere), nothing fits.
    """
    classes = [(p, n) for p, n in definitions if isinstance(n, ast.ClassDef)]
    if not classes or any(names_as_data(tree, member=False) for tree in near(ctx, [n.name for _, n in classes]).values()):
        return False
    return _Users(ctx).fits(path, node, classes, _DEPTH)


def parameters_of(ctx: Context, path: str, definition: _Definition) -> tuple[ast.arguments, bool] | None:
    """The parameters of a function or class of ``path``, and whether an instance is the first of them; ``None`` where they are open."""
    if not isinstance(definition, ast.ClassDef):
        return definition.args, False
    found = Signatures(ctx, ctx.symbols.tree).of(path, definition)
    return (found, True) if found is not None else None


def makes_itself(ctx: Context, path: str, cls: ast.ClassDef) -> int:
    """The line where a class of ``path`` makes another instance of itself (``cls(**row)``) in a way that does not show to bind; 0 if nowhere."""
    return _unbound(cls, Signatures(ctx, ctx.symbols.tree).of(path, cls))


def fields_shifted(ctx: Context, known: Changes, base: str, path: str, name: str) -> bool:
    """Whether a parameter of the class ``name`` in ``path`` that is kept has another place than at ``base``.

    Of a class with an ``__init__`` only where it has as many parameters as before.
    """
    then, now = ((lambda p: known.tree_at(p, base)), ctx.symbols.tree)
    former, present = (next((n for n in _classes(look(path)) if n.name == name), None) for look in (then, now))
    if former is None or present is None:
        return False
    old, new = (Signatures(ctx, look).of(path, cls) for look, cls in ((then, former), (now, present)))
    if old is None or new is None:
        return False
    before, after = ([a.arg for a in (*s.posonlyargs, *s.args)] for s in (old, new))
    own = any(isinstance(n, ast.FunctionDef) and n.name == "__init__" for n in present.body)
    return (not own or len(before) == len(after)) and any(a in after and after.index(a) != i for i, a in enumerate(before))


def _classes(tree: ast.Module | None) -> Iterator[ast.ClassDef]:
    yield from (n for n in ast.walk(tree) if isinstance(n, ast.ClassDef)) if tree is not None else ()


class _Users:
    """Asks the uses of classes, and those of the classes that these lead to, each once."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.signatures = Signatures(ctx, ctx.symbols.tree)
        self.asked: set[tuple[str, str]] = set()

    def fits(self, path: str, node: ast.expr, classes: Sequence[tuple[str, ast.ClassDef]], depth: int) -> bool:
        """Whether a use of one of ``classes`` fits at least one of them."""
        tree = self.ctx.symbols.tree(path)
        made = [(n, s) for p, n in classes if (s := self.signatures.of(p, n)) is not None]
        if tree is None or depth < 0 or any(_unbound(n, s) for n, s in made) or len(made) < len(classes):
            return False
        up = parents(tree)
        parent = up.get(node)
        if isinstance(parent, ast.Call) and parent.func is node:
            return any(binds(parent, s, member=True) for _, s in made)
        if isinstance(parent, ast.ClassDef) and node in parent.bases:
            return self._inherited(path, parent, [s for _, s in made], depth)
        return _asks(node, up) or self._annotates(path, node, up, depth)

    def _inherited(self, path: str, cls: ast.ClassDef, signatures: Sequence[ast.arguments], depth: int) -> bool:
        """Whether a subclass makes what it inherits as that is made now; where it has no ``__init__`` of its own, its own uses have to."""
        own = self.signatures.of(path, cls)
        if own is None or _unbound(cls, own):
            return False
        made = next((n for n in cls.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"), None)
        if made is not None:
            calls = [n for n in ast.walk(cls) if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and n.func.attr == "__init__"]
            return all(ast.unparse(n.func).startswith("super(") and any(binds(n, s, member=True) for s in signatures) for n in calls)
        return self._used_right(path, cls, depth)

    def _used_right(self, path: str, cls: ast.ClassDef, depth: int) -> bool:
        if (path, cls.name) in self.asked:
            return True
        self.asked.add((path, cls.name))
        return all(self.fits(p, n, [(path, cls)], depth - 1) for p, n in references(self.ctx, cls.name, {path}))

    def _annotates(self, path: str, node: ast.expr, up: Mapping[ast.AST, ast.AST], depth: int) -> bool:
        """Whether a use is an annotation that nobody makes an instance from."""
        value, parent = _type_around(node, up)
        if isinstance(parent, ast.arg) and parent.annotation is value:
            arguments = up.get(parent)
            parent = up.get(arguments) if arguments is not None else None
        elif isinstance(parent, ast.AnnAssign) and parent.annotation is value:
            around = up.get(parent)
            if isinstance(around, ast.ClassDef):  # who makes that class from data makes this one, too
                return self.signatures.of(path, around) is not None and self._used_right(path, around, depth)
            return True
        elif not (isinstance(parent, _FUNCTIONS) and parent.returns is value):
            return False
        return isinstance(parent, _FUNCTIONS) and all(_last(d) in _QUIET for d in parent.decorator_list)


def _unbound(cls: ast.ClassDef, signature: ast.arguments | None) -> int:
    calls = [n for n in ast.walk(cls) if isinstance(n, ast.Call) and ast.unparse(n.func) in ("cls", "type(self)", "self.__class__", "__class__")]
    return next((n.lineno for n in calls if signature is None or not binds(n, signature, member=True)), 0)


def _type_around(node: ast.expr, up: Mapping[ast.AST, ast.AST]) -> tuple[ast.AST, ast.AST | None]:
    """The whole type that a use is a part of, and what that stands in: ``list[Item] | None`` of an ``Item``."""
    value: ast.AST = node
    parent = up.get(node)
    while (
        isinstance(parent, (ast.Tuple, ast.List))
        or (isinstance(parent, ast.Subscript) and _last(parent.value) != "Annotated")
        or (isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.BitOr))
    ):
        value, parent = parent, up.get(parent)
    return value, parent


def _asks(node: ast.expr, up: Mapping[ast.AST, ast.AST]) -> bool:
    """Whether a use only asks what something is: the second argument of ``isinstance``, what an ``except`` catches."""
    value, parent = _type_around(node, up)
    if isinstance(parent, ast.ExceptHandler):
        return parent.type is value
    return isinstance(parent, ast.Call) and ast.unparse(parent.func) in ("isinstance", "issubclass") and parent.args[1:] == [value]


def _last(node: ast.expr) -> str:
    """The last name of what is called or named."""
    func = node.func if isinstance(node, ast.Call) else node
    return last_name(func)
