"""What something returns: tuples, lists, dicts, objects, generators, bytes and text."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.evidence.changes import Former
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.evidence.similarity import Def, returns, yields
from pytest_maestro_healer.model import Applicability, Diagnosis, Edit, Evidence, Failure, FailurePattern, Follows, Proposal
from pytest_maestro_healer.strategies.api_contract_adaptation import calls
from pytest_maestro_healer.strategies.api_contract_adaptation import examples_results as examples
from pytest_maestro_healer.strategies.api_contract_adaptation.cause import changes, nodes_at, raised_in_test, statement_at
from pytest_maestro_healer.strategies.api_contract_adaptation.followed import slip, still_a_list
from pytest_maestro_healer.strategies.api_contract_adaptation.lazy_library import collected
from pytest_maestro_healer.strategies.api_contract_adaptation.renames import STRATEGY
from pytest_maestro_healer.strategies.api_contract_adaptation.resolve import Classes, Ref, Resolver, resolver
from pytest_maestro_healer.strategies.api_contract_adaptation.sites import calls_of
from pytest_maestro_healer.strategies.api_contract_adaptation.tactic_shapes import near, shown
from pytest_maestro_healer.strategies.base import Tactic

_LAZY = re.compile(
    r"'(generator|map|filter|zip|range_iterator|list_iterator|islice|chain|dict_keys|dict_values|dict_items)'|"
    r"<(?:generator|map|filter|zip|itertools\.\w+) object|^(generator|map|filter|zip) <|dict_(?:keys|values|items)\(",
    re.M,
)
_UNPACK = re.compile(r"cannot unpack non-iterable ([\w.]+) object")
_SUBSCRIPT = re.compile(r"'([\w.]+)' object is not subscriptable")
_CONSUMERS = frozenset(
    {"list", "tuple", "set", "sorted", "sum", "dict", "frozenset", "any", "all", "min", "max", "join", "enumerate", "iter", "next"}
)


def product_function(dotted: str, ctx: Context) -> tuple[str, Def, Former | None] | None:
    """(path, present definition, former one with another body) of a function of the product."""
    classes = Classes(ctx)
    module, qualname = classes.split(dotted)
    known = changes(ctx)
    path = ctx.symbols.module_path(module) if module else None
    if path is None or not known.is_product(path):
        return None
    present = known.current(path).get(qualname)
    if present is None or present.function is None:
        return None
    return path, present, known.former(path, qualname, lambda d: d.function is not None and ast.dump(d.function) != ast.dump(present.node))


class ListToIterator(Tactic):
    name = "list_to_iterator"
    summary = "A result that was a list and is produced lazily now is collected by the test."
    patterns = frozenset({FailurePattern.API_CHANGE, FailurePattern.ASSERTION_FAILURE})
    applicability = Applicability.SAFE
    follows = Follows.LAZINESS
    evidence = ("git", "value")
    sources = ("git history of the product", "https://docs.python.org/3/glossary.html#term-generator")
    heals = examples.LAZY
    declines = examples.NOT_LAZY

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """Generators and other iterators where a list was expected."""
        return bool(_LAZY.search(shown(failure)))

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """One proposal per function that yields now."""
        seen: set[str] = set()
        for src, place in near(failure, ctx):
            names = resolver(src, ctx)
            for call in ast.walk(place):
                ref = names.ref(call.func) if isinstance(call, ast.Call) else None
                if ref is None or ref.kind != "function" or ref.dotted in seen:
                    continue
                found = product_function(ref.dotted, ctx)
                seen.add(ref.dotted)
                if found is None:
                    yield from collected(self.name, ref.dotted, failure, ctx)
                    continue
                path, present, former = found
                if _lazy(present) and former is not None and not _lazy(former.definition):
                    text = f"{ref.dotted} gave a whole sequence before {former.label} and is lazy now"
                    fact, where = Evidence("git", text, f"{path}:{present.line}", 0.85), still_a_list(present.name, ctx)
                    yield from [slip(self.name, text, where, fact, failure)] if where else self._made(ref.dotted, fact, failure, ctx)

    def _made(self, dotted: str, fact: Evidence, failure: Failure, ctx: Context) -> Iterator[Proposal]:
        edits = calls.Edits()
        for src, call, names in calls_of({dotted}, dotted.rpartition(".")[2], ctx):
            parent = names.up.get(call)
            consumed = isinstance(parent, ast.Call) and call in parent.args and last_name(parent.func) in _CONSUMERS
            if (
                consumed
                or (isinstance(parent, (ast.For, ast.AsyncFor, ast.comprehension)) and parent.iter is call)
                or isinstance(parent, ast.Starred)
            ):
                continue
            if isinstance(parent, (ast.withitem, ast.Expr)):
                continue
            calls.wrap(edits.of(src), call, "list(", ")")
        made = edits.all()
        if made:
            yield Proposal(STRATEGY, self.name, made, (fact,), Applicability.SAFE, f"{dotted} is lazy now: its items are collected",
                           (failure.nodeid,), meaning=f"{dotted} is lazy", cause_key=f"lazy:{dotted}", score=0.9)  # fmt: skip


def _lazy(d: Def) -> bool:
    f = d.function
    if f is None:
        return False
    if yields(f):
        return True
    values = returns(f)
    return bool(values) and all(
        isinstance(v, ast.GeneratorExp)
        or (isinstance(v, ast.Call) and isinstance(v.func, ast.Name) and v.func.id in ("map", "filter", "zip", "iter", "reversed"))
        or (isinstance(v, ast.Call) and isinstance(v.func, ast.Attribute) and v.func.attr in ("keys", "values", "items") and not v.args)
        for v in values
    )


class ResultObject(Tactic):
    name = "result_object"
    summary = "A tuple or dict that became an object with fields is read by those fields: unpacking, indexes and keys become attributes."
    patterns = frozenset({FailurePattern.API_CHANGE})
    applicability = Applicability.SAFE
    follows = Follows.RESULT
    evidence = ("git", "signature")
    sources = ("git history of the product", "https://docs.python.org/3/library/dataclasses.html")
    heals = examples.OBJECTS
    declines = examples.NOT_OBJECTS

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """Objects that cannot be unpacked or subscripted any more."""
        return failure.is_a("TypeError") and bool(_UNPACK.search(failure.message) or _SUBSCRIPT.search(failure.message))

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """One proposal for the class."""
        m = _UNPACK.search(failure.message) or _SUBSCRIPT.search(failure.message)
        if m is None or not raised_in_test(failure):
            return
        at = statement_at(failure, ctx)
        cls = self._class(m[1], failure, ctx)
        if at is None or cls is None:
            return
        fields = Classes(ctx).fields(cls)
        if not fields:
            return
        made, facts = self._edits(cls, fields, at[0], at[1], ctx)
        if made:
            sure = any(f.kind == "git" for f in facts)
            text = f"the result is a {cls} now: it is read by its fields"
            yield Proposal(STRATEGY, self.name, made, tuple(facts), Applicability.SAFE if sure else Applicability.REVIEW, text, (failure.nodeid,),
                           meaning=text, cause_key=f"result:{cls}", score=0.88 if sure else 0.6)  # fmt: skip

    def _class(self, name: str, failure: Failure, ctx: Context) -> str | None:
        known = changes(ctx)
        last = name.rpartition(".")[2]
        found = [
            f"{ctx.symbols.module_name(p)}.{q}"
            for p in ctx.files.product_files
            if last.encode() in ctx.symbols.read(p)
            for q, d in known.current(p).items()
            if d.kind == "class" and d.name == last
        ]
        if len(found) == 1:
            return found[0]
        for src, node in nodes_at(failure, ctx, ast.Subscript):
            ref = resolver(src, ctx).ref(node.value)
            if ref is not None and ref.kind == "instance" and ref.dotted.rpartition(".")[2] == last:
                return ref.dotted
        return None

    def _edits(self, cls: str, fields: list[str], failing: SourceFile, statement: ast.stmt, ctx: Context) -> tuple[tuple[Edit, ...], list[Evidence]]:
        edits = calls.Edits()
        producers = self._file(edits, cls, fields, failing, statement, ctx)
        for word in {p.rpartition(".")[2] for p in producers}:
            for other in ctx.test_files_with(word):
                if other.path != failing.path:
                    self._file(edits, cls, fields, other, None, ctx)
        fact = Evidence("signature", f"{cls} has the fields {', '.join(fields[:6])}", cls, 0.5)
        return edits.all(), [fact, *self._git(producers, ctx)]

    def _file(self, edits: calls.Edits, cls: str, fields: list[str], src: SourceFile, failing: ast.stmt | None, ctx: Context) -> set[str]:
        """Rewrite one file's uses of the class's instances (in the failing statement unknown ones, too); the functions that gave them."""
        names = resolver(src, ctx)
        out: set[str] = set()
        shown_here = set(ast.walk(failing)) if failing is not None else set()
        for node in ast.walk(src.tree) if src.tree is not None else ():
            index = isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant)
            unpacked = isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Tuple)
            if not (index or unpacked):
                continue
            assert isinstance(node, (ast.Subscript, ast.Assign))
            ref = names.ref(node.value)
            if not (_is(ref, cls) or (node in shown_here and ref is None and (index or isinstance(node.value, ast.Call)))):
                continue
            out |= _producers(node.value, names)
            order = self._order(cls, fields, names, node.value, ctx)
            if isinstance(node, ast.Subscript):
                _field(edits, src, node, order)
            else:
                _unpack(edits, src, node, order, cls, names)
        return out

    def _order(self, cls: str, fields: list[str], names: Resolver, value: ast.expr, ctx: Context) -> list[str]:
        """The fields in the order of the former tuple: by what the constructor is given, else as they are declared."""
        for dotted in _producers(value, names):
            found = product_function(dotted, ctx)
            old = returns(found[2].definition.function) if found and found[2] is not None and found[2].definition.function is not None else []
            new = returns(found[1].function) if found and found[1].function is not None else []
            if len(old) == 1 == len(new) and isinstance(old[0], ast.Tuple) and isinstance(new[0], ast.Call):
                given = {ast.dump(a): fields[i] for i, a in enumerate(new[0].args) if i < len(fields)}
                given |= {ast.dump(k.value): k.arg for k in new[0].keywords if k.arg}
                order = [given.get(ast.dump(e), "") for e in old[0].elts]
                if all(order):
                    return order
        return fields

    def _git(self, functions: set[str], ctx: Context) -> list[Evidence]:
        out = []
        for dotted in sorted(functions):
            found = product_function(dotted, ctx)
            if found is not None and found[2] is not None and found[2].definition.function is not None:
                kinds = {type(v).__name__ for v in returns(found[2].definition.function)}
                if kinds & {"Tuple", "Dict", "List"}:
                    what = "a dict" if "Dict" in kinds else "a tuple"
                    out.append(Evidence("git", f"{dotted} returned {what} before {found[2].label}", f"{found[0]}:{found[1].line}", 0.8))
        return out


def _is(ref: Ref | None, cls: str) -> bool:
    return ref is not None and ref.kind == "instance" and ref.dotted == cls


def _producers(node: ast.expr, names: Resolver) -> set[str]:
    """The functions whose result an expression is (through one assignment)."""
    if isinstance(node, ast.Await):
        node = node.value
    if isinstance(node, ast.Call):
        ref = names.ref(node.func)
        return {ref.dotted} if ref is not None and ref.kind == "function" else set()
    if isinstance(node, ast.Name):
        function = names.function_of(node)
        for stmt in ast.walk(function) if function is not None else ():
            if isinstance(stmt, ast.Assign) and any(isinstance(t, ast.Name) and t.id == node.id for t in stmt.targets):
                return _producers(stmt.value, names)
    return set()


def _field(edits: calls.Edits, src: SourceFile, node: ast.Subscript, fields: list[str]) -> None:
    assert isinstance(node.slice, ast.Constant)
    key = node.slice.value
    name = (
        fields[key]
        if isinstance(key, int) and not isinstance(key, bool) and -len(fields) <= key < len(fields)
        else key
        if isinstance(key, str) and key in fields
        else ""
    )
    if name:
        edits.of(src).replace(src.span(node.value)[1], src.span(node)[1], f".{name}")


def _unpack(edits: calls.Edits, src: SourceFile, node: ast.Assign, fields: list[str], cls: str, names: Resolver) -> None:
    """``a, b = f()`` -> ``point = f()`` and ``a, b = point.x, point.y``."""
    target = node.targets[0]
    assert isinstance(target, ast.Tuple)
    if len(target.elts) != len(fields) or any(isinstance(e, ast.Starred) for e in target.elts):
        return
    variable = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.rpartition(".")[2]).lower().strip("_") or "result"
    function = names.function_of(node)
    used = {n.id for n in ast.walk(function or src.tree) if isinstance(n, ast.Name)} if src.tree is not None else set()
    while variable in used:
        variable += "_"
    editor = edits.of(src)
    text = src.segment(target)
    start, end = src.span(target)
    line_end = src.span(node)[1]
    editor.replace(start, end, variable)
    values = ", ".join(f"{variable}.{f}" for f in fields)
    editor.replace(line_end, line_end, f"\n{src.indent_of(node.lineno)}{text} = {values}")


class ResultDict(Tactic):
    name = "result_dict"
    summary = "An object that became a dict is read by its keys."
    patterns = frozenset({FailurePattern.API_CHANGE})
    applicability = Applicability.SAFE
    follows = Follows.RESULT
    evidence = ("git",)
    sources = ("git history of the product",)
    heals = examples.DICTS
    declines = examples.NOT_DICTS

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """Attributes of a dict."""
        return failure.is_a("AttributeError") and "'dict' object has no attribute" in failure.message

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """Where the product's function returns a dict with that key."""
        if not raised_in_test(failure):
            return
        for src, node in nodes_at(failure, ctx, ast.Attribute):
            names = resolver(src, ctx)
            for dotted in _producers(node.value, names):
                found = product_function(dotted, ctx)
                keys = _dict_keys(found[1]) if found is not None else set()
                if found is None or node.attr not in keys:
                    continue
                edits = calls.Edits()
                function = names.function_of(node)
                for other in ast.walk(function) if function is not None else ():
                    if isinstance(other, ast.Attribute) and other.attr in keys and ast.dump(other.value) == ast.dump(node.value):
                        edits.of(src).replace(src.span(other.value)[1], src.span(other)[1], f'["{other.attr}"]')
                was = found[2] is not None and not _dict_keys(found[2].definition)
                fact = Evidence(
                    "git" if was else "signature",
                    f"{dotted} returns a dict with the key {node.attr} now",
                    f"{found[0]}:{found[1].line}",
                    0.85 if was else 0.6,
                )
                made = edits.all()
                if made:
                    text = f"{dotted} returns a dict now: it is read by its keys"
                    yield Proposal(STRATEGY, self.name, made, (fact,), Applicability.SAFE if was else Applicability.REVIEW, text, (failure.nodeid,),
                                   meaning=text, cause_key=f"result:{dotted}", score=0.88)  # fmt: skip


