"""The running interpreter: namespaces and signatures of loaded modules, and CPython's way of guessing a name."""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import inspect
import sys
import types
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_MOVE_COST, _CASE_COST, _MAX_CANDIDATES, _MAX_LENGTH = 2, 1, 2_000, 60


@dataclass(frozen=True)
class Described:
    """One live object as plain facts.

    ``kind`` is module, class, function, method, property, builtin or object; ``signature`` is its text (``"(a, *, b=1)"``) or ``""``;
    ``members`` are its names (:func:`dir`); ``home`` is the dotted name of the place that defines it.
    """

    dotted: str
    kind: str
    signature: str = ""
    members: tuple[str, ...] = ()
    home: str = ""
    is_async: bool = False
    type: str = ""


class Live:
    """Facts about loaded modules.

    Nothing is imported, except modules of the standard library and of a package that is loaded already (its tests would
    import them too). All answers are empty or ``None`` where there is nothing to say.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def module(self, dotted: str) -> types.ModuleType | None:
        """A module: loaded, or imported now if it is stdlib or part of a loaded package; ``None`` otherwise."""
        loaded = sys.modules.get(dotted)
        if loaded is not None:
            return loaded
        top = dotted.partition(".")[0]
        if not (self.is_stdlib(top) or top in sys.modules) or not self.importable(dotted) or dotted.endswith("__main__"):
            return None
        if top in ("antigravity", "this", "idlelib", "turtle", "turtledemo"):
            return None  # importing these does something visible
        import warnings

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return importlib.import_module(dotted)
        except Exception:
            return None

    def get(self, dotted: str) -> tuple[bool, Any]:
        """(found, object) for a dotted name; the longest loaded module prefix is used, then attributes."""
        parts = dotted.split(".")
        for cut in range(len(parts), 0, -1):
            obj: Any = self.module(".".join(parts[:cut]))
            if obj is None:
                continue
            try:
                for name in parts[cut:]:
                    obj = inspect.getattr_static(obj, name) if inspect.isclass(obj) else getattr(obj, name)
            except Exception:
                return False, None
            return True, obj
        return False, None

    def running(self, module: str, function: str, line: int) -> str:
        """The dotted name of the function or method ``function`` of a loaded module whose lines include ``line``, ``""`` if there is none."""
        space = vars(sys.modules[module]) if module in sys.modules else {}
        name = function.rpartition(".")[2]
        places = [(module, space), *((f"{module}.{n}", vars(c)) for n, c in list(space.items()) if inspect.isclass(c) and c.__module__ == module)]
        found: list[tuple[int, str]] = []
        for owner, members in places:
            member = members.get(name)
            plain = inspect.unwrap(member.__func__ if isinstance(member, (staticmethod, classmethod)) else member) if member is not None else None
            code = plain.__code__ if inspect.isfunction(plain) else None
            if code is not None and code.co_firstlineno <= line:
                found.append((code.co_firstlineno, owner if name in ("__init__", "__new__") else f"{owner}.{name}"))
        return max(found)[1] if found else ""

    def describe(self, dotted: str) -> Described | None:
        """Kind, signature, members and home of what ``dotted`` names; ``None`` if there is no such thing."""
        found, obj = self.get(dotted)
        if not found:
            return None
        raw = obj.__func__ if isinstance(obj, (staticmethod, classmethod)) else obj
        return Described(
            dotted,
            _kind(obj),
            self.signature(raw),
            tuple(_names(raw)),
            _home(raw),
            inspect.iscoroutinefunction(raw),
            f"{type(obj).__module__}.{type(obj).__qualname__}",
        )

    def names(self, dotted: str) -> Sequence[str]:
        """``dir()`` of a dotted name, empty if unknown."""
        found, obj = self.get(dotted)
        return _names(obj) if found else ()

    def has(self, module: str, name: str) -> bool:
        """Whether ``from module import name`` would work, as far as loaded modules and files tell."""
        obj = self.module(module)
        if obj is None:
            return False
        try:
            return hasattr(obj, name) or self.importable(f"{module}.{name}")
        except Exception:
            return False

    def signature(self, obj: object) -> str:
        """The signature's text, ``""`` where there is none."""
        try:
            return str(inspect.signature(obj)) if callable(obj) else ""
        except (ValueError, TypeError, RecursionError):
            return ""
        except Exception:  # a foreign __signature__ may raise anything
            return ""

    def hint(self, module: str, name: str) -> str:
        """What the module's own ``__getattr__`` says about a name it lacks (``"renamed to new"``), ``""`` without such a word."""
        obj = self.module(module)
        if obj is None or not callable(vars(obj).get("__getattr__")):
            return ""
        import warnings

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                getattr(obj, name)
        except Exception as exc:
            text = str(exc)
            return "" if text == f"module {module!r} has no attribute {name!r}" else text
        return ""

    def importable(self, dotted: str) -> bool:
        """Whether the import system would find a module, found without importing anything that is not loaded."""
        if dotted in sys.modules:
            return sys.modules[dotted] is not None
        return self.spec(dotted) is not None

    def spec(self, dotted: str) -> importlib.machinery.ModuleSpec | None:
        """The spec of a module, found step by step through the search locations of its parents; nothing is imported."""
        path: Sequence[str] | None = None
        spec: importlib.machinery.ModuleSpec | None = None
        name = ""
        for part in dotted.split("."):
            if not part.isidentifier():
                return None
            name = f"{name}.{part}" if name else part
            try:
                spec = importlib.util.find_spec(name) if path is None else importlib.machinery.PathFinder.find_spec(name, path)
            except (ImportError, ValueError, AttributeError):
                spec = None
            if spec is None:
                return None
            loaded = sys.modules.get(name)
            path = list(getattr(loaded, "__path__", None) or spec.submodule_search_locations or [])
        return spec

    def homes(self, name: str, top: str = "") -> Sequence[str]:
        """Loaded modules (of package ``top`` only, if given) that have ``name``: where it is defined first, then by depth."""
        found: list[tuple[bool, int, str]] = []
        for dotted, mod in list(sys.modules.items()):
            if mod is None or (top and dotted != top and not dotted.startswith(top + ".")):
                continue
            space = getattr(mod, "__dict__", None)
            if isinstance(space, dict) and name in space:
                home = getattr(space[name], "__module__", None)
                found.append((home != dotted, dotted.count("."), dotted))
        return [d for _, _, d in sorted(found)]

    def is_stdlib(self, dotted: str) -> bool:
        """Whether the top-level name belongs to this interpreter's standard library."""
        return dotted.partition(".")[0] in sys.stdlib_module_names

    def stdlib_modules_with(self, name: str, among: Iterable[str]) -> Sequence[str]:
        """Those of ``among`` (stdlib module names) that have a public ``name``."""
        return [m for m in among if name in self.names(m)]

    @property
    def builtins(self) -> Sequence[str]:
        """The names of :mod:`builtins`."""
        import builtins

        return dir(builtins)


