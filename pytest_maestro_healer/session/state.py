"""What a test left changed: a snapshot of reachable state before and after, compared.

Looked at are the globals of the project's modules, the attributes of classes and objects in them, mutable defaults and caches of their functions,
rebound attributes of the modules that they import, which of the project's modules were executed anew, the environment, working directory,
``sys.path``, locale, time zone, and the files of the project. Only built-in containers are read item by item; nothing of the project's code is
called.
"""

from __future__ import annotations

import contextlib
import itertools
import locale
import os
import sys
import time
import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_maestro_healer.capture.values import Limits, snapshot
from pytest_maestro_healer.evidence.state import Change, StateKind
from pytest_maestro_healer.model import Value
from pytest_maestro_healer.session.capture import Capture

_SCALARS = (type(None), bool, int, float, complex, str, bytes)
_CONTAINERS = (dict, list, set, frozenset, tuple)
_DEPTH, _NODES, _FILES = 4, 40_000, 5_000
_SHALLOW = Limits(depth=4, nodes=60, chars=2000, repr_chars=300, seconds=0.05)
_IGNORED = {"__builtins__", "__cached__", "__doc__", "__file__", "__loader__", "__name__", "__package__", "__spec__", "__path__",
            "__warningregistry__", "@py_builtins", "@pytest_ar", "__dict__", "__weakref__", "__module__", "__annotations__"}  # fmt: skip
