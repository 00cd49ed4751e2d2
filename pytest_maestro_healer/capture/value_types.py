"""How each kind of object becomes a :class:`Value`: containers, the standard library's value types, dataclasses and their like."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import ipaddress
import itertools
import pathlib
import re
import types
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pytest_maestro_healer.capture.values import Snapshot, reference, type_name
from pytest_maestro_healer.model import Value

_MISSING = object()
_DICT_VIEWS: tuple[type, ...] = (type({}.keys()), type(collections.OrderedDict().keys()))


def build(shot: Snapshot, obj: Any) -> Value:
    """The value of anything that is no plain scalar. May raise what ``obj`` raises."""
    cls = type(obj)
    builder = _EXACT.get(cls)
    if builder is not None:
        return builder(shot, obj)
    for test, make in _BY_SHAPE:
        if test(cls, obj):
            return make(shot, obj)
    for base in (str, int, float, bytes, list, tuple, dict, set, frozenset):
        if isinstance(obj, base):
            return _subclass(shot, obj, base)
    return shot.opaque(obj)


# -- helpers -----------------------------------------------------------------------------------------------
def _children(shot: Snapshot, items: Iterable[Any]) -> tuple[tuple[Value, ...], bool]:
    out: list[Value] = []
    for item in items:
        if shot.left <= 0:
            return tuple(out), True
        shot.left -= 1
        out.append(shot.of(item))
    return tuple(out), any(v.truncated for v in out)


def _imports(*groups: Iterable[Value], own: Sequence[str] = ()) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*own, *(i for v in itertools.chain(*groups) for i in v.imports)]))


def _sources(values: Sequence[Value]) -> list[str] | None:
    out = [v.source for v in values]
    return None if any(s is None for s in out) else [s for s in out if s is not None]


def container(kind: str, sources: Sequence[str]) -> str:
    """The display of a list, tuple, set or frozenset."""
    inner = ", ".join(sources)
    if kind == "list":
        return f"[{inner}]"
    if kind == "tuple":
        return f"({inner},)" if len(sources) == 1 else f"({inner})"
    display = f"{{{inner}}}" if sources else ("set()" if kind == "set" else "")
    return display if kind == "set" else f"frozenset({display})"


def _sequence(kind: str, wrap: Callable[[Any, str], str] | None = None, own: tuple[str, ...] = ()) -> Callable[[Snapshot, Any], Value]:
    def make(shot: Snapshot, obj: Any) -> Value:
        items, cut = _children(shot, obj)
        if kind in ("set", "frozenset"):
            items = tuple(sorted(items, key=_order))
        sources = None if cut else _sources(items)
        source = None if sources is None else container(kind, sources)
        if wrap and source is not None:
            source = wrap(obj, source)
        text = shot.shorten(source if source is not None else container(kind, [v.repr for v in items]))
        return Value(type_name(type(obj)), text, kind, source, _imports(items, own=own), items, truncated=cut)

    return make


def _order(value: Value) -> tuple[Any, ...]:
    """Sets in an order that is the same in every run: numbers by size, the rest by type and text."""
    if value.type in ("int", "float") and value.source and "(" not in value.source:
        return ("", float(value.source), "")
    return (value.type, 0.0, value.repr)


def _mapping(wrap: Callable[[str, list[str], list[str]], str] | None = None, own: tuple[str, ...] = ()) -> Callable[[Snapshot, Any], Value]:
    def make(shot: Snapshot, obj: Any) -> Value:
        pairs = list(itertools.islice(obj.items(), shot.left + 1))
        keys, cut1 = _children(shot, [k for k, _ in pairs])
        items, cut2 = _children(shot, [v for _, v in pairs[: len(keys)]])
        cut = cut1 or cut2
        keys = keys[: len(items)]
        ks, vs = _sources(keys), _sources(items)
        source = None
        if not cut and ks is not None and vs is not None:
            plain = "{" + ", ".join(f"{k}: {v}" for k, v in zip(ks, vs, strict=True)) + "}"
            source = wrap(plain, ks, vs) if wrap else plain
        text = source if source is not None else "{" + ", ".join(f"{k.repr}: {v.repr}" for k, v in zip(keys, items, strict=True)) + "}"
        return Value(type_name(type(obj)), shot.shorten(text), "dict", source, _imports(keys, items, own=own), items, keys, cut)

    return make


def _fields(shot: Snapshot, obj: Any, names: Sequence[str], arguments: Mapping[str, str] | None) -> Value:
    """An object with named fields; ``arguments`` maps fields to constructor parameters, ``None`` where it cannot be built again."""
    items, cut = _children(shot, [getattr(obj, n) for n in names])
    keys = tuple(shot.of(n) for n in names[: len(items)])
    ref = reference(type(obj))
    sources = _sources(items)
    source: str | None = None
    own: tuple[str, ...] = ()
    if ref and sources is not None and arguments is not None and not cut:
        source = f"{ref[0]}({', '.join(f'{arguments[n]}={s}' for n, s in zip(names, sources, strict=True))})"
        own = ref[1]
    text = source or f"{type(obj).__qualname__}({', '.join(f'{n}={v.repr}' for n, v in zip(names, items, strict=False))})"
    return Value(type_name(type(obj)), shot.shorten(text), "object", source, _imports(items, own=own), items, keys, cut)


# -- by exact type -----------------------------------------------------------------------------------------
def _stdlib(module: str, name: str) -> Callable[[Snapshot, Any], Value]:
    def make(shot: Snapshot, obj: Any) -> Value:
        return shot.scalar(obj, repr(obj), (f"from {module} import {name}",))

    return make


def _decimal(shot: Snapshot, obj: Any) -> Value:
    return shot.scalar(obj, f"Decimal({str(obj)!r})", ("from decimal import Decimal",))


def _path(shot: Snapshot, obj: Any) -> Value:
    name = "Path" if isinstance(obj, pathlib.Path) else type(obj).__name__
    return shot.scalar(obj, f"{name}({str(obj)!r})", (f"from pathlib import {name}",))


def _date_like(shot: Snapshot, obj: Any) -> Value:
    text = repr(obj)
    zone = getattr(obj, "tzinfo", None)
    imports = ["import datetime"]
    if zone is not None and type(zone) is not datetime.timezone:
        if type_name(type(zone)) != "zoneinfo.ZoneInfo" or not text.endswith(f"tzinfo={zone!r})") or "from_file" in text:
            return shot.scalar(obj, None)
        imports.append("import zoneinfo")
    return shot.scalar(obj, text, tuple(imports))


def _pattern(shot: Snapshot, obj: Any) -> Value:
    implied = re.UNICODE if isinstance(obj.pattern, str) else 0
    flags = re.RegexFlag(obj.flags & ~int(implied))
    names = " | ".join(f"re.{f.name}" for f in re.RegexFlag if f & flags and f.name and int(f).bit_count() == 1) if flags else ""
    return shot.scalar(obj, f"re.compile({obj.pattern!r}{', ' + names if names else ''})", ("import re",))


def _class(shot: Snapshot, obj: Any) -> Value:
    ref = reference(obj)
    return Value("type" if isinstance(obj, type) else type_name(type(obj)), shot.text(obj), "scalar", ref and ref[0], ref[1] if ref else ())


def _deque(obj: Any, source: str) -> str:
    return f"deque({source})" if obj.maxlen is None else f"deque({source}, maxlen={obj.maxlen})"


_EXACT: dict[type, Callable[[Snapshot, Any], Value]] = {
    list: _sequence("list"), tuple: _sequence("tuple"), set: _sequence("set"), frozenset: _sequence("frozenset"), dict: _mapping(),
    collections.OrderedDict: _mapping(
        lambda _, ks, vs: "OrderedDict(" + (f"[{', '.join(f'({k}, {v})' for k, v in zip(ks, vs, strict=True))}]" if ks else "") + ")",
        ("from collections import OrderedDict",),
    ),
    collections.Counter: _mapping(lambda plain, ks, _: f"Counter({plain if ks else ''})", ("from collections import Counter",)),
    collections.defaultdict: _mapping(), types.MappingProxyType: _mapping(),
    collections.deque: _sequence("list", _deque, ("from collections import deque",)),
    decimal.Decimal: _decimal, fractions.Fraction: _stdlib("fractions", "Fraction"), uuid.UUID: _stdlib("uuid", "UUID"),
    datetime.date: _date_like, datetime.datetime: _date_like, datetime.time: _date_like, datetime.timedelta: _date_like,
    datetime.timezone: _date_like,
    ipaddress.IPv4Address: _stdlib("ipaddress", "IPv4Address"), ipaddress.IPv6Address: _stdlib("ipaddress", "IPv6Address"),
    ipaddress.IPv4Network: _stdlib("ipaddress", "IPv4Network"), ipaddress.IPv6Network: _stdlib("ipaddress", "IPv6Network"),
    pathlib.PosixPath: _path, pathlib.WindowsPath: _path, pathlib.PurePosixPath: _path, pathlib.PureWindowsPath: _path,
    re.Pattern: _pattern, types.FunctionType: _class, types.BuiltinFunctionType: _class,
    types.SimpleNamespace: lambda shot, obj: _fields(shot, obj, list(vars(obj)), {n: n for n in vars(obj)}),
}  # fmt: skip
for _view in _DICT_VIEWS:
    _EXACT[_view] = _sequence("set")


# -- by shape ----------------------------------------------------------------------------------------------
def _enum(shot: Snapshot, obj: Any) -> Value:
    cls = type(obj)
    ref = reference(cls)
    name = obj.name
    parts: list[str] = [name] if isinstance(name, str) and cls.__members__.get(name) is obj else []
    if not parts and isinstance(obj, enum.Flag):
        parts = [n for n, m in cls.__members__.items() if m.value and m.value & obj.value == m.value and m.value.bit_count() == 1]
        if sum(cls.__members__[p].value for p in parts) != obj.value:
            parts = []
    if ref is None or not parts:
        return shot.scalar(obj, None)
    return shot.scalar(obj, " | ".join(f"{ref[0]}.{p}" for p in parts), ref[1])


def _namedtuple(shot: Snapshot, obj: Any) -> Value:
    return _fields(shot, obj, obj._fields, {n: n for n in obj._fields})


def _dataclass(shot: Snapshot, obj: Any) -> Value:
    fields = dataclasses.fields(obj)
    buildable = all(f.init or not f.compare for f in fields) and "__post_init__" not in dir(type(obj))
    kept = [f.name for f in fields if f.init]
    return _fields(shot, obj, kept, {n: n for n in kept} if buildable and _own(type(obj), "__eq__") is not object.__eq__ else None)


def _attrs(shot: Snapshot, obj: Any) -> Value:
    fields = type(obj).__attrs_attrs__
    buildable = all(f.init or not f.eq for f in fields) and _own(type(obj), "__eq__") is not object.__eq__
    kept = {f.name: getattr(f, "alias", None) or f.name.lstrip("_") for f in fields if f.init}
    return _fields(shot, obj, list(kept), kept if buildable else None)


def _numpy_scalar(shot: Snapshot, obj: Any) -> Value:
    item = obj.item()
    inner = shot.of(item) if type(item) in (bool, int, float, complex, str, bytes) else None
    return shot.opaque(obj) if inner is None else dataclasses.replace(inner, type=type_name(type(obj)))


def _array(shot: Snapshot, obj: Any) -> Value:
    """numpy arrays, pandas Series and Index: the values as a list; equal to it only by numpy's own comparisons, so no source."""
    if obj.size > shot.left:
        return dataclasses.replace(shot.opaque(obj), truncated=True)
    inner = shot.of(obj.tolist())
    return dataclasses.replace(inner, type=type_name(type(obj)), repr=shot.text(obj), source=None, kind="list" if inner.kind == "list" else "object")


