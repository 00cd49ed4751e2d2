"""What the product used to define and what it defines now: git's versions of the project's own files, definition by definition."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from pytest_maestro_healer.evidence.files import ProjectFiles
from pytest_maestro_healer.evidence.git import Git, Hunk
from pytest_maestro_healer.evidence.similarity import Def, definitions
from pytest_maestro_healer.evidence.symbols import SymbolIndex, parse

Read = TypeVar("Read")

_VERSIONS = 8
_NOTES = re.compile(r"(?i)(^|/)(change|history|news|release|migrat|upgrad|readme|docs?/).*\.(md|rst|txt)$|(^|/)(changes|changelog|history|news)$")


@dataclass(frozen=True)
class Former:
    """A definition as an older version had it: ``rev`` is where it was read, ``label`` says what ended it."""

    path: str
    rev: str
    label: str
    definition: Def
    tree: ast.Module


class Changes:
    """Old against new for the project's product files; all answers are empty without git."""

    def __init__(self, git: Git, files: ProjectFiles, symbols: SymbolIndex) -> None:
        self.git = git
        self.files = files
        self.symbols = symbols
        self._at: dict[tuple[str, str], dict[str, Def]] = {}
        self._trees: dict[tuple[str, str], ast.Module | None] = {}
        self._versions: dict[str, list[tuple[str, str]]] = {}

    # -- files ---------------------------------------------------------------------------------------------
    def is_product(self, path: str | None) -> bool:
        """Whether ``path`` is a file of the project that is not test code."""
        return path is not None and not path.startswith("/") and path.endswith(".py") and not self.files.is_test_code(path)

    def current(self, path: str) -> Mapping[str, Def]:
        """The definitions of a file as it stands."""
        key = (path, "")
        if key not in self._at:
            self._at[key] = definitions(self.symbols.tree(path))
        return self._at[key]

    def tree_at(self, path: str, rev: str) -> ast.Module | None:
        """The syntax tree of a file at ``rev`` (found under its former path, too)."""
        key = (path, rev)
        if key not in self._trees:
            data = self.git.bytes_at(path, rev)
            if data is None:
                former = next((old for old, new in self.git.renames().items() if new == path), None)
                data = self.git.bytes_at(former, rev) if former else None
            self._trees[key] = parse(data) if data is not None else None
        return self._trees[key]

    def at(self, path: str, rev: str) -> Mapping[str, Def]:
        """The definitions of a file at ``rev``."""
        key = (path, rev)
        if key not in self._at:
            self._at[key] = definitions(self.tree_at(path, rev))
        return self._at[key]

    def trees_with(self, word: str) -> Iterator[tuple[str, ast.Module]]:
        """(path, tree) of the product's files in whose text ``word`` occurs."""
        for path in self.files.product_files:
            tree = self.symbols.tree(path) if word.encode() in self.symbols.read(path) else None
            if tree is not None:
                yield path, tree

    def versions(self, path: str) -> Sequence[tuple[str, str]]:
        """(revision, what changed it since) of the older versions of a file, newest first."""
        if path not in self._versions:
            out: list[tuple[str, str]] = []
            if self.git.available:
                paths = [path, *(old for old, new in self.git.renames().items() if new == path)]
                if self.git.bytes_at(path, "HEAD") != self.files.read(path):
                    out.append(("HEAD", "an uncommitted change"))
                for p in paths:
                    out += [(f"{c}~1", f"{c[:7]} ({subject[:60]})") for c, subject in self.git.commits(p, limit=_VERSIONS)]
            self._versions[path] = list(dict.fromkeys(out))
        return self._versions[path]

    # -- definitions ---------------------------------------------------------------------------------------
    def former(self, path: str, qualname: str, accept: Callable[[Def], bool] = lambda d: True) -> Former | None:
        """The newest older definition of ``qualname`` that ``accept`` takes; ``None`` if git has none."""
        for rev, label in self.versions(path):
            found = self.at(path, rev).get(qualname)
            tree = self.tree_at(path, rev)
            if found is not None and tree is not None and accept(found):
                return Former(path, rev, label, found, tree)
        return None

    def changed_paths(self, rev: str) -> Sequence[str]:
        """Product files that differ between ``rev`` and the working tree (untracked ones included), that still exist."""
        seen = [p for p in self.git.changed_files(rev) if self.is_product(p)]
        new = (
            [p for p in self.files.product_files if p not in seen and self.git.bytes_at(p, "HEAD") is None]
            if len(self.files.product_files) < 400
            else []
        )
        return [p for p in [*seen, *new] if self.files.read(p) is not None]

    def added(self, rev: str) -> Sequence[tuple[str, Def]]:
        """(path, definition) of everything that the product defines now and did not at ``rev``."""
        return _added(self, rev)

    def hunks(self, rev: str) -> Sequence[Hunk]:
        """The product's hunks from ``rev`` to the working tree."""
        return [h for h in self.git.hunks(rev) if self.is_product(h.path)]

    def callers_changed_alike(self, rev: str, old: str, new: str, limit: int = 20) -> list[str]:
        """Places (``path:line``) where the product itself replaced the word ``old`` by ``new`` in a line and changed nothing else."""
        word = re.compile(rf"\b{re.escape(old)}\b")
        out: list[str] = []
        for h in self.hunks(rev):
            for offset, (a, b) in enumerate(zip(h.removed, h.added, strict=False)):
                if word.search(a) and word.sub(new, a) == b and not re.match(rf"\s*(async\s+def|def|class)\s+{re.escape(old)}\b", a):
                    out.append(f"{h.path}:{h.new_line + offset}")
        return out[:limit]

    def same_place(self, rev: str, path: str, old: Def, new: Def) -> bool:
        """Whether one hunk takes the old definition away and puts the new one there."""
        for h in self.git.hunks(rev):
            if h.path == path and h.old_line <= old.line < h.old_line + len(h.removed) and h.new_line <= new.line < h.new_line + len(h.added):
                return True
        return False

    def still_used(self, name: str, *, member: bool) -> str:
        """``path:line`` where product code still reads a ``member`` of a class (or a function, class or variable) that nothing defines any more.

        ``""`` where it does not, or where another definition of that name may be what is read.
        """
        users = [p for p in self.files.product_files if name.encode() in self.symbols.read(p)]
        if any(d.name == name for path in users for d in self.current(path).values()):
            return ""
        for path in users:
            tree = self.symbols.tree(path)
            line = _reader(tree, name, member) if tree is not None else 0
            if line:
                return f"{path}:{line}"
        return ""

    def promised(self, module: str, name: str) -> str:
        """``path:line`` where a module of the product names in its ``__all__`` what it does not have: that is its own fault; ``""`` if nowhere."""
        path, info = self.symbols.module_path(module), self.symbols.module(module)
        tree = self.symbols.tree(path) if self.is_product(path) and path is not None else None
        if tree is None or info is None or info.dynamic or self.symbols.provides(module, name):
            return ""
        line = next((n.lineno for n in tree.body if isinstance(n, (ast.Assign, ast.AugAssign)) and exports(n, name)), 0)
        return f"{path}:{line}" if line else ""

    # -- words ---------------------------------------------------------------------------------------------
    def said(self, *names: str | re.Pattern[str]) -> str:
        """Where a line of the project's notes (changelog, docs) or of the newest commit messages has all of ``names``; ``""`` if nowhere."""
        patterns = [n if isinstance(n, re.Pattern) else re.compile(rf"(?<![\w-]){re.escape(n)}(?!\w)") for n in names]
        for commit, subject in self.git.commits(limit=10) if self.git.available else ():
            if all(p.search(subject) for p in patterns):
                return f"commit {commit[:7]}"
        for path, text in _notes(self):
            for number, line in enumerate(text.splitlines(), 1):
                if all(p.search(line) for p in patterns):
                    return f"{path}:{number}"
        return ""

    def newest(self, test_path: str, read: Callable[[str], Sequence[Read]], limit: int = 3) -> Sequence[Read]:
        """What ``read`` finds in the product's changes since a revision: first in what is not committed, else in the newest commits.

        The newest change in which something is found decides; nothing is said where that is older than the test.
        """
        for rev in ("HEAD", *(f"{c}~1" for c, _ in self.git.commits(limit=limit))) if self.git.available else ():
            found = read(rev)
            if found:
                return found if rev == "HEAD" or self.newer_than(test_path, rev[:7] + " ") else ()
        return ()

    def newer_than(self, test_path: str, label: str) -> bool:
        """Whether the change ``label`` names (see :meth:`versions`) came after the last commit of ``test_path``, or is not committed."""
        if not re.match(r"[0-9a-f]{7} ", label):
            return True
        last = self.git.commits(test_path, limit=1)
        order = [c[:7] for c, _ in self.git.commits(limit=60)]
        mine = label[:7]
        if not last or mine not in order:
            return False
        when = last[0][0][:7]
        return when not in order or order.index(mine) < order.index(when)


