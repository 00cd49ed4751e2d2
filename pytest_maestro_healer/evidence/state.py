"""Process state that a test leaves different from how it found it, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pytest_maestro_healer.model import Record, Value

StateKind = Literal["attribute", "environ", "cwd", "sys_path", "cache", "file", "locale", "timezone", "module"]


@dataclass(frozen=True)
class Change(Record):
    """One piece of state before and after a test.

    ``module`` and ``path`` say where it is: ``pkg.registry`` and ``ITEMS`` or ``Registry.known`` or ``cache._data`` (attributes only, never items),
    for ``environ`` the variable's name, for ``file`` the file's path. A ``module`` was executed anew: its functions and classes are others than those
    that were imported from it before; ``holder`` is ``namespace`` where the module itself is the same (a reload), ``object`` where
    :data:`sys.modules` now has another one or none. Else ``holder`` is the built-in type that holds it (``dict``, ``list``,
    ``set``) or ``other``; ``rebound`` says that the attribute now is another object, not the same one changed; ``nested`` that values in the
    container are containers or objects themselves, so that a shallow copy does not restore it.
    ``before``/``after`` are ``None`` where there was nothing. ``foreign`` says that it is inside of an object whose class is not the project's.
    """

    kind: StateKind
    module: str
    path: str
    holder: str = "other"
    rebound: bool = True
    nested: bool = False
    before: Value | None = None
    after: Value | None = None
    foreign: bool = False

    @property
    def dotted(self) -> str:
        """How a person would name it."""
        if self.kind == "environ":
            return f"os.environ[{self.path!r}]"
        if self.kind == "cwd":
            return "the working directory"
        if self.kind == "sys_path":
            return "sys.path"
        if self.kind == "cache":
            return f"the cache of {self.module}.{self.path}"
        if self.kind == "file":
            return f"the file {self.path}"
        if self.kind in ("locale", "timezone"):
            return f"the {self.kind}"
        if self.kind == "module":
            return f"the names of {self.module}" if self.holder == "namespace" else f"sys.modules[{self.module!r}]"
        return f"{self.module}.{self.path}"

    def told(self) -> str:
        """``pkg.conf.DEBUG: False -> True``."""
        if self.kind == "module":
            return f"{self.dotted}: {'bound to new objects, it was executed anew' if self.holder == 'namespace' else 'another module, or none'}"
        return f"{self.dotted}: {_short(self.before)} -> {_short(self.after)}"


def _short(value: Value | None) -> str:
    text = "nothing" if value is None else value.repr or value.type
    return text if len(text) <= 60 else text[:57] + "..."
