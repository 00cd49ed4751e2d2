"""Live objects turned into plain data: what they are, and an expression that evaluates to an equal object.

Nothing here trusts the object: only exact built-in and standard types are read directly, everything else behind a guard that survives a
``repr``, ``==`` or iteration that raises, is slow or never ends.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pytest_maestro_healer.model import Value

#: What stands where nothing is known about an object.
UNKNOWN = Value(type="", repr="", kind="object", truncated=True)


@dataclass(frozen=True)
class Limits:
    """How much of an object is kept: nesting, number of children in all, characters of one string, seconds for foreign code."""

    depth: int = 16
    nodes: int = 4000
    chars: int = 50_000
    repr_chars: int = 4000
    seconds: float = 0.5


def snapshot(obj: object, limit: Limits | int = Limits()) -> Value:
    """``obj`` as plain data; a number as ``limit`` bounds the number of children.

    Never raises (but lets KeyboardInterrupt through), and keeps no reference to ``obj``.
    """
    limits = Limits(nodes=limit) if isinstance(limit, int) else limit
    shot = Snapshot(limits)
    try:
        return shot.of(obj)
    except KeyboardInterrupt:
        raise
    except BaseException:
        return shot.opaque(obj)


def type_name(cls: type) -> str:
    """Bare for built-ins, else qualified: the convention of :attr:`Failure.exc_type`."""
    module, name = getattr(cls, "__module__", ""), getattr(cls, "__qualname__", "?")
    return name if module in ("builtins", "") or not isinstance(module, str) else f"{module}.{name}"


def reference(obj: Any) -> tuple[str, tuple[str, ...]] | None:
    """Expression and imports that name a class or function, ``None`` where it cannot be reached by import."""
    module, name = getattr(obj, "__module__", None), getattr(obj, "__qualname__", None)
    if not (isinstance(module, str) and isinstance(name, str)) or not all(p.isidentifier() for p in name.split(".")):
        return None
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, "__dict__", {}).get(part)
    if found is not obj:
        return None
    if module == "builtins":
        return name, ()
    return name, (f"from {module} import {name.split('.')[0]}",)


class Snapshot:
    """One run of :func:`snapshot`: the limits that are left, and the objects being looked at (for cycles)."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.left = limits.nodes
        self.depth = 0
        self.open: set[int] = set()
        self.deadline = time.monotonic() + limits.seconds

    def of(self, obj: object) -> Value:
        """The value of ``obj`` at the current depth."""
        scalar = _SCALARS.get(type(obj))
        if scalar is not None:
            return scalar(self, obj)
        if id(obj) in self.open or self.depth >= self.limits.depth or self.left <= 0:
            return Value(type_name(type(obj)), "...", kind="object", truncated=True)
        from pytest_maestro_healer.capture import value_types

        self.open.add(id(obj))
        self.depth += 1
        self.left -= 1
        try:
            return value_types.build(self, obj)
        except KeyboardInterrupt:
            raise
        except BaseException:
            return self.opaque(obj)
        finally:
            self.depth -= 1
            self.open.discard(id(obj))

    def opaque(self, obj: object) -> Value:
        """A value of which only type and text are known."""
        return Value(type_name(type(obj)), self.text(obj), kind="object")

    def text(self, obj: object, function: Callable[[Any], str] = repr) -> str:
        """A guarded, shortened ``repr``; without calling it once foreign code has used up its time."""
        cls = type(obj)
        plain = f"<{type_name(cls)} object>"
        if time.monotonic() > self.deadline:
            return plain
        try:
            text = function(obj)
        except KeyboardInterrupt:
            raise
        except BaseException as exc:
            return f"{plain[:-1]} ({type(exc).__name__} in repr)>"
        if type(text) is not str:
            return plain
        return self.shorten(text)

    def shorten(self, text: str) -> str:
        """``text`` cut in the middle where it is too long."""
        size = self.limits.repr_chars
        return text if len(text) <= size else f"{text[: size // 2]}...{text[-size // 2 :]}"

    def scalar(self, obj: object, source: str | None, imports: tuple[str, ...] = ()) -> Value:
        """A value without children."""
        return Value(type_name(type(obj)), self.shorten(source if source is not None else self.text(obj)), source=source, imports=imports)


def _long(shot: Snapshot, obj: Any) -> Value:
    """str, bytes, bytearray: the literal, or a shortened text without source where it is too long."""
    if len(obj) > shot.limits.chars:
        half = shot.limits.repr_chars // 2
        return Value(type_name(type(obj)), f"{obj[:half]!r}...{obj[-half:]!r}", truncated=True)
    return shot.scalar(obj, repr(obj))


def _int(shot: Snapshot, obj: Any) -> Value:
    # int -> str conversion is limited by the interpreter and quadratic before that
    return shot.scalar(obj, repr(obj) if obj.bit_length() < 10_000 else hex(obj))


def float_source(value: float) -> str:
    """An expression for a float, nan and infinities too."""
    return repr(value) if value - value == 0 else f'float("{value}")'


def _float(shot: Snapshot, obj: Any) -> Value:
    return shot.scalar(obj, float_source(obj))


def _complex(shot: Snapshot, obj: Any) -> Value:
    plain = all(x - x == 0 and repr(x) != "-0.0" for x in (obj.real, obj.imag))
    return shot.scalar(obj, repr(obj) if plain else f"complex({float_source(obj.real)}, {float_source(obj.imag)})")


def _repr(shot: Snapshot, obj: Any) -> Value:
    return shot.scalar(obj, repr(obj))


_SCALARS: dict[type, Callable[[Snapshot, Any], Value]] = {
    type(None): _repr, bool: _repr, int: _int, float: _float, complex: _complex, str: _long, bytes: _long, bytearray: _long,
    range: _repr, type(NotImplemented): _repr, type(...): lambda shot, obj: shot.scalar(obj, "..."),
}  # fmt: skip
