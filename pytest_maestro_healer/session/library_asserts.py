"""Assertions made by libraries: the arguments of the asserting function are still the locals of its frame."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Sequence
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

from pytest_maestro_healer.capture.value_types import mock_call
from pytest_maestro_healer.capture.values import UNKNOWN, Limits, Snapshot, snapshot
from pytest_maestro_healer.model import Comparison, Operand, Value
from pytest_maestro_healer.session.positions import Objects, called

if TYPE_CHECKING:
    from pytest_maestro_healer.session.operands import Site

#: unittest's methods: operator and the roles of their first parameters.
UNITTEST: dict[str, tuple[str, tuple[str, ...]]] = {
    **dict.fromkeys(
        ("assertEqual", "assertListEqual", "assertTupleEqual", "assertSetEqual", "assertDictEqual", "assertSequenceEqual", "assertMultiLineEqual",
         "assertCountEqual", "assertEquals"), ("==", ("left", "right"))),
    "assertNotEqual": ("!=", ("left", "right")), "assertAlmostEqual": ("==", ("left", "right")), "assertNotAlmostEqual": ("!=", ("left", "right")),
    "assertIs": ("is", ("left", "right")), "assertIsNot": ("is not", ("left", "right")),
    "assertIn": ("in", ("member", "container")), "assertNotIn": ("not in", ("member", "container")),
    "assertLess": ("<", ("left", "right")), "assertLessEqual": ("<=", ("left", "right")),
    "assertGreater": (">", ("left", "right")), "assertGreaterEqual": (">=", ("left", "right")),
    "assertTrue": ("bool", ("actual",)), "assertFalse": ("bool", ("actual",)),
    "assertIsNone": ("is", ("actual",)), "assertIsNotNone": ("is not", ("actual",)),
    "assertIsInstance": ("isinstance", ("actual", "expected")), "assertNotIsInstance": ("not isinstance", ("actual", "expected")),
    "assertRegex": ("match", ("actual", "match")), "assertNotRegex": ("not match", ("actual", "match")),
}  # fmt: skip
_ROLES = {
    "actual": "actual", "x": "actual", "result": "actual", "got": "actual", "obj": "actual", "value": "actual", "first": "left", "left": "left",
    "desired": "expected", "expected": "expected", "y": "expected", "second": "right", "right": "right", "want": "expected", "other": "expected",
}  # fmt: skip
OPERATORS: dict[type, str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Is: "is", ast.IsNot: "is not",
    ast.In: "in", ast.NotIn: "not in",
}  # fmt: skip
_RAISES_CLASSES = ("RaisesContext", "RaisesExc", "RaisesGroup", "_AssertRaisesContext")
RAISES_NAMES = ("raises", "assertRaises", "assertRaisesRegex", "assertRaisesRegexp", "RaisesExc")


def compare(exc: BaseException, site: Site, inner: Sequence[TracebackType]) -> Comparison | None:
    """What a library function, called at ``site`` and represented by the ``inner`` entries, compared."""
    frames = [e.tb_frame for e in inner]
    for frame in frames:
        owner = type(frame.f_locals.get("self")).__name__
        if frame.f_code.co_name in ("__exit__", "__aexit__", "match", "_raiseFailure") and owner in (
            *_RAISES_CLASSES,
            "WarningsChecker",
            "ExceptionInfo",
        ):
            return _context(exc, site, frame, owner)
    if not isinstance(exc, (AssertionError,)):
        return None
    mock = [f for f in frames if f.f_code.co_name.startswith("assert_") and "call_args" in dir(type(f.f_locals.get("self")))]
    if mock:
        return _mock(site, mock)
    entry = next((f for f in frames if _asserting(f)), frames[0])
    name = entry.f_code.co_name
    if name in UNITTEST and _module(entry).startswith("unittest"):
        return _unittest(site, entry, name)
    inner_assert = next((f for f in frames if f.f_code.co_name in UNITTEST and _module(f).startswith("unittest")), None)
    return _other(site, entry, name) if inner_assert is None else _through(site, entry, inner_assert)


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def _asserting(frame: FrameType) -> bool:
    return frame.f_code.co_name.lower().startswith(("assert", "check", "is_", "expect")) and _module(frame).partition(".")[0] != "contextlib"


def _parameters(frame: FrameType) -> list[str]:
    code = frame.f_code
    return list(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])


def _arguments(call: ast.Call | None, names: Sequence[str]) -> dict[str, ast.expr]:
    """Parameter name -> the expression passed for it."""
    if call is None:
        return {}
    out = {k.arg: k.value for k in call.keywords if k.arg}
    for name, node in zip(names, call.args, strict=False):
        if isinstance(node, ast.Starred):
            break
        out[name] = node
    return out


def _unittest(site: Site, frame: FrameType, name: str) -> Comparison:
    operator, roles = UNITTEST[name]
    names = _parameters(frame)[1:]
    call = site.call(name)
    nodes = _arguments(call, names)
    if operator == "bool" and "expr" in nodes and (found := _written_comparison(site, name, nodes["expr"], call)) is not None:
        return found
    operands = [site.operand(r, nodes.get(n), snapshot(frame.f_locals.get(n))) for r, n in zip(roles, names, strict=False)]
    for extra in ("places", "delta"):
        if frame.f_locals.get(extra) is not None:
            operands.append(site.operand(extra, nodes.get(extra), snapshot(frame.f_locals[extra])))
    return Comparison(name, operator, tuple(operands), site.location(call), negated=name in ("assertFalse",))


def _written_comparison(site: Site, name: str, test: ast.expr, call: ast.Call | None) -> Comparison | None:
    """``assertTrue(a in b)``: the comparison inside, as far as its sides are at hand."""
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or type(test.ops[0]) not in OPERATORS:
        return None
    operator = OPERATORS[type(test.ops[0])]
    roles = ("member", "container") if operator in ("in", "not in") else ("left", "right")
    objects = Objects(site.frame)
    operands = []
    for role, node in zip(roles, (test.left, test.comparators[0]), strict=True):
        try:
            value = snapshot(objects.get(node))
        except Exception:
            value = UNKNOWN
        operands.append(site.operand(role, node, value))
    return Comparison(name, operator, tuple(operands), site.location(call), negated=name == "assertFalse")


def _through(site: Site, entry: FrameType, inner: FrameType) -> Comparison:
    """A library's helper that ends in a unittest assertion: its operands, and which of the helper's arguments they are."""
    operator, roles = UNITTEST[inner.f_code.co_name]
    call = site.call(entry.f_code.co_name)
    names = _parameters(entry)
    names = names[1:] if names[:1] == ["self"] else names
    passed = {n: snapshot(entry.f_locals[n]) for n in names if n in entry.f_locals}
    nodes = _arguments(call, names)
    operands = []
    for role, n in zip(roles, _parameters(inner)[1:], strict=False):
        value = snapshot(inner.f_locals.get(n))
        same = [p for p, v in passed.items() if p in nodes and v.source is not None and v == value]
        operands.append(site.operand(role, nodes[same[0]] if len(same) == 1 else None, value))
    return Comparison(inner.f_code.co_name, operator, tuple(operands), site.location(call))


def _mock(site: Site, frames: Sequence[FrameType]) -> Comparison:
    frame = frames[-1]
    name = frame.f_code.co_name
    mock, locals_ = frame.f_locals["self"], frame.f_locals
    call = next((c for f in frames if (c := site.call(f.f_code.co_name)) is not None), None)  # one method may be built on another
    shot = Snapshot(Limits())
    count = getattr(mock, "await_count" if "await" in name else "call_count", None)
    operands = [Operand("count", snapshot(count))]
    last = getattr(mock, "await_args" if "await" in name else "call_args", None)
    actual = UNKNOWN if last is None else mock_call(shot, last.args, last.kwargs)
    if name in (
        "assert_called_with",
        "assert_called_once_with",
        "assert_awaited_with",
        "assert_awaited_once_with",
        "assert_any_call",
        "assert_any_await",
    ):
        expected = mock_call(shot, locals_.get("args", ()), locals_.get("kwargs", {}))
        operands = [Operand("expected", expected, site.code.segment(call) if call and site.code else None), Operand("actual", actual), *operands]
    elif name in ("assert_has_calls", "assert_has_awaits"):
        nodes = _arguments(call, ["calls"])
        made = getattr(mock, "await_args_list" if "await" in name else "mock_calls", ())
        operands = [
            site.operand("expected", nodes.get("calls"), snapshot(list(locals_.get("calls", ())))),
            Operand("actual", snapshot(list(made))),
            *operands,
        ]
    return Comparison("mock", name, tuple(operands), site.location(call))


def _other(site: Site, frame: FrameType, name: str) -> Comparison | None:
    """numpy, pandas and any library function that asserts: its parameters by their names."""
    package = _module(frame).partition(".")[0]
    names = _parameters(frame)
    call = site.call(name)
    bound = bool(names) and names[0] in ("self", "cls")
    nodes = _arguments(call, names[1:] if bound else names)
    operands = []
    if bound:
        state = vars(frame.f_locals["self"]) if hasattr(frame.f_locals.get("self"), "__dict__") else {}
        held = next((state[k] for k in ("val", "value", "actual", "_actual", "subject", "_val", "_value") if k in state), UNKNOWN)
        operands.append(Operand("actual", UNKNOWN if held is UNKNOWN else snapshot(held)))
    for n in (names[1:] if bound else names)[:4]:
        if n in frame.f_locals and (n in nodes or n in _ROLES):
            operands.append(site.operand(_ROLES.get(n, n), nodes.get(n), snapshot(frame.f_locals[n])))
    if not operands:
        return None
    return Comparison(package if package in ("numpy", "pandas") else name, "==", tuple(operands), site.location(call))


# -- raises and warns --------------------------------------------------------------------------------------
def _context(exc: BaseException, site: Site, frame: FrameType, owner: str) -> Comparison | None:
    """A context manager of pytest or unittest that complained on leaving."""
    context = frame.f_locals["self"]
    if owner == "ExceptionInfo":
        call = site.call("match")
        nodes = _arguments(call, ["regexp"])
        pattern = site.operand("match", nodes.get("regexp"), snapshot(_pattern_text(frame.f_locals.get("regexp"))))
        return Comparison("raises-match", "match", (pattern, Operand("actual", _text(context.value))), site.location(call))
    if owner == "WarningsChecker":
        return _warns(site, context)
    call = _context_call(site, RAISES_NAMES)
    expected = _expected_types(context)
    nodes = _arguments(call, ["expected_exception"])
    kind = site.operand("expected", nodes.get("expected_exception"), snapshot(expected))
    raised = frame.f_locals.get("exc_val", frame.f_locals.get("exc_value", None))
    if raised is None and owner == "_AssertRaisesContext" and frame.f_code.co_name == "_raiseFailure":
        raised = exc.__context__ if "does not match" in str(exc) else None
    if raised is None:
        return Comparison("raises", "DID NOT RAISE", (kind,), site.location(call))
    pattern = _first(context, "match", "match_expr", "expected_regex")
    role = "expected_regex" if call and called(call) in ("assertRaisesRegex", "assertRaisesRegexp") else "match"
    node = _arguments(call, ["expected_exception", "expected_regex"]).get(role) if call else None
    operands = (
        site.operand("match", node, snapshot(_pattern_text(pattern))),
        Operand("actual", _text(raised)),
        kind,
        Operand("raised", snapshot(type(raised))),
    )
    return Comparison("raises-match", "match", operands, site.location(call))


def _warns(site: Site, context: Any) -> Comparison:
    call = _context_call(site, ("warns", "deprecated_call"))
    expected = _expected_types(context)
    pattern = _first(context, "match_expr")
    nodes = _arguments(call, ["expected_warning"])
    seen = [(w.category, str(w.message)) for w in list(context)[:20]]
    matching = [s for s in seen if isinstance(expected, (type, tuple)) and issubclass(s[0], expected)]
    operands = [site.operand("expected", nodes.get("expected_warning"), snapshot(expected)), Operand("actual", snapshot(seen))]
    if pattern is not None:
        operands.append(site.operand("match", nodes.get("match"), snapshot(_pattern_text(pattern))))
    operator = "match" if matching else "DID NOT WARN" if not seen else "type"
    return Comparison("warns", operator, tuple(operands), site.location(call))


def inside_raises(exc: BaseException, site: Site) -> Comparison | None:
    """An exception of another type than the enclosing ``raises`` expects."""
    for call in _context_calls(site, RAISES_NAMES):
        objects = Objects(site.frame)
        node = _arguments(call, ["expected_exception"]).get("expected_exception")
        try:
            expected = objects.get(node) if node is not None else None
        except Exception:
            expected = None
        value = UNKNOWN if expected is None else snapshot(expected)
        if expected is not None and _is_instance(exc, expected):
            continue
        operands = (site.operand("expected", node, value), Operand("actual", snapshot(type(exc))), Operand("message", _text(exc)))
        return Comparison("raises", "type", operands, site.location(call))
    return None


def _is_instance(exc: BaseException, expected: Any) -> bool:
    try:
        return isinstance(exc, expected)
    except TypeError:
        return False


def _context_calls(site: Site, names: Sequence[str]) -> list[ast.Call]:
    """Calls of ``names`` that enclose the running line: with items, innermost first, or a call with the function as an argument."""
    if site.code is None:
        return []
    line = site.entry.tb_lineno
    out = [i.context_expr for w in site.code.withs(line) for i in w.items if isinstance(i.context_expr, ast.Call) and called(i.context_expr) in names]
    if not out:
        out = [c for n in names for c in site.code.calls(site.span, n) if len(c.args) > 1]
    return out


def _context_call(site: Site, names: Sequence[str]) -> ast.Call | None:
    found = _context_calls(site, names)
    exact = [c for c in found if c.lineno <= site.entry.tb_lineno <= (c.end_lineno or c.lineno)]
    return next(iter(exact or found), None)


def _expected_types(context: Any) -> Any:
    found = _first(context, "expected_exceptions", "expected_exception", "expected_warning", "expected")
    return found[0] if isinstance(found, tuple) and len(found) == 1 else found


def _first(obj: Any, *names: str) -> Any:
    """The first of these attributes that is data and set."""
    for name in names:
        found = inspect.getattr_static(obj, name, None)
        if found is not None and not inspect.isroutine(found) and not isinstance(found, property):
            return getattr(obj, name, None)
    return None


def _pattern_text(pattern: Any) -> Any:
    return getattr(pattern, "pattern", pattern)


def _text(exc: BaseException) -> Value:
    """What ``match=`` is searched in: the message with its notes."""
    try:
        return snapshot("\n".join([str(exc), *map(str, getattr(exc, "__notes__", ()))]))
    except Exception:
        return UNKNOWN