def _names(obj: object) -> list[str]:
    try:
        return list(dir(obj))
    except Exception:
        return []


def _kind(obj: object) -> str:
    if inspect.ismodule(obj):
        return "module"
    if inspect.isclass(obj):
        return "class"
    if isinstance(obj, property):
        return "property"
    if inspect.ismethod(obj) or isinstance(obj, (staticmethod, classmethod)):
        return "method"
    if inspect.isfunction(obj):
        return "function"
    return "builtin" if inspect.isbuiltin(obj) or inspect.isroutine(obj) else "object"


def _home(obj: object) -> str:
    try:
        if inspect.ismodule(obj):
            return obj.__name__
        module, name = getattr(obj, "__module__", None), getattr(obj, "__qualname__", None)
    except Exception:
        return ""
    return f"{module}.{name}" if isinstance(module, str) and isinstance(name, str) else ""


def suggest(wrong: str, candidates: Iterable[str]) -> Sequence[str]:
    """The names that CPython would suggest for ``wrong``: all at the smallest distance, none when even that is too far.

    Method: ``Lib/traceback.py`` ``_compute_suggestion_error`` (Levenshtein, a change of case costs half, at most a third of the characters).
    """
    if not wrong or len(wrong) > _MAX_LENGTH:
        return ()
    best: list[str] = []
    best_distance = -1
    for n, possible in enumerate(dict.fromkeys(candidates)):
        if n > _MAX_CANDIDATES:
            break
        if possible == wrong or (possible.startswith("_") and not wrong.startswith("_")):
            continue
        allowed = (len(possible) + len(wrong) + 3) * _MOVE_COST // 6
        if best_distance >= 0:
            allowed = min(allowed, best_distance)
        d = distance(wrong, possible, allowed)
        if d > allowed:
            continue
        if best_distance < 0 or d < best_distance:
            best, best_distance = [possible], d
        else:
            best.append(possible)
    return tuple(best)


def distance(a: str, b: str, limit: int) -> int:
    """CPython's weighted edit distance; anything over ``limit`` is returned as ``limit + 1``."""
    while a and b and a[0] == b[0]:
        a, b = a[1:], b[1:]
    while a and b and a[-1] == b[-1]:
        a, b = a[:-1], b[:-1]
    if not a or not b:
        return min(_MOVE_COST * (len(a) + len(b)), limit + 1)
    if _MOVE_COST * abs(len(a) - len(b)) > limit:
        return limit + 1
    row = [_MOVE_COST * (i + 1) for i in range(len(a))]
    for j, cb in enumerate(b):
        left = diagonal = _MOVE_COST * j
        smallest = sys.maxsize
        for i, ca in enumerate(a):
            swap = diagonal + (0 if ca == cb else _CASE_COST if ca.lower() == cb.lower() else _MOVE_COST)
            diagonal = row[i]
            left = min(swap, min(left, diagonal) + _MOVE_COST)
            row[i] = left
            smallest = min(smallest, left)
        if smallest > limit:
            return limit + 1
    return min(row[-1], limit + 1)
