"""Expectations whose form has to change with the value: another position, another type, no longer a singleton."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Applicability, Comparison, Evidence, Failure, FailurePattern, Operand, Proposal, Value
from pytest_maestro_healer.strategies.assertion_update.case import (
    Change,
    Finding,
    alike,
    degenerate,
    facts_for,
    proposal,
    shorten,
    siblings_passed,
    subjects,
    volatile,
    writer_for,
)
from pytest_maestro_healer.strategies.assertion_update.examples_shapes import (
    CONVERTED_DECLINES,
    CONVERTED_HEALS,
    INDEX_DECLINES,
    INDEX_HEALS,
    SINGLETON_DECLINES,
    SINGLETON_HEALS,
)
from pytest_maestro_healer.strategies.assertion_update.matching import text_of
from pytest_maestro_healer.strategies.assertion_update.render import Unwritable
from pytest_maestro_healer.strategies.assertion_update.rows import Cell
from pytest_maestro_healer.strategies.assertion_update.strings import Splice
from pytest_maestro_healer.strategies.assertion_update.trace import Tracer
from pytest_maestro_healer.strategies.assertion_update.tree import function_of, loop_of, node_at, own_nodes
from pytest_maestro_healer.strategies.base import Tactic

PATTERNS = frozenset({FailurePattern.ASSERTION_FAILURE, FailurePattern.API_CHANGE})
_SINGLETONS = ("None", "True", "False")
_FARTHEST = 2


def _sides(c: Comparison) -> list[Operand]:
    return [o for o in (c.operand("left", "actual", "member"), c.operand("right", "expected", "container")) if o is not None]


class ShiftedIndex(Tactic):
    """``assert "25%" in lines[0]`` where a line came or went before it."""

    name = "shifted_index"
    summary = "Moves the constant indices of a test's checks on one sequence by the same distance, after elements came or went in front"
    patterns = PATTERNS
    applicability = Applicability.REVIEW
    evidence = ("value",)
    heals = INDEX_HEALS
    declines = INDEX_DECLINES

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """The one small distance at which the failing check finds what it looks for; the rerun shows whether the others do too."""
        c = failure.comparison
        if c is None or failure.phase != "call" or c.negated or c.operator not in ("==", "in") or c.location is None:
            return
        src = ctx.source(c.location.path)
        found = self._subscript(src, c) if src else None
        if src is None or found is None or loop_of(src, found) is not None:
            return
        base = ast.unparse(found.value)
        places = [n for n in self._checked(src, found) if ast.unparse(n.value) == base and n.lineno >= c.location.line]
        distances = self._distances(c, found)
        if len(places) < 2 or len(distances) != 1 or any(loop_of(src, n) or _index(n) + distances[0] < 0 for n in places):
            return  # one check alone could be moved to whatever happens to fit
        by = distances[0]
        change = Change()
        for n in places:
            start, end = src.span(n.slice)
            change.add(src, [Splice(start, end, str(_index(n) + by))])
        told = f"{'later' if by > 0 else 'earlier'} by {abs(by)}"
        seen = Evidence("value", f"what `{ast.unparse(found)}` was expected to be stands {told}", str(c.location), 0.6)
        made = proposal(
            Finding(
                self.name,
                change,
                [failure],
                f"{len(places)} checks on `{shorten(base, 60)}` look at their elements {told}",
                f"the elements of {shorten(base, 60)} moved by {by}",
                f"index:{src.path}:{c.location.line}:{by}",
                [seen],
                score=0.75,
            )
        )
        if made is not None:
            yield made

    def _subscript(self, src: SourceFile, c: Comparison) -> ast.Subscript | None:
        base = c.operand("base")
        for o in _sides(c):
            node = node_at(src, o.location)
            if isinstance(node, ast.Subscript) and _index(node) >= 0 and base is not None and base.location is not None:
                return node if node_at(src, base.location) is node.value else None
        return None

    def _distances(self, c: Comparison, found: ast.Subscript) -> list[int]:
        """How far from the index that was looked at an element stands that the check would accept."""
        base = c.operand("base")
        sides = _sides(c)
        if base is None or base.value.kind not in ("list", "tuple") or base.value.truncated or len(sides) != 2:
            return []
        looked = next((o for o in sides if o.source and o.source.strip() == ast.unparse(found)), sides[1])
        wanted = sides[1] if looked is sides[0] else sides[0]
        if c.operator == "in" and looked is not sides[1]:
            return []
        at = _index(found)
        fits = [i for i, item in enumerate(base.value.items) if _accepts(c.operator, wanted.value, item)]
        return [i - at for i in fits if 0 < abs(i - at) <= _FARTHEST]

    def _checked(self, src: SourceFile, near: ast.AST) -> Iterator[ast.Subscript]:
        function = function_of(src, near)
        for statement in own_nodes(function) if function else ():
            if isinstance(statement, ast.Assert):
                yield from (n for n in ast.walk(statement.test) if isinstance(n, ast.Subscript) and _index(n) >= 0)


def _accepts(operator: str, wanted: Value, item: Value) -> bool:
    if operator == "==":
        return wanted.source is not None and wanted.source == item.source
    a, b = text_of(wanted), text_of(item)
    if a is not None and b is not None:
        return bool(a) and a in b
    return wanted.source is not None and any(wanted.source == i.source for i in item.items)


def _index(node: ast.Subscript) -> int:
    value = node.slice.value if isinstance(node.slice, ast.Constant) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else -1


class NoSingleton(Tactic):
    """``assert f() is None`` where ``f`` returns a value now."""

    name = "no_singleton"
    summary = "Compares with the plain value that came instead of None, True or False"
    patterns = PATTERNS
    applicability = Applicability.REVIEW
    evidence = ("value", "git", "docs")
    heals = SINGLETON_HEALS
    declines = SINGLETON_DECLINES

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """``is`` becomes ``==`` with the value of now."""
        c = failure.comparison
        if c is None or failure.phase != "call" or c.negated or c.operator != "is" or c.style != "assert" or c.location is None:
            return
        src = ctx.source(c.location.path)
        sides = _sides(c)
        if src is None or len(sides) != 2 or siblings_passed(failure, ctx):
            return
        test = node_at(src, c.location, ast.Assert)
        compare = test.test if isinstance(test, ast.Assert) else None
        if not isinstance(compare, ast.Compare) or len(compare.ops) != 1 or loop_of(src, compare) is not None:
            return
        left, right = compare.left, compare.comparators[0]
        actual = sides[0].value
        if not (isinstance(right, ast.Constant) and repr(right.value) in _SINGLETONS) or isinstance(left, ast.Constant):
            return
        if actual.kind != "scalar" or actual.source is None or actual.source in _SINGLETONS or actual.truncated or volatile("", actual.source, ctx):
            return
        old = Value("bool" if right.value is not None else "NoneType", repr(right.value), source=repr(right.value))
        facts = facts_for(ctx, failure, old, actual, sides[0].source)
        if degenerate(actual) and not facts:
            return
        writer = writer_for(src, failure)
        change = Change()
        try:
            change.add(src, [Splice(src.span(left)[1], src.span(right)[1], f" == {writer.text(actual)}")], writer.imports)
        except Unwritable:
            return
        what = shorten(sides[0].source or "the actual value", 60)
        seen = Evidence("value", f"`{what}` gave {shorten(actual.repr)} where {right.value!r} was expected", str(c.location), 0.45)
        found = proposal(
            Finding(
                self.name,
                change,
                [failure],
                f"`{what}` is compared with {shorten(actual.repr, 60)}, no longer with {right.value!r}",
                f"{what} is {shorten(actual.repr, 60)}",
                f"value:{src.path}:{c.location.line}",
                [seen],
                facts,
                0.45,
            )
        )
        if found is not None:
            yield found


class ConvertedValue(Tactic):
    """``assert render(x) == x`` where ``render`` returns ``str(x)`` now."""

    name = "converted_value"
    summary = "Wraps the expected object in the conversion (str, repr, int, float, bytes) that the product applies to it now"
    patterns = PATTERNS
    applicability = Applicability.REVIEW
    evidence = ("value",)
    heals = CONVERTED_HEALS
    declines = CONVERTED_DECLINES

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """The conversion in the row of the parameter set, or at the check itself."""
        c = failure.comparison
        if c is None or failure.phase != "call" or c.negated or c.operator != "==" or c.style not in ("assert", "assertEqual"):
            return
        sides = _sides(c)
        if len(sides) != 2:
            return
        for expected, actual in ((sides[1], sides[0]), (sides[0], sides[1])):
            how = _conversion(expected.value, actual.value)
            src = ctx.source(expected.location.path) if expected.location else None
            node = node_at(src, expected.location) if src else None
            if how and src is not None and isinstance(node, ast.expr) and subjects(actual.source):
                yield from self._wrapped(failure, ctx, src, node, actual, how)

    def _wrapped(self, failure: Failure, ctx: Context, src: SourceFile, node: ast.expr, actual: Operand, how: str) -> Iterator[Proposal]:
        change = Change()
        done = [failure]
        row = _row(failure, ctx, src, node, node.id) if isinstance(node, ast.Name) else None
        if row is not None:
            done = []
            for other in alike(failure, ctx):
                theirs = _row(other, ctx, src, node, ast.unparse(node))
                sides = _sides(other.comparison) if other.comparison else []
                converted = len(sides) == 2 and how in (_conversion(sides[1].value, sides[0].value), _conversion(sides[0].value, sides[1].value))
                if theirs is not None and converted and _opaque(theirs[1]):
                    start, end = theirs[0].span(theirs[1])
                    change.add(theirs[0], [Splice(start, end, f"{how}({theirs[0].text[start:end]})")])
                    done.append(other)
        elif _opaque(node) and not siblings_passed(failure, ctx) and loop_of(src, node) is None:
            start, end = src.span(node)
            change.add(src, [Splice(start, end, f"{how}({src.text[start:end]})")])
        if failure not in done or not change.splices:
            return
        what = shorten(actual.source or "the actual value", 60)
        where = failure.comparison.location if failure.comparison else None
        seen = Evidence("value", f"`{what}` gave exactly {how}() of what was expected ({shorten(actual.value.repr, 60)})", str(where or ""), 0.6)
        found = proposal(
            Finding(
                self.name,
                change,
                done,
                f"`{what}` is compared with {how}() of the object",
                f"{what} converts with {how}",
                f"convert:{where}:{how}",
                [seen],
                score=0.5,
            )
        )
        if found is not None:
            yield found


def _row(failure: Failure, ctx: Context, src: SourceFile, use: ast.expr, name: str) -> Cell | None:
    """The expression that this failure's parameter set passes as ``name``."""
    function = function_of(src, use)
    return None if function is None or name not in failure.params else Tracer(failure, ctx).cell(function, name, src)


def _opaque(node: ast.expr) -> bool:
    """A name, an attribute or a call: something that has no literal of its own to be updated."""
    return isinstance(node, (ast.Name, ast.Attribute, ast.Call)) and not (isinstance(node, ast.Call) and not node.args and not node.keywords)


def _conversion(expected: Value, actual: Value) -> str:
    """The builtin that makes ``actual`` of ``expected``, by what was captured of both; ``""`` where none does for sure."""
    text = text_of(actual) if actual.type == "str" else None
    if actual.truncated or expected.truncated:
        return ""
    if text is not None and expected.type != "str" and expected.kind != "scalar" and text == expected.repr and text.strip("<>"):
        return "str"
    try:
        old = ast.literal_eval(expected.source or "")
        new = ast.literal_eval(actual.source or "")
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return ""
    if type(old) is type(new) or isinstance(old, bool) or not isinstance(old, (int, float, str)) or isinstance(new, bool) or new in ("", b"", 0):
        return ""
    for kind in (str, int, float):
        if type(new) is kind:
            try:
                return kind.__name__ if kind(old) == new and (kind is not int or float(old) == new) else ""
            except (ValueError, OverflowError):
                return ""
    return ""
