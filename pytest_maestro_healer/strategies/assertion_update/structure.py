"""The smallest edit that turns an expected expression into an actual value: only what differs is written anew."""

from __future__ import annotations

import ast
import difflib
import itertools
from collections.abc import Callable, Sequence

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.model import Value
from pytest_maestro_healer.strategies.assertion_update.layout import Items
from pytest_maestro_healer.strategies.assertion_update.matching import WRAPPERS, differs, is_literal, literal_is, pairing, rounded, text_of
from pytest_maestro_healer.strategies.assertion_update.render import Unwritable, Writer, plain_of
from pytest_maestro_healer.strategies.assertion_update.strings import Pieces, Splice, Token, escape, is_text

#: Follows a name that stands inside an expected value; returns splices already made elsewhere, or ``None``.
Follow = Callable[[ast.expr, "Value | None", Value], "list[Splice] | None"]


class Differ:
    """Makes the splices for one file; raises :class:`Unwritable` where the difference cannot be written."""

    def __init__(self, src: SourceFile, writer: Writer, follow: Follow | None = None) -> None:
        self.src = src
        self.writer = writer
        self.follow = follow
        self._depth = 0

    def edit(self, node: ast.expr, old: Value | None, new: Value) -> list[Splice]:
        """Splices that turn ``node``, whose value was ``old``, into ``new``; the whole node where the parts do not add up."""
        self._depth += 1
        try:
            found = self._edit(node, old, plain_of(new) or new)
        finally:
            self._depth -= 1
        return found if self._depth or self._adds_up(node, found, plain_of(new) or new) else [self.whole(node, plain_of(new) or new)]

    def _adds_up(self, node: ast.expr, splices: Sequence[Splice], new: Value) -> bool:
        """That the parts do not overlap and, for a plain literal, give the new value."""
        start, end = self.src.span(node)
        inside = sorted((s for s in splices if start <= s.start and s.end <= end), key=lambda s: (s.start, s.end))
        if any(a.end > b.start for a, b in itertools.pairwise(inside)):
            return False
        if not is_literal(node) or len(inside) != len(splices) or new.source is None:
            return True
        text, at = "", start
        for s in inside:
            text, at = text + self.src.text[at : s.start] + s.text, s.end
        try:
            made = ast.literal_eval(f"({text}{self.src.text[at:end]}\n)")
            wanted = ast.literal_eval(new.source)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            return isinstance(node, ast.Call) or new.kind == "object"
        return bool(made == wanted)

    def _edit(self, node: ast.expr, old: Value | None, new: Value) -> list[Splice]:
        if old is not None and not differs(old, new):
            return []
        for attempt in (self._text, self._sequence, self._mapping, self._call, self._reference):
            try:
                found = attempt(node, old, new)
            except Unwritable:
                if attempt is self._reference:
                    raise
                continue
            if found is not None:
                return found
        return [self.whole(node, new)]

    def whole(self, node: ast.expr, new: Value) -> Splice:
        """The node written anew; only for what is literal through and through."""
        if not is_literal(node):
            raise Unwritable(ast.unparse(node))
        start, end = self.src.span(node)
        if isinstance(node, ast.Constant) and new.type == "float" and isinstance(node.value, float):
            return Splice(start, end, rounded(self.src.text[start:end], new.source or ""))
        quote = self.src.text[start] if self.src.text[start] in "'\"" else ""
        return Splice(start, end, self.writer.text(new, quote))

    # -- kinds -------------------------------------------------------------------------------------------------
    def _text(self, node: ast.expr, old: Value | None, new: Value) -> list[Splice] | None:
        if not is_text(node) or new.type != "str" or new.source is None or self.writer.tells(text_of(new) or ""):
            return None
        return self.text(node, text_of(old), text_of(new) or "")

    def text(self, node: ast.expr, old: str | None, new: str) -> list[Splice] | None:
        """Splices inside string literals."""
        pieces = Pieces(self.src.text, *self.src.span(node))
        if not pieces.tokens or (pieces.holes and (old is None or not pieces.filled(old))):
            raise Unwritable(ast.unparse(node))
        if len(pieces.tokens) > 1 and not pieces.holes and difflib.SequenceMatcher(None, pieces.value, new).ratio() < 0.3:
            return None
        found = pieces.edit(new)
        if found is None and pieces.holes:
            raise Unwritable(ast.unparse(node))
        return self._requoted(pieces, new) or found

    def _requoted(self, pieces: Pieces, new: str) -> list[Splice] | None:
        """The whole literal in the other quotes, where its own would now have to be escaped inside."""
        token = pieces.tokens[0]
        other = "'" if token.quote == '"' else '"'
        if len(pieces.tokens) > 1 or pieces.holes or len(token.quote) > 1 or token.quote not in new or other in new or token.quote in pieces.value:
            return None
        body = escape(new, Token(token.prefix, other, 0, 0, 0))
        written = self.src.text[token.start : token.body - 1]
        return None if body is None else [Splice(token.start, token.end, f"{written}{other}{body}{other}")]

    def _sequence(self, node: ast.expr, old: Value | None, new: Value) -> list[Splice] | None:
        if not isinstance(node, (ast.List, ast.Tuple, ast.Set)) or new.kind not in ("list", "tuple", "set", "frozenset") or new.truncated:
            return None
        if any(isinstance(e, ast.Starred) for e in node.elts):
            raise Unwritable("starred")
        written = {ast.List: "list", ast.Tuple: "tuple", ast.Set: "set"}[type(node)]
        if old is not None and old.kind != new.kind and written != new.kind:
            return None
        if old is None or len(old.items) != len(node.elts) or old.kind != new.kind:
            return self._by_source(node, old, new)
        if isinstance(node, ast.Set):
            return self._set(node, old, new)
        return self._items(node, node.elts, old.items, new.items)

    def _by_source(self, node: ast.List | ast.Tuple | ast.Set, old: Value | None, new: Value) -> list[Splice] | None:
        """Without the old elements: only pairwise, for literals."""
        if len(node.elts) != len(new.items) or isinstance(node, ast.Set):
            return None
        return [s for e, v in zip(node.elts, new.items, strict=True) if not literal_is(e, v) for s in self.edit(e, None, v)]

    def _items(self, node: ast.expr, elements: Sequence[ast.expr], old: Sequence[Value], new: Sequence[Value]) -> list[Splice]:
        out: list[Splice] = []
        layout = Items(self.src, node, [self.src.span(e) for e in elements])
        if isinstance(node, ast.Tuple) and len(new) == 1 and len(old) != 1:
            raise Unwritable("a tuple of one")
        for tag, i1, i2, j1, j2 in pairing(old, new):
            if tag == "replace":
                for i, j in zip(range(i1, i2), range(j1, j2), strict=True):
                    out += self.edit(elements[i], old[i], new[j])
            elif tag == "delete":
                out += layout.delete(i1, i2)
            elif tag == "insert":
                out += layout.insert(i1, [self.writer.text(new[j]) for j in range(j1, j2)])
        return out

    def _set(self, node: ast.Set, old: Value, new: Value) -> list[Splice] | None:
        """Elements by value: the capture has them sorted, the source has them as written."""
        gone = [v for v in old.items if all(differs(v, w) for w in new.items)]
        come = [v for v in new.items if all(differs(v, w) for w in old.items)]
        places = [next((i for i, e in enumerate(node.elts) if literal_is(e, v)), -1) for v in gone]
        if -1 in places or len(gone) > len(node.elts) - 1 + len(come):
            return None
        layout = Items(self.src, node, [self.src.span(e) for e in node.elts])
        out: list[Splice] = []
        for i, v, w in zip(places, gone, come, strict=False):
            out += self.edit(node.elts[i], v, w)
        out += layout.delete_all(places[len(come) :])
        if len(come) > len(gone):
            out += layout.insert(len(node.elts), [self.writer.text(v) for v in come[len(gone) :]])
        return out

    def _mapping(self, node: ast.expr, old: Value | None, new: Value) -> list[Splice] | None:
        if not isinstance(node, ast.Dict) or new.kind != "dict" or old is None or old.kind != "dict" or new.truncated:
            return None
        if any(k is None for k in node.keys) or len(node.keys) != len(old.keys):
            raise Unwritable("a dict with ** or repeated keys")
        keys = [k for k in node.keys if k is not None]
        before = {k.repr: i for i, k in enumerate(old.keys)}
        after = {k.repr: i for i, k in enumerate(new.keys)}
        layout = Items(self.src, node, [(self.src.span(k)[0], self.src.span(v)[1]) for k, v in zip(keys, node.values, strict=True)])
        gone, come = [k for k in before if k not in after], [k for k in after if k not in before]
        out: list[Splice] = []
        for k in before:
            if k in after:
                out += self.edit(node.values[before[k]], old.items[before[k]], new.items[after[k]])
        for k in list(gone):
            twin = next((c for c in come if not differs(old.items[before[k]], new.items[after[c]])), None)
            twin = twin or (come[0] if len(gone) == len(come) == 1 and before[k] == after[come[0]] else None)
            if twin is not None:
                out += self.edit(keys[before[k]], old.keys[before[k]], new.keys[after[twin]])
                out += self.edit(node.values[before[k]], old.items[before[k]], new.items[after[twin]])
                gone.remove(k)
                come.remove(twin)
        out += layout.delete_all([before[k] for k in gone])
        by_place: dict[int, list[str]] = {}
        names = list(after)
        for k in come:
            earlier = [before[p] for p in names[: after[k]] if p in before and p not in gone]
            place = earlier[-1] + 1 if earlier else (0 if len(before) and after[k] == 0 else len(before))
            by_place.setdefault(place, []).append(f"{self.writer.text(new.keys[after[k]])}: {self.writer.text(new.items[after[k]])}")
        for place, texts in by_place.items():
            out += layout.insert(place, texts)
        return out

    # -- calls and names ---------------------------------------------------------------------------------------
    def _call(self, node: ast.expr, old: Value | None, new: Value) -> list[Splice] | None:
        if not isinstance(node, ast.Call):
            return None
        name = last_name(node.func)
        if name == "dedent" and len(node.args) == 1 and new.type == "str":
            return self._dedent(node.args[0], text_of(old), text_of(new) or "")
        if name == "encode" and isinstance(node.func, ast.Attribute) and not node.args and new.type == "bytes" and new.source:
            return self._encoded(node.func.value, old, new)
        if name == "approx" and node.args and old is not None and old.items:
            return self.edit(node.args[0], old.items[0], new)
        if name in WRAPPERS and node.args and new.kind in ("list", "tuple", "set", "frozenset", "dict"):
            return self._wrapped(node, old, new)
        if name == "dict" and not node.args and new.kind == "dict":
            return self._keywords(node, old, new)
        if name == new.type.rpartition(".")[2] or (old is not None and name == old.type.rpartition(".")[2] and old.type == new.type):
            return self._constructor(node, old, new)
        return None

    def _wrapped(self, node: ast.Call, old: Value | None, new: Value) -> list[Splice] | None:
        inner = node.args[0]
        if isinstance(inner, ast.List) and new.kind != "dict":
            kept = None if old is None else Value("list", old.repr, "list", items=old.items)
            return self._sequence(inner, kept, Value("list", new.repr, "list", items=new.items, truncated=new.truncated))
        return self._mapping(inner, old, new) if isinstance(inner, ast.Dict) else None

    def _keywords(self, node: ast.Call, old: Value | None, new: Value) -> list[Splice]:
        had = {k.arg: k.value for k in node.keywords}
        names = [text_of(k) for k in new.keys]
        if None in had or old is None or set(had) != set(names):
            raise Unwritable("keywords differ")
        before = {text_of(k): v for k, v in zip(old.keys, old.items, strict=True)}
        return [s for n, v in zip(names, new.items, strict=True) for s in self.edit(had[n], before.get(n), v)]

    def _constructor(self, node: ast.Call, old: Value | None, new: Value) -> list[Splice] | None:
        """The same class built from other arguments: fields by name where the capture has them, else by the two expressions."""
        if new.kind == "object" and old is not None and old.keys == new.keys and new.keys and not any(k.arg is None for k in node.keywords):
            fields = [text_of(k) or "" for k in new.keys]
            written = dict(zip(fields, node.args, strict=False)) | {str(k.arg): k.value for k in node.keywords}
            out: list[Splice] = []
            for name, a, b in zip(fields, old.items, new.items, strict=True):
                if differs(a, b):
                    if name in written:
                        out += self.edit(written[name], a, b)
                    else:
                        out.append(self._add_argument(node, f"{name}={self.writer.text(b)}"))
            return out
        if old is None or old.source is None or new.source is None:
            return None
        before, after = ast.parse(old.source, mode="eval").body, ast.parse(self.writer.named(new.source, new.imports), mode="eval").body
        return self._arguments(node, before, after) if isinstance(before, ast.Call) and isinstance(after, ast.Call) else None

    def _arguments(self, node: ast.Call, a: ast.Call, b: ast.Call) -> list[Splice] | None:
        out: list[Splice] = []
        if len(a.args) > len(b.args):
            return None
        for i, arg in enumerate(b.args):
            if i >= len(node.args):
                if i >= len(a.args) or ast.dump(arg) != ast.dump(a.args[i]):
                    return None
            elif i >= len(a.args) or ast.dump(arg) != ast.dump(a.args[i]):
                if not is_literal(node.args[i]):
                    return None
                start, end = self.src.span(node.args[i])
                text = ast.unparse(arg)
                if isinstance(arg, ast.Constant) and isinstance(arg.value, str):
                    out += self.text(node.args[i], None, arg.value) or [] if is_text(node.args[i]) else []
                    continue
                out.append(Splice(start, end, text))
        had = {k.arg: k.value for k in node.keywords}
        before = {k.arg: ast.dump(k.value) for k in a.keywords}
        for keyword in b.keywords:
            if keyword.arg in had:
                if before.get(keyword.arg) != ast.dump(keyword.value):
                    start, end = self.src.span(had[keyword.arg])
                    out.append(Splice(start, end, ast.unparse(keyword.value)))
            elif keyword.arg not in before:
                out.append(self._add_argument(node, f"{keyword.arg}={ast.unparse(keyword.value)}"))
        return out or None

    def _add_argument(self, node: ast.Call, text: str) -> Splice:
        given = [*node.args, *(k.value for k in node.keywords)]
        if not given:
            end = self.src.span(node)[1] - 1
            return Splice(end, end, text)
        end = max(self.src.span(g)[1] for g in given)
        return Splice(end, end, f", {text}")

    def _reference(self, node: ast.expr, old: Value | None, new: Value) -> list[Splice] | None:
        """A name or attribute: an enum member becomes another one, anything else is followed to where it was written."""
        if isinstance(node, ast.Attribute) and old is not None and new.source and old.type == new.type and old.source:
            a, b = old.source.rpartition("."), new.source.rpartition(".")
            if a[0] == b[0] and a[2] == node.attr and " " not in new.source:
                end = self.src.span(node)[1]
                return [Splice(end - len(node.attr), end, b[2])]
        if isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)) and self.follow is not None:
            return self.follow(node, old, new)
        return None

    # -- derived texts -----------------------------------------------------------------------------------------
    def _dedent(self, node: ast.expr, old: str | None, new: str) -> list[Splice] | None:
        """``textwrap.dedent("...")``: the change by line, each new line indented as the literal is."""
        import textwrap

        pieces = Pieces(self.src.text, *self.src.span(node)) if is_text(node) else None
        if pieces is None or pieces.holes or textwrap.dedent(pieces.value) != old:
            raise Unwritable("dedent")
        raw = pieces.value
        margin = next((line[: len(line) - len(line.lstrip())] for line in raw.splitlines() if line.strip()), "")
        wanted = "".join(margin + line if line.strip() else line for line in new.splitlines(keepends=True))
        last = raw.rpartition("\n")[2]
        if last and not last.strip() and wanted.endswith("\n"):
            wanted += last
        if raw.startswith(margin) is False or textwrap.dedent(wanted) != new:
            raise Unwritable("dedent")
        found = pieces.edit(wanted)
        if found is None:
            raise Unwritable("dedent")
        return found

    def _encoded(self, node: ast.expr, old: Value | None, new: Value) -> list[Splice] | None:
        try:
            text = ast.literal_eval(new.source or "").decode()
            before = ast.literal_eval(old.source).decode() if old and old.source else None
        except (ValueError, SyntaxError, AttributeError):
            raise Unwritable("encode") from None
        return self.text(node, before, text) if is_text(node) else None
