"""Which files a change reaches: the import graph of the project, and who names which data file.

In doubt a file is taken as reached: a test that runs for nothing costs a moment, one that is left out hides a failure.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from pytest_maestro_healer.evidence.files import ProjectFiles
from pytest_maestro_healer.evidence.symbols import SymbolIndex
from pytest_maestro_healer.watch.mentions import Mentions, mentions

#: Files in the project's root that may change how every test runs.
CONFIGURATION = frozenset({"pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg", "setup.py"})


def is_code(path: str) -> bool:
    """Whether a run in the middle of which ``path`` changes is worth nothing, and one that reads half of it is dangerous."""
    return path.endswith(".py") or path in CONFIGURATION


@dataclass(frozen=True)
class Graph:
    """``edges``: Python file -> the project's Python files that it may load; ``texts``: Python file -> parts of its strings."""

    edges: Mapping[str, frozenset[str]] = field(default_factory=dict)
    texts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    modules: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def naming(self, path: str) -> set[str]:
        """The Python files with a string that has the name of the file ``path``."""
        name = path.rpartition("/")[2]
        return {p for p, texts in self.texts.items() if name in texts}

    def reading(self, path: str) -> set[str]:
        """The Python files that may read ``path``: they name it, its folder, or its kind (``*.json``, ``.json``)."""
        folder, _, name = path.rpartition("/")
        near, suffix = folder.rpartition("/")[2], "." + name.rpartition(".")[2] if "." in name[1:] else ""
        out = self.naming(path)
        for p, texts in self.texts.items():
            if (near and near in texts) or (suffix and suffix in texts) or any(fnmatch.fnmatchcase(name, t) for t in texts if _is_glob(t)):
                out.add(p)
        return out


@dataclass(frozen=True)
class Affected:
    """What a change reaches: ``files`` (the changed ones and those that may load them), or ``everything``, with the reason why."""

    files: frozenset[str] = frozenset()
    everything: str = ""

    def __or__(self, other: Affected) -> Affected:
        return Affected(self.files | other.files, self.everything or other.everything)

    def __bool__(self) -> bool:
        return bool(self.files or self.everything)


class GraphBuilder:
    """Builds graphs; a file that looks as it did (``stamp``) is not read again."""

    def __init__(self, stamp: Callable[[str], object]) -> None:
        self._stamp = stamp
        self._known: dict[str, tuple[object, Mentions]] = {}

    def build(self, files: ProjectFiles) -> Graph:
        """The graph of the project as it is now; a file that does not parse keeps the imports that it had."""
        index = SymbolIndex(files)
        known = {path: self._mentions(index, path) for path in files.python}
        self._known = known
        folders = Folders(files.python)
        modules = folders.modules(index)
        edges = {path: frozenset(folders.edges(path, m, modules)) - {path} for path, (_, m) in known.items()}
        return Graph(edges, {path: m.texts for path, (_, m) in known.items()}, modules)

    def _mentions(self, index: SymbolIndex, path: str) -> tuple[object, Mentions]:
        stamp = self._stamp(path)
        old = self._known.get(path)
        if old is not None and old[0] == stamp:
            return old
        tree = index.tree(path)
        new = mentions(index.read(path), tree)
        if tree is None and old is not None:
            new = Mentions(new.modules | old[1].modules, new.relative | old[1].relative, new.texts | old[1].texts)
        return stamp, new


class Folders:
    """The layout of the Python files ``paths``: which names import them."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.paths = set(paths)

    def modules(self, index: SymbolIndex) -> Mapping[str, tuple[str, ...]]:
        """Dotted name -> files it may mean: every folder that is no package may be on ``sys.path``."""
        out: dict[str, list[str]] = {}
        for path in sorted(self.paths):
            for name in dict.fromkeys([index.module_name(path), *self._names(path)]):
                if name:
                    out.setdefault(name, []).append(path)
        return {n: tuple(ps) for n, ps in out.items()}

    def _names(self, path: str) -> Iterable[str]:
        parts = path[:-3].split("/")
        names = parts[:-1] if parts[-1] == "__init__" else parts
        for first in range(len(names)):
            if first == 0 or "/".join([*parts[:first], "__init__.py"]) not in self.paths:
                yield ".".join(names[first:])

    def edges(self, path: str, found: Mentions, modules: Mapping[str, tuple[str, ...]]) -> Iterable[str]:
        """The project's files that loading ``path`` may load."""
        folder = path.rpartition("/")[0]
        yield from self._above(folder, "__init__.py")
        if not path.endswith("conftest.py"):
            yield from self._above(folder, "conftest.py", all_=True)
        for name in found.modules:
            parts = name.split(".")
            for n in range(1, len(parts) + 1):
                yield from modules.get(".".join(parts[:n]), ())
        for level, rest in found.relative:
            base = folder.split("/") if folder else []
            if level - 1 <= len(base):
                yield from self._below(base[: len(base) - level + 1], rest.split(".") if rest else [])

    def _above(self, folder: str, name: str, *, all_: bool = False) -> Iterable[str]:
        """``folder/name`` and those in the folders above it: up to the first that has none, or ``all_``."""
        parts = folder.split("/") if folder else []
        for n in range(len(parts), -1, -1):
            candidate = "/".join([*parts[:n], name])
            if candidate in self.paths:
                yield candidate
            elif not all_:
                return

    def _below(self, base: list[str], rest: list[str]) -> Iterable[str]:
        for n in range(len(rest) + 1):
            at = [*base, *rest[:n]]
            for candidate in ("/".join([*at, "__init__.py"]), "/".join(at) + ".py"):
                if candidate in self.paths:
                    yield candidate


def affected(changed: Collection[str], before: Graph, now: Graph, named: Collection[str] = ()) -> Affected:
    """What the change of the files ``changed`` reaches, by the imports as they were and as they are.

    ``named`` are dotted names in pytest's configuration: what is loaded for every test.
    """
    for path in sorted(changed):
        if path in CONFIGURATION:
            return Affected(frozenset(changed), f"{path} changed")
    start = set()
    for path in sorted(changed):
        start.add(path)
        readers = (now.naming(path) | before.naming(path)) if path.endswith(".py") else (now.reading(path) | before.reading(path))
        if not readers and not path.endswith(".py"):
            return Affected(frozenset(changed), f"{path} changed, and no Python file names it")
        start |= readers
    files = _closure(start, before, now)
    for path in sorted({p for g in (before, now) for n in named for p in _loaded(n, g)}):
        if path in files:
            return Affected(frozenset(files), f"{path} changed" if path in changed else f"{path} is loaded for every test")
    return Affected(frozenset(files))


def _closure(start: Collection[str], *graphs: Graph) -> set[str]:
    importers: dict[str, set[str]] = {}
    for graph in graphs:
        for path, loads in graph.edges.items():
            for loaded in loads:
                importers.setdefault(loaded, set()).add(path)
    seen, todo = set(start), list(start)
    while todo:
        fresh = importers.get(todo.pop(), set()) - seen
        seen |= fresh
        todo += fresh
    return seen


def _loaded(name: str, graph: Graph) -> Iterable[str]:
    parts = name.split(".")
    return (p for n in range(1, len(parts) + 1) for p in graph.modules.get(".".join(parts[:n]), ()))


def _is_glob(text: str) -> bool:
    # one that fits every name says nothing about this one
    return ("*" in text or "?" in text) and len(text.strip("*?.")) > 0
