"""Expectations that hold on one platform or one version of Python."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Applicability, Edit, Evidence, Failure, FailurePattern, Operand, Proposal
from pytest_maestro_healer.strategies.base import Tactic
from pytest_maestro_healer.strategies.environment_healing import examples_platform as examples
from pytest_maestro_healer.strategies.environment_healing.hints import product_change
from pytest_maestro_healer.strategies.environment_healing.isolate import propose
from pytest_maestro_healer.strategies.environment_healing.place import test_function
from pytest_maestro_healer.strategies.environment_healing.writer import Writer, quoted

_VERSION = re.compile(r"Python :: 3\.(\d+)|\bpy3(\d+)\b|[\"'\s\[,-]3\.(\d+)(?=[\"'\s,\]-])")
_PLACES = ("pyproject.toml", "setup.cfg", "setup.py", "tox.ini", "noxfile.py", ".travis.yml", ".github/workflows")


class PlatformCondition(Tactic):
    """Path separators, line ends, and texts that the interpreter itself words."""

    name = "platform_condition"
    summary = "Makes an expectation depend on the platform's separator or line end, or on the Python version whose wording it has"
    patterns = frozenset({FailurePattern.ASSERTION_FAILURE})
    applicability = Applicability.REVIEW
    evidence = ("value", "docs")
    sources = ("https://docs.python.org/3/library/os.html#os.sep", "https://docs.python.org/3/whatsnew/")
    heals = examples.PLATFORM_HEALS
    declines = examples.PLATFORM_DECLINES

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """One condition for the literal that was expected."""
        comparison = failure.comparison
        if comparison is None or comparison.operator not in ("==", "in") or comparison.negated or failure.phase != "call":
            return
        for expected, actual in _sides(comparison.operands, comparison.operator):
            found = _literal(expected, ctx)
            old, new = _plain(expected), _plain(actual)
            if found is None or old is None or new is None:
                continue
            src, node = found
            made = self._surface(failure, ctx, src, node, old, new) or self._version(failure, ctx, src, node, old, new, comparison.operator)
            if made is not None:
                yield made
                return

    def _surface(self, failure: Failure, ctx: Context, src: SourceFile, node: ast.Constant, old: str, new: str) -> Proposal | None:
        """Separators and line ends."""
        windows = ctx.machine.platform == "win32"
        if "\\" in old + new and old.replace("\\", "/") == new.replace("\\", "/") and ("/" in new) is not windows:
            parts = re.split(r"[\\/]", old)
            if any(":" in p for p in parts) or not all(parts):
                return None
            what, text = "path separators", "os.path.join(" + ", ".join(quoted(p) for p in parts) + ")"
        elif "\r\n" in old + new and old.replace("\r\n", "\n") == new.replace("\r\n", "\n"):
            plain = src.segment(node).replace("\\r\\n", "\\n")
            what, text = "line ends", f'{plain}.replace("\\n", os.linesep)'
        else:
            return None
        fact = Evidence(
            "value", f"expected and actual text differ in their {what} only; this run is on {ctx.machine.platform}", str(failure.location or ""), 0.8
        )
        return self._made(
            failure, ctx, src, node, text, "import os", [fact], f"the expected text has another platform's {what}", f"{what} are the platform's"
        )

    def _version(self, failure: Failure, ctx: Context, src: SourceFile, node: ast.Constant, old: str, new: str, operator: str) -> Proposal | None:
        """A text of the interpreter's own, in a project that was never run on this version."""
        declared = dict(_declared(ctx))
        here = ctx.machine.python
        if not declared or max(declared) >= here[1] or operator != "==" or not _interpreter_text(failure, src, ctx):
            return None
        newest = max(declared)
        text = f"({quoted(new)} if sys.version_info >= (3, {here[1]}) else {src.segment(node)})"
        facts = [
            Evidence("docs", f"the project declares Python up to 3.{newest}; this is 3.{here[1]}", declared[newest], 0.6),
            Evidence("value", "the text is the interpreter's own: no code of the project writes it", str(failure.location or ""), 0.6),
        ]
        told = f"Python 3.{here[1]} words it differently from 3.{newest}, the newest that the project declares"
        return self._made(failure, ctx, src, node, text, "import sys", facts, told, f"the wording depends on Python 3.{here[1]}")

    def _made(
        self,
        failure: Failure,
        ctx: Context,
        src: SourceFile,
        node: ast.Constant,
        text: str,
        needed: str,
        facts: list[Evidence],
        told: str,
        meaning: str,
    ) -> Proposal | None:
        def change() -> tuple[tuple[Edit, ...], bool]:
            writer = Writer(src)
            writer.module(needed.partition(" ")[2])
            writer.replace_node(node, text)
            return writer.edits(), ctx.is_helper(src.path)

        return propose(self.name, [failure], ctx, change, evidence=facts, explanation=told, meaning=meaning, safe=False, score=0.75)


def _sides(operands: tuple[Operand, ...], operator: str) -> Iterator[tuple[Operand, Operand]]:
    if len(operands) == 2:
        yield operands[1], operands[0]
        yield operands[0], operands[1]


def _plain(operand: Operand) -> str | None:
    try:
        value = ast.literal_eval(operand.value.source or "")
    except (ValueError, SyntaxError):
        return None
    return value if isinstance(value, str) else None


def _literal(operand: Operand, ctx: Context) -> tuple[SourceFile, ast.Constant] | None:
    """The string literal that an operand is in the source."""
    where = operand.location
    src = ctx.source(where.path) if where else None
    if where is None or src is None or src.tree is None or where.col < 0:
        return None
    for node in ast.walk(src.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and (node.lineno, node.col_offset) == (where.line, where.col):
            return src, node
    return None


def _declared(ctx: Context) -> Iterator[tuple[int, str]]:
    """Minor versions of Python 3 that the project names for itself, with the place."""
    paths = [p for p in _PLACES if "." in p.rpartition("/")[2]]
    paths += [f".github/workflows/{n}" for n in ctx.machine.entries(f"{ctx.root}/.github/workflows")]
    for path in paths:
        text = (ctx.files.read(path) or b"").decode("utf-8", "replace")
        for line in text.splitlines():
            if "requires-python" in line or "python_requires" in line or ("ython" not in line and "py3" not in line and "envlist" not in line):
                continue
            for m in _VERSION.finditer(line):
                minor = int(next(g for g in m.groups() if g))
                if 3 <= minor < 40:
                    yield minor, path


def _interpreter_text(failure: Failure, src: SourceFile, ctx: Context) -> bool:
    """Whether the actual text came from an exception or repr that no project code wrote, and no product change explains it."""
    place = test_function(failure, ctx)
    if place is None:
        return False
    body = src.segment(place.node)
    raised = re.search(r"\b(excinfo|exc_info|exc|err|error|e|info|caught)\b(\.value)?|\bstr\(|\brepr\(|\.msg\b|\.args\b", failure.statement)
    actual = failure.comparison.operands if failure.comparison else ()
    words = [t for o in actual if (t := _plain(o)) is not None]
    reached = [p for p in ctx.variables.reachable(failure.path) if not ctx.is_test_code(p)]
    for text in words:
        longest = max(re.findall(r"[A-Za-z ']{6,}", text) or [text], key=len).strip()
        if any(longest.encode() in ctx.symbols.read(p) for p in reached) or product_change(ctx, longest):
            return False
    return bool(raised) and "raises" in body + failure.statement + "assertRaises"