@lru_cache(maxsize=32)
def _added(changes: Changes, rev: str) -> Sequence[tuple[str, Def]]:
    out = []
    for path in changes.changed_paths(rev):
        before = changes.at(path, rev)
        out += [(path, d) for q, d in changes.current(path).items() if q not in before]
    return out


@lru_cache(maxsize=4)
def _notes(changes: Changes) -> Sequence[tuple[str, str]]:
    root = changes.files.root
    out = []
    for pattern in ("*.md", "*.rst", "*.txt", "docs/*.md", "docs/*.rst", "docs/*/*.md", "docs/*/*.rst", "CHANGES", "CHANGELOG", "NEWS", "HISTORY"):
        for path in sorted(root.glob(pattern))[:50]:
            relative = changes.files.relative(path)
            if _NOTES.search(relative):
                data = changes.files.read(relative)
                out.append((relative, (data or b"").decode("utf-8", "replace")))
    return out


@lru_cache(maxsize=8)
def changes_of(git: Git, files: ProjectFiles, symbols: SymbolIndex) -> Changes:
    """The one :class:`Changes` of a healing phase (the three belong to its context)."""
    return Changes(git, files, symbols)


def product_calls(changes: Changes, name: str) -> Iterator[tuple[str, ast.Call]]:
    """(path, call) of every call of ``name`` (as a name or attribute) in product code."""
    for path, tree in changes.trees_with(name):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                f = node.func
                if (isinstance(f, ast.Name) and f.id == name) or (isinstance(f, ast.Attribute) and f.attr == name):
                    yield path, node


