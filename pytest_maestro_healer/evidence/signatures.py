"""Signatures as plain data, how a call binds to one, and which parameter of a new signature took the place of an old one."""

from __future__ import annotations

import ast
import inspect
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pytest_maestro_healer.evidence.similarity import Def, Function, replaced

ParamKind = Literal["positional", "normal", "args", "keyword", "kwargs"]


@dataclass(frozen=True)
class Param:
    """One parameter; ``default`` is its source text, ``None`` where it is required."""

    name: str
    kind: ParamKind
    default: str | None = None
    annotation: str = ""

    @property
    def required(self) -> bool:
        """Whether a call must give it."""
        return self.default is None and self.kind not in ("args", "kwargs")


@dataclass(frozen=True)
class Bound:
    """How a call's arguments fall on parameters: name -> index of the positional argument, or the keyword's name."""

    given: Mapping[str, int | str] = field(default_factory=dict)
    error: str = ""


@dataclass(frozen=True)
class Signature:
    """The parameters of a function as a caller sees them (``self`` is left out)."""

    params: tuple[Param, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All names in order."""
        return tuple(p.name for p in self.params)

    def get(self, name: str) -> Param | None:
        """The parameter of that name."""
        return next((p for p in self.params if p.name == name and p.kind not in ("args", "kwargs")), None)

    @property
    def positional(self) -> list[Param]:
        """Those that take positional arguments, in order."""
        return [p for p in self.params if p.kind in ("positional", "normal")]

    @property
    def keyword_only(self) -> list[Param]:
        """Those that take keyword arguments only."""
        return [p for p in self.params if p.kind == "keyword"]

    def has(self, kind: ParamKind) -> bool:
        """Whether there is a parameter of that kind."""
        return any(p.kind == kind for p in self.params)

    def bind(self, positional: int, keywords: Iterable[str], *, partial: bool = False) -> Bound:
        """How ``positional`` arguments and ``keywords`` bind; ``error`` says why they do not."""
        given: dict[str, int | str] = {}
        slots = self.positional
        for i in range(positional):
            if i < len(slots):
                given[slots[i].name] = i
            elif not self.has("args"):
                return Bound(given, f"takes {len(slots)} positional arguments but {positional} were given")
        for k in keywords:
            p = self.get(k)
            if p is None or p.kind == "positional":
                if not self.has("kwargs"):
                    return Bound(given, f"unexpected keyword argument {k!r}")
                continue
            if k in given:
                return Bound(given, f"multiple values for argument {k!r}")
            given[k] = k
        missing = [p.name for p in self.params if p.required and p.name not in given]
        if missing and not partial:
            return Bound(given, f"missing {', '.join(missing)}")
        return Bound(given)

    def accepts(self, call: ast.Call) -> bool:
        """Whether a call without stars binds."""
        if has_stars(call):
            return False
        return not self.bind(len(call.args), [k.arg or "" for k in call.keywords]).error

    def __str__(self) -> str:
        return "(" + ", ".join(("*" if p.kind == "args" else "**" if p.kind == "kwargs" else "") + p.name for p in self.params) + ")"


def has_stars(call: ast.Call) -> bool:
    """Whether a call unpacks something into its arguments."""
    return any(isinstance(a, ast.Starred) for a in call.args) or any(k.arg is None for k in call.keywords)


def of_function(node: Function, *, bound: bool = False) -> Signature:
    """The signature of a definition; ``bound`` leaves the first parameter out (the receiver fills it)."""
    a = node.args
    out: list[Param] = []
    plain = [*a.posonlyargs, *a.args]
    defaults: list[ast.expr | None] = [None] * (len(plain) - len(a.defaults)) + list(a.defaults)
    for i, (p, d) in enumerate(zip(plain, defaults, strict=True)):
        kind: ParamKind = "positional" if i < len(a.posonlyargs) else "normal"
        out.append(_param(p, kind, d))
    if bound and out:
        out = out[1:]
    if a.vararg:
        out.append(Param(a.vararg.arg, "args"))
    out += [_param(p, "keyword", d) for p, d in zip(a.kwonlyargs, a.kw_defaults, strict=True)]
    if a.kwarg:
        out.append(Param(a.kwarg.arg, "kwargs"))
    return Signature(tuple(out))


def _param(arg: ast.arg, kind: ParamKind, default: ast.expr | None) -> Param:
    return Param(arg.arg, kind, ast.unparse(default) if default is not None else None, ast.unparse(arg.annotation) if arg.annotation else "")


def of_class(node: ast.ClassDef) -> Signature | None:
    """The signature of a class's constructor: its ``__init__`` (or ``__new__``), else the fields of a dataclass, NamedTuple or attrs class."""
    for name in ("__init__", "__new__"):
        init = next((s for s in node.body if isinstance(s, (ast.FunctionDef, ast.AsyncFunctionDef)) and s.name == name), None)
        if init is not None:
            return of_function(init, bound=True)
    decorated = any(w in ast.dump(d).lower() for d in node.decorator_list for w in ("dataclass", "define", "attrs", "attr", "frozen", "mutable"))
    based = any(w in ast.dump(b) for b in node.bases for w in ("NamedTuple", "BaseModel", "TypedDict"))
    if not (decorated or based):
        return None
    keyword = any("kw_only" in ast.dump(d) for d in node.decorator_list)
    out = []
    for s in node.body:
        if isinstance(s, ast.AnnAssign) and isinstance(s.target, ast.Name) and "ClassVar" not in ast.dump(s.annotation):
            default = ast.unparse(s.value) if s.value is not None else None
            if s.value is not None and "init=False" in ast.unparse(s.value):
                continue
            if default is not None and default.startswith(("field(", "dataclasses.field(")) and "default" not in default:
                default = None
            out.append(Param(s.target.id, "keyword" if keyword else "normal", default, ast.unparse(s.annotation)))
    return Signature(tuple(out))


def of_definition(definition: Def) -> Signature | None:
    """The signature with which callers meet a definition."""
    if isinstance(definition.node, ast.ClassDef):
        return of_class(definition.node)
    f = definition.function
    return of_function(f, bound=definition.kind in ("method", "classmethod")) if f is not None else None


def of_live(obj: object) -> Signature | None:
    """The signature of a live callable, ``None`` where Python knows none."""
    try:
        sig = inspect.signature(obj)  # type: ignore[arg-type]
    except Exception:  # foreign __signature__ attributes may raise anything
        return None
    kinds: dict[object, ParamKind] = {
        inspect.Parameter.POSITIONAL_ONLY: "positional",
        inspect.Parameter.POSITIONAL_OR_KEYWORD: "normal",
        inspect.Parameter.VAR_POSITIONAL: "args",
        inspect.Parameter.KEYWORD_ONLY: "keyword",
        inspect.Parameter.VAR_KEYWORD: "kwargs",
    }
    out = []
    for p in sig.parameters.values():
        default = None if p.default is inspect.Parameter.empty else _repr(p.default)
        annotation = "" if p.annotation is inspect.Parameter.empty else _annotation(p.annotation)
        out.append(Param(p.name, kinds[p.kind], default, annotation))
    return Signature(tuple(out))


def _annotation(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, type) and not hasattr(value, "__args__"):
        return value.__name__ if value.__module__ == "builtins" else f"{value.__module__}.{value.__name__}"
    return _repr(value)


def _repr(value: object) -> str:
    try:
        return repr(value)
    except Exception:
        return "..."


def parse_signature(text: str) -> Signature | None:
    """A signature written as text, ``"(a, b=1, *, c)"``; ``None`` where it does not parse."""
    try:
        node = ast.parse(f"def f{text}: ...").body[0]
    except SyntaxError:
        return None
    return of_function(node) if isinstance(node, ast.FunctionDef) else None


# -- old to new --------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Mapped:
    """Old parameter -> new one, with the reason; ``removed`` have no successor, ``values`` are derived texts for new required parameters.

    Those of them that are ``plain`` are passed by position, where the call allows it.
    """

    names: Mapping[str, str]
    reasons: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    plain: frozenset[str] = frozenset()


def module_constants(tree: ast.Module | None) -> dict[str, str]:
    """Names that a module binds once, at its top level, to a literal, with the literal's text."""
    found: dict[str, list[str | None]] = {}
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Global):
            for name in node.names:
                found.setdefault(name, []).append(None)
    for node in tree.body if tree is not None else ():
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                text = ast.unparse(node.value) if isinstance(target, ast.Name) else ""
                for name in (n.id for n in ast.walk(target) if isinstance(n, ast.Name)):
                    found.setdefault(name, []).append(text if _is_constant(text) else None)
        else:
            for name in (n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)):
                found.setdefault(name, []).append(None)
    return {name: texts[0] for name, texts in found.items() if len(texts) == 1 and texts[0] is not None}


