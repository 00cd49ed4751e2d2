"""What a file does to get round failures: skips, swallowed exceptions, silenced warnings, permissive mocks. None may be added."""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Container, Iterator, Sequence

from pytest_maestro_healer.edit.guards.checks import exception_names
from pytest_maestro_healer.edit.guards.expressions import FuncDef, constant, dotted, keyword, last_name, own_nodes, root_name, words
from pytest_maestro_healer.edit.guards.limits import Limits
from pytest_maestro_healer.edit.guards.raising import wider

_SKIPS = {
    "skip": "a skip", "skipIf": "a skip", "skipUnless": "a skip", "skipif": "a skip", "skipTest": "a skip", "SkipTest": "a skip",
    "xfail": "an xfail", "expectedFailure": "an xfail", "importorskip": "importorskip", "flaky": "a flaky marker", "exit": "an exit",
    "_exit": "an exit", "deselect": "a deselection", "no_heal": "a no_heal marker", "repeat": "", "rerun": "a flaky marker", "quarantine": "a skip",
}  # fmt: skip
_SKIP_ROOTS = {"exit": {"pytest", "sys", "os", "exit"}, "_exit": {"os"}, "skip": {"pytest", "unittest", "mark", "skip", "py"}, "deselect": {"pytest"}}
_ALLOWANCE = {"importorskip": "importorskip", "a skip": "skip", "an xfail": "skip", "a flaky marker": "flaky", "silences warnings": "warnings"}
_DUNDERS = {"__test__", "__unittest_skip__", "collect_ignore", "collect_ignore_glob", "__unittest_expecting_failure__"}
_MOCKS = frozenset({"Mock", "MagicMock", "AsyncMock", "NonCallableMock", "NonCallableMagicMock", "patch", "object", "create_autospec"})
_GONE_STDLIB = words("asynchat asyncore cgi distutils imp smtpd mock unittest2 pkg_resources six nose")
#: Modules of the standard library on which a test's verdict itself rests, and what tests replace in them to feed a program its input.
_JUDGES = frozenset({"builtins", "unittest", "operator", "functools"})
_FED = frozenset({"open", "input", "print"})
_EXCEPT_IMPORT = frozenset({"ImportError", "ModuleNotFoundError", "AttributeError"})


def grew(before: Sequence[ast.AST], after: Sequence[ast.AST], limits: Limits) -> list[str]:
    """What ``after`` has more of than ``before``, as reasons to refuse."""
    old, new = Counter(_items(before)), Counter(_items(after))
    out = []
    for what, count in new.items():
        if count > old[what] and not what.startswith("_") and _ALLOWANCE.get(what) not in limits.allow:
            out.append(f"adds {what}" if not what.startswith(("silences", "swallows", "mock", "returns", "makes")) else what)
    if old["_spec"] > new["_spec"] and new["_unspecced"] > old["_unspecced"]:
        out.append("a mock lost its spec")
    return out + _lost_strictness(old, new)


def _lost_strictness(old: Counter[str], new: Counter[str]) -> list[str]:
    names = {
        "_check": "subprocess failures are no longer checked",
        "_catch": "the runner swallows exceptions again",
        "_strict": "a strict xfail is strict no longer",
    }
    return [text for key, text in names.items() if new[key] < old[key] and new[key + "?"] >= old[key + "?"]]


def _items(parts: Sequence[ast.AST]) -> Iterator[str]:
    for node in (n for part in parts for n in ast.walk(part)):
        if isinstance(node, ast.Call):
            yield from _call(node)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            yield from _attribute(node)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            yield from _assignment(node)
        elif isinstance(node, ast.Raise) and last_name(node.exc) in ("SkipTest", "Skipped", "SystemExit"):
            yield "a skip"
        elif isinstance(node, (*FuncDef, ast.ClassDef)):
            yield from _definition(node)


def _attribute(node: ast.Attribute) -> Iterator[str]:
    kind = _SKIPS.get(node.attr)
    if kind and (node.attr not in _SKIP_ROOTS or root_name(node) in _SKIP_ROOTS[node.attr] or last_name(node.value) == "mark"):
        yield kind
    elif node.attr == "ANY":
        yield "mock.ANY"


