"""What an assertion waits for, as the condition of a loop."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pytest_maestro_healer.edit.guards.expressions import words
from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.evidence.expressions import last_name

_INVERSE: Mapping[type[ast.cmpop], str] = {
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.Lt: ">=",
    ast.LtE: ">",
    ast.Gt: "<=",
    ast.GtE: "<",
    ast.Is: "is not",
    ast.IsNot: "is",
    ast.In: "not in",
    ast.NotIn: "in",
}
_UNITTEST = {
    "assertEqual": "==",
    "assertEquals": "==",
    "assertListEqual": "==",
    "assertDictEqual": "==",
    "assertSetEqual": "==",
    "assertTupleEqual": "==",
    "assertNotEqual": "!=",
    "assertIs": "is",
    "assertIsNot": "is not",
    "assertIn": "in",
    "assertNotIn": "not in",
    "assertGreater": ">",
    "assertGreaterEqual": ">=",
    "assertLess": "<",
    "assertLessEqual": "<=",
}
_UNARY = {"assertTrue": "", "assertFalse": "not ", "assertIsNone": " is None", "assertIsNotNone": " is not None"}
#: Calls that only look.
_LOOKS = words(
    "len list sorted set dict tuple str int float bool any all sum min max isinstance repr frozenset Counter is_set done is_alive exists "
    "is_file is_dir isfile isdir empty qsize full poll read_text read_bytes getvalue keys values items count strip splitlines split "
    "startswith endswith lower upper "
    "copy locked ready running cancelled finished is_running is_ready is_done listdir iterdir glob join mock_calls index"
)


@dataclass(frozen=True)
class Wanted:
    """What has to become true: ``positive`` and ``negative`` are source texts of it and of its opposite, ``looks`` says that asking has no effect."""

    positive: str
    negative: str
    looks: bool


def wanted(statement: ast.stmt, src: SourceFile, assigned: Mapping[str, ast.expr]) -> Wanted | None:
    """The condition of an assertion; names in ``assigned`` (set after the wait) are replaced by what they were set to."""
    test = _test(statement)
    if test is None:
        return None
    bad = (ast.NamedExpr, ast.Yield, ast.YieldFrom, ast.Lambda, ast.Await, ast.GeneratorExp, ast.ListComp)
    names = {n.id for n in ast.walk(test) if isinstance(n, ast.Name) and n.id in assigned}
    if names or not isinstance(statement, ast.Assert):
        expression = ast.fix_missing_locations(_Substitute(assigned).visit(ast.parse(ast.unparse(test), mode="eval"))).body
        text = ast.unparse(expression)
    else:
        expression, text = test, " ".join(src.segment(test).split()) if "\n" not in src.segment(test) else ast.unparse(test)
    if any(isinstance(n, bad) for n in ast.walk(expression)):
        return None
    calls = [n for n in ast.walk(expression) if isinstance(n, ast.Call)]
    return Wanted(text, _negative(expression, text), all(_looks(c) for c in calls))


def _looks(call: ast.Call) -> bool:
    name = last_name(call.func)
    # a mapping's get has a key, a queue's takes something out
    return name in _LOOKS or (
        name == "get" and bool(call.args) and not (isinstance(call.args[0], ast.Constant) and call.args[0].value in (True, False))
    )


def joined(found: Sequence[Wanted]) -> Wanted:
    """All of several conditions."""
    if len(found) == 1:
        return found[0]
    positive = " and ".join(f"({w.positive})" if " or " in w.positive or " if " in w.positive else w.positive for w in found)
    return Wanted(positive, f"not ({positive})", all(w.looks for w in found))


def _test(statement: ast.stmt) -> ast.expr | None:
    if isinstance(statement, ast.Assert):
        return statement.test
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return None
    name, args = call.func.attr, call.args
    if name in _UNITTEST and len(args) >= 2:
        return ast.parse(f"({ast.unparse(args[0])}) {_UNITTEST[name]} ({ast.unparse(args[1])})", mode="eval").body
    if name in _UNARY and args:
        text = f"({ast.unparse(args[0])})"
        return ast.parse(f"not {text}" if name == "assertFalse" else f"{text}{_UNARY[name]}", mode="eval").body
    return None


def _negative(node: ast.expr, text: str) -> str:
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        sign, inverse = ast.unparse(ast.Compare(ast.Name("a"), node.ops, [ast.Name("b")]))[2:-2], _INVERSE[type(node.ops[0])]
        left, right = ast.unparse(node.left), ast.unparse(node.comparators[0])
        parts = text.split(f" {sign} ")
        return f" {inverse} ".join(parts) if len(parts) == 2 else f"{left} {inverse} {right}"
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        inner = text[3:].strip() if text.startswith("not") else ast.unparse(node.operand)
        return f"({inner})" if isinstance(node.operand, (ast.BoolOp, ast.IfExp)) and not inner.startswith("(") else inner
    return f"not ({text})" if isinstance(node, (ast.BoolOp, ast.IfExp, ast.Compare)) else f"not {text}"


class _Substitute(ast.NodeTransformer):
    def __init__(self, assigned: Mapping[str, ast.expr]) -> None:
        self._assigned = assigned

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._assigned[node.id] if isinstance(node.ctx, ast.Load) and node.id in self._assigned else node
