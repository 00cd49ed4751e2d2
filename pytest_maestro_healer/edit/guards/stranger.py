"""Stricter rules for edits of which nobody here knows how they were found (a proposer's).

A tactic of ours is narrow: it renames a call, or changes a value, and its evidence is about just that. A stranger's edit may be anything, so what
could be right but could also be a way round the test is refused: both sides of a comparison changed at once, a value computed from what is
checked, a decorator or a block of unknown effect around it, files and processes.
"""

from __future__ import annotations

import ast
import builtins
import difflib
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from pytest_maestro_healer.edit.guards.census import imported
from pytest_maestro_healer.edit.guards.checks import Check
from pytest_maestro_healer.edit.guards.expressions import (
    Scope,
    bound_names,
    constant,
    dotted,
    dump,
    keyword,
    last_name,
    root_name,
    states_value,
    words,
)
from pytest_maestro_healer.edit.guards.walk import Unit
from pytest_maestro_healer.edit.source import SourceFile

_TWO_SIDED = frozenset({"==", "!=", "is", "is not", "<", "<=", "in", "not in", "approx", "unordered", "subset", "isinstance", "regex"})
#: Expressions that choose or compute a value out of others.
_COMPUTES = (ast.BoolOp, ast.IfExp, ast.BinOp, ast.Compare, ast.UnaryOp, ast.Lambda, ast.comprehension)
#: Blocks whose effect on what stands in them is known.
_BLOCKS = words(
    "raises warns deprecated_call catch_warnings freeze_time travel open subTest context assertRaises assertRaisesRegex assertWarns assertLogs"
)
_DECORATORS = re.compile(
    r"(pytest\.)?mark\.(parametrize|asyncio|anyio|trio|django_db|timeout)|pytest(_asyncio)?\.fixture|fixture|staticmethod|classmethod|property"
    r"|dataclass(es\.dataclass)?|freeze_time|freezegun\.freeze_time|time_machine\.travel"
)
_OUTSIDE = words(
    "kill killpg abort system popen fork forkpty Popen check_call check_output getoutput register raise_signal pthread_kill alarm setitimer "
    "write_text write_bytes unlink rename renames rmtree remove removedirs rmdir copy2 copyfile copytree move symlink symlink_to hardlink_to link "
    "truncate chmod chown savetxt import_module find_spec spec_from_file_location module_from_spec syspath_prepend addsitedir"
)
_MODULES = frozenset({"ctypes", "gc", "subprocess", "signal", "atexit", "runpy", "code", "pickle", "marshal", "multiprocessing", "_pytest", "pluggy"})
_SCRATCH = frozenset({"tmp_path", "tmpdir", "tmp_path_factory", "tempfile"})
_ALIKE = 0.6
_SUSPICIOUS = re.compile(
    r"\b(exec|eval|compile|setattr|delattr|__\w+__|globals|vars|modules|patch\w*|Mock|MagicMock|pytest_\w+|specname|return|yield|lambda|def|class|with"
    r"|open|subprocess|os|sys|signal|ctypes|gc|fixture)\b"
)


def objections(a: Unit, b: Unit, pairs: Sequence[tuple[Check, Check]], old: Scope | None, new: Scope | None) -> list[str]:
    """Why a stranger may not turn the unit ``a`` into ``b``; ``pairs`` are its checks before and after."""
    out = [reason for one, two in pairs for reason in _compared(one, two, old, new)]
    blocks = _checked_in(b) - _checked_in(a)
    out += [f"an assertion of {b.name} was moved under `with {name}`" for name in blocks]
    marks = [Counter(dotted(d) or ast.unparse(d) for d in getattr(u.node, "decorator_list", ())) for u in (a, b)]
    out += [f"decorates {b.name} with `{name}`" for name in marks[1] - marks[0] if not _DECORATORS.fullmatch(name)]
    return out


def _compared(one: Check, two: Check, old: Scope | None, new: Scope | None) -> Iterator[str]:
    if one.right is None or two.right is None or one.op not in _TWO_SIDED:
        return
    a = [old.resolve(s, one.line) if old else s for s in (one.left, one.right)]
    b = [new.resolve(s, two.line) if new else s for s in (two.left, two.right)]
    stated = [i for i, s in enumerate(a) if states_value(s)]
    if stated and not any(states_value(_bare(s)) for s in b):
        yield f"the expected value of `{two.short}` is no longer written out"
    counts = [sum(isinstance(n, _COMPUTES) for s in sides if s is not None for n in ast.walk(s)) for sides in (a, b)]
    if counts[1] > counts[0]:
        yield f"`{two.short}` computes with what it checks"
    kept = {dump(s) for s in a}
    if len(stated) == 1 and not any(dump(s) in kept for s in b):
        yield f"`{two.short}` changes what is called and what is expected at once"