def _call(node: ast.Call) -> Iterator[str]:
    name = last_name(node.func)
    if isinstance(node.func, ast.Name) and (kind := _SKIPS.get(name)) and name not in ("repeat",):
        yield kind
    first = constant(node.args[0]) if node.args else constant(keyword(node, "action"))
    silent = isinstance(first, str) and first.startswith(("ignore", "once"))
    if name in ("filterwarnings", "simplefilter", "catch_warnings") and silent:
        yield "silences warnings"
    elif name in ("suppress", "ignored", "ignore_warnings") and node.args:
        yield "swallows exceptions (suppress)"
    if constant(keyword(node, "return_exceptions")) is True:
        yield "swallows exceptions (return_exceptions)"
    if constant(keyword(node, "raise_server_exceptions")) is False:
        yield "swallows exceptions (raise_server_exceptions)"
    if name in ("setattr", "delattr") and constant(keyword(node, "raising")) is False:
        yield "makes a patch permissive (raising=False)"
    if constant(keyword(node, "create")) is True and "patch" in dotted(node.func):
        yield "makes a patch permissive (create=True)"
    if name in ("run", "Popen"):
        yield "_check?"
        if constant(keyword(node, "check")) is True:
            yield "_check"
    if name == "invoke":
        yield "_catch?"
        if constant(keyword(node, "catch_exceptions")) is False:
            yield "_catch"
    if name == "xfail":
        yield "_strict?"
        if constant(keyword(node, "strict")) is True:
            yield "_strict"
    if name in _MOCKS and (name != "object" or "patch" in dotted(node.func)):
        specced = name == "create_autospec" or keyword(node, "spec", "spec_set", "autospec") is not None
        yield "_spec" if specced else "_unspecced"
    if name in ("skipif", "skipIf", "skip_if") and node.args and constant(node.args[0]) not in (..., False, 0, None, "False"):
        yield "an unconditional skip"


def _assignment(node: ast.Assign | ast.AnnAssign) -> Iterator[str]:
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        name = last_name(target) if isinstance(target, (ast.Name, ast.Attribute)) else ""
        if name in _DUNDERS and not (name == "__test__" and constant(node.value) is True):
            yield f"`{name}`, which hides tests"


