"""``in``, ``startswith`` and other predicates with a literal argument."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterable

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.model import Applicability, Comparison, Evidence, Failure, FailurePattern, Operand, Proposal, Value
from pytest_maestro_healer.strategies.assertion_update.case import (
    Change,
    Finding,
    advice,
    alike,
    facts_for,
    one_site_many_values,
    origin_of,
    proposal,
    shorten,
    volatile,
    writer_for,
)
from pytest_maestro_healer.strategies.assertion_update.examples_calls import MEMBER_DECLINES, MEMBER_HEALS, PREDICATE_DECLINES, PREDICATE_HEALS
from pytest_maestro_healer.strategies.assertion_update.matching import text_of
from pytest_maestro_healer.strategies.assertion_update.render import Unwritable, plain_of
from pytest_maestro_healer.strategies.assertion_update.strings import Splice, is_text
from pytest_maestro_healer.strategies.assertion_update.structure import Differ
from pytest_maestro_healer.strategies.assertion_update.texts import nearest, prefix, repattern
from pytest_maestro_healer.strategies.assertion_update.trace import Origin, Tracer
from pytest_maestro_healer.strategies.assertion_update.tree import node_at
from pytest_maestro_healer.strategies.assertion_update.words import by_the_product
from pytest_maestro_healer.strategies.base import Tactic

PATTERNS = frozenset({FailurePattern.ASSERTION_FAILURE, FailurePattern.API_CHANGE})


def text_value(text: str, like: Value | None = None) -> Value:
    """A captured string; bytes where ``like`` is bytes."""
    if like is not None and like.type == "bytes":
        data = repr(text.encode("latin-1"))
        return Value("bytes", data, source=data)
    return Value("str", repr(text), source=repr(text))


def _texts(a: Value, b: Value) -> tuple[str, str] | None:
    """Two strings, or two byte strings as text of the same length."""
    old, new = text_of(a), text_of(b)
    if old is not None and new is not None:
        return old, new
    if a.type == b.type == "bytes" and a.source and b.source:
        return ast.literal_eval(a.source).decode("latin-1"), ast.literal_eval(b.source).decode("latin-1")
    return None


def replace_value(
    failure: Failure, ctx: Context, tactic: str, origin: Origin, old: Value, new: Value, what: str, fact: Evidence | None = None
) -> Proposal | None:
    """A proposal that writes ``new`` at ``origin``, for all failures of the assertion that it heals; ``fact`` is what else speaks for it."""
    why = volatile(old.source or old.repr, new.source or new.repr, ctx)
    if why:
        text = f"{shorten(what)} is not the same in every run ({why}): no literal can be right"
        return advice("nondeterministic_value", failure, text, [Evidence("value", why, origin.where, 0.8)])
    why = one_site_many_values(failure, ctx, origin)
    if why:
        return advice("several_values", failure, f"not edited: {why}", [Evidence("value", why, origin.where, 0.6)])
    writer = writer_for(origin.src, failure)
    change = Change()
    try:
        change.add(origin.src, Differ(origin.src, writer).edit(origin.node, old, new), writer.imports)
    except Unwritable:
        return None
    facts = facts_for(ctx, failure, old, new, what)
    seen = Evidence("value", f"`{shorten(what, 60)}` has {shorten(new.repr)}, not {shorten(old.repr)}", origin.where, 0.5)
    line = failure.comparison.location.line if failure.comparison and failure.comparison.location else 0
    same = alike(failure, ctx) if not origin.row else [failure]
    return proposal(
        Finding(
            tactic,
            change,
            same,
            f"the expected {origin.via} at {origin.where} now reads as `{shorten(what, 60)}` gives it",
            f"{shorten(what, 60)} has {shorten(new.repr, 60)}",
            f"{tactic}:{origin.src.path}:{line}",
            [seen, *([fact] if fact else [])],
            facts,
            0.6 if fact else 0.5,
        )
    )


class ContainerMember(Tactic):
    """``assert "text" in output``."""

    name = "container_member"
    summary = "Updates a text or element that is expected in a container to the one that took its place there"
    patterns = PATTERNS
    applicability = Applicability.REVIEW
    evidence = ("value", "git", "docs")
    heals = MEMBER_HEALS
    declines = MEMBER_DECLINES

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """The most similar line part, element or key."""
        c = failure.comparison
        if c is None or c.operator != "in" or c.negated or failure.phase != "call":
            return
        member, container = c.operand("member"), c.operand("container")
        if member is None or container is None:
            return
        tracer = Tracer(failure, ctx)
        origin = origin_of(member, tracer)
        if origin is None:
            yield from self._written_container(failure, ctx, tracer, member, container)
            return
        texts = _texts(member.value, container.value)
        said = by_the_product(texts[0], failure.path, ctx, lambda t: t in texts[1]) if texts else None
        new = text_value(said[0], member.value) if said else took_the_place(member.value, container.value)
        if new is not None:
            what = container.source or "the container"
            found = replace_value(failure, ctx, self.name, origin, member.value, new, what, said[1] if said else None)
            if found is not None:
                yield found

    def _written_container(self, failure: Failure, ctx: Context, tracer: Tracer, member: Operand, container: Operand) -> Iterable[Proposal]:
        """``assert f(x) in (1, 2)``: the computed member is new, the list of allowed values is written."""
        origin = origin_of(container, tracer)
        value = plain_of(member.value) or member.value
        if origin is None or value.source is None or value.truncated or not isinstance(origin.node, (ast.Tuple, ast.List, ast.Set)):
            return
        items = [v for v in container.value.items if v.type == value.type]
        close = difflib.get_close_matches(value.repr, [v.repr for v in items], n=1, cutoff=0.6)
        at = next((i for i, v in enumerate(container.value.items) if close and v.repr == close[0]), -1)
        if at < 0 or len(container.value.items) != len(origin.node.elts) or isinstance(origin.node, ast.Set):
            return
        place = Origin(origin.src, origin.node.elts[at], origin.via, origin.shared, origin.row)
        found = replace_value(failure, ctx, self.name, place, container.value.items[at], value, member.source or "the value")
        if found is not None:
            yield found


def took_the_place(member: Value, container: Value) -> Value | None:
    """What stands in ``container`` for ``member``."""
    texts = _texts(member, container)
    if texts is not None:
        found = nearest(*texts)
        return text_value(found, member) if found and found != texts[0] and found.strip() else None
    items = container.keys if container.kind == "dict" else container.items
    if container.truncated or not items:
        return None
    same = [v for v in items if v.type == member.type and v.source is not None]
    close = difflib.get_close_matches(member.repr, [v.repr for v in same], n=2, cutoff=0.6)
    if not close or (len(close) > 1 and _ratio(member.repr, close[0]) - _ratio(member.repr, close[1]) < 0.05):
        return None
    return next(v for v in same if v.repr == close[0])


def _ratio(a: str, b: str) -> float:
    return difflib.SequenceMatcher(None, a, b).ratio()


class PredicateArgument(Tactic):
    """``assert s.startswith("x")``, ``endswith``, ``re.match``, ``isinstance``."""

    name = "predicate_argument"
    summary = "Updates the literal that startswith, endswith, a regular expression or isinstance was given"
    patterns = PATTERNS
    applicability = Applicability.REVIEW
    evidence = ("value", "git", "docs")
    heals = PREDICATE_HEALS
    declines = PREDICATE_DECLINES

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """The argument as the actual object has it."""
        c = failure.comparison
        if c is None or c.negated or failure.phase != "call":
            return
        if c.operator in ("isinstance", "match"):
            found = self._unittest(failure, ctx, c)
        elif c.operator == "bool" and c.style == "assert":
            found = self._assert(failure, ctx, c)
        else:
            return
        if found is not None:
            yield found

    def _assert(self, failure: Failure, ctx: Context, c: Comparison) -> Proposal | None:
        actual = c.operand("actual")
        src = ctx.source(actual.location.path) if actual and actual.location else None
        node = node_at(src, actual.location, ast.Call) if src and actual else None
        arguments = [o for o in c.operands if o.role == "argument"]
        receiver = c.operand("receiver")
        if not isinstance(node, ast.Call) or src is None or not arguments:
            return None
        name = last_name(node.func)
        if name in ("startswith", "endswith") and receiver is not None:
            texts = _texts(arguments[0].value, receiver.value)
            if texts is None:
                return None
            fits = texts[1].startswith if name == "startswith" else texts[1].endswith
            said = by_the_product(texts[0], failure.path, ctx, fits)
            new = said[0] if said else prefix(*texts) if name == "startswith" else _suffix(*texts)
            return self._text(failure, ctx, arguments[0], new, receiver.source or "", said[1] if said else None)
        if name in ("match", "search", "fullmatch") and len(arguments) == 2:
            pattern, text = text_of(arguments[0].value), text_of(arguments[1].value)
            new = repattern(pattern, text) if pattern is not None and text is not None else None
            return self._text(failure, ctx, arguments[0], new, arguments[1].source or "")
        if name == "isinstance" and len(arguments) == 2:
            return self._type(failure, ctx, src, arguments[0], arguments[1])
        return None

    def _unittest(self, failure: Failure, ctx: Context, c: Comparison) -> Proposal | None:
        actual, expected = c.operand("actual"), c.operand("match", "expected")
        if actual is None or expected is None or expected.location is None:
            return None
        if c.operator == "isinstance":
            src = ctx.source(expected.location.path)
            return self._type(failure, ctx, src, actual, expected) if src else None
        pattern, text = text_of(expected.value), text_of(actual.value)
        if c.style != "assertRegex" or pattern is None or text is None:
            return None
        return self._text(failure, ctx, expected, repattern(pattern, text), actual.source or "")

    def _text(self, failure: Failure, ctx: Context, argument: Operand, new: str | None, what: str, fact: Evidence | None = None) -> Proposal | None:
        origin = origin_of(argument, Tracer(failure, ctx))
        binary = argument.value.type == "bytes" and origin is not None and isinstance(origin.node, ast.Constant)
        if origin is None or not new or not (binary or is_text(origin.node)):
            return None
        value = text_value(new, argument.value)
        if value.source == argument.value.source:
            return None
        return replace_value(failure, ctx, self.name, origin, argument.value, value, what, fact)

    def _type(self, failure: Failure, ctx: Context, src: SourceFile, actual: Operand, expected: Operand) -> Proposal | None:
        node = node_at(src, expected.location) if expected.location else None
        module, _, name = actual.value.type.rpartition(".")
        if not isinstance(node, (ast.Name, ast.Attribute)) or not name.isidentifier() or name in ("NoneType", "function", "Mock", "MagicMock"):
            return None
        writer = writer_for(src, failure)
        try:
            text = writer.named(name, (f"from {module} import {name}",) if module else ())
        except Unwritable:
            return None
        change = Change()
        start, end = src.span(node)
        change.add(src, [Splice(start, end, text)], writer.imports)
        was = src.text[start:end]
        seen = Evidence("value", f"`{shorten(actual.source or '')}` is a {actual.value.type}, not a {was}", f"{src.path}:{node.lineno}", 0.5)
        facts = facts_for(ctx, failure, text_value(was), text_value(name), actual.source)
        line = node.lineno
        return proposal(
            Finding(
                self.name,
                change,
                alike(failure, ctx),
                f"the expected type is now {text}",
                f"{shorten(actual.source or '')} is a {name}",
                f"type:{src.path}:{line}",
                [seen],
                facts,
                0.45,
            )
        )


def _suffix(old: str, text: str) -> str | None:
    mark = old[:1]
    if mark and not mark.isalnum() and mark in text:
        return text[text.rindex(mark) :] if old.count(mark) == 1 else None
    found = nearest(old, text[-(len(old) * 2 + 8) :])
    return found if found and text.endswith(found) else None