def _dict_keys(d: Def) -> set[str]:
    f = d.function
    out: set[str] = set()
    for v in returns(f) if f is not None else ():
        if isinstance(v, ast.Dict):
            out |= {k.value for k in v.keys if isinstance(k, ast.Constant) and isinstance(k.value, str)}
        if isinstance(v, ast.Call) and isinstance(v.func, ast.Name) and v.func.id == "dict":
            out |= {k.arg for k in v.keywords if k.arg}
    return out


class BytesOrText(Tactic):
    name = "bytes_or_text"
    summary = "A result that is text now is no longer decoded (bytes: no longer encoded); a text argument of what takes bytes now becomes bytes."
    patterns = frozenset({FailurePattern.API_CHANGE})
    applicability = Applicability.SAFE
    follows = Follows.ENCODING
    evidence = ("value",)
    sources = ("https://docs.python.org/3/howto/unicode.html",)
    heals = examples.BYTES
    declines = examples.NOT_BYTES

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """Conversions that have become impossible."""
        return (
            failure.is_a("AttributeError")
            and bool(re.search(r"'str' object has no attribute 'decode'|'bytes' object has no attribute 'encode'", failure.message))
        ) or (
            failure.is_a("TypeError")
            and bool(
                re.search(
                    r"bytes-like object is required, not 'str'|[Ee]xpected (?:type )?bytes|must be bytes|should be bytes|not str", failure.message
                )
            )
        )

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """Drop the conversion; or write the literals of the failing call as bytes."""
        if failure.is_a("AttributeError"):
            yield from self._dropped(failure, ctx)
        else:
            yield from self._literals(failure, ctx)

    def _dropped(self, failure: Failure, ctx: Context) -> Iterator[Proposal]:
        if not raised_in_test(failure):
            return
        for src, node in nodes_at(failure, ctx, ast.Attribute):
            names = resolver(src, ctx)
            if node.attr not in ("decode", "encode"):
                continue
            edits = calls.Edits()
            function = names.function_of(node)
            for other in ast.walk(function) if function is not None else ():
                parent = names.up.get(other)
                if not isinstance(other, ast.Attribute) or other.attr != node.attr or not isinstance(parent, ast.Call) or parent.func is not other:
                    continue
                if other is node or ast.dump(other.value) == ast.dump(node.value):
                    edits.of(src).replace(src.span(other.value)[1], src.span(parent)[1], "")
            kind = "text" if node.attr == "decode" else "bytes"
            what = src.segment(node.value)[:60]
            fact = Evidence("value", f"{what} is {kind} already: it has no {node.attr}", f"{src.path}:{node.lineno}", 0.75)
            made = edits.all()
            if made:
                text = f"{what} is {kind} now: .{node.attr}() goes"
                yield Proposal(
                    STRATEGY, self.name, made, (fact,), Applicability.SAFE, text, (failure.nodeid,), meaning=text, cause_key=f"text:{what}", score=0.9
                )

    def _literals(self, failure: Failure, ctx: Context) -> Iterator[Proposal]:
        at = statement_at(failure, ctx)
        if at is None:
            return
        src, statement = at
        found = [
            a
            for call in ast.walk(statement)
            if isinstance(call, ast.Call)
            for a in [*call.args, *(k.value for k in call.keywords)]
            if isinstance(a, ast.Constant) and isinstance(a.value, str) and a.value.isascii()
        ]
        for chosen in [found, *([[a] for a in found] if len(found) > 1 else [])][:4]:
            edits = calls.Edits()
            for a in chosen:
                start, _ = src.span(a)
                if src.text[start : start + 1] in ("'", '"', "r", "R"):
                    edits.of(src).replace(start, start, "b")
            made = edits.all()
            if made:
                text = "bytes are passed where text was: " + ", ".join(src.segment(a)[:30] for a in chosen)
                fact = Evidence("value", failure.message.splitlines()[0][:160], f"{src.path}:{statement.lineno}", 0.5)
                yield Proposal(
                    STRATEGY, self.name, made, (fact,), Applicability.REVIEW, text, (failure.nodeid,), meaning=text, cause_key="bytes", score=0.55
                )