def correspond(old: Def, new: Def, hints: Counter[tuple[str, str]] | None = None, constants: Mapping[str, str] | None = None) -> Mapped | None:
    """Which parameters of ``old`` became which of ``new``.

    Evidence is what stands where in the two bodies (``hints`` adds pairs that the product's own callers show), then equal position with
    equal default or annotation. ``constants`` are the module's, by name: a body that read one may be handed it now. ``None`` where one of
    the two has no signature.
    """
    a, b = of_definition(old), of_definition(new)
    if a is None or b is None:
        return None
    votes = replaced(old.node, new.node, (old.name, new.name))
    votes.update(hints or {})
    gone = [p for p in a.params if p.kind not in ("args", "kwargs") and b.get(p.name) is None]
    came = [p for p in b.params if p.kind not in ("args", "kwargs") and a.get(p.name) is None]
    names = {p.name: p.name for p in a.params if b.get(p.name) is not None}
    reasons: dict[str, tuple[str, float]] = {}
    left = list(came)
    ranked = sorted(((votes[(p.name, q.name)], p, q) for p in gone for q in came), key=lambda t: -t[0])
    for count, p, q in ranked:
        if count and p.name not in names and q in left:
            names[p.name] = q.name
            reasons[p.name] = (f"{q.name} stands in the new body where {p.name} stood ({count}x)", min(0.9, 0.7 + 0.1 * count))
            left.remove(q)
    unmapped = [p for p in gone if p.name not in names]
    for p in unmapped:
        same = [q for q in left if _same_slot(p, q, a, b)]
        if len(same) == 1 and sum(1 for x in unmapped if _same_slot(x, same[0], a, b)) == 1:
            names[p.name] = same[0].name
            reasons[p.name] = (f"{same[0].name} has the place, default and annotation of {p.name}", 0.6)
            left.remove(same[0])
    values = {}
    own = {n.id for n in ast.walk(old.node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)} | set(a.names)
    known = {name: text for name, text in (constants or {}).items() if name not in own}
    for q in left:
        if q.required:
            stood = {x for x, y in votes if y == q.name}
            texts = {x if _is_constant(x) else known.get(x, "") for x in stood} - {""}
            if len(texts) == 1:
                values[q.name] = texts.pop()
    removed = tuple(p.name for p in gone if p.name not in names)
    return Mapped(names, reasons, removed, values)


