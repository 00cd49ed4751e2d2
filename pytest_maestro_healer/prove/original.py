"""The test as it was when it last passed: which mutants of the product it noticed, and whether the healed one still does."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pytest_maestro_healer.evidence.experiments import Conditions
from pytest_maestro_healer.evidence.nodeids import file_of, function_of
from pytest_maestro_healer.prove.mutants import Identity, Mutant, mutants
from pytest_maestro_healer.prove.runner import Runner, RunReport
from pytest_maestro_healer.prove.twins import unchanged

#: Mutants that the original and the healed test are compared by.
COMMON = 16
#: Why nothing, or no more, is known.
LATE = "the time for that is used up"


@dataclass(frozen=True)
class Seen:
    """One mutant that both versions of the product have: in the file ``path`` of today as ``identity``; ``old`` names its function of then."""

    path: str
    identity: Identity
    old: str
    killed: bool


@dataclass(frozen=True)
class Original:
    """What ``tests`` noticed at the commit ``rev``; ``why`` says why nothing is known, where it is not.

    ``untried`` mutants were left when the time for it was used up.
    """

    rev: str = ""
    tests: tuple[str, ...] = ()
    seen: tuple[Seen, ...] = ()
    why: str = ""
    untried: int = 0


class Past(Protocol):
    """Runs tests as they were."""

    def original(self, nodeids: Sequence[str]) -> Original:
        """The mutants that ``nodeids`` noticed when they last passed. Never raises, never writes into the project."""
        ...

    def then(self, nodeids: Sequence[str], overlay: Mapping[str, bytes], conditions: Conditions) -> RunReport:
        """A run of the tests as they are now with all else of the project as it was at ``conditions.rev``; ``problem`` where that cannot be had."""
        ...

    def bytes_at(self, path: str, rev: str) -> bytes:
        """A file of today as it was at ``rev``, ``b""`` where it was not there."""
        ...


class Compared:
    """A healed test beside its original. ``source`` gives a product file's bytes, ``traced`` is the traced run of the healed tests."""

    def __init__(
        self, past: Past, original: Original, runner: Runner, overlay: Mapping[str, bytes], source: Callable[[str], bytes | None], traced: RunReport
    ) -> None:
        self.past = past
        self.original = original
        self.runner = runner
        self.overlay = overlay
        self.source = source
        self.traced = traced

    def verdict(self) -> tuple[bool | None, str]:
        """(whether the healed tests notice as much as the original; in words)."""
        kept, words = self._compared()
        left = self.original.untried
        return kept, f"{words} ({left} more not tried: {LATE})" if left and kept is not None else words

    def _compared(self) -> tuple[bool | None, str]:
        original = self.original
        if original.why:
            return None, f"not compared with the original: {original.why}"
        live, lost = self._reach([s for s in original.seen if s.killed])
        fate = self._tried(live)
        if fate is None:
            return None, "not compared with the original: none of its mutants can be tried here"
        lost += [m for m, noticed in fate if not noticed]
        common = len(fate) + len(lost) - sum(not noticed for _, noticed in fate)
        if not common and original.untried:
            return None, f"not compared with the original: {LATE}"
        if not common:
            return None, f"not compared with the original: at {_short(original.rev)} it noticed no mutant that is still there"
        if lost:
            # what it may have gained instead
            gained = self._tried(self._reach([s for s in original.seen if not s.killed])[0]) or []
            more = sum(noticed for _, noticed in gained)
            if more < len(lost):
                return False, self._told(lost, common, more)
            return True, f"as many as the original noticed at {_short(original.rev)} ({common}), not all the same"
        return True, f"of {common} that the original noticed at {_short(original.rev)} none is lost"

    def _told(self, lost: Sequence[Mutant], common: int, more: int) -> str:
        rest = f" (and {len(lost) - 3} more)" if len(lost) > 3 else ""
        saw = "; ".join(m.told for m in lost[:3])
        found = common - len(lost) + more
        return f"the original saw {saw}{rest}, the healed test does not ({found} of the {common} that it noticed at {_short(self.original.rev)})"

    def _reach(self, seen: Sequence[Seen]) -> tuple[list[Mutant], list[Mutant]]:
        """(mutants on lines that the healed tests run; those that they do not even run any more, though nothing but the heal can be the reason)."""
        executed = self._executed()
        live: list[Mutant] = []
        lost: list[Mutant] = []
        for path in dict.fromkeys(s.path for s in seen):
            here = {s.identity: s for s in seen if s.path == path}
            source = self.source(path) or b""
            made = mutants(path, source, None, len(here), here.keys())
            same = unchanged(self.past.bytes_at(path, self.original.rev), source)
            ran = executed.get(path, set())
            for m in made:
                mine = m.qualname in same and m.identity is not None and self._named(here[m.identity].old)
                if m.at in ran or (mine and not ran.isdisjoint(n for *_, n in m.code.co_lines())):
                    live.append(m)
                elif mine:
                    lost.append(m)
        return live, lost

    def _executed(self) -> Mapping[str, set[int]]:
        out: dict[str, set[int]] = {}
        by_test = [self.traced.by_test[n] for n in self.original.tests if n in self.traced.by_test]
        for lines in by_test or [self.traced.executed]:
            for path, numbers in lines.items():
                out.setdefault(path, set()).update(numbers)
        return out

    def _named(self, qualname: str) -> bool:
        """Whether the original itself called the function: what it got to through others, the product may have taken from its way."""
        parts = [p for p in qualname.split(".") if not p.startswith("__")]  # who calls ``__init__`` names the class
        word = re.compile(rf"\b{re.escape(parts[-1] if parts else qualname)}\b")
        return any(word.search(_text(self.past.bytes_at(file_of(n), self.original.rev), function_of(n))) for n in self.original.tests)

    def _tried(self, some: Sequence[Mutant]) -> list[tuple[Mutant, bool]] | None:
        """Those that can be tried, with whether they are noticed; ``None`` where there are some and none can."""
        if not some:
            return []
        found = zip(some, self.runner.killed(self.original.tests, self.overlay, some), strict=True)
        return [(m, noticed) for m, noticed in found if noticed is not None] or None


def _short(rev: str) -> str:
    return rev[:7] if re.fullmatch(r"[0-9a-f]{40,}", rev) else rev


def _text(source: bytes, function: str) -> str:
    """The source of a test function (``TestX::test_y``); ``""`` where it is not found."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body: Sequence[ast.stmt] = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    found: ast.AST | None = None
    for name in function.split("::"):
        found = next((n for n in body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and n.name == name), None)
        if found is None:
            return ""
        body = found.body
    return ast.unparse(found) if found is not None else ""
