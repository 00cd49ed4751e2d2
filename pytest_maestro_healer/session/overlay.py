"""Serve healed sources to the import system while the disk stays untouched."""

from __future__ import annotations

import ast
import contextlib
import importlib.machinery
import importlib.util
import linecache
import os
import sys
import types
from collections.abc import Iterator, Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

import pytest

from pytest_maestro_healer.session import compat

#: Compiling a test module costs more than running its tests, and a proof runs the same bytes several times.
_REMEMBERED = 16
_COMPILED: dict[tuple[str, bytes, bool, frozenset[str]], types.CodeType] = {}


class OverlayLoader(Loader):
    """Executes healed bytes under the original file name; writes no pyc."""

    def __init__(self, overlay: Overlay, path: str) -> None:
        self._overlay = overlay
        self.path = path

    def create_module(self, spec: ModuleSpec) -> types.ModuleType | None:
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        code = self._overlay.compile(module.__name__, self.path)
        self._overlay.served.add(self.path)
        exec(code, module.__dict__)

    def get_source(self, name: str) -> str:
        """For :mod:`linecache` and :mod:`inspect`."""
        return importlib.util.decode_source(self._overlay.files[self.path])

    def get_filename(self, name: str = "") -> str:
        return self.path

    def is_package(self, name: str) -> bool:
        return os.path.basename(self.path) == "__init__.py"


class Overlay(MetaPathFinder):
    """A set of files with other contents, keyed by absolute path.

    ``served`` collects the paths whose healed bytes were really executed, so that a proof can insist on it. ``idle`` names, by path, tests
    (functions and classes of the module) that will not run: their asserts stay as they are written, which does not change what they do.
    """

    def __init__(
        self, config: pytest.Config | None, files: Mapping[str, bytes] | None = None, idle: Mapping[str, frozenset[str]] | None = None
    ) -> None:
        self._config = config
        self.files: dict[str, bytes] = dict(files or {})
        self._idle = dict(idle or {})
        self.served: set[str] = set()
        self._lines: dict[str, object] = {}

    # -- life ----------------------------------------------------------------------------------------------
    def install(self) -> None:
        """Go first on ``sys.meta_path`` and show the healed lines in tracebacks."""
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)
        for path in self.files:
            self._show(path)

    def uninstall(self) -> None:
        """Leave no trace."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        for path, entry in self._lines.items():
            if entry is None:
                linecache.cache.pop(path, None)
            else:
                linecache.cache[path] = entry  # type: ignore[assignment]
        self._lines.clear()

    def update(self, files: Mapping[str, bytes]) -> None:
        """Serve ``files`` too (and show them, when installed)."""
        self.files.update(files)
        if self in sys.meta_path:
            for path in files:
                self._show(path)

    def _show(self, path: str) -> None:
        # an mtime of None survives linecache.checkcache
        self._lines.setdefault(path, linecache.cache.get(path))
        try:
            lines = importlib.util.decode_source(self.files[path]).splitlines(keepends=True)
        except (SyntaxError, UnicodeDecodeError):
            return
        linecache.cache[path] = (len(self.files[path]), None, lines, path)

    # -- importing -----------------------------------------------------------------------------------------
    def compile(self, name: str, path: str) -> types.CodeType:
        """Parse, rewrite asserts where pytest would, compile. The last few are remembered, also by what is forked from here."""
        data = self.files[path]
        rewrite = self._config is not None and compat.wants_rewrite(self._config, name, path)
        idle = self._idle.get(path, frozenset()) if rewrite else frozenset()
        key = (path, data, rewrite, idle)
        if key not in _COMPILED:
            tree = ast.parse(data, filename=path)
            if rewrite:
                with _set_aside(tree, idle):
                    compat.apply_asserts(tree, data, path, self._config)
            while len(_COMPILED) >= _REMEMBERED:
                del _COMPILED[next(iter(_COMPILED))]
            _COMPILED[key] = compile(tree, path, "exec", dont_inherit=True)
        return _COMPILED[key]

    def spec_for(self, name: str, path: str) -> ModuleSpec:
        """The spec that loads ``name`` from the healed bytes of ``path``."""
        package = os.path.basename(path) == "__init__.py"
        spec = importlib.util.spec_from_file_location(
            name, path, loader=OverlayLoader(self, path), submodule_search_locations=[os.path.dirname(path)] if package else None
        )
        assert spec is not None
        return spec

    def load(self, name: str, path: str) -> types.ModuleType:
        """Execute the healed bytes of ``path`` as ``sys.modules[name]``; the caller restores ``sys.modules``."""
        module = importlib.util.module_from_spec(self.spec_for(name, path))
        sys.modules[name] = module
        assert module.__spec__ is not None
        assert module.__spec__.loader is not None
        module.__spec__.loader.exec_module(module)
        return module

    def find_spec(self, fullname: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None) -> ModuleSpec | None:
        tail = fullname.rpartition(".")[2]
        candidates = [p for p in self.files if _stem(p) == tail]
        if not candidates:
            return None
        spec = PathFinder.find_spec(fullname, path)
        if spec is not None and spec.origin in self.files:
            return self.spec_for(fullname, str(spec.origin))
        # pytest's importlib mode asks with the folder of the top package: the standard finder then finds nothing
        for found in candidates:
            parts = Path(found).with_suffix("").parts
            if parts[-1] == "__init__":
                parts = parts[:-1]
            dotted = fullname.split(".")
            if list(parts[-len(dotted) :]) == dotted and any(_inside(found, p) for p in path or ()):
                return self.spec_for(fullname, found)
        return None


@contextlib.contextmanager
def _set_aside(tree: ast.Module, names: frozenset[str]) -> Iterator[None]:
    """Empty the functions and classes ``names`` of ``tree`` for a while: rewriting the asserts of a long module takes most of the time."""
    taken = [(n, n.body) for n in tree.body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and n.name in names]
    for node, body in taken:
        node.body = [ast.copy_location(ast.Pass(), body[0])]
    try:
        yield
    finally:
        for node, body in taken:
            node.body = body


def _stem(path: str) -> str:
    name = os.path.basename(path)
    return os.path.basename(os.path.dirname(path)) if name == "__init__.py" else name.removesuffix(".py")


def _inside(path: str, folder: str) -> bool:
    return path.startswith(folder.rstrip(os.sep) + os.sep)
