"""``pytest.raises``, ``pytest.warns`` and unittest's counterparts: type and message."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.model import Applicability, Comparison, Evidence, Failure, FailurePattern, Operand, Proposal, Value
from pytest_maestro_healer.strategies.assertion_update import intent
from pytest_maestro_healer.strategies.assertion_update.case import (
    Change,
    Finding,
    advice,
    contract_changed,
    origin_of,
    proposal,
    shorten,
    writer_for,
)
from pytest_maestro_healer.strategies.assertion_update.examples_calls import (
    MESSAGE_DECLINES,
    MESSAGE_HEALS,
    RAISE_DECLINES,
    RAISE_HEALS,
    TYPE_DECLINES,
    TYPE_HEALS,
)
from pytest_maestro_healer.strategies.assertion_update.matching import text_of
from pytest_maestro_healer.strategies.assertion_update.members import replace_value, text_value
from pytest_maestro_healer.strategies.assertion_update.render import Unwritable
from pytest_maestro_healer.strategies.assertion_update.strings import Splice, is_text
from pytest_maestro_healer.strategies.assertion_update.structure import Differ
from pytest_maestro_healer.strategies.assertion_update.texts import nearest, repattern
from pytest_maestro_healer.strategies.assertion_update.trace import Origin, Tracer
from pytest_maestro_healer.strategies.assertion_update.tree import function_of, node_at, parameters
from pytest_maestro_healer.strategies.base import Tactic

PATTERNS = frozenset(FailurePattern)
_TOO_BROAD = {"BaseException", "Exception", "Warning"}


class ExceptionType(Tactic):
    """Another exception than ``raises`` expects."""

    name = "exception_type"
    summary = "Updates the exception or warning class of raises and warns to exactly the one that is raised now"
    patterns = PATTERNS
    applicability = Applicability.REVIEW
    evidence = ("value", "git", "docs")
    heals = TYPE_HEALS
    declines = TYPE_DECLINES

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """The raised class, and the message with it where ``match`` no longer fits."""
        c = failure.comparison
        if c is None or c.style not in ("raises", "warns") or c.operator != "type" or contract_changed(failure) or failure.phase != "call":
            return
        expected, actual = c.operand("expected"), c.operand("actual")
        if expected is None or actual is None or expected.location is None:
            return
        raised = _raised(c, actual)
        if raised is None or raised.source is None or (failure.is_a("AssertionError") and c.style == "raises"):
            return
        found = self._edit(failure, ctx, c, expected, raised)
        if found is not None:
            yield found

    def _edit(self, failure: Failure, ctx: Context, c: Comparison, expected: Operand, raised: Value) -> Proposal | None:
        place = _class_site(failure, ctx, expected)
        if place is None:
            return None
        src, node = place
        writer = writer_for(src, failure)
        change = Change()
        try:
            text = writer.named(raised.source or "", raised.imports)
        except Unwritable:
            return None
        start, end = src.span(node)
        was = src.text[start:end]
        if raised.source in _TOO_BROAD and was not in _TOO_BROAD and not intent.product_hunks(ctx):
            return None
        change.add(src, [Splice(start, end, text)], writer.imports)
        message = text_of(c.operand("message").value) if c.operand("message") else None  # type: ignore[union-attr]
        if message is not None:
            _edit_match(change, src, c, message)
        facts = intent.corroboration(ctx, failure, was, text, [])
        seen = Evidence(
            "value",
            f"{raised.source} is {'emitted' if c.style == 'warns' else 'raised'} now: {shorten(message or failure.message)}",
            f"{src.path}:{node.lineno}",
            0.5,
        )
        return proposal(
            Finding(
                self.name, change, [failure], f"{was} became {text}", f"{raised.source} is what is meant to be raised instead of {was}",
                f"raises:{was}:{text}", [seen], facts, 0.5 if facts or not ctx.git.available else 0.4,
            )
        )  # fmt: skip


def _raised(c: Comparison, actual: Operand) -> Value | None:
    """The class that was raised; for warnings the only class that was emitted."""
    if c.style == "raises":
        return actual.value
    kinds = {v.items[0].source: v.items[0] for v in actual.value.items if v.items}
    return next(iter(kinds.values())) if len(kinds) == 1 else None


def _class_site(failure: Failure, ctx: Context, expected: Operand) -> tuple[SourceFile, ast.expr] | None:
    """Where the expected class is named: at the call, in a table's row, or at the call of the helper that has the raises."""
    src = ctx.source(expected.location.path) if expected.location else None
    node = node_at(src, expected.location) if src else None
    if src is None or not isinstance(node, (ast.Name, ast.Attribute)) or not ctx.is_test_code(src.path):
        return None
    if isinstance(node, ast.Name) and (function := function_of(src, node)) is not None and node.id in parameters(function):
        return Passed(failure, ctx).site(src, node)
    return src, node


