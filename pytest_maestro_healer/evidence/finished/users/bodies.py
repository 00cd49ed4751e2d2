"""Is what has another name still used for the same? Asked of the statements that said a parameter, and of the calls that name an option."""

from __future__ import annotations

import ast
import copy
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from pytest_maestro_healer.evidence.changes import Changes
from pytest_maestro_healer.evidence.finished.names.prose import TOLD
from pytest_maestro_healer.evidence.git import Hunk
from pytest_maestro_healer.evidence.literals import string_pairs
from pytest_maestro_healer.evidence.similarity import Function

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_BLOCKS = (*_SCOPES, ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)
#: What takes all parameters by their names.
_ALL = frozenset({"locals", "vars", "eval", "exec"})
#: Keywords of a call that names an option which say nothing of what it does.
_PROSE = TOLD | {"metavar"}
#: What stands for a word that was exchanged.
_MARK = "@"


def parameter_used_otherwise(known: Changes, base: str, paths: Iterable[str], name: str, pairs: Mapping[str, Collection[str]]) -> str:
    """A parameter of ``name`` that got another name and is not used for what it was before; ``""`` if none is.

    ``pairs`` are the words that stand in the place of others now.
    """
    for path in paths:
        former, present = known.at(path, base), known.current(path)
        for q, then in former.items():
            place = f"{q}.__init__" if then.kind == "class" else q
            if then.name == name and then.kind == "class" and place not in former:
                found = _field_turned(
                    known.tree_at(path, base), known.symbols.tree(path), then.node, present[q].node if q in present else None, pairs
                )
                if found:
                    return found
            if then.name == name and place in former and place in present:
                found = _turned(former[place].function, present[place].function, pairs)
                if found:
                    return found
    return ""


def _turned(then: Function | None, now: Function | None, pairs: Mapping[str, Collection[str]]) -> str:
    if then is None or now is None:
        return ""
    had, has = _parameters(then), _parameters(now)
    heirs = {old: new for old, news in pairs.items() for new in news if old in had and old not in has and new in has and new not in had}
    if not heirs:
        return ""
    calls = {n.func.id for n in ast.walk(then) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    if calls & _ALL:
        return next(iter(heirs))
    marks = {**{old: f"{_MARK}{i}" for i, old in enumerate(heirs)}, **{new: f"{_MARK}{i}" for i, new in enumerate(heirs.values())}}
    present = {_marked(n, marks) for n in _units(now.body)}
    for old, new in heirs.items():
        a, b = had[old], has[new]
        if a is not None and b is not None and ast.dump(a) != ast.dump(b):
            return old
        if any(_says(n, old) and _marked(n, marks) not in present for n in _units(then.body)):
            return old
    return ""


def _field_turned(
    then: ast.Module | None, now: ast.Module | None, old_class: ast.AST, new_class: ast.AST | None, pairs: Mapping[str, Collection[str]]
) -> str:
    """The same of a field: its type and default, and every statement of the file that says it."""
    if then is None or now is None or not isinstance(old_class, ast.ClassDef) or not isinstance(new_class, ast.ClassDef):
        return ""
    had, has = ({n.target.id: n for n in c.body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)} for c in (old_class, new_class))
    heirs = {old: new for old, news in pairs.items() for new in news if old in had and old not in has and new in has and new not in had}
    marks = {word: f"{_MARK}{i}" for i, pair in enumerate(heirs.items()) for word in pair}
    present = {_marked(n, marks) for n in _units(now.body)} if heirs else set()
    said = (n for n in _units(then.body) if any(word in (getattr(x, "attr", ""), getattr(x, "id", "")) for x in ast.walk(n) for word in heirs))
    return next((next(iter(heirs)) for n in said if _marked(n, marks) not in present), "")


def _parameters(function: Function) -> dict[str, ast.expr | None]:
    """The parameters of a function with their default values."""
    a = function.args
    plain = [*a.posonlyargs, *a.args]
    values: list[ast.expr | None] = [None] * (len(plain) - len(a.defaults)) + list(a.defaults)
    return dict(zip([p.arg for p in (*plain, *a.kwonlyargs)], [*values, *a.kw_defaults], strict=True))


