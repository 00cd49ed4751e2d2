"""Where code takes names from data, or makes data of names: keywords that are unpacked into a call, lists of the fields of an object."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

from pytest_maestro_healer.evidence.expressions import dotted_name

_Function = ast.FunctionDef | ast.AsyncFunctionDef
#: What gives the fields of its argument by their names.
_LISTS = frozenset({"asdict", "vars", "fields", "unstructure", "to_builtins"})
#: The same as a member: what stores them, and methods that give them.
_STORES = frozenset({"__dict__", "__dataclass_fields__", "__slots__", "__annotations__", "_fields", "model_fields", "__fields__"})
_GIVES = frozenset({"_asdict", "model_dump"})
#: Of models only: an answer of a server has such methods too.
_GIVES_MODEL = frozenset({"dict", "json", "model_dump_json"})
#: Types of which nothing follows.
_ANY = frozenset({"Any", "object", "T", "DataclassInstance", "Self", "self", "cls"})


def functions_of(tree: ast.Module) -> Iterator[tuple[_Function | None, ast.AST]]:
    """Every node of a module with the innermost function around it."""
    todo: list[tuple[_Function | None, ast.AST]] = [(None, tree)]
    while todo:
        function, node = todo.pop()
        yield function, node
        inner = node if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) else function
        todo += [(inner, child) for child in reversed(list(ast.iter_child_nodes(node)))]


def from_elsewhere(node: ast.expr, function: _Function | None, seen: frozenset[str] = frozenset()) -> bool:
    """Whether what is unpacked into a call may have any keys: not those that are written there, that the function was called with, or that
    are the fields of an object of the product. ``seen`` are variables that are asked for already."""
    inner: list[ast.expr] = []
    if isinstance(node, ast.Dict):
        if any(k is not None and not isinstance(k, ast.Constant) for k in node.keys):
            return True
        inner = [v for k, v in zip(node.keys, node.values, strict=True) if k is None]
    elif isinstance(node, ast.BinOp):
        inner = [node.left, node.right]
    elif isinstance(node, ast.IfExp):
        inner = [node.body, node.orelse]
    elif isinstance(node, ast.BoolOp):
        inner = node.values
    elif isinstance(node, ast.Call) and dotted_name(node.func) == "dict":
        inner = [*node.args, *(k.value for k in node.keywords if k.arg is None)]
    elif isinstance(node, ast.Name) and function is not None:
        if node.id in seen or (function.args.kwarg is not None and function.args.kwarg.arg == node.id):
            return False
        inner = _bound_to(node.id, function)
        if not inner:
            return True
        seen |= {node.id}
    else:
        return lists_names(node, model=False) is None  # the answer of a server is no object of the product
    return any(from_elsewhere(i, function, seen) for i in inner)


def _bound_to(name: str, function: _Function) -> list[ast.expr]:
    """What a function gives a variable of its own; nothing where it is given in another way than by a plain assignment."""
    stored = [n for n in ast.walk(function) if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Store)]
    values = [
        n.value
        for n in ast.walk(function)
        if isinstance(n, (ast.Assign, ast.AnnAssign))
        and n.value is not None
        and any(isinstance(t, ast.Name) and t.id == name for t in (n.targets if isinstance(n, ast.Assign) else [n.target]))
    ]
    return values if len(values) == len(stored) else []


def _says(node: ast.expr, name: str) -> bool:
    return any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(node))


def lists_names(node: ast.AST, *, model: bool = True) -> ast.expr | None:
    """The object or class whose fields an expression lists by their names; ``None`` for any other one.

    ``model`` says that it may be by a method that models have. What hands such a function on (``json.dumps(x, default=vars)``) lists the fields of
    anything: then it is the keyword's value itself.
    """
    if isinstance(node, ast.Call):
        last = dotted_name(node.func).rpartition(".")[2]
        if last in _LISTS and node.args:
            return node.args[0]
        if isinstance(node.func, ast.Attribute) and node.func.attr in _GIVES | (_GIVES_MODEL if model else frozenset()) and not node.args:
            return node.func.value
    if isinstance(node, ast.Attribute) and node.attr in _STORES and isinstance(node.ctx, ast.Load):
        return node.value
    if isinstance(node, ast.keyword) and node.arg == "default" and dotted_name(node.value).rpartition(".")[2] in _LISTS:
        return node.value
    return None


def may_be(node: ast.expr, function: _Function | None, names: Collection[str]) -> bool:
    """Whether an expression may be an object of one of the classes ``names``, or such a class, as far as its own function tells."""
    dotted = dotted_name(node)
    if isinstance(node, ast.Call):
        made = dotted_name(node.func).rpartition(".")[2]
        return made in names or not made[:1].isupper()
    last = dotted.rpartition(".")[2]
    if last in names or not dotted:
        return True
    if not isinstance(node, ast.Name) or function is None:
        return not last[:1].isupper()
    for given in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs):
        if given.arg == node.id and given.annotation is not None:
            said = {n.id for n in ast.walk(given.annotation) if isinstance(n, ast.Name)}
            said |= {n.attr for n in ast.walk(given.annotation) if isinstance(n, ast.Attribute)}
            said |= {str(n.value) for n in ast.walk(given.annotation) if isinstance(n, ast.Constant)}
            return not said.isdisjoint({*names, *_ANY})
    values = _bound_to(node.id, function)
    return (not values and not last[:1].isupper()) or any(may_be(v, function, names) for v in values if not _says(v, node.id))


def sets_by_text(node: ast.AST, function: _Function | None) -> bool:
    """Whether a method gives its object attributes whose names come from elsewhere: not those that it was called with, nor those that it has."""
    if not isinstance(node, ast.Call) or function is None:
        return False
    called = dotted_name(node.func)
    if called == "self.__dict__.update":
        return any(from_elsewhere(a, function) for a in (*node.args, *(k.value for k in node.keywords if k.arg is None)))
    if called != "setattr" or len(node.args) < 2 or dotted_name(node.args[0]) != "self" or isinstance(node.args[1], ast.Constant):
        return False
    keyword = function.args.kwarg.arg if function.args.kwarg is not None else ""
    loops = [
        n
        for n in ast.walk(function)
        if isinstance(n, ast.For) and any(_says(node.args[1], t.id) for t in ast.walk(n.target) if isinstance(t, ast.Name))
    ]
    return not loops or not all(any(lists_names(n) is not None for n in ast.walk(loop.iter)) or _says(loop.iter, keyword) for loop in loops)


def names_types(node: ast.AST) -> Iterator[ast.expr]:
    """The objects and classes whose class's name an expression puts into a dict."""
    values: list[ast.expr | None] = []
    if isinstance(node, ast.Dict):
        values = [*node.keys, *node.values]
    elif isinstance(node, ast.DictComp):
        values = [node.key, node.value]
    for value in values:
        if isinstance(value, ast.Attribute) and value.attr in ("__name__", "__qualname__"):
            inner = value.value
            if isinstance(inner, ast.Call) and dotted_name(inner.func) == "type" and inner.args:
                inner = inner.args[0]
            yield inner.value if isinstance(inner, ast.Attribute) and inner.attr == "__class__" else inner
