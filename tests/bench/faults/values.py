"""assertion_update at real places: a text, a number, a message or an exception type of the product changes on purpose, and the changelog says so."""

from __future__ import annotations

import ast
import json
import random
import re
import tempfile
from pathlib import Path

from .edits import with_changelog
from .model import Fault, Files, Host
from .project import Project, Run
from .pysource import first_line, functions, parsed, replaced, source, span
from .registry import inject

S = "assertion_update"


def trial(host: Host, files: Files, env: dict[str, str] | None = None) -> Run:
    """Run the host's tests with ``files`` over it."""
    with tempfile.TemporaryDirectory() as name:
        project = Project(Path(name))
        project.lay({**host.files, **files})
        return project.test(env=env or {})


def _literal(node: ast.AST) -> bool:
    try:
        ast.literal_eval(node)  # type: ignore[arg-type]
    except (ValueError, TypeError, SyntaxError):
        return False
    return True


def _facts(text: str) -> list[tuple[ast.stmt, ast.expr, ast.expr]]:
    """(statement, actual, literal) of the asserts that compare something with a literal."""
    out = []
    for node in ast.walk(parsed(text)):
        if isinstance(node, ast.Assert) and isinstance(node.test, ast.Compare) and len(node.test.ops) == 1 and isinstance(node.test.ops[0], ast.Eq):
            left, right = node.test.left, node.test.comparators[0]
        elif (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Call)
            and getattr(node.value.func, "attr", "") == "assertEqual"
            and len(node.value.args) == 2
        ):
            left, right = node.value.args
        else:
            continue
        if _literal(right) and not _literal(left):
            out.append((node, left, right))
        elif _literal(left) and not _literal(right):
            out.append((node, right, left))
    return out


def _observed(host: Host, changes: Files) -> dict[str, str]:
    """The test files with every literal that the changed product no longer gives replaced by what it gives; only what changed."""
    instrumented: dict[str, bytes | None] = {}
    places: dict[int, tuple[str, ast.expr]] = {}
    for path in host.tests:
        text = host.text(path)
        for statement, actual, literal in sorted(_facts(text), key=lambda f: f[0].lineno, reverse=True):
            number = len(places)
            places[number] = (path, literal)
            text = replaced(text, statement, f"__import__('faults.recorder', fromlist=['see']).see({number}, {source(host.text(path), actual)})")
        instrumented[path] = text.encode()
    with tempfile.TemporaryDirectory() as name:
        out = Path(name, "facts.json")
        trial(host, {**changes, **instrumented}, {"FAULTS_FACTS": str(out)})
        seen = {int(k): v for k, v in json.loads(out.read_text(encoding="utf-8")).items()} if out.exists() else {}
    texts: dict[str, str] = {}
    order = sorted(places, key=lambda k: (places[k][1].lineno, places[k][1].col_offset), reverse=True)
    for number in order:
        path, literal = places[number]
        values = seen.get(number, [])
        if len(values) == 1 and values[0] != repr(ast.literal_eval(literal)):
            try:
                same = ast.literal_eval(values[0]) == ast.literal_eval(literal)
            except (ValueError, SyntaxError):
                continue
            if not same:
                texts[path] = replaced(texts.get(path, host.text(path)), literal, values[0])
    return texts


def _constants(host: Host, kinds: type | tuple[type, ...]) -> list[tuple[str, ast.FunctionDef, ast.Constant]]:
    found = []
    for path in host.product:
        text = host.text(path)
        for function in functions(parsed(text)):
            if (path, first_line(function)) not in host.called:
                continue
            for statement in function.body[ast.get_docstring(function, clean=False) is not None :]:
                for node in ast.walk(statement):
                    fits = isinstance(node, ast.Constant) and isinstance(node.value, kinds) and not isinstance(node.value, bool)
                    if fits and source(text, node)[:1] in "'\"0123456789":
                        found.append((path, function, node))
    return found


