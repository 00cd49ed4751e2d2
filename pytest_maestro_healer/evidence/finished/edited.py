"""What a heal writes, as words: what it takes away from the tests and what it puts there."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from pytest_maestro_healer.evidence.symbols import parse

#: A name or an option of a command line.
TOKEN = re.compile(r"--?[A-Za-z][\w-]*|[A-Za-z_]\w*")


@dataclass(frozen=True)
class Edited:
    """What a heal writes: the words of the lines it takes away and of those it puts there."""

    before: Mapping[str, bytes]
    after: Mapping[str, bytes]

    @cached_property
    def _lines(self) -> tuple[str, str]:
        gone, came = ([line for block in side for line in block] for side in zip(*self._blocks, strict=True)) if self._blocks else ([], [])
        return "\n".join(gone), "\n".join(came)

    @cached_property
    def _blocks(self) -> list[tuple[list[str], list[str]]]:
        out = []
        for path, data in self.after.items():
            old, new = ((d or b"").decode("utf-8", "replace").splitlines() for d in (self.before.get(path), data))
            for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
                if tag != "equal":
                    out.append((old[i1:i2], new[j1:j2]))
        return out

    @cached_property
    def pairs(self) -> dict[str, set[str]]:
        """Which words stand in the place of each word that is given up."""
        return paired(self._blocks)

    @cached_property
    def _words(self) -> tuple[list[str], list[str]]:
        old, new = (list(dict.fromkeys(w for w in TOKEN.findall(t) if len(w) > 1)) for t in self._lines)
        return old, new

    @cached_property
    def gone(self) -> list[str]:
        """Words that are given up: everywhere, or for another one in their place (a variable may have the name of what it is read from)."""
        old, new = self._words
        return [w for w in old if w not in new or self.pairs.get(w, {w}) - {w}]

    @cached_property
    def came(self) -> list[str]:
        """Words that are new, or stand in the place of another one."""
        old, new = self._words
        heirs = {h for w, found in self.pairs.items() for h in found - {w}}
        return [w for w in new if w not in old or w in heirs]

    @cached_property
    def kept(self) -> set[str]:
        """Words of the files that are edited."""
        return {w for data in self.after.values() for w in TOKEN.findall(data.decode("utf-8", "replace"))}

    @cached_property
    def near(self) -> set[str]:
        """Words of the lines that are edited."""
        return {w for text in self._lines for w in TOKEN.findall(text)}

    @cached_property
    def texts(self) -> list[str]:
        """Texts that are given up."""
        old, new = (re.findall(r"[\"']([^\"'\n]{1,60})[\"']", t) for t in self._lines)
        return [t for t in dict.fromkeys(old) if t not in new]

    @property
    def starred(self) -> bool:
        """Whether a file imports all names of a module."""
        return any(re.search(rb"(?m)^\s*from\s+[\w.]+\s+import\s+\*", d or b"") for d in self.before.values())

    @cached_property
    def only_imports(self) -> bool:
        """Whether nothing but imports is edited."""
        return all(_rest(self.before.get(path) or b"") == _rest(data) != "" for path, data in self.after.items())

    def module_of(self, word: str) -> str:
        """The module that the tests do not import from any more, where ``word`` was a part of its name and of nothing else that is given up."""
        said = [line for old, _ in self._blocks for line in old if word in TOKEN.findall(line)]
        found = {m[1] for line in said if (m := re.fullmatch(r"\s*from\s+([\w.]+)\s+import\s.*", line))}
        if len(found) != 1 or not all(re.match(r"\s*from\s", line) and word not in TOKEN.findall(line.partition(" import ")[2]) for line in said):
            return ""
        module = found.pop()
        return module if module.rpartition(".")[2] == word else ""

    def added_imports(self) -> Iterator[tuple[str, str]]:
        """(name, module) of what was not imported before."""
        for path, data in self.after.items():
            old = _imported(self.before.get(path) or b"")
            yield from ((n, m) for n, m in _imported(data).items() if n not in old)

    def imports(self) -> Iterator[tuple[str, str, str]]:
        """(name, module that it was imported from, module that it is imported from now)."""
        for path, data in self.after.items():
            old, new = _imported(self.before.get(path) or b""), _imported(data)
            for name, module in new.items():
                if (was := old.get(name, old.get("*", module))) != module:
                    yield name, was, module


def words_of(lines: Iterable[str]) -> set[str]:
    """The words of some lines."""
    return set(TOKEN.findall("\n".join(lines)))


def paired(blocks: Iterable[tuple[Sequence[str], Sequence[str]]]) -> dict[str, set[str]]:
    """Which words stand in the place of each word that is given up, of (lines before, lines after) that were changed."""
    out: dict[str, set[str]] = {}
    for block in blocks:
        old, new = (TOKEN.findall("\n".join(lines)) for lines in block)
        for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
            if tag == "replace" and i2 - i1 == j2 - j1:
                for a, b in zip(old[i1:i2], new[j1:j2], strict=True):
                    out.setdefault(a, set()).add(b)
    return out


def _rest(data: bytes) -> str:
    """What a file says besides its imports, in one form; ``""`` where it does not parse."""
    tree = parse(data)
    if tree is None:
        return ""
    return ast.dump(_WithoutImports().visit(tree))


class _WithoutImports(ast.NodeTransformer):
    def visit_Import(self, node: ast.Import) -> None:
        """Leave it out."""

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """Leave it out."""


def _imported(data: bytes) -> dict[str, str]:
    tree = parse(data)
    nodes = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and not n.level] if tree is not None else []
    return {a.name: n.module or "" for n in nodes for a in n.names}
