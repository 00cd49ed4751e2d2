"""Expected values that stand in a data file next to the tests."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Iterator
from typing import Any

from pytest_maestro_healer.edit.source import SourceFile, edits_between
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.model import Applicability, Evidence, Failure, FailurePattern, Operand, Proposal, Value
from pytest_maestro_healer.strategies.assertion_update.case import STRATEGY_NAME, degenerate, shorten, volatile
from pytest_maestro_healer.strategies.assertion_update.examples_values import GOLDEN_DECLINES, GOLDEN_HEALS
from pytest_maestro_healer.strategies.assertion_update.matching import text_of
from pytest_maestro_healer.strategies.assertion_update.trace import Tracer
from pytest_maestro_healer.strategies.assertion_update.tree import function_of, node_at, own_nodes
from pytest_maestro_healer.strategies.base import Tactic

_READERS = {"read_text", "read", "read_bytes", "load", "loads", "open", "readlines"}


class GoldenFile(Tactic):
    """``assert render() == (DATA / "expected.txt").read_text()``."""

    name = "golden_file"
    summary = "Updates an expected text or JSON document in a data file of the test folder, changing only what differs"
    patterns = frozenset({FailurePattern.ASSERTION_FAILURE})
    applicability = Applicability.REVIEW
    evidence = ("value",)
    heals = GOLDEN_HEALS
    declines = GOLDEN_DECLINES

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """One edit of the file that holds the expected value."""
        c = failure.comparison
        if c is None or c.operator != "==" or c.negated or failure.phase != "call":
            return
        left, right = c.operand("left", "actual"), c.operand("right", "expected")
        if left is None or right is None:
            return
        for expected, actual in ((right, left), (left, right)):
            new = actual.value
            if new.source is None or new.truncated or degenerate(new) or volatile(expected.value.repr, new.repr):
                continue
            for path in self._files(failure, ctx, expected):
                src = ctx.source(path)
                healed = rewritten(src.text, expected.value, new) if src else None
                if src is None or healed is None or healed == src.text:
                    continue
                before = src.data
                after = src.bom + healed.replace("\n", src.newline).encode(src.encoding)
                what = f"the golden file {path} now holds what `{shorten(actual.source or '', 60)}` gives"
                seen = Evidence("value", f"{path} holds the expected value of the comparison at {c.location}", path, 0.5)
                yield Proposal(
                    STRATEGY_NAME, self.name, edits_between(path, before, after), (seen,), Applicability.REVIEW, what, (failure.nodeid,),
                    meaning=what, cause_key=f"golden:{path}", score=0.45,
                )  # fmt: skip
                return

    def _files(self, failure: Failure, ctx: Context, operand: Operand) -> Iterator[str]:
        """Files of the test folder that the operand's expression names."""
        src = ctx.source(operand.location.path) if operand.location else None
        node = node_at(src, operand.location) if src else None
        if src is None or not isinstance(node, ast.expr):
            return
        words, reads = _words(src, node, Tracer(failure, ctx))
        names = [w for w in words if "." in w.rpartition("/")[2] and not w.endswith(".py")]
        if not reads or not names:
            return
        folder = src.path.rpartition("/")[0]
        for last in names:
            before = words[: words.index(last)]
            for start in range(len(before) + 1):
                tail = "/".join([*before[start:], last]).strip("/")
                for base in (folder, folder.rpartition("/")[0], ""):
                    path = f"{base}/{tail}".lstrip("/")
                    if ".." not in path.split("/") and ctx.is_test_code(path) and ctx.source(path) is not None:
                        yield path


def _words(src: SourceFile, node: ast.expr, tracer: Tracer, depth: int = 0) -> tuple[list[str], bool]:
    """The strings in an expression, names followed to their assignment, and whether it reads a file."""
    words: list[str] = []
    reads = False
    for n in sorted((x for x in ast.walk(node) if isinstance(x, ast.expr)), key=lambda x: (x.lineno, x.col_offset)):
        if isinstance(n, ast.Constant) and isinstance(n.value, str):
            words.append(n.value)
        elif isinstance(n, ast.Call) and last_name(n.func) in _READERS:
            reads = True
        elif isinstance(n, ast.Name) and depth < 5:
            value = _assigned(src, n)
            if value is not None:
                more, also = _words(src, value, tracer, depth + 1)
                words += more
                reads = reads or also
    return words, reads


def _assigned(src: SourceFile, use: ast.Name) -> ast.expr | None:
    """What a name was bound to: in the function (also ``with open(...) as name``), else in the module."""
    function = function_of(src, use)
    found: list[ast.expr] = []
    for n in [*(own_nodes(function) if function else ()), *(src.tree.body if src.tree else ())]:
        if isinstance(n, ast.Assign) and any(isinstance(t, ast.Name) and t.id == use.id for t in n.targets):
            found.append(n.value)
        elif isinstance(n, ast.withitem) and isinstance(n.optional_vars, ast.Name) and n.optional_vars.id == use.id:
            found.append(n.context_expr)
    return found[0] if len(found) == 1 else None


def rewritten(text: str, old: Value, new: Value) -> str | None:
    """The file's text with the new value; ``None`` where its content is not the expected value."""
    flat = text.replace("\r\n", "\n")
    was, now = text_of(old), text_of(new)
    if was is not None and now is not None:
        for head, body, tail in ((flat, flat, ""), (flat, flat.rstrip("\n"), "\n"), (flat, flat.strip(), "")):
            if body == was:
                at = head.find(body) if body else 0
                return head[:at] + now + (head[at + len(body) :] if head != body or not tail else "")
    try:
        document, before, after = json.loads(flat), ast.literal_eval(old.source or ""), ast.literal_eval(new.source or "")
    except (ValueError, SyntaxError, RecursionError):
        return None
    return _json(flat, after) if document == before else None


def _json(text: str, after: Any) -> str | None:
    """The document written as the file was: its indentation, separators and final newline."""
    document = json.loads(text)
    tail = text[len(text.rstrip()) :]
    for indent in (2, 4, None, 1, 3, "\t"):
        for ascii_only in (True, False):
            for keys in (False, True):
                for separators in (None, (",", ":"), (",", ": ")):
                    if json.dumps(document, indent=indent, ensure_ascii=ascii_only, sort_keys=keys, separators=separators) + tail == text:
                        return json.dumps(after, indent=indent, ensure_ascii=ascii_only, sort_keys=keys, separators=separators) + tail
    return _leaves(text, document, after)


def _leaves(text: str, before: Any, after: Any) -> str | None:
    """A document in a style of its own: single values replaced where the old one occurs once."""
    changed = list(_changed(before, after))
    if any(c is None for c in changed) or not changed:
        return None
    for pair in changed:
        old, new = (json.dumps(x, ensure_ascii=False) for x in pair or ("", ""))
        if text.count(old) != 1:
            return None
        text = text.replace(old, new)
    try:
        return text if json.loads(text) == after else None
    except ValueError:
        return None


def _changed(a: Any, b: Any) -> Iterator[tuple[Any, Any] | None]:
    if isinstance(a, dict) and isinstance(b, dict):
        if a.keys() != b.keys():
            yield None
            return
        for k in a:
            yield from _changed(a[k], b[k])
    elif isinstance(a, list) and isinstance(b, list):
        if len(a) != len(b):
            yield None
            return
        for x, y in zip(a, b, strict=True):
            yield from _changed(x, y)
    elif a != b or type(a) is not type(b):
        yield (a, b) if not isinstance(a, (dict, list)) else None