def _same_slot(p: Param, q: Param, a: Signature, b: Signature) -> bool:
    if p.default != q.default or (p.annotation and q.annotation and p.annotation != q.annotation):
        return False
    kept = [n for n in a.names if b.get(n) is not None]
    before_a = [n for n in a.names[: a.names.index(p.name)] if n in kept]
    before_b = [n for n in b.names[: b.names.index(q.name)] if n in kept]
    return set(before_a) == set(before_b)


def _is_constant(text: str) -> bool:
    try:
        ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return False
    return True


@dataclass(frozen=True)
class Argument:
    """One argument of a rewritten call: ``source`` is an index or keyword of the old call, or ``None`` for a new ``text``."""

    keyword: str
    source: int | str | None
    text: str = ""


def rebind(call_positional: int, call_keywords: Sequence[str], old: Signature, new: Signature, mapped: Mapped) -> list[Argument] | None:
    """The arguments of a call of ``old`` written for ``new``: each binds to the parameter it bound to before.

    Positional arguments stay positional as far as the new order allows. ``None`` where the old signature does not take the call, a value is
    missing, or surplus arguments go to ``*args``.
    """
    bound = old.bind(call_positional, call_keywords)
    if bound.error or call_positional > len(old.positional):
        return None
    if any(k not in bound.given for k in call_keywords):
        return None  # goes to **kwargs: unknown what for
    target: dict[str, int | str] = {}
    for name, source in bound.given.items():
        if name in mapped.removed:
            continue
        to = mapped.names.get(name)
        if to is None:
            return None
        target[to] = source
    extra = {p.name: mapped.values[p.name] for p in new.params if p.required and p.name not in target and p.name in mapped.values}
    if any(p.required and p.name not in target and p.name not in extra for p in new.params):
        return None
    out: list[Argument] = []
    contiguous = True
    for p in new.positional:
        came_from = target.get(p.name)
        if p.name in extra and ((contiguous and (call_positional > len(out) or p.name in mapped.plain)) or p.kind == "positional"):
            out.append(Argument("", None, extra.pop(p.name)))
        elif came_from is None:
            contiguous = False
        elif contiguous and (isinstance(came_from, int) or p.kind == "positional"):
            out.append(Argument("", came_from))
            del target[p.name]
        else:
            contiguous = False
    order = [*target, *extra]
    for name in order:
        param = new.get(name)
        if param is None or param.kind == "positional":
            return None
        out.append(Argument(name, target[name]) if name in target else Argument(name, None, extra[name]))
    return out
