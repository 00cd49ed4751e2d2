"""What a definition that is used otherwise now has turned into, and whether a sentence states just that."""

from __future__ import annotations

import ast
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

from pytest_maestro_healer.evidence.changes import Changes
from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.evidence.finished.edited import TOKEN
from pytest_maestro_healer.evidence.finished.intent.said import arrived, at, became, gives, keyword_only, moved, removed
from pytest_maestro_healer.evidence.similarity import Def, Function, returns
from pytest_maestro_healer.model import Follows

#: Words of a change that takes bytes into text; the other way round they go the other way.
_TO_TEXT = (
    frozenset({"encode", "bytes", "rb", "wb", "read_bytes", "BytesIO", "b64encode"}),
    frozenset({"decode", "str", "read_text", "StringIO", "encoding"}),
)
_PLURALS = {"tuple": r"tuples?|named ?tuples?", "dict": r"dicts?|dictionar(?:y|ies)|mappings?", "list": r"lists?"}


@dataclass(frozen=True)
class Turned:
    """A definition ``now`` and as it was ``then`` (``None``: not there by this name), and the words that the product ``lost`` and ``gained``."""

    name: str
    then: Def | None
    now: Def
    lost: Collection[str]
    gained: Collection[str]

    def stated(self, text: str, follows: Follows) -> bool:
        """Whether a sentence states what a heal ``follows``."""
        if follows & Follows.PARAMETERS:
            return self._parameters(text)
        if follows & Follows.RESULT:
            return self._result(text)
        if follows & Follows.ENCODING:
            return any(became(text, self.name, kind) for kind in self._encoding())
        if follows & Follows.LAZINESS:
            return became(text, self.name, "lazy")
        if follows & Follows.AWAITING:
            owner = self.now.scope.rpartition(".")[2]  # ``Client is async now`` speaks for its methods
            return any(became(text, name, "async" if self.now.is_async else "sync") for name in (self.name, owner) if name)
        if follows & Follows.ACCESS:
            return became(text, self.name, "property" if self.now.kind == "property" else "method")
        return bool(follows & Follows.NAME) and (moved(text, self.name) or became(text, self.name, "method" if self.now.scope else "function"))

    # -- parameters ----------------------------------------------------------------------------------------
    def _parameters(self, text: str) -> bool:
        then, now = self._signatures
        if then is None or now is None:
            return False
        gone, came = (set(_names(a)) - set(_names(b)) for a, b in ((then, now), (now, then)))
        about = at(self.name, text) is not None or any(
            w.rstrip("s") in ("parameter", "argument", "arg", "param", "keyword") for w in TOKEN.findall(text.lower())
        )
        if about and (any(removed(text, p) for p in gone) or any(arrived(text, p) for p in came)):
            return True
        only = [a.arg for a in now.kwonlyargs if a.arg in {p.arg for p in then.args}]
        return (bool(only) and keyword_only(text, self.name, only)) or self._shown(text, now)

    @cached_property
    def _signatures(self) -> tuple[ast.arguments | None, ast.arguments | None]:
        then, now = (_function(d) for d in (self.then, self.now))
        return then.args if then is not None else None, now.args if now is not None else None

    def _shown(self, text: str, now: ast.arguments) -> bool:
        """Whether a sentence shows the signature as it is now: ``discount(price, *, percent)``."""
        _, found, rest = text.partition(f"{self.name}(")
        try:
            shown = ast.parse(f"def f({rest.partition(')')[0]}): ...").body[0] if found else None
        except SyntaxError:
            return False
        if not isinstance(shown, ast.FunctionDef):
            return False
        kinds = [[[p.arg for p in part if p.arg not in ("self", "cls")] for part in (a.posonlyargs, a.args, a.kwonlyargs)] for a in (shown.args, now)]
        return kinds[0] == kinds[1] and any(kinds[0])

    # -- results -------------------------------------------------------------------------------------------
    def _encoding(self) -> Sequence[str]:
        lost, gained = _TO_TEXT
        to_text = not lost.isdisjoint(self.lost) or not gained.isdisjoint(self.gained)
        to_bytes = not lost.isdisjoint(self.gained) or not gained.isdisjoint(self.lost)
        return [kind for kind, is_so in (("text", to_text), ("bytes", to_bytes)) if is_so] or ["text", "bytes"]

    def _result(self, text: str) -> bool:
        then, now = (_elements(d) for d in (self.then, self.now))
        if then and now:  # longer or shorter: that it is a tuple is nothing new
            was = {w for e in then for w in _said_by(e)}
            new = {w for e in now for w in _said_by(e)} - was
            lost = was - {w for e in now for w in _said_by(e)}
            count = len(now) if len(now) != len(then) else 0
            return gives(text, self.name, count=count, new=new, types=()) or (at(self.name, text) is not None and any(removed(text, w) for w in lost))
        return gives(text, self.name, count=len(now), new=(), types=self._types())

    def _types(self) -> list[str]:
        """Words for what is returned now."""
        function = _function(self.now)
        out: list[str] = []
        for value in returns(function) if function is not None else ():
            called = value.func if isinstance(value, ast.Call) else None
            name = last_name(called)
            name = name or next(
                (n for kind, n in ((ast.Tuple, "tuple"), (ast.Dict, "dict"), (ast.DictComp, "dict"), (ast.List, "list")) if isinstance(value, kind)),
                "",
            )
            if name:
                out.append(
                    _PLURALS.get(name, rf"(?-i:{name})|(?:an?|the) (?:\w+ )?(?:object|instance|record|dataclass|named ?tuple|structure)|objects")
                )
        return out


def turned(known: Changes, base: str, name: str, spans: Sequence[tuple[str, int, int]], exchanged: tuple[set[str], set[str]]) -> list[Turned]:
    """The definitions of ``name`` within some ``spans`` (path, first line, last line), each with what it was at ``base``."""
    return [
        Turned(name, known.at(path, base).get(qualname), now, *exchanged)
        for path, first, last in spans
        for qualname, now in known.current(path).items()
        if now.name == name and first <= now.line <= last
    ]


def _function(definition: Def | None) -> Function | None:
    """The function itself, or what a class is made by."""
    if definition is not None and isinstance(definition.node, ast.ClassDef):
        return next((n for n in definition.node.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"), None)
    return definition.function if definition is not None else None


def _names(a: ast.arguments) -> list[str]:
    return [p.arg for p in (*a.posonlyargs, *a.args, *a.kwonlyargs)]


def _elements(definition: Def | None) -> list[ast.expr]:
    """The values that a function returns together; none where it returns something else, or now as many and now others."""
    function = definition.function if definition is not None else None
    found = [v.elts for v in returns(function) if isinstance(v, ast.Tuple)] if function is not None else []
    return found[0] if found and len({len(e) for e in found}) == 1 else []


def _said_by(element: ast.expr) -> set[str]:
    return set(TOKEN.findall(ast.unparse(element)))
