"""What the tactics share: the broken file of a failure, its repairs, and proposals made of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import ClassVar

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.errors import EditError
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.git import Git
from pytest_maestro_healer.model import Applicability, Diagnosis, Edit, Evidence, Failure, FailurePattern, Proposal
from pytest_maestro_healer.strategies.base import Example, Tactic
from pytest_maestro_healer.strategies.syntax_repair.conflict import conflicts
from pytest_maestro_healer.strategies.syntax_repair.gen_git import strayed
from pytest_maestro_healer.strategies.syntax_repair.lexer import HEADS, Code
from pytest_maestro_healer.strategies.syntax_repair.moves import Change
from pytest_maestro_healer.strategies.syntax_repair.oracle import Problem, check
from pytest_maestro_healer.strategies.syntax_repair.solve import Solution, solve

STRATEGY_NAME = "syntax_repair"
#: Seconds that one file's search may take.
SEARCH_SECONDS = 2.0
#: How much nearer a repair must be than another (in the cost of moves) to be the likelier one by that alone.
CLEAR = 0.3
#: Syntax that an older interpreter does not know: (what, since, pattern of the line).
NEWER = (
    ("except*", (3, 11), re.compile(r"\s*except\s*\*")),
    ("type parameters", (3, 12), re.compile(r"\s*(?:async\s+def|def|class)\s+\w+\s*\[[^\]]*\]\s*[(:]")),
    ("the type statement", (3, 12), re.compile(r"\s*type\s+\w+\s*(?:\[[^\]]*\])?\s*=[^=]")),
    ("template strings", (3, 14), re.compile(r"[^#'\"]*\b[tT][rR]?[\"']")),
    ("except without brackets", (3, 14), re.compile(r"\s*except\s+\w+(?:\s*,\s*\w+)+\s*:\s*#\s*3\.14")),
)


def is_syntax_failure(failure: Failure) -> bool:
    """Whether the failure is the parser's or the decoder's."""
    return failure.is_a("SyntaxError", "IndentationError", "TabError") or (failure.is_a("UnicodeDecodeError") and failure.phase == "collect")


#: So many versions of a broken file are looked at for one that compiles.
_VERSIONS = 5


def broken_path(failure: Failure, ctx: Context) -> str:
    """Root-relative path of the file that does not compile; ``""`` where it is no file (``<string>``)."""
    name = str(failure.exc_attrs.get("filename") or failure.path)
    if not name or name.startswith("<"):
        return ""
    return ctx.files.relative(name)


def broken_source(failure: Failure, ctx: Context) -> SourceFile | None:
    """The broken file where it is test code that can be read, else ``None``."""
    if not is_syntax_failure(failure):
        return None
    path = broken_path(failure, ctx)
    return ctx.source(path) if path and ctx.is_test_code(path) else None


def committed(src: SourceFile, ctx: Context) -> tuple[str, str] | None:
    """(text, revision) of the file at HEAD or, where it was committed broken, at the last commit at which its tests passed or it compiled."""
    return _committed(ctx.git, src.path, src.data, ctx.last_green(src.path))


@lru_cache(maxsize=32)
def _committed(git: Git, path: str, broken: bytes, green: str) -> tuple[str, str] | None:
    """Every tactic of the search asks for the same file."""
    found = _compiled(git, path, broken, "HEAD")
    if found is None and git.bytes_at(path) is not None:
        older = [rev for rev, _ in git.commits(path, limit=_VERSIONS)[1:]]
        found = next((f for rev in dict.fromkeys([*filter(None, [green]), *older]) if (f := _compiled(git, path, broken, rev))), None)
    return found


def _compiled(git: Git, path: str, broken: bytes, rev: str) -> tuple[str, str] | None:
    data = git.bytes_at(path, rev)
    if data is None or data == broken:
        return None
    there = SourceFile(path, data)
    return (there.text, rev) if there.decodable and check(Code(there.text)) is None else None


def repairs(src: SourceFile, ctx: Context) -> tuple[Solution, ...]:
    """The repairs of a broken file, best first; nothing where it cannot be decoded, is in conflict, or is of a newer Python."""
    if not src.decodable or conflicts(src.text) or newer_syntax(src):
        return ()
    found = committed(src, ctx)
    return solve(src.text, found[0] if found else None, seconds=SEARCH_SECONDS)


def newer_syntax(src: SourceFile) -> tuple[str, tuple[int, int], Problem] | None:
    """What a file uses that this interpreter is too old for, where that is what the parser stumbled at."""
    import sys

    code = Code(src.text) if src.decodable else None
    problem = check(code) if code is not None else None
    if code is None or problem is None:
        return None
    line = code.lines[min(problem.line, len(code.lines)) - 1] if code.lines else ""
    for what, since, pattern in NEWER:
        if sys.version_info < since and pattern.match(line):
            return what, since, problem
    return None


def edits_of(src: SourceFile, changes: Iterable[Change]) -> tuple[Edit, ...]:
    """Edits for the changes of a text.

    Raises :class:`~pytest_maestro_healer.errors.EditError` where the file's encoding lacks a character.
    """
    return tuple(src.replace(start, end, text) for start, end, text in changes)


def parser_evidence(src: SourceFile) -> Evidence | None:
    """What the parser says, as evidence."""
    problem = check(Code(src.text)) if src.decodable else None
    if problem is None:
        return None
    return Evidence("parser", f"the parser says: {problem.msg}", f"{src.path}:{problem.line}", 0.6)


def cause_key(path: str) -> str:
    """One cause per broken file: however many tests it takes down."""
    return f"syntax:{path}"


def proposal(
    tactic: str,
    failure: Failure,
    src: SourceFile,
    edits: tuple[Edit, ...],
    evidence: Iterable[Evidence],
    applicability: Applicability,
    explanation: str,
    *,
    meaning: str,
    score: float,
) -> Proposal:
    """A proposal of this strategy for one file."""
    return Proposal(
        STRATEGY_NAME,
        tactic,
        edits,
        tuple(evidence),
        applicability,
        explanation,
        (failure.nodeid,),
        meaning,
        cause_key(src.path),
        "",
        round(score, 3),
    )


class SyntaxTactic(Tactic):
    """A tactic that answers to syntax errors."""

    patterns: ClassVar[frozenset[FailurePattern]] = frozenset({FailurePattern.SYNTAX_ERROR})
    applicability: ClassVar[Applicability] = Applicability.SAFE
    evidence: ClassVar[tuple[str, ...]] = ("parser", "git")

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """Whether the failure is the parser's."""
        return is_syntax_failure(failure)