class Passed(Tracer):
    """Follows a parameter to the expression that was passed, whatever kind of expression it is."""

    def site(self, src: SourceFile, node: ast.Name) -> tuple[SourceFile, ast.expr] | None:
        """The name or attribute that was passed for the parameter ``node``."""
        found = self.trace(node, src)
        return (found.src, found.node) if found is not None and isinstance(found.node, (ast.Name, ast.Attribute)) else None

    def trace(self, node: ast.expr, src: SourceFile, value: Value | None = None, depth: int = 0) -> Origin | None:
        """As the base class, but a name that is no parameter is the end of the way."""
        if isinstance(node, ast.Attribute):
            return Origin(src, node)
        function = function_of(src, node) if isinstance(node, ast.Name) else None
        if isinstance(node, ast.Name) and (function is None or node.id not in parameters(function)) and depth:
            return Origin(src, node)
        return super().trace(node, src, value, depth)


def _edit_match(change: Change, src: SourceFile, c: Comparison, message: str) -> None:
    """The ``match`` of the same call, where the new message no longer fits it."""
    import re

    call = node_at(src, c.location, ast.Call) if c.location and c.location.path == src.path else None
    node = next((k.value for k in call.keywords if k.arg == "match"), None) if isinstance(call, ast.Call) else None
    if node is None or not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        return
    try:
        if re.search(node.value, message):
            return
    except re.error:
        return
    new = repattern(node.value, message)
    if new is None:
        from pytest_maestro_healer.strategies.assertion_update.texts import escaped

        new = escaped(message.splitlines()[0] if message else "")
    if new:
        splices = Differ(src, writer_for(src, Failure("", "call", src.path, "", ""))).text(node, node.value, new)
        change.add(src, splices or [])


class ExceptionMessage(Tactic):
    """``match=`` that no longer fits."""

    name = "exception_message"
    summary = "Updates the text of match= to the new message, escaped where needed and as specific as before"
    patterns = PATTERNS
    applicability = Applicability.REVIEW
    evidence = ("value", "git", "docs")
    heals = MESSAGE_HEALS
    declines = MESSAGE_DECLINES

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """The pattern with the parts that changed."""
        c = failure.comparison
        if c is None or c.operator != "match" or c.style not in ("raises-match", "warns") or failure.phase != "call":
            return
        match, actual = c.operand("match"), c.operand("actual")
        old = text_of(match.value) if match else None
        if match is None or actual is None or old is None:
            return
        messages = [text_of(actual.value)] if c.style == "raises-match" else [text_of(v.items[1]) for v in actual.value.items if len(v.items) == 2]
        known = [m for m in messages if m is not None]
        if len(known) != 1:
            return
        origin, new, written = self._site(failure, ctx, match, old, known[0])
        if origin is not None and new:
            found = replace_value(failure, ctx, self.name, origin, written, text_value(new), "the message")
            if found is not None:
                yield found

    def _site(self, failure: Failure, ctx: Context, match: Operand, old: str, message: str) -> tuple[Origin | None, str | None, Value]:
        """Where the pattern is written; inside ``re.escape("...")`` the plain text."""
        src = ctx.source(match.location.path) if match.location else None
        node = node_at(src, match.location) if src else None
        if src is not None and isinstance(node, ast.Call) and last_name(node.func) == "escape" and node.args:
            inner = Tracer(failure, ctx).trace(node.args[0], src)
            plain = old.replace("\\", "")
            return inner, nearest(plain, message), text_value(plain)
        origin = origin_of(match, Tracer(failure, ctx))
        if origin is None or not is_text(origin.node):
            return None, None, match.value
        return origin, repattern(old, message), match.value


class NoLongerRaises(Tactic):
    """``DID NOT RAISE``."""

    name = "no_longer_raises"
    summary = "Names what no longer raises or warns; removing the check would remove the test, so nothing is edited"
    patterns = PATTERNS
    applicability = Applicability.ADVICE
    evidence = ("value", "git")
    heals = RAISE_HEALS
    declines = RAISE_DECLINES

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """A text with the product change that may explain it."""
        c = failure.comparison
        if c is None or c.operator not in ("DID NOT RAISE", "DID NOT WARN"):
            return
        kind = c.operand("expected")
        name = (kind.value.source or kind.source or kind.value.repr) if kind else "the exception"
        where = str(c.location or failure.path)
        removed = [
            h for h in intent.product_hunks(ctx) if any(name.split(".")[-1] in line and ("raise" in line or "warn" in line) for line in h.removed)
        ]
        facts = [Evidence("git", f"{h.path} no longer raises {name} there", f"{h.path}:{h.old_line}", 0.8) for h in removed[:1]]
        why = f"; {facts[0].sentence}, if that was meant, rewrite the test for the new behaviour" if facts else ""
        verb = "emitted" if c.operator == "DID NOT WARN" else "raised"
        yield advice(self.name, failure, f"{name} is no longer {verb} at {where}: a missing check in the product looks exactly like this{why}", facts)
