"""What exactly is missing, read from a failure: a module, a name of a module, an undefined name, an attribute, a fixture."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Failure, Frame

MissingKind = Literal["module", "name", "undefined", "attribute", "fixture"]

_NO_MODULE = re.compile(r"No module named '?([\w.]+)'?")
_NO_NAME = re.compile(r"cannot import name '?(\w+)'? from (?:partially initialized module )?'?([\w.]+)'?")
_UNDEFINED = re.compile(r"name '(\w+)' is not defined")
_NO_ATTRIBUTE = re.compile(r"(?:module '([\w.]+)'|'([\w.]+)' object|type object '([\w.]+)') has no attribute '(\w+)'")
_NO_FIXTURE = re.compile(r"fixture '([^']+)' not found")
_AVAILABLE = re.compile(r"available fixtures: ([^\n]*)")


@dataclass(frozen=True)
class Missing:
    """What a failure lacked.

    ``module`` is the missing module (kind ``module``), the module without the name (``name``, ``attribute`` of a module) or the class
    name (``attribute`` of an object, ``of_object`` is then true); ``path`` is the root-relative file whose line failed, ``line`` the line.
    """

    kind: MissingKind
    module: str = ""
    name: str = ""
    path: str = ""
    line: int = 0
    of_object: bool = False
    circular: bool = False

    @property
    def key(self) -> str:
        """Equal for failures with the same root cause."""
        return f"{self.kind}:{self.module}:{self.name}"

    @property
    def top(self) -> str:
        """The top-level package concerned."""
        return self.module.partition(".")[0]


def missing(failure: Failure) -> Missing | None:
    """The missing thing behind ``failure``; ``None`` for failures of another nature."""
    at = innermost(failure)
    path, line = (at.location.path, at.location.line) if at else (failure.path, failure.location.line if failure.location else 0)
    attrs, text = failure.exc_attrs, failure.message
    if failure.is_a("FixtureLookupError") or _NO_FIXTURE.search(text):
        name = attrs.get("argname") or _group(_NO_FIXTURE, text)
        return Missing("fixture", name=str(name), path=failure.path, line=line) if name else None
    if failure.is_a("ModuleNotFoundError"):
        module = attrs.get("name") or _group(_NO_MODULE, text)
        return Missing("module", str(module), "", path, line) if module else None
    if failure.is_a("ImportError"):
        m = _NO_NAME.search(text)
        if m is None:
            return None
        return Missing("name", str(m[2]), str(m[1]), path, line, circular="partially initialized" in text)
    if failure.is_a("NameError") and not failure.is_a("UnboundLocalError"):
        name = attrs.get("name") or _group(_UNDEFINED, text)
        return Missing("undefined", "", str(name), path, line) if name else None
    if failure.is_a("AttributeError"):
        m = _NO_ATTRIBUTE.search(text)
        if m is None:
            return None
        return Missing("attribute", m[1] or m[2] or m[3], m[4], path, line, of_object=not m[1])
    return None


def _group(pattern: re.Pattern[str], text: str) -> str | None:
    m = pattern.search(text)
    return m[1] if m else None


def innermost(failure: Failure) -> Frame | None:
    """The innermost frame that is not the import machinery."""
    for frame in reversed(failure.frames):
        path = frame.location.path
        if path.startswith("<frozen") or "/importlib/" in path or frame.module.partition(".")[0] == "importlib":
            continue
        return frame
    return None


def raised_in_tests(failure: Failure, found: Missing, ctx: Context) -> bool:
    """Whether the failing line itself stands in test code of this project (else the product or a library is what lacks something)."""
    if found.kind == "fixture":
        return ctx.is_test_code(found.path)
    at = innermost(failure)
    if at is not None and at.kind != "test":
        return False
    return ctx.is_test_code(found.path)


def same_cause(found: Missing, ctx: Context, current: Failure) -> Sequence[tuple[Failure, Missing]]:
    """All failures of the run with the same root cause that were raised in test code, the current one first."""
    out = [(current, found)]
    for other in ctx.failures:
        if other == current:
            continue
        got = missing(other)
        if got is not None and got.key == found.key and raised_in_tests(other, got, ctx):
            out.append((other, got))
    return out


def available_fixtures(failure: Failure) -> Sequence[str]:
    """The fixture names that pytest listed."""
    names = failure.exc_attrs.get("available")
    if isinstance(names, (list, tuple)) and names:
        return [str(n) for n in names]
    m = _AVAILABLE.search(failure.message) or _AVAILABLE.search(failure.longrepr)
    return [n.strip() for n in m[1].split(",") if n.strip()] if m else []
