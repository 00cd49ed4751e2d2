"""Assertions in one canonical form, whatever style they are written in: assert, unittest, nose, mock, numpy, pandas, raises, warns."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field

from pytest_maestro_healer.edit.guards.expressions import constant, keyword, last_name, number

OPERATORS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
    ast.Is: "is", ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in",
}  # fmt: skip
NEGATED = {
    "==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<", "is": "is not", "is not": "is", "in": "not in", "not in": "in",
    "isinstance": "not isinstance", "hasattr": "not hasattr", "truth": "false", "false": "truth", "regex": "not regex",
}  # fmt: skip

_RAISES = frozenset({"raises", "assertraises", "assertraisesregex", "assertraisesregexp", "failunlessraises", "raisesgroup"})
_WARNS = frozenset({"warns", "assertwarns", "assertwarnsregex", "assertwarnsmessage", "assertlogs", "assertnologs", "deprecatedcall"})
_MOCK = re.compile(
    r"assert_(not_called|called|called_once|called_with|called_once_with|any_call|has_calls|not_awaited|awaited.*|any_await|has_awaits)$"
)
#: A method of this name asserts whatever object it belongs to.
_ASSERTING = re.compile(r"^_?assert|^raise_for_status$|fnmatch_lines|^to_(be|have|equal|contain)|^should$")
_OPAQUE = re.compile(
    r"(^|_|\.)(assert|check|verify|expect|ensure|validate|should|must)(_|[A-Z]|s?$)|^assert|^raise_for_status$|^fnmatch_lines|^no_fnmatch_line"
)

#: Normalised name (lower case, no underscores) -> (operator, number of operands).
_FAMILY: dict[str, tuple[str, int]] = {
    "assertnotequal": ("!=", 2), "assertnotequals": ("!=", 2), "failifequal": ("!=", 2), "failunlessequal": ("==", 2), "eq": ("==", 2),
    "asserttrue": ("truth", 1), "assert": ("truth", 1), "failunless": ("truth", 1), "ok": ("truth", 1),
    "assertfalse": ("false", 1), "failif": ("false", 1),
    "assertis": ("is", 2), "assertisnot": ("is not", 2), "assertisnone": ("is", 1), "assertisnotnone": ("is not", 1),
    "assertin": ("in", 2), "assertnotin": ("not in", 2), "assertisinstance": ("isinstance", 2), "assertnotisinstance": ("not isinstance", 2),
    "assertgreater": (">", 2), "assertgreaterequal": (">=", 2), "assertless": ("<", 2), "assertlessequal": ("<=", 2), "assertarrayless": ("<", 2),
    "assertregex": ("regex", 2), "assertregexpmatches": ("regex", 2), "assertnotregex": ("not regex", 2), "assertnotregexpmatches": ("not regex", 2),
    "assertcountequal": ("unordered", 2), "assertitemsequal": ("unordered", 2), "assertdictcontainssubset": ("subset", 2),
    "assertnotalmostequal": ("!=", 2), "assertnotalmostequals": ("!=", 2), "asserthasattr": ("hasattr", 2), "assertnothasattr": ("not hasattr", 2),
}  # fmt: skip
#: Callable -> (relative, absolute) tolerance by default; names as the libraries write them.
_TOLERANCES = {
    "approx": (1e-6, 1e-12), "isclose": (1e-5, 1e-8), "math.isclose": (1e-9, 0.0), "cmath.isclose": (1e-9, 0.0), "allclose": (1e-5, 1e-8),
    "assert_allclose": (1e-7, 0.0), "assertalmostequal": (0.0, 5e-8), "assertalmostequals": (0.0, 5e-8), "failunlessalmostequal": (0.0, 5e-8),
    "assertarrayalmostequal": (0.0, 1.5e-6), "assertapproxequal": (1e-6, 0.0), "assertclose": (1e-5, 1e-8), "assert_close": (1e-5, 1e-8),
}  # fmt: skip
_UNORDERED = frozenset({"sorted", "set", "frozenset", "Counter"})


@dataclass(frozen=True)
class Check:
    """One thing a test insists on. ``frames`` are the weakening surroundings (conditions, loops, try...), outermost first."""

    op: str
    left: ast.expr | None
    right: ast.expr | None
    node: ast.AST
    frames: tuple[str, ...] = ()
    members: tuple[ast.expr, ...] = ()
    tolerance: tuple[float, float] | None = None
    match: ast.expr | None = None
    options: tuple[ast.keyword, ...] = ()
    name: str = ""
    extra: dict[str, str] = field(default_factory=dict, compare=False)

    @property
    def line(self) -> int:
        """The line in its file."""
        return int(getattr(self.node, "lineno", 0))

    @property
    def text(self) -> str:
        """The source in normal form."""
        if "text" not in self.extra:
            self.extra["text"] = ast.unparse(self.node)
        return self.extra["text"]

    @property
    def short(self) -> str:
        """The source on one line of at most 90 characters."""
        text = " ".join(self.text.split())
        return text if len(text) <= 90 else text[:87] + "..."


def canonical(test: ast.expr, node: ast.AST, negate: bool = False) -> list[Check]:
    """The checks that ``assert test`` makes: conjunctions and chains are split, negations pushed inwards."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return canonical(test.operand, node, not negate)
    if isinstance(test, ast.NamedExpr):
        return canonical(test.value, node, negate)
    if isinstance(test, ast.BoolOp):
        if isinstance(test.op, ast.And) != negate:
            return [c for v in test.values for c in canonical(v, node, negate)]
        return [Check("or", test, None, node, members=tuple(test.values))]
    if isinstance(test, ast.Compare):
        return _compare(test, node, negate)
    if isinstance(test, ast.Call):
        return _predicate(test, node, negate)
    return [Check("false" if negate else "truth", test, None, node)]