_NO_DIRS = {".git", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", "node_modules", ".tox", ".nox", ".venv", "venv"}
_MISSING = object()


@dataclass(frozen=True)
class _Entry:
    print: Any
    shape: Any
    holder: str
    nested: bool
    value: Value | None
    foreign: bool = False


Key = tuple[StateKind, str, str]


class Snapshot:
    """The state now; :meth:`changes` compares it with that of later."""

    def __init__(self, capture: Capture) -> None:
        self._capture = capture
        self._left = _NODES
        self._seen: set[int] = set()
        self._keep: list[object] = []  # an id is only worth something while its object lives
        self.entries: dict[Key, _Entry] = {}
        self._later: list[tuple[str, str, Any, int]] = []
        self._ours: dict[str, bool] = {}
        self._foreign = False
        self._process()
        project, used = self._modules()
        #: Of each of the project's modules, what identifies it, and the functions and classes that it defines.
        self.defined = {m.__name__: (m, _definitions(m)) for m in project if sys.modules.get(m.__name__) is m}
        for module in project:
            self._members(module.__name__, "", vars(module), 0)
        for module in used:
            self._rebindable(module)
        # what is inside of other people's objects comes last: there may be very much of it
        self._foreign = True
        for place in self._later:
            self._members(*place)
        self._files()

    def changes(self, later: Snapshot) -> tuple[Change, ...]:
        """What differs, the project's own state first."""
        anew = {name: how for name in self.defined if (how := self._anew(name, later))}
        out = [Change("module", name, "", how) for name, how in anew.items()]
        for key in dict.fromkeys([*self.entries, *later.entries]):
            old, new = self.entries.get(key), later.entries.get(key)
            if old is not None and new is not None and old.print == new.print:
                continue
            known = old or new
            assert known is not None
            rebound = old is None or new is None or old.shape != new.shape
            if rebound and key[0] == "attribute" and key[1] in anew:
                continue  # what else was to be expected
            nested = bool((old and old.nested) or (new and new.nested))
            values = (old.value if old else None, new.value if new else None)
            out.append(Change(*key, known.holder, rebound, nested, *values, foreign=known.foreign))
        return tuple(out)

    # -- modules -------------------------------------------------------------------------------------------
    def _anew(self, name: str, later: Snapshot) -> str:
        """How a module was executed anew, see :class:`Change`; ``""`` where it was not."""
        module, before = self.defined[name]
        if name not in later.defined or later.defined[name][0] is not module:
            return "object"
        after = later.defined[name][1]
        return "namespace" if before and all(n in after and after[n] is not old for n, old in before.items()) else ""

    def _modules(self) -> tuple[list[types.ModuleType], list[types.ModuleType]]:
        project: list[types.ModuleType] = []
        used: dict[str, types.ModuleType] = {m.__name__: m for m in (sys, os, time)}
        for module in list(sys.modules.values()):
            name = getattr(module, "__file__", None)
            if isinstance(module, types.ModuleType) and isinstance(name, str) and self._capture.kind(name) in ("test", "product"):
                project.append(module)
        # what is reachable in several ways is named by the product's way
        project.sort(key=lambda m: self._capture.kind(str(m.__file__)) != "product")
        for module in project:
            for value in list(vars(module).values()):
                if isinstance(value, types.ModuleType) and value not in project:
                    used.setdefault(value.__name__, value)
        return project, list(used.values())

    def _members(self, module: str, prefix: str, members: Any, depth: int) -> None:
        for name, value in list(members.items()):
            if isinstance(name, str) and name not in _IGNORED and name.isidentifier() and not isinstance(value, types.ModuleType):
                self._one(module, f"{prefix}{name}", value, depth)

    def _one(self, module: str, path: str, value: Any, depth: int) -> None:
        if self._left <= 0:
            return
        if isinstance(value, type):
            self._add(("attribute", module, path), id(value), value)
            if value.__module__ == module and self._new(value):
                self._members(module, path + ".", vars(value), depth + 1)
            return
        raw = value.__func__ if isinstance(value, (staticmethod, classmethod)) else value
        if isinstance(raw, types.FunctionType):
            self._add(("attribute", module, path), id(raw), raw)
            for name in ("__defaults__", "__kwdefaults__"):
                held = getattr(raw, name)
                if (
                    raw.__module__ == module
                    and held
                    and any(isinstance(v, (dict, list, set)) for v in (held.values() if type(held) is dict else held))
                ):
                    self._add(("attribute", module, f"{path}.{name}"), self._print(held, 0), held)
            return
        if type(raw).__module__ == "functools" and hasattr(raw, "cache_info"):
            self._add(("cache", module, path), raw.cache_info().currsize, raw)
            return
        self._add(("attribute", module, path), self._print(value, 0), value)
        inner = self._inner(value)
        if inner is not None and depth < _DEPTH and self._new(value):
            if self._foreign or self._own(type(value)):
                self._members(module, path + ".", inner, depth + 1)
            else:
                self._later.append((module, path + ".", inner, depth + 1))

    def _own(self, kind: type) -> bool:
        """Whether a class is defined in the project."""
        name = kind.__module__
        if name not in self._ours:
            path = getattr(sys.modules.get(name), "__file__", None)
            self._ours[name] = isinstance(path, str) and self._capture.kind(path) in ("test", "product")
        return self._ours[name]

    def _rebindable(self, module: types.ModuleType) -> None:
        """Of modules that are not the project's, only whether a public attribute now is another object."""
        for name, value in list(vars(module).items()):
            if (
                name.startswith(("_", "last_"))
                or isinstance(value, (types.ModuleType, *_CONTAINERS))
                or name in ("environ", "path", "stdin", "stdout", "stderr")
            ):
                continue
            self._add(("attribute", module.__name__, name), repr(value) if isinstance(value, _SCALARS) else id(value), value)

    def _new(self, value: object) -> bool:
        if id(value) in self._seen:
            return False
        self._seen.add(id(value))
        self._keep.append(value)
        return True

    # -- values --------------------------------------------------------------------------------------------
    def _add(self, key: Key, fingerprint: Any, value: Any) -> None:
        self._left -= 1
        self._keep.append(value)
        base = next((t.__name__ for t in (dict, list, set) if isinstance(value, t)), "other")
        items: list[Any] = list(value.values()) if base == "dict" else list(value) if base != "other" else []
        nested = any(not isinstance(v, (*_SCALARS, type, types.FunctionType)) for v in items[:200])
        small = isinstance(value, _SCALARS) or (isinstance(value, _CONTAINERS) and len(value) <= 40)
        shape = id(value) if not isinstance(value, _SCALARS) else repr(value)
        self.entries[key] = _Entry(fingerprint, shape, base, nested, snapshot(value, _SHALLOW) if small else _opaque(value), self._foreign)

    def _inner(self, value: Any) -> dict[str, Any] | None:
        """The attributes of an object, ``None`` for what has none of interest."""
        if isinstance(value, (*_SCALARS, *_CONTAINERS, type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, property)):
            return None
        kind = type(value).__module__
        if kind in ("builtins", "typing", "re", "types", "weakref", "threading", "_thread", "enum", "abc", "functools", "logging") or kind.startswith(
            "_pytest"
        ):
            return None
        try:
            held = object.__getattribute__(value, "__dict__")
        except Exception:
            return None
        return held if type(held) is dict else None

    def _print(self, value: Any, depth: int) -> Any:
        self._left -= 1
        if isinstance(value, _SCALARS):
            return repr(value) if not isinstance(value, (str, bytes)) else (type(value).__name__, hash(value))
        self._keep.append(value)
        if depth > _DEPTH or self._left <= 0:
            return id(value)
        try:
            if isinstance(value, dict):
                return ("dict", id(value), tuple((self._print(k, depth + 1), self._print(v, depth + 1)) for k, v in list(value.items())))
            if isinstance(value, (set, frozenset)):
                return ("set", id(value), frozenset(str(self._print(v, depth + 1)) for v in list(value)))
            if isinstance(value, (list, tuple)):
                return ("list", id(value) if isinstance(value, list) else 0, tuple(self._print(v, depth + 1) for v in list(value)))
        except Exception:
            return id(value)
        inner = self._inner(value) if depth else None
        if inner is not None and id(value) not in self._seen:
            return (id(value), tuple((k, self._print(v, depth + 1)) for k, v in list(inner.items()) if isinstance(v, (*_SCALARS, *_CONTAINERS))))
        return id(value)

    # -- the process ---------------------------------------------------------------------------------------
    def _process(self) -> None:
        for name, value in os.environ.items():
            if name not in ("PYTEST_CURRENT_TEST", "PYTEST_VERSION"):
                self._plain("environ", "os", name, value)
        self._plain("cwd", "os", "getcwd", _cwd())
        self._plain("sys_path", "sys", "path", list(sys.path))
        self._plain("timezone", "time", "tzname", (*time.tzname, time.timezone))
        with contextlib.suppress(locale.Error):
            self._plain("locale", "locale", "setlocale", locale.setlocale(locale.LC_ALL))

    def _plain(self, kind: StateKind, module: str, path: str, value: Any) -> None:
        self.entries[(kind, module, path)] = _Entry(
            repr(value), repr(value), "list" if isinstance(value, list) else "other", False, snapshot(value, _SHALLOW)
        )

    def _files(self) -> None:
        root = str(self._capture.files.root)
        found = (e for folder in dict.fromkeys((root, _cwd() or root)) for e in _walk(folder))
        for path, stat in itertools.islice(found, _FILES):
            rel = self._capture.files.relative(path)
            value = Value("file", f"{stat.st_size} bytes")
            self.entries[("file", "", rel)] = _Entry((stat.st_size, stat.st_mtime_ns), stat.st_ino, "other", False, value)


def _definitions(module: types.ModuleType) -> dict[str, object]:
    """The functions and classes at the top of a module that it defines itself, by their names."""
    found = {n: v for n, v in list(vars(module).items()) if isinstance(v, (type, types.FunctionType))}
    return {n: v for n, v in found.items() if v.__module__ == module.__name__ and v.__qualname__ == n}


def _cwd() -> str:
    try:
        return str(Path.cwd())
    except OSError:  # it was removed
        return ""


def _opaque(value: Any) -> Value:
    return Value(type(value).__qualname__, f"<{type(value).__qualname__}>", "object", truncated=True)


def _walk(folder: str) -> Iterator[tuple[str, os.stat_result]]:
    for where, dirs, names in os.walk(folder):
        dirs[:] = [d for d in dirs if d not in _NO_DIRS and not d.endswith(".egg-info")]
        for name in names:
            if not name.endswith((".pyc", ".pyo")):
                path = os.path.join(where, name)
                try:
                    yield path, os.lstat(path)
                except OSError:
                    continue
