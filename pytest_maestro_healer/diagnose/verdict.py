"""Drift or regression? Reasons first, and "unknown" where there are none; pure over the facts it is given.

The facts: where the exception was raised, which product lines the test executed (a trace), and what git says changed there.
"""

from __future__ import annotations

import ast
import io
import re
import textwrap
import tokenize
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pytest_maestro_healer.diagnose.classify import by_rules, classify
from pytest_maestro_healer.evidence.git import Hunk
from pytest_maestro_healer.model import Cause, Diagnosis, Failure, FailurePattern


@dataclass(frozen=True)
class ProductChange:
    """A hunk of product code, with the lines of it that the failing test executed."""

    hunk: Hunk
    executed: frozenset[int] = frozenset()
    committed: str = ""

    @property
    def where(self) -> str:
        """``path:line (changed uncommitted)`` or with the commit's short id."""
        line = min(self.executed, default=self.hunk.new_line)
        return f"{self.hunk.path}:{line} ({'changed in ' + self.committed[:7] if self.committed else 'changed uncommitted'})"


def preliminary(failure: Failure) -> Diagnosis:
    """The diagnosis before any experiment: the pattern, and the cause where the failure alone tells it."""
    pattern, sure = classify(failure)
    rule = by_rules(failure)[0]  # what follows for the cause, and who is asked, rests on facts and not on a likelihood
    cause = Cause.UNKNOWN
    if rule in (FailurePattern.SYNTAX_ERROR, FailurePattern.IMPORT_ERROR, FailurePattern.API_CHANGE):
        cause = Cause.DRIFT if _raised_in_test(failure) else Cause.UNKNOWN
    elif rule is FailurePattern.ENVIRONMENT_ISSUE:
        cause = Cause.ENVIRONMENT
    elif rule is FailurePattern.FLAKY_BEHAVIOR:
        cause = Cause.FLAKY
    return Diagnosis(pattern, sure, cause, rule=rule)


def _raised_in_test(failure: Failure) -> bool:
    own = [f for f in failure.frames if f.kind != "stdlib"]
    return not own or own[-1].kind == "test"


def with_headers(executed: Mapping[str, frozenset[int]], source: Callable[[str], bytes | None]) -> dict[str, frozenset[int]]:
    """``executed`` with what the functions whose bodies ran go by: their headers (decorators, parameters, defaults) and the module's constants."""
    out: dict[str, frozenset[int]] = {}
    for path, lines in executed.items():
        more: set[int] = set()
        names: set[str] = set()
        try:
            tree = ast.parse(source(path) or b"")
        except (SyntaxError, ValueError, RecursionError):
            tree = ast.Module([], [])
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                body = node.body[0].lineno
                if not lines.isdisjoint(range(body, (node.end_lineno or body) + 1)):
                    more.update(range(min([node.lineno, *(d.lineno for d in node.decorator_list)]), body))
                    names.update(n.id for n in ast.walk(node) if isinstance(n, ast.Name))
        for statement in tree.body:
            if names.intersection(_constants(statement)):
                more.update(range(statement.lineno, (statement.end_lineno or statement.lineno) + 1))
        out[path] = lines | more
    return out


def _constants(statement: ast.stmt) -> list[str]:
    """The names that a statement at the top of a module gives a value."""
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target] if isinstance(statement, ast.AnnAssign) else []
    return [n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)]


def product_changes(
    hunks: Iterable[Hunk], executed: Mapping[str, frozenset[int]], is_product: Mapping[str, bool], commit: str
) -> list[ProductChange]:
    """The hunks in product files that the test executed; a pure deletion counts when the lines around it ran."""
    out = []
    for h in hunks:
        if not is_product.get(h.path, False) or h.path not in executed:
            continue
        span = range(h.new_line, h.new_line + len(h.added)) if h.added else range(h.new_line, h.new_line + 2)
        ran = frozenset(n for n in span if n in executed[h.path])
        if ran:
            out.append(ProductChange(h, ran, commit))
    return out


def judge(failure: Failure, changes: Sequence[ProductChange], *, new_values: Sequence[str] = (), first: Diagnosis | None = None) -> Diagnosis:
    """The verdict once nothing but the expected value could be changed to make the test pass.

    ``changes`` are the changed product lines the test executed, ``new_values`` the texts that the value heal would write. A product
    change that itself contains the new value, and no change of logic, reads as intended; a change of logic that nothing explains, or an
    exception raised inside the product, reads as a regression.
    """
    base = first or preliminary(failure)
    raised = _raised_inside_product(failure)
    if raised:
        change = next((c for c in changes if c.hunk.path == raised.partition(":")[0]), None)
        unset = _unset(failure)
        if unset and not changes:
            return replace(base, cause=Cause.ENVIRONMENT, reasons=(f"{raised} reads {unset}, which is not set here, and no change explains it",))
        reasons = [f"{failure.exc_type} is raised inside the product at {raised}"]
        if change:
            reasons.append(f"the test executes lines changed there: {change.where}")
        return replace(base, cause=Cause.REGRESSION_SUSPECTED, reasons=tuple(reasons), suspect=change.where if change else raised)
    logic = [c for c in changes if changes_logic(c.hunk)]
    stated = [v for v in new_values if any(_states(c.hunk, v) for c in changes)]
    if logic and not (new_values and len(stated) == len(new_values)):
        c = logic[0]
        reasons = [f"the test executes changed product logic at {c.where}", "nothing else states the new value"]
        return replace(base, cause=Cause.REGRESSION_SUSPECTED, reasons=tuple(reasons), suspect=c.where)
    if changes and stated:
        reasons = [f"the product's own change states the new value: {changes[0].where}"]
        return replace(base, cause=Cause.DRIFT, reasons=tuple(reasons), suspect=changes[0].where)
    return replace(base, suspect=changes[0].where if changes else "")