def _compare(test: ast.Compare, node: ast.AST, negate: bool) -> list[Check]:
    if len(test.ops) > 1 and negate:
        return [Check("false", test, None, node)]
    sides = [test.left, *test.comparators]
    out = []
    for i, op in enumerate(test.ops):
        name = OPERATORS[type(op)]
        out.append(comparison(NEGATED[name] if negate else name, sides[i], sides[i + 1], node))
    return out


def comparison(op: str, left: ast.expr, right: ast.expr, node: ast.AST, **more: object) -> Check:
    """A two-sided check; ``>`` becomes ``<`` with its sides swapped, approx and order-free comparisons get operators of their own."""
    if op in (">", ">="):
        op, left, right = {">": "<", ">=": "<="}[op], right, left
    if op == "==":
        for side in (left, right):
            if isinstance(side, ast.Call) and last_name(side) == "approx":
                return Check("approx", left, right, node, tolerance=tolerance_of(side))
        if all(isinstance(s, ast.Call) and last_name(s) in _UNORDERED for s in (left, right)):
            return Check("unordered", left, right, node)
    return Check(op, left, right, node, **more)  # type: ignore[arg-type]


def _predicate(test: ast.Call, node: ast.AST, negate: bool) -> list[Check]:
    name = last_name(test)
    args = test.args
    if name in ("isinstance", "issubclass", "hasattr") and len(args) == 2:
        op = "isinstance" if name != "hasattr" else "hasattr"
        return [Check(NEGATED[op] if negate else op, args[0], args[1], node)]
    if name in ("all", "any") and not negate:
        return [Check(name, test, None, node)]
    if name in ("isclose", "allclose") and len(args) >= 2 and not negate:
        return [Check("approx", args[0], args[1], node, tolerance=tolerance_of(test))]
    if name in ("array_equal", "array_equiv") and len(args) == 2:
        return [Check("!=" if negate else "==", args[0], args[1], node)]
    return [Check("false" if negate else "truth", test, None, node)]


