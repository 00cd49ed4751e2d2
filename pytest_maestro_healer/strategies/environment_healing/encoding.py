"""Text files that are opened in whatever encoding the machine prefers."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.model import Applicability, Diagnosis, Edit, Evidence, Failure, FailurePattern, Proposal
from pytest_maestro_healer.strategies.base import Tactic
from pytest_maestro_healer.strategies.environment_healing import examples_surroundings as examples
from pytest_maestro_healer.strategies.environment_healing.hints import is_assertion, texts
from pytest_maestro_healer.strategies.environment_healing.isolate import advice, propose
from pytest_maestro_healer.strategies.environment_healing.place import failing_function, test_function
from pytest_maestro_healer.strategies.environment_healing.writer import Writer

_OLD = ("cp1252", "latin-1")


class TextEncoding(Tactic):
    """``open`` without ``encoding``."""

    name = "text_encoding"
    summary = "Names the encoding of the text files that a test reads or writes, instead of taking the machine's preference"
    patterns = frozenset({FailurePattern.ENVIRONMENT_ISSUE, FailurePattern.ASSERTION_FAILURE, FailurePattern.UNKNOWN})
    applicability = Applicability.SAFE
    evidence = ("file", "experiment")
    sources = ("https://peps.python.org/pep-0597/", "https://docs.python.org/3/library/functions.html#open")
    heals = examples.ENCODING_HEALS
    declines = examples.ENCODING_DECLINES

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """Errors of a codec, and texts that came out as another encoding's."""
        return failure.is_a("UnicodeError") or (is_assertion(failure) and len(texts(failure)) == 2)

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """``encoding="utf-8"``; an older encoding, for review, where the file is no UTF-8."""
        own = [f for f in failure.frames if f.kind in ("test", "product")]
        if failure.is_a("UnicodeError") and own and own[-1].kind == "product":
            frame = own[-1]
            tree = ctx.symbols.tree(frame.location.path)
            if tree is not None and any(c.lineno <= frame.location.line <= (c.end_lineno or 0) for c in _calls(tree)):
                text = (
                    f"{frame.location} opens a text file without an encoding; this machine prefers {ctx.machine.encoding}, another one something else"
                )
                yield advice(self.name, failure, text)
            return
        place = failing_function(failure, ctx) or test_function(failure, ctx)
        if place is None or not list(_calls(place.node)):
            return
        utf8 = ctx.machine.encoding.replace("_", "-") in ("utf-8", "utf8")
        if is_assertion(failure) and (utf8 or not _mojibake(texts(failure), ctx.machine.encoding)):
            return
        group = [f for f in ctx.failures if f.path == failure.path and f.exc_type == failure.exc_type and f.healable]
        nodes = [p.node for f in group if (p := failing_function(f, ctx) or test_function(f, ctx)) is not None and p.src.path == place.src.path]
        for encoding in _OLD if utf8 else ("utf-8",):
            fact = Evidence(
                "file", f"the text is no valid {ctx.machine.encoding}, which is what this machine prefers", str(failure.location or ""), 0.75
            )
            proof = Evidence("experiment", f"read and written as {encoding} the test passes", place.src.path, 0.5)
            made = propose(
                self.name, group or [failure], ctx, lambda e=encoding: _named(place.src, nodes or [place.node], e, ctx),  # type: ignore[misc]
                evidence=[fact, proof], explanation=f"the test opens a text file without an encoding, and the machine's is {ctx.machine.encoding}",
                meaning="the file is UTF-8" if encoding == "utf-8" else "the file is in a Western 8-bit encoding",
                safe=encoding == "utf-8", score=0.8 if encoding == "utf-8" else 0.5,
            )  # fmt: skip
            if made is not None:
                yield made
                if not utf8:
                    return


def _named(src: SourceFile, nodes: Iterable[ast.AST], encoding: str, ctx: Context) -> tuple[tuple[Edit, ...], bool]:
    writer = Writer(src)
    for node in nodes:
        for call in _calls(node):
            end = src.span(call)[1] - 1
            inside = src.text[:end].rstrip()
            comma = "" if inside.endswith("(") else " " if inside.endswith(",") else ", "
            at = len(inside)
            writer.replace(at, at, f'{comma}encoding="{encoding}"')
    return writer.edits(), ctx.is_helper(src.path)


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    """Calls that open a text file without naming its encoding."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or any(k.arg in ("encoding", None) for k in node.keywords):
            continue
        name = last_name(node.func)
        method = isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") not in (
            "io",
            "codecs",
            "os",
            "gzip",
            "tarfile",
            "zipfile",
        )
        if name in ("read_text", "write_text") and len(node.args) <= (name == "write_text"):
            yield node
        elif name == "open" and (node.args or method):
            mode = next((k.value for k in node.keywords if k.arg == "mode"), None) or next(iter(node.args[1 - method :]), None)
            text = mode.value if isinstance(mode, ast.Constant) and isinstance(mode.value, str) else "r" if mode is None else "b"
            limit = 3 - method
            if "b" not in text and len(node.args) <= limit and (not method or text.strip("rwatx+U") == ""):
                yield node
        elif name in ("NamedTemporaryFile", "TemporaryFile", "fdopen"):
            mode = next((k.value for k in node.keywords if k.arg == "mode"), None) or next(iter(node.args[:1]), None)
            if isinstance(mode, ast.Constant) and isinstance(mode.value, str) and "b" not in mode.value and name != "fdopen":
                yield node


def _mojibake(compared: tuple[str, ...], encoding: str) -> bool:
    """Whether one text is the other's UTF-8 bytes read in the machine's encoding, or the reverse."""
    for a, b in (compared, compared[::-1]):
        try:
            if a != b and a.encode("utf-8").decode(encoding, "replace").split() == b.split():
                return True
        except (UnicodeError, LookupError):
            continue
    return False
