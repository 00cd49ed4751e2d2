"""Is one check at least as strong as another? The reasons why not, in plain language."""

from __future__ import annotations

import ast

from pytest_maestro_healer.edit.guards.checks import Check
from pytest_maestro_healer.edit.guards.expressions import Scope, constant, dump, words
from pytest_maestro_healer.edit.guards.limits import Limits
from pytest_maestro_healer.edit.guards.operands import operands_weaker, told_less, tolerance_widened
from pytest_maestro_healer.edit.guards.raising import match_loosened, types_widened

#: What an operator may become: nothing that accepts more than it did. Rows without an entry may only stay as they are.
ALLOWED: dict[str, frozenset[str]] = {
    "==": frozenset({"is", "approx", "unordered"}),
    "is": frozenset({"=="}),
    "approx": frozenset({"==", "is"}),
    "unordered": frozenset({"=="}),
    "!=": frozenset({"==", "is", "<", "is not"}),
    "is not": frozenset({"is", "==", "isinstance", "truth", "!=", "in", "approx"}),
    "in": frozenset({"==", "is", "subset"}),
    "not in": frozenset({"in", "==", "is"}),
    "<": frozenset({"==", "is"}),
    "<=": frozenset({"<", "==", "is"}),
    "truth": frozenset({"false", "==", "is", "in", "not in", "<", "<=", "approx", "regex", "all", "isinstance", "opaque", "subset", "hasattr"}),
    "false": frozenset({"truth", "==", "is", "not in", "not isinstance", "not hasattr"}),
    "isinstance": frozenset({"==", "is"}),
    "not isinstance": frozenset({"isinstance", "==", "is"}),
    "hasattr": frozenset({"==", "is", "isinstance"}),
    "not hasattr": frozenset({"==", "is", "hasattr"}),
    "regex": frozenset({"=="}),
    "not regex": frozenset({"regex", "=="}),
    "subset": frozenset({"==", "<="}),
    "all": frozenset({"==", "is", "truth"}),
    "any": frozenset({"all", "==", "is", "in", "truth"}),
    "or": frozenset({"==", "is", "in", "<", "<=", "isinstance", "truth", "false", "approx", "unordered", "not in", "any", "all"}),
    "opaque": frozenset({"==", "approx"}),
    "fail": frozenset({"raises"}),
    "raises": frozenset(),
    "warns": frozenset(),
}
_MOCK_STRENGTH: dict[str, frozenset[str]] = {
    "called": frozenset({"called_once", "called_with", "called_once_with", "any_call", "has_calls"}),
    "called_once": frozenset({"called_once_with"}),
    "called_with": frozenset({"called_once_with"}),
    "any_call": frozenset({"called_with", "called_once_with", "has_calls"}),
    "has_calls": frozenset(),
    "called_once_with": frozenset(),
    "not_called": frozenset(),
}


def weaker(before: Check, after: Check, old: Scope | None, new: Scope | None, limits: Limits) -> list[str]:
    """Why ``after`` is no full replacement for ``before``; empty where it is."""
    out = _surroundings(before, after)
    if before.op.startswith("mock:") or after.op.startswith("mock:"):
        return out + _mock(before, after)
    if before.op != after.op and after.op == "raises" and "raises" in limits.allow:
        return out
    if before.op != after.op and after.op not in ALLOWED.get(before.op, frozenset()):
        return [*out, f"the assertion is loosened from `{before.short}` to `{after.short}`"]
    if before.op != after.op:
        out += _changed_operator(before, after, limits)
    if before.op in ("raises", "warns") and after.op == before.op:
        return out + types_widened(before, after) + match_loosened(before.match, after.match)
    out += tolerance_widened(before, after, new, limits) + told_less(before, after)
    if after.op == "fail" or before.op == "fail":
        return out
    return out + operands_weaker(before, after, old, new, limits)


def _surroundings(before: Check, after: Check) -> list[str]:
    words = {
        "if": "a condition", "for": "a loop that may be empty", "while": "a loop that may not run", "try": "a try block", "except": "an except block",
        "try-else": "the else of a try block", "suppress": "a suppress block", "raises": "a raises block", "def": "a nested function",
        "class": "a nested class", "case": "a match case", "dead": "code that never runs",
    }  # fmt: skip
    had = [f.partition(":")[0] for f in before.frames]
    for frame in after.frames:
        kind = frame.partition(":")[0]
        if kind in had:
            had.remove(kind)
        else:
            return [f"`{after.short}` was moved under {words.get(kind, kind)}"]
    old, new = ([f for f in c.frames if f.startswith("if:")] for c in (before, after))
    for a, b in zip(old, new, strict=False):
        if a != b and not _related(a[3:], b[3:]):
            return [f"the condition around `{after.short}` was replaced: {a[3:]} became {b[3:]}"]
    return []


def _related(a: str, b: str) -> bool:
    one, two = words(a), words(b)
    return len(one & two) * 2 >= min(len(one), len(two)) and ("not" in one) == ("not" in two)


def _changed_operator(before: Check, after: Check, limits: Limits) -> list[str]:
    pair = (before.op, after.op)
    if pair == ("is", "==") and not any(constant(s) is not ... for s in (before.left, before.right)):
        return [f"identity is loosened to equality: `{after.short}`"]
    if after.op == "unordered" and before.op == "==" and "unordered" not in limits.allow:
        return [f"`{after.short}` no longer compares the order"]
    if after.op == "isinstance" and before.op == "truth" and not isinstance(before.left, ast.Call):
        return [f"the assertion is loosened from `{before.short}` to `{after.short}`"]
    if after.op == "is not" and [dump(before.left), dump(before.right)] != [dump(after.left), dump(after.right)]:
        return [f"the assertion is loosened from `{before.short}` to `{after.short}`"]
    if pair == ("all", "truth") and "all" not in after.text:
        return [f"`all` was dropped in `{after.short}`"]
    return []


def _mock(before: Check, after: Check) -> list[str]:
    one, two = (c.op.partition(":assert_")[2].replace("awaited", "called").replace("await", "call") for c in (before, after))
    if one and two:
        if one != two and two not in _MOCK_STRENGTH.get(one, frozenset()):
            return [f"the mock assertion is loosened from assert_{one} to assert_{two}"]
        a, b = ((c.left.args, c.left.keywords) if isinstance(c.left, ast.Call) else ([], []) for c in (before, after))
        return ["a mock assertion lost its arguments"] if (a[0] or a[1]) and not (b[0] or b[1]) and "with" in two else []
    plain, mock = (before, one or two) if two else (after, one)
    text = plain.text
    if plain.op in ("==", "is", "opaque") and ("call" in text or "await" in text):
        if one and "with" in one and "count" in text:
            return [f"the mock assertion is loosened from assert_{one} to a call count"]
        return []
    if two and plain.op in ("truth", "false") and ("called" in text or "awaited" in text) and (mock == "not_called") == (plain.op == "false"):
        return []
    if one and after.op in ("truth", "false") and one in ("called", "not_called") and "called" in text:
        return []
    return [f"the assertion is loosened from `{before.short}` to `{after.short}`"]
