"""A captured value written as source: in the file's quotes and by the names that the file has."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.model import Value
from pytest_maestro_healer.strategies.assertion_update.strings import formatted, quoted


class Unwritable(Exception):
    """The value has no faithful expression."""


class Writer:
    """Renders values for one file and collects the imports that it lacks."""

    def __init__(self, src: SourceFile, own_module: str = "", told: Mapping[str, str] | None = None) -> None:
        self.src = src
        self.told = told or {}
        self.own_module = own_module
        self.quote = preferred_quote(src)
        self.imports: list[str] = []

    def text(self, value: Value, quote: str = "") -> str:
        """Source for ``value``; raises :class:`Unwritable`."""
        q = quote or self.quote
        if value.source is None:
            plain = plain_of(value)
            if plain is None:
                raise Unwritable(value.repr)
            return self.text(plain, q)
        if value.type == "str":
            text = ast.literal_eval(value.source)
            return formatted(text, self.told, q) if self.tells(text) else quoted(text, q)
        if value.type == "bytes" and q == '"' and value.source.startswith("b'") and not any(c in value.source for c in ('"', "\\'")):
            return f'b"{value.source[2:-1]}"'
        if value.type in ("list", "tuple", "set") and value.items:
            inner = ", ".join(self.text(v, q) for v in value.items)
            return {"list": f"[{inner}]", "tuple": f"({inner},)" if len(value.items) == 1 else f"({inner})", "set": f"{{{inner}}}"}[value.type]
        if value.type in ("dict", "collections.defaultdict", "mappingproxy") and value.items:
            return "{" + ", ".join(f"{self.text(k, q)}: {self.text(v, q)}" for k, v in zip(value.keys, value.items, strict=True)) + "}"
        return self.named(value.source, value.imports)

    def tells(self, text: str) -> bool:
        """Whether a part of ``text`` is written by a name of the test."""
        return any(known in text for known in self.told)

    def named(self, source: str, imports: tuple[str, ...]) -> str:
        """``source`` with its names as this file knows them; missing imports are noted."""
        renames: dict[str, str] = {}
        known = imported_names(self.src)
        for line in imports:
            words = line.split()
            if words[0] == "import":
                self._module(words[1], source, renames, known)
            else:
                self._member(words[1], words[3], renames, known)
        if not renames:
            return source
        tree = ast.parse(source, mode="eval")
        return ast.unparse(_Rename(renames).visit(tree))

    def _module(self, module: str, source: str, renames: dict[str, str], known: dict[str, str]) -> None:
        used = {ast.unparse(n) for n in ast.walk(ast.parse(source, mode="eval")) if isinstance(n, ast.Attribute) and ast.unparse(n.value) == module}
        name = next((k for k, v in known.items() if v == module), None)
        for dotted in used:
            member = next((k for k, v in known.items() if v == dotted), None)
            if member:
                renames[dotted] = member
            elif name and name != module:
                renames[dotted] = f"{name}.{dotted.rpartition('.')[2]}"
            elif name is None:
                self._need(f"from {module} import {dotted.rpartition('.')[2]}" if module in known else f"import {module}")
                if module in known:
                    renames[dotted] = dotted.rpartition(".")[2]

    def _member(self, module: str, name: str, renames: dict[str, str], known: dict[str, str]) -> None:
        dotted = f"{module}.{name}"
        if module == self.own_module and name in top_level(self.src):
            return
        local = next((k for k, v in known.items() if v == dotted), None)
        if local is None and name in known and known[name].rpartition(".")[2] == name:
            local = name  # a re-export of the same name
        if local is None:
            holder = next((k for k, v in known.items() if v == module or (v.partition(".")[0] == module.partition(".")[0] and "." not in v)), None)
            if holder and known[holder] == module:
                local = f"{holder}.{name}"
        if local is None:
            if name in known or name in top_level(self.src):
                raise Unwritable(f"{name} means something else in {self.src.path}")
            self._need(f"from {module} import {name}")
        elif local != name:
            renames[name] = local

    def _need(self, line: str) -> None:
        if line not in self.imports:
            self.imports.append(line)


class _Rename(ast.NodeTransformer):
    def __init__(self, renames: dict[str, str]) -> None:
        self.renames = renames

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """A plain name that the file knows otherwise."""
        new = self.renames.get(node.id)
        return node if new is None else ast.parse(new, mode="eval").body

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """A dotted name that the file knows otherwise."""
        new = self.renames.get(ast.unparse(node))
        if new is not None:
            return ast.parse(new, mode="eval").body
        self.generic_visit(node)
        return node


def plain_of(value: Value) -> Value | None:
    """The plain equal of a subclass of a built-in (a str subclass that compares like str), if the capture kept it."""
    if (
        value.kind == "object"
        and len(value.keys) == 1
        and value.keys[0].source in ("'str'", "'int'", "'float'", "'bytes'", "'list'", "'tuple'", "'dict'", "'set'")
    ):
        return value.items[0] if value.keys[0].source == f"'{value.items[0].type}'" else None
    return None


@lru_cache(maxsize=32)
def preferred_quote(src: SourceFile) -> str:
    """The quotes that the file uses most (double where there is no majority)."""
    import io
    import tokenize

    count: Counter[str] = Counter()
    try:
        for token in tokenize.generate_tokens(io.StringIO(src.text).readline):
            if token.type == tokenize.STRING and not token.string.endswith(('"""', "'''")):
                count[token.string[-1]] += 1
    except (tokenize.TokenError, SyntaxError):
        return '"'
    return "'" if count["'"] > count['"'] else '"'


@lru_cache(maxsize=32)
def imported_names(src: SourceFile) -> dict[str, str]:
    """Names bound by module-level imports -> dotted origin."""
    out: dict[str, str] = {}
    for node in ast.walk(src.tree) if src.tree else ():
        if isinstance(node, ast.Import):
            for a in node.names:
                out[a.asname or a.name] = a.name
        elif isinstance(node, ast.ImportFrom):
            for a in node.names:
                out[a.asname or a.name] = f"{'.' * node.level}{node.module or ''}.{a.name}"
    return out


@lru_cache(maxsize=32)
def top_level(src: SourceFile) -> frozenset[str]:
    """Names defined at module level (not imported)."""
    out: set[str] = set()
    for node in src.tree.body if src.tree else ():
        if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)):
            out.add(node.name)
        elif isinstance(node, ast.Assign):
            out |= {t.id for t in node.targets if isinstance(t, ast.Name)}
    return frozenset(out)