def _units(body: Sequence[ast.stmt]) -> Iterator[ast.AST]:
    """The statements of a body one by one; of those that hold others only what stands at their head."""
    for node in body:
        if not isinstance(node, _BLOCKS):
            if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
                yield node
            continue
        for field, value in ast.iter_fields(node):
            parts = value if isinstance(value, list) else [value]
            if field in ("body", "orelse", "finalbody"):
                yield from _units(parts)
            elif field in ("handlers", "cases"):
                for part in parts:
                    yield from (
                        n for n in (getattr(part, "type", None), getattr(part, "pattern", None), getattr(part, "guard", None)) if n is not None
                    )
                    yield from _units(part.body)
            else:
                yield from (part for part in parts if isinstance(part, ast.AST))


def _says(node: ast.AST, word: str) -> bool:
    return any(isinstance(n, ast.Name) and n.id == word for n in ast.walk(node))


def _marked(node: ast.AST, marks: Mapping[str, str]) -> str:
    """A node as text, with the words of ``marks`` replaced: names, attributes and keywords."""
    node = copy.deepcopy(node)
    for n in ast.walk(node):
        for field in ("id", "attr", "arg"):
            if getattr(n, field, None) in marks:
                setattr(n, field, marks[getattr(n, field)])
    return ast.dump(node)


def option_means_another(known: Changes, base: str, hunks: Sequence[Hunk], given: Collection[str]) -> str:
    """``path:line`` of a call that is given another option or route now and is otherwise not the same; ``""`` if all are.

    ``given`` are the texts that the tests gave. What is said to people may differ, and further names of an option too.
    """
    texts = {p.old: p.new for p in string_pairs(hunks) if p.old and any(text.startswith(p.old) for text in given)}
    for path in dict.fromkeys(h.path for h in hunks):
        then, now = known.tree_at(path, base), known.symbols.tree(path)
        if then is None or now is None:
            continue
        for old, new in texts.items():
            calls = _calls(now, new)
            former, present = [_call(c, old, new) for c in _calls(then, old)], [_call(c, new, new) for c in calls]
            lost = any(call not in present for call in former)
            marks = {_attribute(old): _MARK, _attribute(new): _MARK}
            if former and old.startswith("-") and len(marks) > 1:
                kept = {_marked(n, marks) for n in _units(now.body)}
                lost = lost or any(_reads(n, _attribute(old)) and _marked(n, marks) not in kept for n in _units(then.body))
            if calls and lost:
                return f"{path}:{calls[0].lineno}"
    return ""


def _attribute(option: str) -> str:
    return option.lstrip("-").replace("-", "_")


def _reads(node: ast.AST, word: str) -> bool:
    return any(word in (getattr(n, "attr", ""), getattr(n, "id", "")) and isinstance(getattr(n, "ctx", None), ast.Load) for n in ast.walk(node))


def _calls(tree: ast.Module, text: str) -> list[ast.Call]:
    """The calls that are given ``text`` as an argument by its place."""
    return [n for n in ast.walk(tree) if isinstance(n, ast.Call) and any(isinstance(a, ast.Constant) and a.value == text for a in n.args)]


def _call(call: ast.Call, text: str, new: str) -> tuple[str, ...]:
    """What a call says besides the names of an option, with ``new`` for ``text``: what is called, other arguments and keywords."""
    names = [a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    options = [n for n in names if n.startswith("-")]
    rest = [a for a in call.args if not (isinstance(a, ast.Constant) and (a.value == text or a.value in options))]
    own = {_attribute(n) for n in (text, *options)}
    keywords = [
        k for k in call.keywords if k.arg not in _PROSE and not (k.arg == "dest" and isinstance(k.value, ast.Constant) and k.value.value in own)
    ]
    said = [ast.dump(call.func), *(ast.dump(a) for a in rest), *sorted(f"{k.arg}={ast.dump(k.value)}" for k in keywords)]
    return tuple(s.replace(f"Constant(value={text!r})", f"Constant(value={new!r})") for s in said)
