"""A failure from what somebody wrote about it: error type, message, traceback text. What the text does not say stays unknown."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.model import Comparison, Failure, FailurePattern, Frame, Location, Operand, Phase, Value

#: What stands for an exception where only the kind of failure is named.
_BY_PATTERN = {
    FailurePattern.IMPORT_ERROR: "ImportError",
    FailurePattern.ASSERTION_FAILURE: "AssertionError",
    FailurePattern.TIMEOUT: "TimeoutError",
    FailurePattern.FLAKY_BEHAVIOR: "AssertionError",
    FailurePattern.ENVIRONMENT_ISSUE: "OSError",
    FailurePattern.SYNTAX_ERROR: "SyntaxError",
    FailurePattern.DEPENDENCY_CONFLICT: "ImportError",
}
_TYPED = re.compile(
    r"^(?:E\s+)?((?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Warning|Failed|Exit|Interrupt|Timeout|Expired|Skipped|Failure))(?::\s?(.*))?$"
)
_PYTHON_FRAME = re.compile(r'^\s*File "([^"\n]+)", line (\d+)(?:, in (\S+))?', re.M)
_PYTEST_FRAME = re.compile(r"^(\S[^\s:]*\.py):(\d+): (?:in (\S+))?", re.M)
_NUMBER = r"-?\d+(?:\.\d+)?"
_LITERAL = rf"({_NUMBER}|'[^'\n]*'|\"[^\"\n]*\"|True|False|None)"
#: Texts that state both values: (expression, the expected value stands first).
_STATED = (
    (re.compile(rf"\bexpected:?\s+(?:status(?: code)?\s+)?{_LITERAL},?\s+(?:but\s+)?(?:got|was|received|actual(?:ly)?):?\s+{_LITERAL}", re.I), True),
    (re.compile(rf"\bgot:?\s+{_LITERAL},?\s+expected:?\s+{_LITERAL}", re.I), False),
    (re.compile(rf"^(?:E\s+)?(?:AssertionError: )?(?:assert )?{_LITERAL}\s*(?:==|!=)\s*{_LITERAL}\s*$", re.M), False),
)
_MISSING_MODULE = re.compile(r"No module named ['\"]?([\w.]+)")
_CANNOT = re.compile(r"cannot import name ['\"](\w+)['\"] from (?:partially initialized module )?['\"]([\w.]+)['\"]")
_UNDEFINED = re.compile(r"name ['\"](\w+)['\"] is not defined")
_FIXTURE = re.compile(r"fixture ['\"](\w+)['\"] not found")
_LACKS = re.compile(r"(?:(module|type object) )?['\"]([\w.]+)['\"](?: object)? has no attribute ['\"](\w+)['\"]")


#: What code meets that is taken out of its project.
_SURROUNDINGS = ("ImportError", "NameError", "FixtureLookupError", "FileNotFoundError", "AttributeError")


@dataclass(frozen=True)
class Report:
    """The words about one failure; only ``message`` is ever expected, and even that may be empty."""

    message: str = ""
    error_type: str = ""
    trace: str = ""

    @staticmethod
    def of(details: Mapping[str, Any]) -> Report:
        """From the Python API's ``error_details``: ``error_message`` or ``message``, ``error_type``, ``stack_trace`` or ``traceback``."""

        def text(*names: str) -> str:
            return next((str(details[n]) for n in names if details.get(n)), "")

        return Report(text("error_message", "message", "error"), text("error_type", "exception_type"), text("stack_trace", "traceback", "longrepr"))

    @property
    def says_something(self) -> bool:
        """Whether the failure can be told from another by it."""
        return bool(self.message.strip() or self.error_type.strip() or self.trace.strip())

    @property
    def typed(self) -> tuple[str, str]:
        """(exception type or ``""``, message): as given, else from the traceback's last line, else from the kind of failure."""
        lines = [line.strip() for line in f"{self.message}\n{self.trace}".splitlines()]
        found = next((m for m in map(_TYPED.match, lines[:1]) if m), None) or next((m for m in map(_TYPED.match, reversed(lines)) if m), None)
        message = self.message.strip()
        if found and message.startswith(found[1]):
            message = message[len(found[1]) :].lstrip(": ")
        message = message or (found[2] or "" if found else "")
        given = self.error_type.strip()
        pattern = _pattern(given)
        if given and pattern is None:
            return given.rpartition(".")[2] if given.startswith("builtins.") else given, message
        if found:
            return found[1], message
        return _spoken(message) or (_BY_PATTERN.get(pattern, "") if pattern else ""), message


def _pattern(name: str) -> FailurePattern | None:
    try:
        return FailurePattern(name.lower())
    except ValueError:
        return None


