"""Ways to make a test give back what it changed, from the most local to the widest; which of them works is found by running them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.state import Change
from pytest_maestro_healer.strategies.flaky_test_stabilization.draft import Draft
from pytest_maestro_healer.strategies.flaky_test_stabilization.places import Function, Names, Place


@dataclass(frozen=True)
class Way:
    """One candidate: the file afterwards, and in a few words how it works; ``literal`` says that it sets data of the product to a literal.

    ``changes`` are those that it gives back, where they are several.
    """

    path: str
    data: bytes
    how: str
    literal: bool = False
    changes: tuple[Change, ...] = ()


def ways(place: Place, change: Change, ctx: Context, *, wide_only: bool = False) -> Iterator[Way]:
    """Candidates that make the test at ``place`` (the polluter) leave ``change`` as it was."""
    names = Names(place.src, ctx)
    builders = () if wide_only else (_rewritten, _kept_in_body)
    for build in builders:
        draft = Draft(place)
        how = build(draft, place, change, names)
        data = draft.data() if how else None
        if data is not None:
            yield Way(place.src.path, data, how)
    for scope in ("function", "class", "module"):
        draft = Draft(place)
        how = _fixture(draft, place, change, names, scope)
        data = draft.data() if how else None
        if data is not None:
            yield Way(place.src.path, data, how)


def together(place: Place, changes: Sequence[Change], ctx: Context) -> Iterator[Way]:
    """Candidates that give back several attributes of one owner at once, where no single one is the reason."""
    names = Names(place.src, ctx)
    owners: dict[tuple[str, str], list[Change]] = {}
    for c in changes:
        if c.kind == "attribute" and c.rebound:
            owners.setdefault((c.module, c.path.rpartition(".")[0]), []).append(c)
    for group in (g for g in owners.values() if 1 < len(g) <= 8):
        reached = names.reach(group[0])
        if reached is None or not reached[0]:
            continue
        owner, line = reached
        for scope in ("function", "class"):
            draft = Draft(place)
            for needed in (line, "import pytest", "from unittest import mock"):
                draft.need(needed)
            draft.fixture(_group_fixture(draft.fresh_name("_restored_attributes"), place, owner, group, scope))
            data = draft.data()
            if data is not None:
                yield Way(place.src.path, data, f"a fixture of the module gives them back after each {'test' if scope == 'function' else scope}")


def _group_fixture(name: str, place: Place, owner: str, group: Sequence[Change], scope: str) -> str:
    attrs = [(c.path.rpartition(".")[2], c.before is None) for c in group]
    kept = [a for a, new in attrs if not new]
    fresh = [a for a, new in attrs if new]
    options = "autouse=True" if scope == "function" else f'scope="{scope}", autouse=True'
    lines = [f"@pytest.fixture({options})", f"def {name}():", f'    """Give the attributes of {owner} back: {place.name} changes them."""']
    indent = "    "
    for attr in kept:
        lines.append(f'{indent}with mock.patch.object({owner}, "{attr}", {owner}.{attr}):')
        indent += "    "
    lines.append(f"{indent}yield")
    for attr in fresh:
        lines += [f'    if "{attr}" in vars({owner}):', f"        del {owner}.{attr}"]
    return "\n".join(lines)


# -- monkeypatch in place of an assignment -------------------------------------------------------------------
def _rewritten(draft: Draft, place: Place, change: Change, names: Names) -> str:
    if not place.takes_fixtures:
        return ""
    done = False
    for function in [place.function, *_own_fixtures(place)]:
        before = done
        for node in _statements(function):
            text = _patched(node, change, names, draft.src.segment)
            if text:
                draft.replace(node, text)
                done = True
            elif _touches(node, change, names):
                return ""
        if done and not before:
            draft.argument("monkeypatch", function)
    return "monkeypatch undoes it at the end of the test" if done else ""


def _own_fixtures(place: Place) -> list[Function]:
    """Function-scoped fixtures of the file that the test asks for."""
    asked = {a.arg for a in place.function.args.args}
    out = []
    for node in place.tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name in asked:
            marks = [d for d in node.decorator_list if "fixture" in ast.unparse(d)]
            if marks and "scope" not in ast.unparse(marks[0]):
                out.append(node)
    return out


def _statements(function: Function) -> Iterator[ast.stmt]:
    stack: list[ast.stmt] = list(function.body)
    while stack:
        node = stack.pop(0)
        yield node
        for name in ("body", "orelse", "finalbody"):
            inner = getattr(node, name, [])
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                stack += [n for n in inner if isinstance(n, ast.stmt)]


def _patched(node: ast.stmt, change: Change, names: Names, text: object) -> str:
    """The monkeypatch call that does what a statement does to the changed state; ``""`` where it does nothing to it."""
    assert callable(text)
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        return _assigned(node.targets[0], text(node.value), change, names, text)
    if isinstance(node, ast.AugAssign):
        op = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.BitOr: "|"}.get(type(node.op))
        if op is None or change.holder != "other":
            return ""
        return _assigned(node.target, f"{text(node.target)} {op} {text(node.value)}", change, names, text)
    if isinstance(node, ast.Delete) and len(node.targets) == 1:
        return _deleted(node.targets[0], change, names, text)
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return _called(node.value, change, names, text)
    return ""


def _assigned(target: ast.expr, value: str, change: Change, names: Names, text: object) -> str:
    assert callable(text)
    if isinstance(target, ast.Attribute) and change.kind == "attribute" and _is(target, change, names):
        extra = ", raising=False" if change.before is None else ""
        return f'monkeypatch.setattr({text(target.value)}, "{target.attr}", {value}{extra})'
    if isinstance(target, ast.Subscript):
        key = text(target.slice)
        if change.kind == "environ" and names.dotted(target.value) == "os.environ":
            return f"monkeypatch.setenv({key}, {value})"
        if change.kind == "attribute" and change.holder == "dict" and _is(target.value, change, names):
            return f"monkeypatch.setitem({text(target.value)}, {key}, {value})"
    return ""


def _deleted(target: ast.expr, change: Change, names: Names, text: object) -> str:
    assert callable(text)
    if isinstance(target, ast.Subscript):
        if change.kind == "environ" and names.dotted(target.value) == "os.environ":
            return f"monkeypatch.delenv({text(target.slice)})"
        if change.kind == "attribute" and change.holder == "dict" and _is(target.value, change, names):
            return f"monkeypatch.delitem({text(target.value)}, {text(target.slice)})"
    if isinstance(target, ast.Attribute) and change.kind == "attribute" and _is(target, change, names):
        return f'monkeypatch.delattr({text(target.value)}, "{target.attr}")'
    return ""


def _called(call: ast.Call, change: Change, names: Names, text: object) -> str:
    assert callable(text)
    name = names.dotted(call.func)
    args = [text(a) for a in call.args]
    if change.kind == "cwd" and name == "os.chdir" and len(args) == 1:
        return f"monkeypatch.chdir({args[0]})"
    if change.kind == "environ" and name == "os.environ.pop":
        return f"monkeypatch.delenv({args[0]}, raising=False)" if args else ""
    if change.kind == "environ" and name in ("os.putenv", "os.environ.__setitem__") and len(args) == 2:
        return f"monkeypatch.setenv({args[0]}, {args[1]})"
    if change.kind == "sys_path" and name == "sys.path.insert" and len(args) == 2 and args[0] == "0":
        return f"monkeypatch.syspath_prepend({args[1]})"
    if change.kind == "attribute" and name == "builtins.setattr":
        return ""
    if change.kind == "attribute" and isinstance(call.func, ast.Name) and call.func.id == "setattr" and len(args) == 3:
        owner, attr = call.args[0], call.args[1]
        if isinstance(attr, ast.Constant) and names.dotted(owner).endswith(change.module) and str(attr.value) == change.path:
            return f"monkeypatch.setattr({args[0]}, {args[1]}, {args[2]})"
    return ""


def _is(node: ast.expr, change: Change, names: Names) -> bool:
    found = names.dotted(node)
    wanted = f"{change.module}.{change.path}"
    return bool(found) and (found == wanted or (names.is_own(change.module) and found == f"{names.own}.{change.path}"))


def _touches(node: ast.stmt, change: Change, names: Names) -> bool:
    """Whether a simple statement writes the changed state in a way that is not understood (only of such writes that name it)."""
    if change.kind != "attribute" or not isinstance(node, (ast.Assign, ast.AugAssign)):
        return False
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return any(isinstance(t, (ast.Tuple, ast.List)) and any(isinstance(e, ast.Attribute) and _is(e, change, names) for e in t.elts) for t in targets)


# -- one statement or decorator more ---------------------------------------------------------------------------
def _kept_in_body(draft: Draft, place: Place, change: Change, names: Names) -> str:
    if change.kind == "environ":
        draft.need("import os")
        draft.need("from unittest import mock")
        draft.decorate("@mock.patch.dict(os.environ)")
        return "mock.patch.dict gives the environment back"
    if change.kind == "cwd":
        if place.takes_fixtures:
            draft.argument("monkeypatch")
            draft.first('monkeypatch.chdir(".")  # go back at the end')
        elif place.unittest:
            draft.need("import os")
            draft.first("self.addCleanup(os.chdir, os.getcwd())")
        return "the working directory is given back"
    if change.kind == "sys_path" and place.takes_fixtures:
        draft.need("import sys")
        draft.argument("monkeypatch")
        draft.first('monkeypatch.setattr(sys, "path", list(sys.path))')
        return "the test works on its own copy of sys.path"
    if change.kind != "attribute" or change.before is None:
        return ""
    reached = names.reach(change)
    if reached is None or not reached[0]:
        return ""
    owner, line = reached
    attr = change.path.rpartition(".")[2]
    value = _copied(draft, f"{owner}.{attr}", change)
    if value is None:
        return ""
    if place.takes_fixtures:
        draft.argument("monkeypatch")
        draft.first(f'monkeypatch.setattr({owner}, "{attr}", {value})')
    elif place.unittest and change.holder == "other":
        draft.first(f'self.addCleanup(setattr, {owner}, "{attr}", {value})')
    else:
        return ""
    draft.need(line)
    return "the test works on its own copy" if change.holder != "other" else "the old value is given back at the end of the test"


def _copied(draft: Draft, expr: str, change: Change) -> str | None:
    if change.holder == "other":
        return expr if change.rebound else None
    if change.nested:
        draft.need("import copy")
        return f"copy.deepcopy({expr})"
    return f"{expr}.copy()"


# -- a fixture ---------------------------------------------------------------------------------------------------
def _fixture(draft: Draft, place: Place, change: Change, names: Names, scope: str) -> str:
    body = _fixture_body(draft, change, names)
    if not body:
        return ""
    draft.need("import pytest")
    word = (
        re.sub(r"\W+", "_", change.path if change.kind == "attribute" else "environ" if change.kind == "environ" else change.kind).strip("_").lower()
    )
    name = draft.fresh_name(f"_restored_{word}")
    options = "autouse=True" if scope == "function" else f'scope="{scope}", autouse=True'
    what = change.dotted if change.kind != "environ" else "os.environ"
    lines = [
        f"@pytest.fixture({options})",
        f"def {name}():",
        f'    """Give {_quoted(what)} back: {place.name} changes it."""',
        *(f"    {b}" for b in body),
    ]
    draft.fixture("\n".join(lines))
    return f"a fixture of the module gives it back after each {'test' if scope == 'function' else scope}"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', "'")


def _fixture_body(draft: Draft, change: Change, names: Names) -> list[str]:
    if change.kind == "environ":
        draft.need("import os")
        draft.need("from unittest import mock")
        return ["with mock.patch.dict(os.environ):", "    yield"]
    if change.kind == "cwd":
        draft.need("import os")
        return ["before = os.getcwd()", "yield", "os.chdir(before)"]
    if change.kind == "sys_path":
        draft.need("import sys")
        return ["before = list(sys.path)", "yield", "sys.path[:] = before"]
    if change.kind == "locale":
        draft.need("import locale")
        return ["before = locale.setlocale(locale.LC_ALL)", "yield", "locale.setlocale(locale.LC_ALL, before)"]
    if change.kind == "timezone":
        for line in ("import os", "import time", "from unittest import mock"):
            draft.need(line)
        return ["with mock.patch.dict(os.environ):", "    yield", "time.tzset()"]
    if change.kind in ("file", "module"):
        return []
    reached = names.reach(change)
    if reached is None:
        return []
    owner, line = reached
    attr = change.path.rpartition(".")[2]
    expr = f"{owner}.{attr}" if owner else attr
    draft.need(line)
    if change.kind == "cache":
        return ["yield", f"{expr}.cache_clear()"]
    return _attribute_body(draft, change, owner, attr, expr)


def _attribute_body(draft: Draft, change: Change, owner: str, attr: str, expr: str) -> list[str]:
    if change.holder == "other" or change.rebound:
        if not owner:
            return []
        if change.before is None:
            return ["yield", f'if "{attr}" in vars({owner}):', f"    del {expr}"]
        draft.need("from unittest import mock")
        return [f'with mock.patch.object({owner}, "{attr}", {expr}):', "    yield"]
    if change.nested:
        draft.need("import copy")
    before = f"before = copy.deepcopy({expr})" if change.nested else f"before = {expr}.copy()"
    if change.holder == "list":
        return [before, "yield", f"{expr}[:] = before"]
    return [before, "yield", f"{expr}.clear()", f"{expr}.update(before)"]