def _definition(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> Iterator[str]:
    if isinstance(node, ast.ClassDef):
        return
    if node.name.startswith("pytest_"):
        yield "a pytest hook"
    body = [s for s in node.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
    if node.name == "__eq__" and len(body) == 1 and isinstance(body[0], ast.Return) and constant(body[0].value) is True:
        yield "an __eq__ that is always true"


# -- exceptions swallowed, by unit ------------------------------------------------------------------------------
def swallowed(before: Sequence[ast.AST], after: Sequence[ast.AST], module_level: bool) -> list[str]:
    """New ``try ... except`` and broader ``except`` among one unit's own nodes."""
    old, new = ([h for h in nodes if isinstance(h, ast.ExceptHandler)] for nodes in (before, after))
    if module_level:
        kept = {ast.dump(h) for h in old}
        new = [h for h in new if ast.dump(h) in kept or not _compatibility_import(h)]
        old = [h for h in old if not _compatibility_import(h) or ast.dump(h) in {ast.dump(x) for x in new}]
    out = []
    if len(new) > len(old):
        out.append("swallows an exception (a new try/except)")
    for a, b in zip(old, new, strict=False):
        one, two = exception_names(a.type), exception_names(b.type)
        if (
            (a.type is not None and b.type is None)
            or (one and len(set(two)) > len(set(one)))
            or any(wider(n, o) for n in two for o in one if n not in one)
        ):
            out.append("swallows more exceptions than before (a broader except)")
        elif _raises(a) and not _raises(b):
            out.append("swallows an exception that was raised before")
    finals = [sum(map(_leaves_finally, nodes)) for nodes in (before, after)]
    if finals[1] > finals[0]:
        out.append("swallows an exception (leaves a finally block)")
    return out


def _leaves_finally(node: ast.AST) -> int:
    return sum(isinstance(n, (ast.Return, ast.Break, ast.Continue)) for n in own_nodes(getattr(node, "finalbody", ())))


def _raises(handler: ast.ExceptHandler) -> bool:
    return any(isinstance(n, ast.Raise) or (isinstance(n, ast.Call) and last_name(n) == "fail") for n in own_nodes(handler.body))


def _compatibility_import(handler: ast.ExceptHandler) -> bool:
    """``except ImportError:`` that imports the same thing from elsewhere."""
    return (
        set(exception_names(handler.type)) <= _EXCEPT_IMPORT
        and handler.type is not None
        and any(isinstance(n, (ast.Import, ast.ImportFrom)) for n in own_nodes(handler.body))
    )


# -- the product replaced ------------------------------------------------------------------------------------------
def stubbed(
    before: ast.Module,
    after: ast.Module,
    lost: Sequence[ast.AST],
    gained: Sequence[ast.AST],
    allow: frozenset[str] = frozenset(),
    fine: Container[int] = (),
) -> list[str]:
    """Product code newly replaced by the test: patched, assigned over, or redefined under its own name.

    ``lost`` and ``gained`` are the parts of the two modules that differ. With ``state`` in ``allow`` data may be set to a literal;
    the calls in ``fine`` (ids of their nodes) are let through.
    """
    out = []
    old, new = Counter(_patches(lost, before)), Counter(_patches(gained, after, data="state" in allow, fine=fine))
    extra = list((new - old).elements())
    room = sum((old - new).values())
    risky = [t for t in extra if not _harmless(t)]
    if len(risky) > room:
        out.append(f"replaces product code in the test ({risky[-1]} is patched)")
    fresh = _bound(after) - _bound(before)
    gone = {name: root for name, root in imported(before).items() if name in fresh} if fresh else {}
    still = imported(after) if gone else {}
    for name, root in gone.items():
        if name in still:
            out.append(f"replaces product code in the test ({name} is redefined)")
        elif root not in sys.stdlib_module_names and root not in _GONE_STDLIB:
            out.append(f"replaces product code in the test ({name} was imported and is now defined here)")
    return out


def _patches(parts: Sequence[ast.AST], tree: ast.Module, *, data: bool = False, fine: Container[int] = ()) -> Iterator[str]:
    known = imported(tree) if parts else {}
    for node in (n for part in parts for n in ast.walk(part) if id(n) not in fine):
        if isinstance(node, ast.Call) and len(node.args) >= 3 and (_keeps(node) or (data and _is_data(node.args[2]))):
            continue
        if isinstance(node, ast.Call):
            name, path = last_name(node.func), dotted(node.func)
            owner = last_name(node.func.value) if isinstance(node.func, ast.Attribute) else ""
            if (
                (name in ("setattr", "delattr") and isinstance(node.func, ast.Attribute) and node.args)
                or (name == "object" and owner == "patch")
                or (name == "setattr" and isinstance(node.func, ast.Name))
            ):
                target = constant(node.args[0]) if node.args else ...
                attr = constant(node.args[1]) if len(node.args) > 1 else ...
                yield (
                    target
                    if isinstance(target, str)
                    else f"{_real(dotted(node.args[0]), known) if node.args else '?'}.{attr if isinstance(attr, str) else '?'}"
                )
            elif (
                name == "patch"
                and node.args
                and (path in ("patch", "mock.patch", "mocker.patch", "unittest.mock.patch") or owner in ("mock", "mocker"))
            ):
                target = constant(node.args[0])
                yield target if isinstance(target, str) else "?"
        elif isinstance(node, ast.Assign):
            for t in node.targets:
                if isinstance(t, ast.Attribute) and isinstance(t.value, (ast.Name, ast.Attribute)) and root_name(t) in known:
                    yield _real(dotted(t), known)


def _keeps(call: ast.Call) -> bool:
    """Whether what is put in place of ``x.a`` is ``x.a`` itself or a copy of it: the test only gives it back afterwards."""
    attr = constant(call.args[1])
    if not isinstance(attr, str):
        return False
    value = call.args[2]
    while isinstance(value, ast.Call):
        if isinstance(value.func, ast.Attribute) and value.func.attr == "copy" and not value.args:
            value = value.func.value
        elif len(value.args) == 1 and dotted(value.func) in ("copy.copy", "copy.deepcopy", "list", "dict", "set"):
            value = value.args[0]
        else:
            return False
    return dotted(value) == f"{dotted(call.args[0])}.{attr}"


def _is_data(value: ast.expr) -> bool:
    try:
        ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def _real(path: str, imported: dict[str, str]) -> str:
    head, _, rest = path.partition(".")
    root = imported.get(head, head)
    return f"{root}.{rest}" if rest else root


def _harmless(target: str) -> bool:
    """Whether a patch target belongs to the interpreter's surroundings (time, environment, streams), not to a product."""
    root, _, name = target.partition(".")
    return root in sys.stdlib_module_names and (root not in _JUDGES or name in _FED)


def imported(tree: ast.Module) -> dict[str, str]:
    """Imported name -> the top-level module it comes from."""
    out = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for a in node.names:
                out[a.asname or a.name.partition(".")[0]] = a.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom):
            for a in node.names:
                out[a.asname or a.name] = (node.module or ".").partition(".")[0]
    return out


def _bound(tree: ast.Module) -> set[str]:
    """Names bound by a definition or an assignment at module level."""
    out: set[str] = set()
    for stmt in tree.body:
        if isinstance(stmt, (*FuncDef, ast.ClassDef)):
            out.add(stmt.name)
        for node in own_nodes([stmt]):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                out.add(node.id)
    return out