def _spoken(message: str) -> str:
    """The exception that speaks like this."""
    for pattern, name in ((_MISSING_MODULE, "ModuleNotFoundError"), (_CANNOT, "ImportError"), (_UNDEFINED, "NameError"), (_LACKS, "AttributeError"),
                          (_FIXTURE, "FixtureLookupError")):  # fmt: skip
        if pattern.search(message):
            return name
    if "argument" in message and re.search(r"\w+\(\) (?:got|takes|missing)", message):
        return "TypeError"
    return "AssertionError" if any(p.search(message) for p, _ in _STATED) else ""


def failure_from_text(report: Report, source: SourceFile, nodeid: str, function: str = "") -> Failure:
    """The failure that ``report`` speaks of, in the test file ``source``.

    Code that does not parse is a syntax error whatever was said: that much is known without running anything.
    """
    broken = source.syntax_error
    exc_type, message = report.typed
    if broken is not None:
        where = Location(source.path, broken.lineno or 1)
        attrs = {"filename": source.path, "msg": broken.msg or "", "lineno": broken.lineno, "offset": broken.offset, "text": broken.text or ""}
        attrs |= {"end_lineno": broken.end_lineno, "end_offset": broken.end_offset}
        name = type(broken).__name__
        return Failure(source.path, "collect", source.path, name, str(broken), _mro(name), location=where, exc_attrs=attrs,
                       statement=_line(source, where.line), longrepr=report.trace)  # fmt: skip
    frames = _frames(report, source.path)
    place = next((f.location for f in reversed(frames) if f.location.path == source.path), None)
    place = place or _place(source, report, message, exc_type, function)
    attrs = _attrs(message, exc_type)
    at_import = exc_type in ("ImportError", "ModuleNotFoundError") and not function and (place is None or not _inside(source, place))
    phase: Phase = "collect" if at_import else "call"
    return Failure(
        nodeid=source.path if phase == "collect" else nodeid,
        phase=phase,
        path=source.path,
        exc_type=exc_type or "Exception",
        message=message,
        exc_mro=_mro(exc_type),
        frames=tuple(frames),
        location=place,
        statement=_line(source, place.line) if place else "",
        function=function,
        comparison=_comparison(source, place, f"{message}\n{report.trace}") if exc_type in ("AssertionError", "") else None,
        exc_attrs=attrs,
        longrepr=report.trace,
    )


def _mro(name: str) -> tuple[str, ...]:
    cls = getattr(builtins, name, None)
    if isinstance(cls, type) and issubclass(cls, BaseException):
        return tuple(c.__name__ for c in cls.__mro__[:-1])
    return (name, "Exception", "BaseException") if name else ()


def _frames(report: Report, path: str) -> list[Frame]:
    """The traceback's entries; those whose file name ends like the test file's are its own."""
    out = []
    text = f"{report.trace}\n{report.message}"
    found = [(m.start(), m[1], int(m[2]), m[3] or "") for p in (_PYTHON_FRAME, _PYTEST_FRAME) for m in p.finditer(text)]
    for _, file, line, function in sorted(found):
        name = file.replace("\\", "/")
        own = name == path or name.endswith("/" + path) or path.endswith("/" + name)
        kind = "test" if own else "third_party" if "site-packages" in name else "stdlib" if "/lib/python" in name else "product"
        out.append(Frame(Location(path if own else name, line), function, kind))  # type: ignore[arg-type]
    return out


def _line(source: SourceFile, line: int) -> str:
    return source.lines[line - 1].strip() if 1 <= line <= len(source.lines) else ""


def _inside(source: SourceFile, place: Location) -> bool:
    """Whether the line lies in a function."""
    functions = (n for n in ast.walk(source.tree or ast.Module([], [])) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)))
    return any(n.lineno < place.line <= (n.end_lineno or 0) for n in functions)


def _attrs(message: str, exc_type: str) -> dict[str, Any]:
    cannot, module, name, lacks, fixture = (p.search(message) for p in (_CANNOT, _MISSING_MODULE, _UNDEFINED, _LACKS, _FIXTURE))
    if cannot:
        return {"name": cannot[2], "name_from": cannot[1], "path": "", "msg": message}
    if module:
        return {"name": module[1], "name_from": "", "path": "", "msg": message}
    if name:
        return {"name": name[1]}
    if lacks:
        kind = {"module": "module", "type object": "class"}.get(lacks[1] or "", "instance")
        return {"name": lacks[3], "obj_kind": kind, "obj_name": lacks[2], "obj_type": "module" if kind == "module" else lacks[2], "candidates": []}
    if fixture:
        return {"argname": fixture[1], "available": re.findall(r"\w+", message.partition("available fixtures:")[2])}
    return {}


