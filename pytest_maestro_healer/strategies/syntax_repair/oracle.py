"""What the parser says: :func:`check` gives the first problem of a text, with plain offsets, the same for CPython 3.10 to 3.13."""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass
from functools import lru_cache

from pytest_maestro_healer.strategies.syntax_repair.lexer import Code

#: What the compiler says without a place, or with the place of a whole function.
_ODD = ("f-string", "(unicode error)", "bytes can only contain")


@dataclass(frozen=True)
class Problem:
    """A syntax error: ``start``/``end`` are character offsets, ``line`` is 1-based; ``kind`` is the exception's class name."""

    msg: str
    line: int
    start: int
    end: int
    kind: str
    #: Characters from ``start`` to the end of the text: grows smaller when a repair makes the error move on.
    left: int

    @property
    def is_indent(self) -> bool:
        """Whether indentation is what the parser complains about."""
        return self.kind in ("IndentationError", "TabError")


def parses(text: str) -> bool:
    """Whether ``text`` compiles."""
    return check(Code(text)) is None


def check(code: Code) -> Problem | None:
    """The first problem of a text, ``None`` when it compiles.

    Compiling, not only parsing: ``return`` outside a function and its like come from the compiler.
    """
    return _check(code.text)


@lru_cache(maxsize=48)
def _check(text: str) -> Problem | None:
    code = Code(text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(ast.parse(code.text), "<repair>", "exec", dont_inherit=True)
    except SyntaxError as exc:
        return _problem(exc, code)
    except (ValueError, RecursionError, MemoryError, OverflowError) as exc:
        return Problem(str(exc) or type(exc).__name__, 1, 0, 0, type(exc).__name__, len(code.text))
    return None


def _problem(exc: SyntaxError, code: Code) -> Problem:
    msg = exc.msg or "invalid syntax"
    line = exc.lineno or 0
    col = (exc.offset or 1) - 1
    if exc.filename == "<fstring>" or line < 1 or (msg.startswith(_ODD) and not exc.offset):
        line, col = _blame_string(code, line)
    line = max(1, min(line, len(code.lines) or 1)) if line <= len(code.lines) else len(code.lines) + 1
    start = code.offset(line, col)
    end = start
    if exc.end_lineno and exc.end_offset and exc.end_offset > 0 and exc.end_lineno >= line:
        end = max(start, code.offset(exc.end_lineno, exc.end_offset - 1))
    return Problem(msg, min(line, max(len(code.lines), 1)), start, end, type(exc).__name__, len(code.text) - start)


def _blame_string(code: Code, line: int) -> tuple[int, int]:
    """Where the f-string stands that does not compile by itself: before 3.12 the parser numbers lines inside it."""
    for t in code.tokens:
        if t.kind == "str" and "f" in t.text[:2].lower():
            try:
                ast.parse(t.text)
            except SyntaxError:
                return t.line, t.start - code.offset(t.line)
            except (ValueError, RecursionError, MemoryError):
                continue
    return max(line, 1), 0
