"""What a repair made of a line that did not parse: is it an assertion that says something, and does anything say that it was meant so?"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from pytest_maestro_healer.evidence.nodeids import file_of, function_of
from pytest_maestro_healer.evidence.symbols import parse


def vacuous(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> bool:
    """Whether a repair of what did not parse makes an assertion that holds whatever is compared in it.

    So do ``assert clean(a == b)`` and ``assert a[0 == b]``; ``before`` and ``after`` are the bytes of test files by path.
    """
    lines = {line.strip() for d in before.values() for line in d.splitlines()}
    for data in after.values():
        tree = parse(data)
        for node in ast.walk(tree) if tree is not None else ():
            tested = node.test if isinstance(node, ast.Assert) else _tested(node)
            if tested is not None and _within(tested) and data.splitlines()[tested.lineno - 1].strip() not in lines:
                return True
    return False


def _tested(node: ast.AST) -> ast.expr | None:
    named = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("assertTrue", "assertFalse")
    return node.args[0] if isinstance(node, ast.Call) and named and node.args else None


def _within(tested: ast.expr) -> bool:
    """Whether the comparison is given to a call, to an index, or stands in a tuple, which is always true."""
    if isinstance(tested, ast.UnaryOp):
        return _within(tested.operand)
    if isinstance(tested, ast.Call):
        given = (*tested.args, *(k.value for k in tested.keywords))
        return any(isinstance(a, ast.Compare) for a in given) and not (isinstance(tested.func, ast.Name) and tested.func.id in ("all", "any", "bool"))
    return isinstance(tested, ast.Tuple) or (isinstance(tested, ast.Subscript) and isinstance(tested.slice, ast.Compare))


#: What a line says; the rest holds it together.
_SAYS = re.compile(r"\w+|[^\w\s()\[\]{},:'\"]")


def guessed(before: Mapping[str, bytes], after: Mapping[str, bytes], failing: Iterable[str], said: Callable[[str], bytes | None]) -> str:
    """The test of ``failing`` (nodeids) that fails with a line for which a repair found a word or an operator; ``""`` if there is none.

    A test that passes says that the guess was right. One that fails says nothing, and then the line may be another one than was meant:
    ``assert f() == 1 000`` is no ``assert f() == 1 == 000``. Brackets, commas, colons, quotes and layout are no guesses, nor are lines of the
    committed file, which ``said`` gives.
    """
    for path, data in after.items():
        committed = {line.strip() for line in (said(path) or b"").splitlines()}
        lines = [n for n in _filled_in(before.get(path, b""), data) if data.splitlines()[n - 1].strip() not in committed]
        tests = _tests(parse(data))
        touched = {name for name, (first, last) in tests.items() for line in lines if first <= line <= last}
        beside = any(not any(first <= line <= last for first, last in tests.values()) for line in lines)
        for nodeid in failing:
            if (file_of(nodeid) == path and function_of(nodeid) in touched) or beside:
                return nodeid
    return ""


def _filled_in(before: bytes, after: bytes) -> Iterator[int]:
    """The numbers of the lines in which something else than the frame was changed."""
    old, new = (data.decode("utf-8", "replace").splitlines() for data in (before, after))
    for kind, i, k, j, m in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal" and _SAYS.findall("\n".join(old[i:k])) != _SAYS.findall("\n".join(new[j:m])):
            yield from range(j + 1, m + 1)


def _tests(tree: ast.Module | None) -> dict[str, tuple[int, int]]:
    """First and last line of each test function, by its name as in a nodeid."""
    out: dict[str, tuple[int, int]] = {}
    todo: list[tuple[str, ast.AST]] = [("", tree)] if tree is not None else []
    while todo:
        scope, node = todo.pop()
        for child in getattr(node, "body", ()):
            if isinstance(child, ast.ClassDef):
                todo.append((f"{scope}{child.name}::", child))
            elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                out[scope + child.name] = (min([child.lineno, *(d.lineno for d in child.decorator_list)]), child.end_lineno or child.lineno)
    return out