class SearchTactic(SyntaxTactic):
    """A tactic whose candidates come from the shared search: it proposes the repairs that begin with a move of its name."""

    def propose(self, failure: Failure, ctx: Context) -> Iterator[Proposal]:
        """The repairs of the broken file that are this tactic's, best first."""
        src = broken_source(failure, ctx)
        if src is None:
            return
        found = repairs(src, ctx)
        for rank, solution in enumerate(found):
            if solution.tactic != self.name:
                continue
            try:
                edits = edits_of(src, solution.changes)
            except EditError:
                continue
            yield self._proposal(failure, ctx, src, found, rank, edits)

    def _proposal(self, failure: Failure, ctx: Context, src: SourceFile, found: tuple[Solution, ...], rank: int, edits: tuple[Edit, ...]) -> Proposal:
        solution = found[rank]
        evidence = [e for e in (parser_evidence(src),) if e]
        rev, astray = "HEAD", False
        if any(m.tactic == "restore_from_head" or (m.tactic == "truncated" and "HEAD" in m.why) for m in solution.moves):
            head, rev = committed(src, ctx) or ("", "HEAD")
            astray = strayed(solution.text, solution.changes, head)
            where = f"{src.path}@{(ctx.git.head if rev == 'HEAD' else rev)[:7]}"
            evidence.append(Evidence("git", "the committed file compiles, and the repair is what stands there", where, 0.9))
        if len(found) > 1:
            evidence.append(_compared(src, found, rank))
        elif solution.alone and ends_headers(src.text, solution.changes):
            evidence.append(Evidence("search", "the only repair that compiles", src.path, 0.6))
        sure = not solution.review and not astray and solution.cost <= found[0].cost + 0.6 and not ctx.is_helper(src.path)
        whys = list(dict.fromkeys(m.why if rev == "HEAD" else m.why.replace("HEAD", f"{rev[:7]}, where it last compiled,") for m in solution.moves))
        each = solution.cost / max(len(solution.moves), 1)
        score = max(0.05, min(0.97, 1.02 - 0.1 * each) - 0.12 * rank - 0.1 * (solution.cost - found[0].cost) - (0.1 if solution.review else 0.0))
        return proposal(
            self.name,
            failure,
            src,
            edits,
            evidence,
            Applicability.SAFE if sure else Applicability.REVIEW,
            f"{src.path} does not compile; the repair {', '.join(whys)}" + ("; but these lines stood in another function" if astray else ""),
            meaning=changed_lines(src.text, solution),
            score=score,
        )


