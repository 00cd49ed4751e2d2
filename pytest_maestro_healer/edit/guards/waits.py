"""How long a test is willing to wait: a limit may grow to what was measured, and not be taken away."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from pytest_maestro_healer.edit.guards.expressions import last_name, number
from pytest_maestro_healer.edit.guards.limits import Limits

_LIMIT = re.compile(r"(?:^|_)(?:timeout|deadline|max_wait|time_limit)(?:_|s?$)", re.I)
#: Callables whose only job is to end in time; the position of the limit.
_POSITION = {"wait_for": 1, "join": 0, "wait": 0, "result": 0, "fail_after": 0, "move_on_after": 0, "timeout": 0, "settimeout": 0}


def longer(lost: Sequence[ast.AST], gained: Sequence[ast.AST], limits: Limits) -> list[str]:
    """Why the limits in ``gained`` (the parts of a file that are new) hold less than those in ``lost``."""
    old, new = list(_limits(lost)), list(_limits(gained))
    out = []
    for key in dict.fromkeys(k for k, _ in old):
        before, after = ([v for k, v in side if k == key] for side in (old, new))
        most = max((v for v in before if v is not None), default=0.0)
        scale = 1000.0 if re.search(r"_(ms|millis\w*)$", key) else 1.0
        far = [v for v in after if v is not None and v > max(limits.max_widening * most, limits.max_wait * scale)]
        if far:
            out.append(f"the limit {key.replace('(', ' ')} was raised too far: {most:g} became {far[0]:g}")
        calls = [sum(1 for c in _calls(side) if _text(c) == key.partition("(")[0]) for side in (lost, gained)]
        held = [sum(v is not None for v in side) for side in (before, after)]
        if "(" in key and held[1] < held[0] and calls[1] >= calls[0]:
            out.append(f"{key.partition('(')[0]} lost its limit")
    marks = [Counter(k for k, _ in side)["mark.timeout"] for side in (old, new)]
    if marks[1] < marks[0]:
        out.append("a timeout marker was removed")
    return out


def _calls(parts: Sequence[ast.AST]) -> Iterator[ast.Call]:
    return (n for part in parts for n in ast.walk(part) if isinstance(n, ast.Call))


def _text(call: ast.Call) -> str:
    return ast.unparse(call.func)


def _limits(parts: Sequence[ast.AST]) -> Iterator[tuple[str, float | None]]:
    """(what is limited, its value or ``None`` where that is not written out or there is none)."""
    for call in _calls(parts):
        name = last_name(call.func)
        if name == "timeout" and ".mark." in f".{_text(call)}":
            yield "mark.timeout", number(call.args[0]) if call.args else None
            continue
        for k in call.keywords:
            if k.arg and _LIMIT.search(k.arg):
                absent = isinstance(k.value, ast.Constant) and k.value.value is None
                yield f"{_text(call)}({'timeout' if name in _POSITION else k.arg}", None if absent else _value(k.value)
        at = _POSITION.get(name, -1)
        if 0 <= at < len(call.args) and not isinstance(call.args[at], (ast.List, ast.GeneratorExp, ast.Starred, ast.ListComp)):
            yield f"{_text(call)}(timeout", _value(call.args[at])
    for part in parts:
        for node in ast.walk(part):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and _LIMIT.search(node.targets[0].id):
                yield node.targets[0].id, _value(node.value)


def _value(node: ast.expr) -> float | None:
    """A number; what is computed counts as a limit of no known length."""
    found = number(node)
    if found is not None:
        return found
    return None if isinstance(node, ast.Constant) else 0.0