def _drift(host: Host, rng: random.Random, kinds: type) -> Fault | None:
    places = _constants(host, kinds)
    if not places:
        return None
    path, function, node = rng.choice(places)
    value = node.value
    new: object
    if isinstance(value, str):
        new = rng.choice([value.upper(), value + rng.choice("~+*"), value.replace("-", "_").replace(" ", "-")])
    else:
        new = value + rng.choice([1, 2, 10])  # type: ignore[operator]
    if new == value:
        return None
    word = f"{function.name} uses {new!r} instead of {value!r}"
    changes = with_changelog(
        host, {path: replaced(host.text(path), node, repr(new)).encode()}, f"``{function.name}`` now uses ``{new}`` instead of ``{value}``."
    )
    texts = _observed(host, changes)
    if not texts:
        return None
    expected = {p: (t.encode(),) for p, t in texts.items()}
    return Fault(changes, tuple(texts), expected, message=f"Change: {word}", what=word)


@inject(S, "expected_value", 5)
def text_constant(host: Host, rng: random.Random) -> Fault | None:
    """A text in the product changes on purpose."""
    return _drift(host, rng, str)


@inject(S, "expected_value", 3)
def number_constant(host: Host, rng: random.Random) -> Fault | None:
    """A number in the product changes on purpose."""
    return _drift(host, rng, int)


@inject(S, "exception_message", 4)
def message_reworded(host: Host, rng: random.Random) -> Fault | None:
    """One word of a message changes, in the product's constant and in what the tests expect of it."""
    places = []
    for path, function, node in _constants(host, str):
        for test in host.tests:
            for other in ast.walk(parsed(host.text(test))):
                if (
                    isinstance(other, ast.Constant)
                    and isinstance(other.value, str)
                    and len(other.value) >= 8
                    and (other.value in node.value or node.value in other.value)
                ):
                    words = [w for w in re.findall(r"[a-z]{4,}", node.value) if w in other.value]
                    places += [(path, function, node, test, other, w) for w in words]
    if not places:
        return None
    path, function, node, test, other, word = rng.choice(places)
    new = rng.choice(["given", "right", "known", "proper"])
    text, checked = host.text(path), host.text(test)
    if source(text, node)[:1] not in "'\"" or source(checked, other)[:1] not in "'\"r":
        return None
    changes = with_changelog(
        host, {path: replaced(text, node, source(text, node).replace(word, new)).encode()}, f"Message of ``{function.name}``: '{new}' for '{word}'."
    )
    expected = {test: (replaced(checked, other, source(checked, other).replace(word, new)).encode(),)}
    return Fault(
        changes,
        (test,),
        expected,
        message=rng.choice(["Reword a message", f"Say '{new}' instead of '{word}'"]),
        what=f"{function.name}: {word} -> {new}",
    )


@inject(S, "exception_type", 4)
def exception_type(host: Host, rng: random.Random) -> Fault | None:
    """The product raises another builtin exception, on purpose."""
    places = []
    for path in host.product:
        for function in functions(parsed(host.text(path))):
            if (path, first_line(function)) in host.called:
                for node in ast.walk(function):
                    name = node.exc.func if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) else None
                    if isinstance(name, ast.Name) and name.id in ("ValueError", "TypeError", "KeyError", "IndexError", "RuntimeError"):
                        places.append((path, function, name))
    if not places:
        return None
    path, function, node = rng.choice(places)
    new = rng.choice([n for n in ("ValueError", "TypeError", "LookupError", "RuntimeError", "OverflowError") if n != node.id])
    changes = with_changelog(
        host, {path: replaced(host.text(path), node, new).encode()}, f"``{function.name}`` raises ``{new}`` instead of ``{node.id}``."
    )
    run = trial(host, changes)
    red = {n.partition("[")[0].rpartition("::")[2] for n in run.red}
    expected: dict[str, tuple[bytes, ...]] = {}
    for test in host.tests:
        text = host.text(test)
        found = [
            a
            for f in functions(parsed(text))
            if f.name in red
            for c in ast.walk(f)
            if isinstance(c, ast.Call) and getattr(c.func, "attr", getattr(c.func, "id", "")) in ("raises", "assertRaises")
            for a in c.args[:1]
            if isinstance(a, ast.Name) and a.id == node.id
        ]
        for place in sorted(found, key=lambda a: a.lineno, reverse=True):
            begin, end = span(text, place)
            text = text[:begin] + new + text[end:]
        if found:
            expected[test] = (text.encode(),)
    if not expected:
        return None
    return Fault(changes, tuple(expected), expected, message=f"{function.name} raises {new}", what=f"{function.name}: {node.id} -> {new}")
