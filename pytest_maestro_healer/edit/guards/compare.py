"""Two versions of a file, unit by unit and check by check."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator, Sequence

from pytest_maestro_healer.edit.guards import census, clocks, kept, reach, stranger
from pytest_maestro_healer.edit.guards.checks import Check
from pytest_maestro_healer.edit.guards.expressions import Scope, computed, constant, states_value, words
from pytest_maestro_healer.edit.guards.limits import Limits
from pytest_maestro_healer.edit.guards.restoring import giving_back
from pytest_maestro_healer.edit.guards.strength import weaker
from pytest_maestro_healer.edit.guards.vacuous import vacuous
from pytest_maestro_healer.edit.guards.waits import longer
from pytest_maestro_healer.edit.guards.walk import Unit, units
from pytest_maestro_healer.edit.source import SourceFile


def compare(before: SourceFile, after: SourceFile, limits: Limits) -> list[str]:
    """Why ``after`` insists on less than ``before``; both parse."""
    assert before.tree is not None
    assert after.tree is not None
    old, new = units(before), units(after)
    pairs, gone = paired(old, new)
    changed_names = _changed_constants(before.tree, after.tree)
    out = [f"{'the test' if u.is_test else 'the function'} {u.qualname} with its assertions was removed" for u in gone if u.checks and u.is_function]
    changed = [(a, b) for a, b in pairs if a.text != b.text or a.frames != b.frames]
    affected = [(a, b) for a, b in pairs if a.text == b.text and a.frames == b.frames and changed_names & words(a.text)] if changed_names else []
    for a, b in (*changed, *affected):
        out += _unit(a, b, limits)
    renamed = {a.qualname: b.qualname for a, b in pairs}
    out += kept.lost_tests(old, new, renamed)
    matched = {id(b) for _, b in pairs}
    fresh = [u for u in new if id(u) not in matched]
    # what is the same on both sides need not be counted
    lost = [n for u in (*(a for a, _ in changed), *gone) for n in u.parts]
    gained = [n for u in (*(b for _, b in changed), *fresh) for n in u.parts]
    out += census.grew(lost, gained, limits)
    imported = census.imported(before.tree)
    still = clocks.standing(after.tree) if "clock" in limits.allow else frozenset()
    back = giving_back(after.tree) if not limits.stranger else frozenset()
    out += reach.grew(lost, gained, imported, still | back)
    out += [r for a, b in changed if a.is_function for r in reach.covered(a.node, b.node, imported)]
    if limits.stranger:
        out += stranger.grew(before.tree, after.tree, lost, gained)
    out += census.stubbed(before.tree, after.tree, lost, gained, limits.allow, still)
    out += [r for a, b in changed for r in longer(a.parts, b.parts, limits)]
    out += [reason for u in fresh for c in u.checks if (reason := vacuous(c, u.scope))]
    return list(dict.fromkeys(out))


def paired(old: Sequence[Unit], new: Sequence[Unit]) -> tuple[list[tuple[Unit, Unit]], list[Unit]]:
    """Units that belong together, and old ones that are gone: by name first, then by likeness among those of one class or module."""
    index = {(u.qualname, u.occurrence): u for u in new}
    pairs = [(u, index[(u.qualname, u.occurrence)]) for u in old if (u.qualname, u.occurrence) in index]
    taken = {id(b) for _, b in pairs}
    gone = []
    for u in (u for u in old if (u.qualname, u.occurrence) not in index):
        free = [v for v in new if id(v) not in taken and v.is_function == u.is_function and (v.is_test or not u.is_test)]
        best = max(free, key=lambda v: (_likeness(u, v), v.parent == u.parent), default=None)
        if best is not None and _likeness(u, best) > 0.5:
            pairs.append((u, best))
            taken.add(id(best))
        else:
            gone.append(u)
    return pairs, gone


def _likeness(a: Unit, b: Unit) -> float:
    return difflib.SequenceMatcher(None, a.text, b.text, autojunk=False).quick_ratio()


def _changed_constants(before: ast.Module, after: ast.Module) -> set[str]:
    old, new = ({name: ast.dump(v) for name, v in _constants(t)} for t in (before, after))
    return {name for name in old if new.get(name) != old[name]}


def _constants(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for node in tree.body:
        if isinstance(node, ast.Assign):
            yield from ((t.id, node.value) for t in node.targets if isinstance(t, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            yield node.target.id, node.value


# -- one unit -------------------------------------------------------------------------------------------------
def _unit(a: Unit, b: Unit, limits: Limits) -> list[str]:
    module_level = not a.is_function
    out = census.swallowed(a.own, b.own, module_level)
    if not module_level:
        out += _ways_out(a, b) + _emptied(a, b)
    out += kept.lost_rows(a, b)
    out += _returned(a, b)
    pairs = list(align(a.checks, b.checks, a.scope, b.scope, limits))
    if limits.stranger:
        out += stranger.objections(a, b, [(x, y) for x, y in pairs if x is not None and y is not None], a.scope, b.scope)
    for one, two in pairs:
        if two is None:
            assert one is not None
            out.append(f"the assertion `{one.short}` was dropped" + ("" if a.name == "<body>" else f" from {a.name}"))
        elif one is not None:
            out += weaker(one, two, a.scope, b.scope, limits)
            if (reason := vacuous(two, b.scope)) and not vacuous(one, a.scope):
                out.append(reason)
        else:
            if two.op == "raises" and "raises" not in limits.allow:
                out.append(f"expects an exception where there was none: `{two.short}`")
            if reason := vacuous(two, b.scope):
                out.append(reason)
    return out


def _ways_out(a: Unit, b: Unit) -> list[str]:
    """New returns, breaks and yields in code that insists on something."""
    if not (a.is_test or a.checks):
        return []
    kinds: dict[str, type[ast.AST] | tuple[type[ast.AST], ...]] = {
        "an early return": ast.Return,
        "a break": ast.Break,
        "a continue": ast.Continue,
        "a yield": (ast.Yield, ast.YieldFrom),
    }
    out = []
    for what, kind in kinds.items():
        counts = []
        for unit in (a, b):
            last = max((c.line for c in unit.checks), default=0)
            found = [n for n in unit.own if isinstance(n, kind)]
            if what in ("a break", "a continue"):
                found = [n for n in found if _inside_checked_loop(unit, n)]
            elif what == "an early return" and not unit.is_test:
                found = [n for n in found if getattr(n, "lineno", 0) < last]
            counts.append(len(found))
        if counts[1] > counts[0]:
            out.append(f"adds {what} to {a.name}")
    return out


def _emptied(a: Unit, b: Unit) -> list[str]:
    """A test that insists on nothing but running through must still run something."""
    counts = [sum(1 for n in u.own if isinstance(n, (ast.Call, ast.Await, ast.With, ast.BinOp, ast.Subscript))) for u in (a, b)]
    return [f"{a.name} does nothing any more"] if a.is_test and counts[0] and not counts[1] else []


def _inside_checked_loop(unit: Unit, node: ast.AST) -> bool:
    line = getattr(node, "lineno", 0)
    for loop in unit.own:
        if isinstance(loop, (ast.For, ast.While, ast.AsyncFor)) and loop.lineno <= line <= (loop.end_lineno or 0):
            return any(loop.lineno < c.line <= (loop.end_lineno or 0) for c in unit.checks)
    return False


def _returned(a: Unit, b: Unit) -> list[str]:
    """A fixture or helper that stated a value must not compute it now."""
    if a.is_test or not a.is_function:
        return []
    old, new = ([n.value for n in u.own if isinstance(n, (ast.Return, ast.Yield)) and n.value is not None] for u in (a, b))
    for x, y in zip(old, new, strict=False):
        one, two = _resolved(a.scope, x), _resolved(b.scope, y)
        if states_value(one) and constant(one) is not None and computed(two):
            return [f"the value that {a.name} gives is computed now instead of written out"]
    return []


def _resolved(scope: Scope | None, node: ast.expr) -> ast.expr | None:
    return scope.resolve(node, node.lineno) if scope else node


# -- alignment ------------------------------------------------------------------------------------------------
def align(
    old: Sequence[Check], new: Sequence[Check], old_scope: Scope | None, new_scope: Scope | None, limits: Limits
) -> Iterator[tuple[Check | None, Check | None]]:
    """Pairs (before, after) of checks; ``None`` stands where one has no partner.

    Checks with the same text are partners; between those the pairing that keeps most of the strength wins, in order.
    """
    left = [c.op + c.text for c in old]
    right = [c.op + c.text for c in new]
    lost: list[Check] = []
    gained: list[Check] = []
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if tag == "equal":
            yield from zip(old[i1:i2], new[j1:j2], strict=True)
            continue
        for one, two in _best(old[i1:i2], new[j1:j2], old_scope, new_scope, limits):
            if one is None or two is None:
                (lost if two is None else gained).append(one or two)  # type: ignore[arg-type]
            else:
                yield one, two
    for one in lost:  # what was moved elsewhere in the function
        twin = next((g for g in gained if g.op == one.op and g.text == one.text), None) or next(
            (g for g in gained if not weaker(one, g, old_scope, new_scope, limits)), None
        )
        if twin is not None:
            gained.remove(twin)
        yield one, twin
    for two in gained:
        yield None, two


def _best(
    old: Sequence[Check], new: Sequence[Check], old_scope: Scope | None, new_scope: Scope | None, limits: Limits
) -> list[tuple[Check | None, Check | None]]:
    if not old or not new:
        return [(c, None) for c in old] + [(None, c) for c in new]
    if len(old) * len(new) > 2500:
        pairs: list[tuple[Check | None, Check | None]] = list(zip(old, new, strict=False))
        return pairs + [(c, None) for c in old[len(new) :]] + [(None, c) for c in new[len(old) :]]
    score = [[_score(a, b, old_scope, new_scope, limits) for b in new] for a in old]
    best = [[0.0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i in range(len(old) - 1, -1, -1):
        for j in range(len(new) - 1, -1, -1):
            best[i][j] = max(best[i + 1][j], best[i][j + 1], score[i][j] + best[i + 1][j + 1])
    out: list[tuple[Check | None, Check | None]] = []
    i = j = 0
    while i < len(old) and j < len(new):
        if best[i][j] == score[i][j] + best[i + 1][j + 1]:
            out.append((old[i], new[j]))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            out.append((old[i], None))
            i += 1
        else:
            out.append((None, new[j]))
            j += 1
    return out + [(c, None) for c in old[i:]] + [(None, c) for c in new[j:]]


def _score(a: Check, b: Check, old_scope: Scope | None, new_scope: Scope | None, limits: Limits) -> float:
    one, two = words(a.text), words(b.text)
    like = len(one & two) / max(1, len(one | two))
    strong = not weaker(a, b, old_scope, new_scope, limits)
    return (10.0 if strong else 1.0) + like + (0.5 if a.op == b.op else 0.0)