def _bare(node: ast.expr | None) -> ast.expr | None:
    """What an ``approx(...)`` is about."""
    return node.args[0] if isinstance(node, ast.Call) and last_name(node) == "approx" and node.args else node


def _checked_in(unit: Unit) -> Counter[str]:
    """Block of unknown effect -> how many statements of a unit that insists on something stand in it."""
    out: Counter[str] = Counter()
    lines = {c.line for c in unit.checks}
    for node in unit.own:
        if isinstance(node, (ast.With, ast.AsyncWith)):
            inside = sum(node.lineno < line <= (node.end_lineno or 0) for line in lines)
            names = {last_name(i.context_expr) or "?" for i in node.items} - _BLOCKS
            out.update({name: inside for name in names if inside})
    return out


# -- whole files ----------------------------------------------------------------------------------------------------------
def grew(before: ast.Module, after: ast.Module, lost: Sequence[ast.AST], gained: Sequence[ast.AST]) -> list[str]:
    """What a stranger may not add anywhere: files and processes, other names for builtins, fixtures that nobody asks for."""
    known = imported(after)
    old, new = Counter(_items(lost, known)), Counter(_items(gained, known))
    out = [f"adds {what}" for what, count in new.items() if count > old[what]]
    taken = (_bound(gained) - _bound(lost)) & frozenset(dir(builtins))
    return out + [f"gives the builtin name {name} another meaning" for name in sorted(taken)]


def _items(parts: Sequence[ast.AST], known: dict[str, str]) -> Iterator[str]:
    for node in (n for part in parts for n in ast.walk(part)):
        if isinstance(node, ast.Call):
            yield from _call(node)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            roots = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            yield from (f"an import of {r}" for r in (r.partition(".")[0] for r in roots) if r in _MODULES)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in ("setattr", "delattr"):
            yield node.id
        elif isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load) and root_name(node) in known:
            yield f"an assignment to {dotted(node)}"
        elif dotted(node) == "sys.path":
            yield "a use of sys.path"


def _call(node: ast.Call) -> Iterator[str]:
    name = last_name(node.func)
    scratch = any(isinstance(n, ast.Name) and n.id in _SCRATCH for n in ast.walk(node))
    if name in _OUTSIDE and not scratch:
        yield f"{name}(), which reaches out of the test"
    if name == "open" and _writes(node) and not scratch:
        yield "a file opened for writing"
    if name == "fixture" and constant(keyword(node, "autouse")) is True:
        yield "an autouse fixture"
    if name == "usefixtures":
        yield "usefixtures"


def _writes(call: ast.Call) -> bool:
    modes = [v for a in (*call.args, *(k.value for k in call.keywords)) if isinstance(v := constant(a), str) and re.fullmatch(r"[rwaxbt+U]{1,4}", v)]
    return any(set(m) & set("wax+") for m in modes)


def _bound(parts: Sequence[ast.AST]) -> set[str]:
    out: set[str] = set()
    for node in (n for part in parts for n in ast.walk(part)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            out.add(node.name)
        elif isinstance(node, ast.Name):
            out |= set(bound_names(node))
        elif isinstance(node, ast.alias):
            out.add(node.asname or node.name)
        elif isinstance(node, ast.arg):
            out.add(node.arg)
    return out


# -- files that do not parse ----------------------------------------------------------------------------------------------
def repair_objections(before: SourceFile, after: SourceFile) -> list[str]:
    """Why a stranger's repair is more than one: new lines must look like those in whose place they stand."""
    a, b = ([line.strip() for line in s.text.splitlines() if line.strip()] for s in (before, after))
    out = []
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        had = " ".join(a[i1:i2])
        for line in b[j1:j2]:
            like = max((difflib.SequenceMatcher(None, x, line, autojunk=False).ratio() for x in a[i1:i2]), default=0.0)
            if like < _ALIKE and len(line) > 8 and line not in had:
                out.append(f"the repair writes a line that was not there: `{line[:80]}`")
            new = set(_SUSPICIOUS.findall(line)) - set(_SUSPICIOUS.findall(had))
            out += [f"the repair adds {word}" for word in sorted(new) if not _typo(word, had)]
    return list(dict.fromkeys(out))


def _typo(word: str, had: str) -> bool:
    """Whether ``word`` may be the right spelling of something that was there."""
    return bool(difflib.get_close_matches(word, re.findall(r"\w+", had), 1, 0.7))
