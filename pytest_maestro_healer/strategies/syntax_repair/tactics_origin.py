"""Tactics that know where the damage came from: git, a merge, an editor, another Python; and what is not to be edited."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_maestro_healer.errors import EditError
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Applicability, Evidence, Failure, Proposal
from pytest_maestro_healer.strategies.base import Example
from pytest_maestro_healer.strategies.syntax_repair import conflict, encoding
from pytest_maestro_healer.strategies.syntax_repair.lexer import Code
from pytest_maestro_healer.strategies.syntax_repair.moves import apply, compose, narrow
from pytest_maestro_healer.strategies.syntax_repair.oracle import check
from pytest_maestro_healer.strategies.syntax_repair.solve import solve
from pytest_maestro_healer.strategies.syntax_repair.tactic import (
    STRATEGY_NAME,
    SearchTactic,
    SyntaxTactic,
    broken_path,
    broken_source,
    cause_key,
    edits_of,
    is_syntax_failure,
    newer_syntax,
    proposal,
    regression,
)
from pytest_maestro_healer.strategies.syntax_repair.tactics_text import one

_IMPORT = "from calc import add, neg\n\n\n"
_PRODUCT = {"calc.py": "def add(a, b=0):\n    return a + b\n\n\ndef neg(a):\n    return -a\n"}
_GOOD = _IMPORT + "def test_add():\n    assert add(1, 2) == 3\n\n\ndef test_neg():\n    assert neg(1) == -1\n"
_HELPED = "\n\ndef test_sign():\n    def sign(a):\n        if a < 0:\n            return -1\n        return 1\n\n    assert sign(neg(1)) == -1\n"


class RestoreFromHead(SearchTactic):
    """The tokens that an uncommitted edit broke."""

    name = "restore_from_head"
    summary = "Puts back the tokens or lines that an uncommitted edit broke, and leaves its other changes alone"
    evidence = ("git", "parser")
    sources = ("https://git-scm.com/docs/git-show",)
    heals = (
        Example(
            "a broken line with an intended change beside the damage",
            {**_PRODUCT, "test_calc.py": _GOOD.replace("add(1, 2) == 3", "add(2, 2 == 4")},
            {"test_calc.py": _GOOD.replace("add(1, 2) == 3", "add(2, 2) == 4")},
            head={**_PRODUCT, "test_calc.py": _GOOD},
        ),
    )
    declines = (regression(),)


class Truncated(SearchTactic):
    """Files and statements that end too early."""

    name = "truncated"
    summary = "Completes a file that was cut off with what stands at HEAD; without HEAD, a statement with a placeholder (for review)"
    evidence = ("git", "parser")
    sources = ("https://git-scm.com/docs/git-show",)
    heals = (
        Example(
            "a file that was cut off in the middle of a call",
            {**_PRODUCT, "test_calc.py": _GOOD[: _GOOD.index("neg(1)") + 4]},
            {"test_calc.py": _GOOD},
            head={**_PRODUCT, "test_calc.py": _GOOD},
        ),
        Example(
            "what was cut off has a helper with an early return",
            {**_PRODUCT, "test_calc.py": _GOOD[: _GOOD.index("neg(1)") + 4]},
            {"test_calc.py": _GOOD + _HELPED},
            head={**_PRODUCT, "test_calc.py": _GOOD + _HELPED},
        ),
    )
    declines = (regression(),)


class MergeConflict(SyntaxTactic):
    """Markers of a merge that nobody finished."""

    name = "merge_conflict"
    summary = "Shows each side of a merge conflict (and both, one after the other) as a heal of its own, for review"
    applicability = Applicability.REVIEW
    evidence = ("parser", "conflict")
    sources = ("https://git-scm.com/docs/git-merge#_how_conflicts_are_presented",)
    heals = (
        one(
            "two expectations, one holds",
            _IMPORT + "def test_add():\n<<<<<<< HEAD\n    assert add(1, 2) == 3\n=======\n    assert add(1, 2) == 4\n>>>>>>> feature\n",
            _IMPORT + "def test_add():\n    assert add(1, 2) == 3\n",
        ),
    )
    declines = (regression(),)

    def propose(self, failure: Failure, ctx: Context) -> Iterator[Proposal]:
        """One proposal for each side that compiles (small damage beside the markers is repaired too)."""
        src = broken_source(failure, ctx)
        if src is None or not src.decodable:
            return
        found = conflict.conflicts(src.text)
        if not found:
            return
        labels = {
            "ours": f"ours ({found[0].our_name or 'current'})",
            "theirs": f"theirs ({found[0].their_name or 'incoming'})",
            "both": "both sides, one after the other",
        }
        seen: set[str] = set()
        for rank, which in enumerate(("ours", "theirs", "both")):
            changes = tuple(conflict.side(src.text, found, which))
            text = apply(src.text, changes)
            if check(Code(text)) is not None:
                better = solve(text, None, seconds=1.0)
                if not better:
                    continue
                changes = compose(changes, better[0].changes, src.text)
                text = better[0].text
            if text in seen:
                continue
            seen.add(text)
            try:
                edits = edits_of(src, (n for c in changes if (n := narrow(c, src.text))))
            except EditError:
                continue
            line = Code(src.text).line_at(found[0].start)
            fact = Evidence("conflict", f"{len(found)} merge conflict(s); this takes {labels[which]}", f"{src.path}:{line}", 0.5)
            yield proposal(
                self.name, failure, src, edits, [fact], Applicability.REVIEW, f"{src.path} holds merge-conflict markers; takes {labels[which]}",
                meaning=f"the merge takes {labels[which]}", score=0.6 - 0.1 * rank,
            )  # fmt: skip


class InvisibleCharacters(SearchTactic):
    """Typographic and invisible characters."""

    name = "invisible_characters"
    summary = "Writes plain quotes, dashes and blanks for typographic and invisible ones outside strings; removes null bytes and stray BOMs"
    evidence = ("parser",)
    sources = ("https://docs.python.org/3/reference/lexical_analysis.html",)
    heals = (
        one(
            "smart quotes and a no-break space",
            _IMPORT + "def test_add():\n    assert add(1,\u00a02) == 3\n    assert \u201cab\u201d == 'ab'\n",
            _IMPORT + "def test_add():\n    assert add(1, 2) == 3\n    assert \"ab\" == 'ab'\n",
        ),
        one(
            "a zero-width space",
            _IMPORT + "def test_add():\n    assert add(1, 2)\u200b == 3\n",
            _IMPORT + "def test_add():\n    assert add(1, 2) == 3\n",
        ),
    )
    declines = (regression(),)


class EncodingLine(SyntaxTactic):
    """The declared encoding is not the real one."""

    name = "encoding_line"
    summary = "Declares the encoding that the bytes are in, where the declared one is unknown or wrong; no other byte changes"
    evidence = ("bytes", "git")
    sources = ("https://peps.python.org/pep-0263/",)
    heals = (
        Example(
            "an encoding that does not exist",
            {"test_name.py": "# -*- coding: utf-88 -*-\ndef test_name():\n    assert len('\u00e9') == 1\n".encode()},
            {"test_name.py": "# -*- coding: utf-8 -*-\ndef test_name():\n    assert len('\u00e9') == 1\n".encode()},
        ),
    )
    declines = (regression(),)

    def propose(self, failure: Failure, ctx: Context) -> Iterator[Proposal]:
        """The encodings that fit the bytes, likeliest first."""
        src = broken_source(failure, ctx)
        if src is None:
            return
        found = list(encoding.recodings(src, ctx.git.bytes_at(src.path)))
        for rank, r in enumerate(found):
            fact = Evidence("bytes", f"{src.encoding_error}; all bytes are {r.encoding}", f"{src.path}:1", 0.8 if r.sure else 0.4)
            sure = Applicability.SAFE if r.sure and not ctx.is_helper(src.path) else Applicability.REVIEW
            yield proposal(
                self.name,
                failure,
                src,
                (r.edit,),
                [fact],
                sure,
                r.why,
                meaning=f"the file is {r.encoding}",
                score=(0.9 if r.sure else 0.6) - 0.1 * rank,
            )


class Python2(SearchTactic):
    """Left-overs of Python 2."""

    name = "python2"
    summary = "Converts print, exec and raise statements, 'except X, e', backticks, <>, octals, long and ur'' literals, all in one heal"
    evidence = ("parser",)
    sources = ("https://docs.python.org/3/whatsnew/3.0.html",)
    heals = (
        one(
            "print, except, <> and octal in one file",
            _IMPORT + "def test_add():\n    print 'adding', add(1, 2)\n    try:\n"
            "        raise ValueError, 'no'\n    except ValueError, e:\n        assert str(e) <> 'yes'\n    assert add(0777, 0) == 511\n",
            _IMPORT + "def test_add():\n    print('adding', add(1, 2))\n    try:\n"
            "        raise ValueError('no')\n    except ValueError as e:\n        assert str(e) != 'yes'\n    assert add(0o777, 0) == 511\n",
        ),
    )  # fmt: skip
    declines = (regression(),)


class NewerSyntax(SyntaxTactic):
    """Syntax that this interpreter is too old for."""

    name = "newer_syntax"
    summary = "Names syntax that needs a newer Python than the one that runs; never rewrites it"
    applicability = Applicability.ADVICE
    evidence = ("parser",)
    sources = ("https://docs.python.org/3/whatsnew/",)
    heals = (
        Example(
            "type parameters before 3.12",
            {"test_generic.py": "def first[T](items: list[T]) -> T:\n    return items[0]\n\n\ndef test_first():\n    assert first([1]) == 1\n"},
            advice="needs Python 3.12",
            max_python=(3, 11),
        ),
    )
    declines = (regression(),)

    def propose(self, failure: Failure, ctx: Context) -> Iterator[Proposal]:
        """Advice that names the syntax and the Python that has it."""
        src = broken_source(failure, ctx)
        newer = newer_syntax(src) if src is not None else None
        if src is None or newer is None:
            return
        what, since, problem = newer
        where = f"{src.path}:{problem.line}"
        text = f"{where}: {what} needs Python {since[0]}.{since[1]}; run the tests with it, or keep the syntax to what this interpreter knows"
        yield _advice(self.name, failure, text, where, src.path, problem.msg)


class ProductSyntaxError(SyntaxTactic):
    """Syntax errors in product code."""

    name = "product_syntax_error"
    summary = "Names the place of a syntax error in product or third-party code, which is never edited"
    applicability = Applicability.ADVICE
    evidence = ("parser",)
    sources = ("https://docs.python.org/3/library/exceptions.html#SyntaxError",)
    heals = (
        Example(
            "the product does not compile",
            {
                "shop.py": "def total(prices:\n    return sum(prices)\n",
                "test_shop.py": "from shop import total\n\n\ndef test_total():\n    assert total([1, 2]) == 3\n",
            },
            advice="shop.py:1",
        ),
    )
    declines = (regression(),)

    def propose(self, failure: Failure, ctx: Context) -> Iterator[Proposal]:
        """Advice that names the place, the parser's words and the line."""
        if not is_syntax_failure(failure):
            return
        path = broken_path(failure, ctx)
        if not path or not path.endswith((".py", ".pyi", ".pyw")) or ctx.is_test_code(path):
            return
        attrs = failure.exc_attrs
        msg = str(attrs.get("msg") or failure.message)
        line = attrs.get("lineno") or 1
        where = f"{path}:{line}"
        outside = path.startswith(("/", "../")) or ":" in path or "site-packages" in path
        kind = "an installed package" if outside else "product code"
        shown = str(attrs.get("text") or "").strip()
        hint = "; its version may be for another Python" if outside else ""
        text = f"{where}: {msg}" + (f" in `{shown}`" if shown else "") + f"; this is {kind} and is not edited{hint}"
        yield _advice(self.name, failure, text, where, path, msg)


def _advice(tactic: str, failure: Failure, text: str, where: str, path: str, msg: str) -> Proposal:
    fact = Evidence("parser", f"the parser says: {msg}", where, 0.9)
    return Proposal(
        STRATEGY_NAME,
        tactic,
        (),
        (fact,),
        Applicability.ADVICE,
        text,
        (failure.nodeid,),
        meaning=text,
        cause_key=cause_key(path),
        advice=text,
        score=0.9,
    )


TACTICS = (
    ProductSyntaxError(),
    NewerSyntax(),
    EncodingLine(),
    MergeConflict(),
    RestoreFromHead(),
    Truncated(),
    InvisibleCharacters(),
    Python2(),
)