def _functions(source: SourceFile, function: str) -> list[ast.AST]:
    """The functions of the test file that may have failed."""
    tree = source.tree or ast.Module([], [])
    every = [n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
    return [n for n in every if n.name == function.rpartition(".")[2]] or [n for n in every if n.name.startswith("test")] or [tree]


def _place(source: SourceFile, report: Report, message: str, exc_type: str, function: str) -> Location | None:
    """Where no traceback says it: the one line that has the name spoken of, or the one assert that states the expected value."""
    stated = stated_values(f"{message}\n{report.trace}")
    attrs = _attrs(message, exc_type)
    hits: set[int] = set()
    for root in [source.tree or ast.Module([], [])] if "name_from" in attrs else _functions(source, function):
        for node in ast.walk(root):
            if stated and isinstance(node, ast.Assert) and any(_literal(n) == stated[0] for n in ast.walk(node.test) if isinstance(n, ast.Constant)):
                hits.add(node.lineno)
            elif "name_from" in attrs and isinstance(node, (ast.Import, ast.ImportFrom)):
                names = [a.name for a in node.names]
                module = getattr(node, "module", "") or ""
                wanted = {attrs["name"], attrs["name_from"]} - {""}
                if wanted & {module, *names} or any(n.startswith(f"{attrs['name']}.") for n in (module, *names)):
                    hits.add(node.lineno)
            elif attrs.get("name") == (getattr(node, "attr", None) if "obj_name" in attrs else getattr(node, "id", None)) is not None:
                hits.add(node.lineno)  # type: ignore[attr-defined]
    return Location(source.path, min(hits)) if len(hits) == 1 or ("name_from" in attrs and hits) else None


def stated_values(text: str) -> tuple[Any, Any] | None:
    """(expected, actual) where the text states both, such as ``Expected 200, got 404`` or ``assert 404 == 200``."""
    for pattern, expected_first in _STATED:
        m = pattern.search(text)
        if m:
            try:
                pair = ast.literal_eval(m[1]), ast.literal_eval(m[2])
            except (ValueError, SyntaxError):
                continue
            return pair if expected_first else (pair[1], pair[0])
    return None


def _literal(node: ast.AST) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        return ...


def _comparison(source: SourceFile, place: Location | None, text: str) -> Comparison | None:
    """The equality that the text states both sides of, where the assert at ``place`` compares with one of them as a literal."""
    stated = stated_values(text)
    if stated is None or place is None or source.tree is None:
        return None
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Assert) or not node.lineno <= place.line <= (node.end_lineno or node.lineno):
            continue
        test = node.test
        if not (isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq)):
            return None
        sides = (test.left, test.comparators[0])
        literals = [_same(_literal(s), stated[0]) for s in sides]
        if literals.count(True) != 1:
            return None
        values = [stated[0] if is_expected else stated[1] for is_expected in literals]
        operands = tuple(
            Operand(role, Value(type(v).__name__, repr(v), source=repr(v)), source.segment(side), _location(source, side))
            for role, v, side in zip(("left", "right"), values, sides)
        )
        return Comparison("assert", "==", operands, _location(source, node))
    return None


def _same(a: object, b: object) -> bool:
    return type(a) is type(b) and a == b


def _location(source: SourceFile, node: ast.AST) -> Location:
    n: ast.expr = node  # type: ignore[assignment]
    return Location(source.path, n.lineno, n.col_offset, n.end_lineno or -1, n.end_col_offset if n.end_col_offset is not None else -1)


# -- the failure that was meant --------------------------------------------------------------------------------
def likeness(failure: Failure, report: Report) -> float:
    """How well a failure that was seen fits what was said, 0..1; 0.5 where nothing was said."""
    if not report.says_something:
        return 0.5
    exc_type, message = report.typed
    score = 0.0
    if exc_type and failure.is_a(exc_type, exc_type.rpartition(".")[2]):
        score += 0.5
    words = set(re.findall(r"\w+", (message or report.trace).lower()))
    own = set(re.findall(r"\w+", f"{failure.message} {failure.statement}".lower()))
    if words and own:
        score += 0.5 * len(words & own) / min(len(words), len(own))
    return min(1.0, score)


def meant(failure: Failure, report: Report) -> bool:
    """Whether a failure seen outside of its own project is the one that was reported, and not one of the missing surroundings."""
    exc_type, message = report.typed
    if exc_type and not failure.is_a(exc_type, exc_type.rpartition(".")[2]):
        return False
    if failure.is_a("SyntaxError"):
        return True
    if failure.is_a(*_SURROUNDINGS):
        names, own = (set(re.findall(r"['\"]([\w.]+)['\"]", t)) for t in (message, failure.message))
        return names <= own if names else bool(exc_type) and not message
    stated, seen = stated_values(f"{message}\n{report.trace}"), stated_values(failure.message)
    return stated == seen if stated and seen else True