#: Members of the built-in types: a use of such a name says nothing of whose it is.
COMMON = frozenset(n for t in (str, bytes, list, dict, set, tuple, int, float, type(re.compile("")), type(re.match("", ""))) for n in dir(t))


def _reader(tree: ast.Module, name: str, member: bool) -> int:
    """The line that reads ``name``: as a member of something, or as a global; 0 without one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == name and isinstance(node.ctx, ast.Load):
            own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            if own or (name not in COMMON and member):
                return node.lineno
        if isinstance(node, ast.ImportFrom) and not member and any(a.name == name for a in node.names):
            return node.lineno
        if isinstance(node, (ast.Assign, ast.AugAssign)) and not member and exports(node, name):
            return node.lineno
    if member:
        return 0
    bound = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id == name and not isinstance(n.ctx, ast.Load)}
    bound |= {a.arg for a in ast.walk(tree) if isinstance(a, ast.arg) and a.arg == name}
    bound |= {a.asname or a.name for n in ast.walk(tree) if isinstance(n, (ast.Import, ast.ImportFrom)) for a in n.names}
    if name in bound:
        return 0
    return next((n.lineno for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id == name), 0)


def exports(node: ast.Assign | ast.AugAssign, name: str) -> bool:
    """Whether an assignment puts ``name`` into ``__all__``: what is promised there has to be there."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    promised = any(isinstance(t, ast.Name) and t.id == "__all__" for t in targets)
    return promised and any(isinstance(n, ast.Constant) and n.value == name for n in ast.walk(node.value))