def _raised_inside_product(failure: Failure) -> str:
    """``path:line`` of the innermost product frame when the exception came up through it and is no assertion of the test's own."""
    if failure.phase == "collect" or failure.is_a("Failed"):
        return ""
    product = [f for f in failure.frames if f.kind == "product"]
    last_test = max((i for i, f in enumerate(failure.frames) if f.kind == "test"), default=-1)
    after = [f for f in failure.frames[last_test + 1 :] if f.kind == "product"]
    if not product or not after:
        return ""
    if _binding_error(failure) and len(after) == 1 and "*" in after[-1].text:
        return ""  # a wrapper handed on what the test gave, and that did not fit: a contract question, not a crash
    expected = failure.comparison
    if expected is not None and expected.style == "raises" and after[-1].text.startswith("raise"):
        return ""  # an error was expected and the product raises one on purpose, of another type
    return str(after[-1].location)


def _unset(failure: Failure) -> str:
    """The variable of the environment that the innermost product line demands and that is not set."""
    last = next((f for f in reversed(failure.frames) if f.kind == "product"), None)
    asked = re.search(r"\benviron\[\s*[\"'](\w+)[\"']\s*\]", last.text) if last is not None else None
    return asked[1] if asked and failure.is_a("KeyError") and failure.message.strip("'\"") == asked[1] else ""


def _binding_error(failure: Failure) -> bool:
    return failure.is_a("TypeError") and ("argument" in failure.message)


def changes_logic(hunk: Hunk) -> bool:
    """Whether more than literals, comments, docstrings and formatting changed."""
    return _shape(hunk.removed) != _shape(hunk.added)


_NO_LOGIC = frozenset({tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER})


def _shape(lines: Sequence[str]) -> list[str]:
    """The tokens without texts, comments and layout; numbers count as logic, since a changed number is a changed result, and so does what is
    put into a text (how it is shown there does not)."""
    out: list[str] = []
    text = textwrap.dedent("\n".join(lines)) + "\n"
    rows = text.splitlines(keepends=True)
    begun: list[tuple[int, int]] = []  # from Python 3.12 on an f-string is several tokens
    try:
        for tok in tokenize.generate_tokens(io.StringIO(text).readline):
            kind = tokenize.tok_name[tok.type]
            if kind in ("FSTRING_START", "TSTRING_START"):
                begun.append(tok.start)
            elif kind in ("FSTRING_END", "TSTRING_END"):
                begin = begun.pop()
                out += [] if begun else _put_in(_between(rows, begin, tok.end))
            elif tok.type == tokenize.STRING and not begun:
                out += _put_in(tok.string)
            elif tok.type not in _NO_LOGIC and not begun:
                out.append(tok.string)
    except (tokenize.TokenError, SyntaxError):
        out.append(text)
    return out


def _between(rows: Sequence[str], begin: tuple[int, int], end: tuple[int, int]) -> str:
    """The source from one position to another (lines from 1)."""
    if begin[0] == end[0]:
        return rows[begin[0] - 1][begin[1] : end[1]]
    return "".join([rows[begin[0] - 1][begin[1] :], *rows[begin[0] : end[0] - 1], rows[end[0] - 1][: end[1]]])


def _put_in(literal: str) -> list[str]:
    """A text as one token, and each expression whose value is put into it."""
    try:
        tree = ast.parse(f"({literal})", mode="eval")
    except (SyntaxError, ValueError):
        return ["STR"]
    return ["STR", *(ast.unparse(n.value) for n in ast.walk(tree) if isinstance(n, ast.FormattedValue))]


def stated(hunks: Iterable[Hunk], values: Sequence[str]) -> bool:
    """Whether changes bring in all of ``values`` (source texts)."""
    found = tuple(hunks)
    return bool(values) and all(any(_states(h, v) for h in found) for v in values)


def _states(hunk: Hunk, value: str) -> bool:
    """Whether the change brings in ``value`` (source text of a literal, or a piece of a string); one that stood there before says nothing."""
    try:
        literal = ast.literal_eval(value)
    except (ValueError, SyntaxError):
        literal = value
    text = literal if isinstance(literal, str) else value.strip()
    # as a word of its own: 5 does not stand in 50 or 1.5, nor red in hundred
    before = r"(?<!\w)(?<!\d\.)" if text[:1].isalnum() else ""
    after = r"(?!\w|\.\d)" if text[-1:].isalnum() else ""
    word = re.compile(before + re.escape(text) + after)
    removed, added = (len(word.findall("\n".join(lines))) for lines in (hunk.removed, hunk.added))
    return bool(text) and added > removed
