"""Tactics for words, operators and what the compiler calls wrong although it parses."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Applicability, Diagnosis, Evidence, Failure, FailurePattern, Proposal
from pytest_maestro_healer.strategies.base import Example, Tactic
from pytest_maestro_healer.strategies.syntax_repair.tactic import SearchTactic, proposal, regression
from pytest_maestro_healer.strategies.syntax_repair.tactics_text import PARSER, one

_IMPORT = "from calc import add, neg\n\n\n"


class Operators(SearchTactic):
    """Operators and commas."""

    name = "operators"
    summary = "Writes == for =, a missing comma or operator, and 'and', 'or', 'not' for &&, || and !"
    sources = (PARSER,)
    heals = (
        one(
            "one = in an assert",
            _IMPORT + "def test_add():\n    assert add(1, 2) = 3\n",
            _IMPORT + "def test_add():\n    assert add(1, 2) == 3\n",
        ),
        one(
            "a missing comma",
            _IMPORT + "def test_add():\n    assert [add(1, 2) add(3, 4)] == [3, 7]\n",
            _IMPORT + "def test_add():\n    assert [add(1, 2), add(3, 4)] == [3, 7]\n",
        ),
        one(
            "operators of another language",
            _IMPORT + "def test_add():\n    assert add(1, 2) == 3 && !add(0, 0)\n",
            _IMPORT + "def test_add():\n    assert add(1, 2) == 3 and not add(0, 0)\n",
        ),
    )
    declines = (regression(),)


class KeywordTypo(SearchTactic):
    """Misspelt keywords."""

    name = "keyword_typo"
    summary = "Corrects a misspelt keyword (asert, retrun, 'fro x import y'), 'else if', or a word of another language"
    sources = ("https://docs.python.org/3/reference/lexical_analysis.html#keywords",)
    heals = (
        one(
            "asert",
            _IMPORT + "def test_add():\n    asert add(1, 2) == 3\n",
            _IMPORT + "def test_add():\n    assert add(1, 2) == 3\n",
        ),
        one(
            "fro x import y",
            "fro calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n",
            "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n",
        ),
        one(
            "else if",
            _IMPORT + "def test_add():\n    n = add(1, 2)\n    if n > 5:\n        n = 5\n    else if n > 2:\n        n = 2\n    assert n == 2\n",
            _IMPORT + "def test_add():\n    n = add(1, 2)\n    if n > 5:\n        n = 5\n    elif n > 2:\n        n = 2\n    assert n == 2\n",
        ),
    )
    declines = (regression(),)


class ArgumentOrder(SearchTactic):
    """Arguments and parameters in an order that Python refuses, or given twice."""

    name = "argument_order"
    summary = "Puts positional arguments before keywords and parameters without default first; removes what stands twice"
    sources = ("https://docs.python.org/3/reference/expressions.html#calls",)
    heals = (
        one(
            "a positional argument after a keyword",
            _IMPORT + "def test_add():\n    assert add(b=2, 1) == 3\n",
            _IMPORT + "def test_add():\n    assert add(1, b=2) == 3\n",
        ),
        one(
            "a fixture asked for twice",
            _IMPORT + "def test_add(tmp_path, tmp_path):\n    assert add(1, 2) == 3\n",
            _IMPORT + "def test_add(tmp_path):\n    assert add(1, 2) == 3\n",
        ),
        one(
            "a keyword given twice",
            _IMPORT + "def test_add():\n    assert add(1, b=2, b=2) == 3\n",
            _IMPORT + "def test_add():\n    assert add(1, b=2) == 3\n",
        ),
    )
    declines = (regression(),)


class WrongScope(SearchTactic):
    """``return`` outside a function, ``await`` outside async."""

    name = "wrong_scope"
    summary = "Puts a return, yield, break or continue back into its block, makes a function that awaits async"
    sources = ("https://docs.python.org/3/reference/compound_stmts.html#coroutines",)
    heals = (
        one(
            "a return that fell out of its function",
            _IMPORT + "def total():\n    n = add(1, 2)\nreturn n\n\n\ndef test_add():\n    assert total() == 3\n",
            _IMPORT + "def total():\n    n = add(1, 2)\n    return n\n\n\ndef test_add():\n    assert total() == 3\n",
        ),
        one(
            "a helper that awaits",
            "import asyncio\n\n\ndef work():\n    await asyncio.sleep(0)\n    return 3\n\n\ndef test_work():\n    assert asyncio.run(work()) == 3\n",
            "import asyncio\n\n\nasync def work():\n    await asyncio.sleep(0)\n    return 3\n"
            "\n\ndef test_work():\n    assert asyncio.run(work()) == 3\n",
        ),
    )
    declines = (regression(),)


class AssignmentTarget(SearchTactic):
    """Assignments to what is no target, and ``:=`` where it may not stand."""

    name = "assignment_target"
    summary = "Turns round an assignment whose sides are exchanged, writes = or == where := may not stand"
    sources = ("https://peps.python.org/pep-0572/",)
    heals = (
        one(
            "a walrus as a statement",
            _IMPORT + "def test_add():\n    n := add(1, 2)\n    assert n == 3\n",
            _IMPORT + "def test_add():\n    n = add(1, 2)\n    assert n == 3\n",
        ),
        one(
            "sides exchanged: a bare comparison would say nothing",
            _IMPORT + "def test_add():\n    add(1, 2) = n\n    assert n == 3\n",
            _IMPORT + "def test_add():\n    n = add(1, 2)\n    assert n == 3\n",
        ),
    )
    declines = (regression(),)


#: Words of other languages and of JSON -> Python's.
LITERALS = {
    "null": "None", "nil": "None", "undefined": "None", "NULL": "None", "none": "None", "Null": "None", "NONE": "None",
    "true": "True", "TRUE": "True", "false": "False", "FALSE": "False",
}  # fmt: skip


class ForeignLiterals(Tactic):
    """``null``, ``true``, ``false`` parse as names and fail as names."""

    name = "foreign_literals"
    summary = "Writes None, True and False for null, true and false where the file binds no such names"
    patterns = frozenset({FailurePattern.SYNTAX_ERROR, FailurePattern.IMPORT_ERROR, FailurePattern.UNKNOWN})
    applicability = Applicability.SAFE
    evidence = ("symbol",)
    sources = ("https://docs.python.org/3/library/json.html#encoders-and-decoders",)
    heals = (
        one(
            "JSON pasted into a test",
            _IMPORT + 'CASE = {"a": 1, "strict": true, "extra": null}\n\n\n'
            'def test_add():\n    assert CASE["strict"] is True\n    assert add(CASE["a"], 2) == 3\n',
            _IMPORT + 'CASE = {"a": 1, "strict": True, "extra": None}\n\n\n'
            'def test_add():\n    assert CASE["strict"] is True\n    assert add(CASE["a"], 2) == 3\n',
        ),
    )
    declines = (
        regression(),
        Example(
            "the product lost a constant",
            {"words.py": "yes = 1\n", "test_words.py": "import words\n\n\ndef test_true():\n    assert words.true == 1\n"},
            why="words.true is an attribute of the product, no literal of another language",
        ),
    )

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """Whether a name of another language's literal was not found."""
        return failure.is_a("NameError") and self._name(failure) in LITERALS

    @staticmethod
    def _name(failure: Failure) -> str:
        name = str(failure.exc_attrs.get("name") or "")
        return name or (failure.message.split("'")[1] if failure.message.count("'") >= 2 else "")

    def propose(self, failure: Failure, ctx: Context) -> Iterator[Proposal]:
        """One proposal that writes all such names of the file as Python does."""
        path = failure.location.path if failure.location else failure.path
        src = ctx.source(path) if ctx.is_test_code(path) else None
        if src is None or src.tree is None or not failure.is_a("NameError") or self._name(failure) not in LITERALS:
            return
        names = [n for n in ast.walk(src.tree) if isinstance(n, ast.Name) and n.id in LITERALS]
        bound = {n.id for n in names if not isinstance(n.ctx, ast.Load)} | _other_bindings(src.tree)
        loads = [n for n in names if n.id not in bound]
        if self._name(failure) not in {n.id for n in loads}:
            return
        edits = tuple(src.replace_node(n, LITERALS[n.id]) for n in loads)
        words = ", ".join(f"{w} is {LITERALS[w]}" for w in sorted({n.id for n in loads}))
        fact = Evidence("symbol", f"the file binds none of these names: {words}", f"{src.path}:{loads[0].lineno}", 0.8)
        sure = Applicability.REVIEW if ctx.is_helper(path) else Applicability.SAFE
        yield proposal(self.name, failure, src, edits, [fact], sure, f"writes Python's literals: {words}", meaning=words, score=0.95)


def _other_bindings(tree: ast.Module) -> set[str]:
    out: set[str] = set()
    for n in ast.walk(tree):
        if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            out.add(n.name)
        elif isinstance(n, ast.arg):
            out.add(n.arg)
        elif isinstance(n, ast.alias):
            out.add((n.asname or n.name).split(".")[0])
            if n.name == "*":
                out.update(LITERALS)
    return out


TACTICS = (Operators(), KeywordTypo(), ArgumentOrder(), WrongScope(), AssignmentTarget(), ForeignLiterals())
