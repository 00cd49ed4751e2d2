"""Which parameters positional arguments were meant for, when a library changed the list: told by the kinds of the values."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from pytest_maestro_healer.evidence.kinds import fits, of_parameter, of_value
from pytest_maestro_healer.evidence.signatures import Argument, Param, Signature

_MAX_DROPPED = 2


@dataclass(frozen=True)
class Slots:
    """The parameter of each positional argument, ``""`` for one that is left out; ``shown`` says that kinds of values tell so."""

    names: tuple[str, ...]
    shown: bool

    @property
    def dropped(self) -> int:
        """How many arguments are left out."""
        return self.names.count("")


def surplus(args: Sequence[ast.expr], keywords: Sequence[str], sig: Signature, types: Mapping[str, str]) -> Slots | None:
    """Where more positional arguments than ``sig`` takes belong.

    In the order in which they stand, to what became keyword-only; else without those that are ``None`` and stand where a parameter was
    removed: nothing is lost with a ``None``, and what follows it must be of the kind of its parameter. ``None`` where neither holds or two
    readings differ.
    """
    params = [p for p in (*sig.positional, *sig.keyword_only) if p.name not in keywords]
    if sig.has("args") or any(p.name in keywords for p in sig.positional[: len(args)]):
        return None
    verdicts = [_fits(a, p, types) for a, p in zip(args, params, strict=False)]
    if len(args) <= len(params) and False not in verdicts:
        there = len(sig.positional)
        if all(of_value(a) == "none" and p.default == "None" for a, p in zip(args[there:], params[there:], strict=False)):
            return Slots((*(p.name for p in params[:there]), *[""] * (len(args) - there)), False)  # what was meant is not known, and nothing is lost
        return Slots(tuple(p.name for p in params[: len(args)]), all(verdicts))
    nothing = [i for i, a in enumerate(args) if of_value(a) == "none"]
    for count in range(1, _MAX_DROPPED + 1):
        found: dict[tuple[tuple[str, str], ...], Slots] = {}
        for gone in combinations(nothing, count):
            kept = [i for i in range(len(args)) if i not in gone]
            if len(kept) > len(params):
                continue
            names = dict(zip(kept, params, strict=False))
            later = [_fits(args[i], p, types) for i, p in names.items() if i > gone[0]]
            if all(later) and False not in verdicts[: gone[0]]:
                key = tuple((p.name, ast.unparse(args[i])) for i, p in names.items())
                found[key] = Slots(tuple(names[i].name if i in names else "" for i in range(len(args))), bool(later) or len(args) > len(params))
        if found:
            return next(iter(found.values())) if len(found) == 1 else None
    return None


def shifted(
    args: Sequence[ast.expr], keywords: Sequence[str], sig: Signature, types: Mapping[str, str], wrong: str = ""
) -> Iterator[tuple[Slots, str]]:
    """(slots, inserted parameter): readings in which one parameter was put before that of an argument.

    The values must be of the wrong kind as they stand, and all of the right kind behind the inserted parameter; it must have a default.
    ``wrong`` is a type whose value the error calls useless: it is wrong where nothing is known of the parameter.
    """
    params = [p for p in (*sig.positional, *sig.keyword_only) if p.name not in keywords]
    straight = [_fits(a, p, types) for a, p in zip(args, params, strict=False)]
    straight = [False if v is None and wrong and _type(a) == wrong else v for v, a in zip(straight, args, strict=False)]
    if False not in straight or len(args) > len(sig.positional):
        return
    first = straight.index(False)
    for k in range(first + 1):
        moved = list(zip(args[k:], params[k + 1 :], strict=False))
        told = [(a, p) for a, p in moved if ast.unparse(a) != p.default or of_value(a) != "none"]
        if params[k].required or len(moved) < len(args) - k or not told or any(of_parameter(p, types)[0] is None for _, p in told):
            continue
        if all(_fits(a, p, types) for a, p in moved) and False not in straight[:k]:
            yield Slots((*(p.name for p in params[:k]), *(p.name for _, p in moved)), True), params[k].name


def arguments(args: Sequence[ast.expr], keywords: Sequence[str], slots: Slots, sig: Signature) -> list[Argument] | None:
    """The arguments of a call by ``slots``: positional as long as the order allows, then by keyword; ``None`` where it cannot be written so."""
    if len(args) > len(slots.names):
        return None
    out: list[Argument] = []
    order = [p.name for p in sig.positional]
    for i, a in enumerate(args):
        name = slots.names[i]
        if not name:
            if of_value(a) != "none":
                return None
            continue
        param = sig.get(name)
        if param is None or name in keywords:
            return None
        in_place = len(out) < len(order) and order[len(out)] == name and all(not x.keyword for x in out)
        if not in_place and param.kind == "positional":
            return None
        out.append(Argument("" if in_place else name, i))
    return out


def _type(value: ast.expr) -> str:
    try:
        return type(ast.literal_eval(value)).__name__
    except (ValueError, TypeError, SyntaxError):
        return ""


def _fits(value: ast.expr, param: Param, types: Mapping[str, str]) -> bool | None:
    """As :func:`fits`; the default itself always fits."""
    return True if param.default is not None and ast.unparse(value) == param.default else fits(value, param, types)