def ends_headers(text: str, changes: Iterable[Change]) -> bool:
    """Whether changes put in nothing but the colons at the ends of lines that begin a block.

    That says nothing that did not stand there. Any other repair may be wrong though it is the only one that was found: the level of a line or the
    place of a bracket decides what is tested.
    """
    code = Code(text)
    for start, end, new in changes:
        line = code.line_at(min(start, max(len(text) - 1, 0)))
        rest = text[end : code.offset(line) + len(code.lines[line - 1])]
        tokens, below = code.of_line(line), code.next_code_line(line)
        block = below and len(code.indent(below).expandtabs()) > len(code.indent(line).expandtabs())
        if text[start:end].strip() or new.strip() != ":" or "\n" in new or not re.fullmatch(r"\s*(?:#.*)?\s*", rest) or not block:
            return False
        if not tokens or tokens[0].text not in HEADS:
            return False
    return True


def _compared(src: SourceFile, found: tuple[Solution, ...], rank: int) -> Evidence:
    """How a repair stands beside the others: far ahead of the next, as good as the best, or behind it."""
    behind = found[rank].cost - found[0].cost
    if rank and behind >= CLEAR:
        return Evidence("search", f"one of {len(found)} repairs that compile, and not the nearest", src.path, 0.0)
    ahead = found[1].cost - found[0].cost if not rank else 0.0
    text = f"the nearest of {len(found)} repairs that compile" + (", by far" if ahead >= CLEAR else "")
    return Evidence("search", text, src.path, 0.6 if ahead >= CLEAR else 0.3)


def changed_lines(text: str, solution: Solution) -> str:
    """The lines of the repaired text that a repair touches, in short."""
    code = Code(solution.text)
    out: list[str] = []
    delta = 0
    for start, end, new in solution.changes:
        line = code.line_at(min(start + delta, max(len(solution.text) - 1, 0)))
        delta += len(new) - (end - start)
        shown = f"{line}: {code.lines[line - 1].rstrip()}" if code.lines else ""
        if shown not in out:
            out.append(shown)
    return "; ".join(out[:6])


def regression(title: str = "the file compiles and the product is wrong") -> Example:
    """A DECLINES example that holds for every tactic here: a real regression, nothing wrong with the test's syntax."""
    return Example(
        title,
        {
            "shop.py": "def total(prices):\n    return sum(prices) + 1\n",
            "test_shop.py": "from shop import total\n\n\ndef test_total():\n    assert total([1, 2]) == 3\n",
        },
        why="the test is right and the product returns a wrong sum: a regression, and no syntax error",
    )