def _frame(shot: Snapshot, obj: Any) -> Value:
    if obj.size > shot.left:
        return dataclasses.replace(shot.opaque(obj), truncated=True)
    return dataclasses.replace(shot.of(obj.to_dict("list")), type=type_name(type(obj)), repr=shot.text(obj), source=None)


def _approx(shot: Snapshot, obj: Any) -> Value:
    names = [n for n in ("expected", "rel", "abs") if getattr(obj, n, None) is not None]
    return dataclasses.replace(_fields(shot, obj, names, None), repr=shot.text(obj))


def _mock_call(shot: Snapshot, obj: Any) -> Value:
    args, kwargs = obj.args, obj.kwargs
    return mock_call(shot, args, kwargs)


def mock_call(shot: Snapshot, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Value:
    """The arguments of one call of a mock: ``keys`` are ``args`` and ``kwargs``."""
    left, right = shot.of(tuple(args)), shot.of(dict(kwargs))
    parts = [v.source for v in left.items] + [f"{k!s}={v.source}" for k, v in zip(kwargs, right.items, strict=False)]
    source = f"call({', '.join(map(str, parts))})" if left.source and right.source else None
    text = source or f"call(*{left.repr}, **{right.repr})"
    own = ("from unittest.mock import call",)
    return Value("unittest.mock._Call", text, "object", source, _imports([left, right], own=own), (left, right), (shot.of("args"), shot.of("kwargs")))


def _exception(shot: Snapshot, obj: Any) -> Value:
    return dataclasses.replace(_fields(shot, obj, ["args"], None), repr=shot.text(obj))


def _subclass(shot: Snapshot, obj: Any, base: type) -> Value:
    """A subclass of a built-in: not the same as its plain value, which is its only child (under the base's name) where it compares like it."""
    text = shot.text(obj)
    if type(obj).__eq__ is not base.__eq__ or (base.__iter__ if hasattr(base, "__iter__") else None) is not getattr(type(obj), "__iter__", None):
        return Value(type_name(type(obj)), text, "object")
    plain: Any = (
        base.__str__(obj) if base is str else base(dict.items(obj)) if base is dict else base.__pos__(obj) if base in (int, float) else base(obj)
    )
    return Value(type_name(type(obj)), text, "object", items=(shot.of(plain),), keys=(shot.of(base.__name__),))


def _from(cls: type, package: str, *names: str) -> bool:
    module = getattr(cls, "__module__", "")
    return isinstance(module, str) and module.partition(".")[0] == package and (not names or cls.__name__ in names)


def _own(cls: type, name: str) -> Any:
    """An attribute of the class or a base, without triggering a metaclass or ``__getattr__``."""
    return next((c.__dict__[name] for c in cls.__mro__ if name in c.__dict__), _MISSING)


_BY_SHAPE: Sequence[tuple[Callable[[type, Any], bool], Callable[[Snapshot, Any], Value]]] = (
    (lambda cls, obj: isinstance(obj, enum.Enum), _enum),
    (lambda cls, obj: isinstance(obj, type), _class),
    (lambda cls, obj: _from(cls, "unittest", "_Call") or _from(cls, "mock", "_Call"), _mock_call),
    (lambda cls, obj: issubclass(cls, tuple) and isinstance(_own(cls, "_fields"), tuple) and _own(cls, "__eq__") is tuple.__eq__, _namedtuple),
    (lambda cls, obj: _own(cls, "__dataclass_fields__") is not _MISSING, _dataclass),
    (lambda cls, obj: _own(cls, "__attrs_attrs__") is not _MISSING, _attrs),
    (lambda cls, obj: _from(cls, "numpy", "ndarray") or _from(cls, "pandas", "Series", "Index", "RangeIndex"), _array),
    (lambda cls, obj: _from(cls, "pandas", "DataFrame"), _frame),
    (lambda cls, obj: _from(cls, "numpy") and _own(cls, "item") is not _MISSING and _own(cls, "dtype") is not _MISSING, _numpy_scalar),
    (lambda cls, obj: _from(cls, "_pytest") and cls.__name__.startswith("Approx"), _approx),
    (lambda cls, obj: isinstance(obj, BaseException), _exception),
)
