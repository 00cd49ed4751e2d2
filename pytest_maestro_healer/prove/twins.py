"""Mutants of one version of a file found again in another: what the original test and its heal can be compared by."""

from __future__ import annotations

import ast
import warnings
from collections import Counter
from collections.abc import Mapping

from pytest_maestro_healer.prove.mutants import Identity, functions, identified


def twins(old: bytes, new: bytes, executed: frozenset[int]) -> dict[Identity, Identity]:
    """The mutants on the ``executed`` lines of ``old`` that ``new`` has too, each with what it is there.

    Functions go by their qualified name; one that is gone, by its code where exactly one function came that has the same. In a function the same
    change of the same expression is the same mutant, unless there are more of these in one version than in the other.
    """
    before, after = _known(old), _known(new)
    moved = _renamed(before, after)
    out: dict[Identity, Identity] = {}
    for qualname, function in before.items():
        there = after.get(moved.get(qualname, qualname))
        if there is None:
            continue
        mine, theirs = list(identified(qualname, function)), [i for _, i in identified(moved.get(qualname, qualname), there)]
        many, more = Counter((i.what, i.text) for _, i in mine), Counter((i.what, i.text) for i in theirs)
        found = {(i.what, i.text, i.number): i for i in theirs}
        for site, i in mine:
            if site.line in executed and many[i.what, i.text] == more[i.what, i.text]:
                out[i] = found[i.what, i.text, i.number]
    return out


def unchanged(old: bytes, new: bytes) -> frozenset[str]:
    """The functions (qualified names) of ``new`` that ``old`` has with the same code, under whatever name."""
    before, after = _known(old), _known(new)
    former = {a: b for b, a in _renamed(before, after).items()}
    return frozenset(q for q, f in after.items() if (there := before.get(former.get(q, q))) is not None and _code(there) == _code(f))


def _known(source: bytes) -> dict[str, ast.AST]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return dict(functions(ast.parse(source)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}


def _renamed(before: Mapping[str, ast.AST], after: Mapping[str, ast.AST]) -> dict[str, str]:
    gone: dict[str, list[str]] = {}
    came: dict[str, list[str]] = {}
    for names, ours, theirs in ((gone, before, after), (came, after, before)):
        for qualname, function in ours.items():
            if qualname not in theirs:
                names.setdefault(_code(function), []).append(qualname)
    return {old[0]: came[code][0] for code, old in gone.items() if len(old) == 1 and len(came.get(code, ())) == 1}


def _code(function: ast.AST) -> str:
    """What it takes and does, without its name and decorators."""
    parts = [getattr(function, "args", None), *getattr(function, "body", ())]
    return "\n".join(ast.dump(p) for p in parts if p is not None)
