"""Another time of day, or another order of directories, for a throw-away process.

Only the wall clock moves (``time.time`` and its kin, ``datetime.now``, ``date.today``); ``monotonic`` and ``perf_counter`` go on, as they do when
somebody sets the clock. Code that keeps a bound method of a class (``default_factory=datetime.now``) is not reached. Nothing is undone: the process
ends with its run.
"""

from __future__ import annotations

import datetime
import importlib.util
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pytest_maestro_healer.model import World

#: Libraries that move the clock themselves: a test that uses one goes by that.
_LIBRARIES = ("freezegun", "time_machine")
#: What goes on with the real clock and the real order: pytest, this package, and what the interpreter imports with.
_KEPT = (
    "_pytest",
    "pytest",
    "pluggy",
    "pytest_maestro_healer",
    "freezegun",
    "time_machine",
    "importlib",
    "_frozen_importlib",
    "_frozen_importlib_external",
    "posix",
    "nt",
    "zipimport",
)

_time, _time_ns, _listdir, _scandir = time.time, time.time_ns, os.listdir, os.scandir
_localtime, _gmtime, _ctime, _asctime, _strftime = time.localtime, time.gmtime, time.ctime, time.asctime, time.strftime


def enter(world: World) -> None:
    """Make this process live in ``world`` until it ends."""
    swaps: dict[int, tuple[Any, Any]] = {}
    for library in _LIBRARIES:  # what they take for the real clock is to be this one, so they come first
        if importlib.util.find_spec(library) is not None:
            importlib.import_module(library)
    if world.now is not None or world.tick is not None or world.step:
        for old, new in _clock(Reading(world)):
            swaps[id(old)] = (old, new)
    if world.listing:
        for old, new in _listing(world.listing == "reversed"):
            swaps[id(old)] = (old, new)
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] not in _KEPT and module is not None:
            _swap(vars(module) if hasattr(module, "__dict__") else {}, swaps)
    for module in (m for name, m in list(sys.modules.items()) if name.partition(".")[0] in ("pathlib", "glob")):
        for cls in {v for v in vars(module).values() if isinstance(v, type) and v.__module__ == module.__name__}:  # some keep the functions
            for key, (_, new) in _chosen(vars(cls), swaps).items():
                setattr(cls, key, staticmethod(new))


def _chosen(space: Mapping[str, Any], swaps: Mapping[int, tuple[Any, Any]]) -> dict[str, tuple[Any, Any]]:
    """The names of ``space`` that stand for something to be exchanged."""
    plain = {k: v.__func__ if isinstance(v, staticmethod) else v for k, v in list(space.items())}
    return {k: swaps[id(v)] for k, v in plain.items() if id(v) in swaps and swaps[id(v)][0] is v}


def _swap(space: dict[str, Any], swaps: Mapping[int, tuple[Any, Any]]) -> None:
    for key, (_, new) in _chosen(space, swaps).items():
        space[key] = new


# -- the clock ---------------------------------------------------------------------------------------------------
class Reading:
    """What the clock shows, reading by reading."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._began = time.perf_counter()
        self._first = _time() if world.now is None else world.now
        self._count = 0

    def __call__(self) -> float:
        """The next reading, in seconds since the epoch."""
        frozen = held()
        if frozen is not None:
            return float(frozen.fake_time())
        if _travelling():
            return _time()
        w = self._world
        gone = time.perf_counter() - self._began if w.tick is None else w.tick * self._count
        self._count += 1
        return self._first + gone + (w.step if self._count > 1 else 0.0)


def held() -> Any:
    """freezegun's module while it holds the clock; ``None`` otherwise. It exchanges only what it has seen before."""
    module: Any = sys.modules.get("freezegun.api")
    return module if module is not None and module.freeze_factories else None


def _travelling() -> bool:
    """Whether time-machine, which works below all this, shows another time at the moment."""
    hatch = getattr(sys.modules.get("time_machine"), "escape_hatch", None)
    return hatch is not None and bool(hatch.is_travelling())


def _clock(reading: Reading) -> Iterator[tuple[Any, Any]]:
    yield _time, reading
    yield _time_ns, lambda: round(reading() * 1e9)
    yield _localtime, lambda seconds=None: _localtime(reading() if seconds is None else seconds)
    yield _gmtime, lambda seconds=None: _gmtime(reading() if seconds is None else seconds)
    yield _ctime, lambda seconds=None: _ctime(reading() if seconds is None else seconds)
    yield _asctime, lambda t=None: _asctime(_localtime(reading()) if t is None else t)
    yield _strftime, lambda form, t=None: _strftime(form, _localtime(reading()) if t is None else t)
    yield datetime.datetime, _datetime(reading)
    yield datetime.date, _date(reading)


def _stands_in(real: type) -> type:
    """The metaclass of a class that nobody can tell from ``real`` by isinstance, issubclass or ==."""

    class StandsIn(type):
        def __instancecheck__(cls, obj: object) -> bool:
            return isinstance(obj, real)

        def __subclasscheck__(cls, other: type) -> bool:
            return issubclass(other, real)

        def __eq__(cls, other: object) -> bool:
            return other is cls or other is real

        def __hash__(cls) -> int:
            return hash(real)

    return StandsIn


def _datetime(reading: Callable[[], float]) -> type:
    real = datetime.datetime

    class Moved(real, metaclass=_stands_in(real)):  # type: ignore[misc,valid-type,metaclass]
        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            return real(*args, **kwargs) if cls is Moved else real.__new__(cls, *args, **kwargs)

        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Any:
            frozen = held()
            if frozen is not None:
                return frozen.FakeDatetime.now(tz)
            return cls.fromtimestamp(reading(), tz)

        @classmethod
        def today(cls) -> Any:
            return cls.now()

        @classmethod
        def utcnow(cls) -> Any:
            return cls.fromtimestamp(reading(), datetime.timezone.utc).replace(tzinfo=None)

    Moved.__name__, Moved.__qualname__, Moved.__module__ = "datetime", "datetime", "datetime"
    return Moved


def _date(reading: Callable[[], float]) -> type:
    real = datetime.date

    class Moved(real, metaclass=_stands_in(real)):  # type: ignore[misc,valid-type,metaclass]
        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            return real(*args, **kwargs) if cls is Moved else real.__new__(cls, *args, **kwargs)

        @classmethod
        def today(cls) -> Any:
            frozen = held()
            return cls.fromtimestamp(reading()) if frozen is None else frozen.FakeDate.today()

    Moved.__name__, Moved.__qualname__, Moved.__module__ = "date", "date", "datetime"
    return Moved


# -- directories -------------------------------------------------------------------------------------------------
class _Entries:
    """What ``os.scandir`` gives, in order."""

    def __init__(self, path: Any, backwards: bool) -> None:
        with _scandir(path) as found:
            self._entries = iter(sorted(found, key=lambda e: e.name, reverse=backwards))

    def __iter__(self) -> _Entries:
        return self

    def __next__(self) -> Any:
        return next(self._entries)

    def __enter__(self) -> _Entries:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """There is nothing left to close."""
        self._entries = iter(())


def _listing(backwards: bool) -> Iterator[tuple[Any, Any]]:
    yield _listdir, lambda path=".": sorted(_listdir(path), reverse=backwards)
    yield _scandir, lambda path=".": _Entries(path, backwards)