def tolerance_of(call: ast.Call) -> tuple[float, float]:
    """(relative, absolute) tolerance of an approximate comparison; a tolerance that is no literal counts as 0."""
    raw = last_name(call)
    name = raw.lower().replace("_", "")
    key = "math.isclose" if raw == "isclose" and isinstance(call.func, ast.Attribute) and last_name(call.func.value) in ("math", "cmath") else raw
    rel, absolute = _TOLERANCES.get(key) or _TOLERANCES.get(name) or _TOLERANCES.get("assert_" + raw) or (0.0, 0.0)
    r, a = keyword(call, "rel", "rtol", "rel_tol"), keyword(call, "abs", "atol", "abs_tol", "delta")
    places = keyword(call, "places", "decimal")
    offset = 1 if raw == "approx" else 2
    if "almost" in name and len(call.args) > 2:
        places = places or call.args[2]
    elif raw in ("approx", "assert_allclose", "allclose", "isclose") and len(call.args) > offset:
        r = r or call.args[offset]
        a = a or (call.args[offset + 1] if len(call.args) > offset + 1 else None)
    if places is not None:
        absolute = 1.5 * 10.0 ** -(number(places) or 0.0)
    if raw == "approx" and a is not None and r is None:
        rel = 0.0
    return (number(r) or 0.0) if r is not None else rel, (number(a) or 0.0) if a is not None else absolute


def check_of_call(call: ast.Call, node: ast.AST) -> list[Check]:
    """The checks that a call makes; empty for a call that asserts nothing."""
    raw = last_name(call)
    if not raw:
        return []
    name = raw.lower().replace("_", "")
    args = [a for a in call.args if not isinstance(a, ast.Starred)]
    if name in _RAISES:
        return [_expected_exception("raises", call, node)]
    if name in _WARNS:
        check = _expected_exception("warns", call, node)
        return [] if name == "warns" and args and constant(args[0]) is None else [check]
    if _MOCK.match(raw):
        return [Check("mock:" + raw, call, None, node, name=raw)]
    if raw == "fail" and isinstance(call.func, ast.Attribute):
        return [Check("fail", call, None, node)]
    close = "almost" in name or (raw.startswith("assert_") and "close" in raw) or name in _TOLERANCES
    if close and "not" not in name and len(args) >= 2 and raw not in ("isclose", "allclose", "approx"):
        return [Check("approx", args[0], args[1], node, tolerance=tolerance_of(call), options=tuple(call.keywords))]
    return _family(raw, name, args, call, node)


def _family(raw: str, name: str, args: list[ast.expr], call: ast.Call, node: ast.AST) -> list[Check]:
    entry = _FAMILY.get(name) if (name not in ("eq", "ok") or raw.endswith("_")) else None
    if entry is None and name.startswith("assert") and name.endswith(("equal", "equals")) and not any(w in name for w in ("not", "less", "greater")):
        entry = ("==", 2)
    if entry is None or len(args) < entry[1]:
        own = isinstance(call.func, ast.Name) or (isinstance(call.func, ast.Attribute) and last_name(call.func.value) in ("self", "cls"))
        asserting = _ASSERTING.search(raw) or (own and _OPAQUE.search(raw))
        return [Check("opaque", call, None, node, options=tuple(call.keywords), name=raw)] if asserting else []
    op, arity = entry
    if arity == 1 and op in ("truth", "false"):
        return canonical(args[0], node, op == "false")
    if arity == 1:
        return [Check(op, args[0], ast.Constant(None), node)]
    if op in ("truth", "false", "regex", "not regex", "isinstance", "not isinstance", "unordered", "subset", "hasattr", "not hasattr"):
        return [Check(op, args[0], args[1], node)]
    return [comparison(op, args[0], args[1], node, options=tuple(call.keywords))]


def _expected_exception(op: str, call: ast.Call, node: ast.AST) -> Check:
    raw = last_name(call)
    match = keyword(call, "match", "expected_regex")
    kind = call.args[0] if call.args else keyword(call, "expected_exception", "expected_warning")
    if "regex" in raw.lower() and len(call.args) > 1:
        match = match or call.args[1]
    if raw == "deprecated_call":
        kind = ast.Tuple([ast.Name(n, ast.Load()) for n in ("DeprecationWarning", "PendingDeprecationWarning", "FutureWarning")], ast.Load())
    return Check(op, kind, None, node, match=match, name=raw)


def exception_names(node: ast.expr | None) -> list[str]:
    """The last names of the exception types an expression lists; ``[]`` where that cannot be seen."""
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        return [n for e in node.elts for n in exception_names(e)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.BitOr)):
        return exception_names(node.left) + exception_names(node.right)
    name = last_name(node) if isinstance(node, (ast.Name, ast.Attribute)) else ""
    return [name] if name else []
