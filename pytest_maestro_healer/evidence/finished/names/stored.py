"""Is a name the key of data that lies outside of the repository? Fields that are dumped or loaded by their names, classes in pickles.

What was stored before the change says the old name, and no test of the repository can show that it is not understood any more.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cached_property

from pytest_maestro_healer.evidence.changes import changes_of
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.expressions import dotted_name
from pytest_maestro_healer.evidence.finished.names.families import Class, Families
from pytest_maestro_healer.evidence.finished.names.forms import near
from pytest_maestro_healer.evidence.finished.names.given import from_elsewhere, functions_of, lists_names, may_be, names_types, sets_by_text
from pytest_maestro_healer.evidence.finished.names.members import value_of_another
from pytest_maestro_healer.evidence.finished.names.registered import registered
from pytest_maestro_healer.evidence.finished.places.place import home_of, imports_of

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
#: Modules that keep objects with the names of their classes and attributes.
_PICKLES = frozenset({"pickle", "cPickle", "_pickle", "shelve", "joblib", "dill", "cloudpickle", "jsonpickle"})
_PICKLES_IN = re.compile(rb"\b(?:c?[Pp]ickle|shelve|joblib|dill|cloudpickle|jsonpickle)\b|\bto_pickle\b|\bread_pickle\b")
#: Modules by which data leaves the process.
_DATA = frozenset({
    "json", "simplejson", "ujson", "orjson", "rapidjson", "yaml", "ruamel", "tomllib", "tomli", "tomli_w", "tomlkit", "toml", "csv", "configparser",
    "msgpack", "msgspec", "cbor2", "bson", "plistlib", "sqlite3", "sqlalchemy", "psycopg", "psycopg2", "asyncpg", "aiosqlite", "pymongo", "redis",
    "peewee", "duckdb", "pandas", "polars", "requests", "httpx", "aiohttp", "flask", "fastapi", "starlette", "django", "rest_framework", "boto3",
    "kafka", "pika", "celery", "grpc", *_PICKLES,
})  # fmt: skip
#: Libraries that make the attributes of a class the names of columns, keys or variables.
_DECLARED = ("sqlalchemy", "sqlmodel", "django.db.models", "peewee", "mongoengine", "tortoise", "marshmallow", "rest_framework", "odmantic")
_NO_NAME = frozenset({"relationship", "backref", "association_proxy", "hybrid_property", "declared_attr", "Index", "UniqueConstraint"})
_OWN_NAME = frozenset({"db_column", "column_name", "db_field", "data_key", "name", "source_field"})
#: Libraries whose classes are read from data and written to it, and what does so.
_MODELS = frozenset({"pydantic", "pydantic_settings", "sqlmodel", "msgspec"})
_MODELLING = frozenset({
    "model_validate", "model_validate_json", "model_validate_strings", "model_dump", "model_dump_json", "model_json_schema", "parse_obj", "parse_raw",
    "parse_file", "from_orm", "dict", "json", "schema", "TypeAdapter", "decode", "encode", "convert", "to_builtins", "validate_json",
})  # fmt: skip
#: Methods that only show, compare or copy an object.
_SHOWS = re.compile(r"__(?:repr|str|eq|ne|hash|lt|le|gt|ge|copy|deepcopy|format|replace|rich_repr|post_init)__|_?(?:copy|clone|replace|evolve)")


class Stored:
    """What is stored or sent under the names that a change gave up."""

    def __init__(self, ctx: Context, base: str, paths: Sequence[str]) -> None:
        self.ctx, self.base = ctx, base
        self.paths = list(dict.fromkeys(paths))
        self.known = changes_of(ctx.git, ctx.files, ctx.symbols)
        self.families = Families(self.known)

    def told(self, old: str, new: str) -> str:
        """Why data that says ``old`` may not be understood since that is ``new``; ``""`` if nothing says that there is any."""
        other = value_of_another(self.known, self.base, self.paths, old, new) or registered(self.known, self.base, self.paths, old, new)
        if other:
            return other
        for path in self.paths:
            before = self.known.at(path, self.base)
            for found in self.known.current(path).values():
                if found.name == new and found.qualname not in before:
                    reason = ""
                    if isinstance(found.node, ast.ClassDef):
                        reason = self._class((path, found.qualname), old) if any(d.name == old and d.kind == "class" for d in before.values()) else ""
                    elif found.kind == "attribute" and any(d.name == old and d.kind == "attribute" for d in before.values()):
                        reason = self._field((path, found.scope), found.node, old, new)
                    if reason:
                        return reason
            reason = self._parameter(path, old, new)
            if reason:
                return reason
        return ""

    def moved(self, modules: Iterable[str], imports: Iterable[tuple[str, str, str]]) -> str:
        """The same for the classes of whole ``modules`` that are elsewhere now, and for those of ``imports`` (name, module before, module now)."""
        names = {d.name for path in modules for d in self.known.current(path).values() if d.kind == "class" and not d.scope}
        for name, _, now in imports:
            found = self.ctx.symbols.resolve(now, name)
            if found is not None and found.kind == "class" and self.known.is_product(found.path):
                names.add(name)
        return self.pickled(sorted(names), "the module where it was") if names else ""

    # -- pickles ---------------------------------------------------------------------------------------------
    def pickled(self, names: Sequence[str], was: str) -> str:
        """Where code that has to do with classes of these names keeps objects by the names of their classes; ``was`` is what they say since."""
        if not any(_PICKLES_IN.search(self.ctx.symbols.read(p)) for p in self.ctx.files.product_files):
            return ""
        for path, tree in near(self.ctx, names).items():
            line = self._pickles(path, tree)
            if line:
                return f"{path}:{line} stores objects under the names of their classes and attributes: what was stored before says {was}"
        return ""

    def _pickles(self, path: str, tree: ast.Module) -> int:
        if not _PICKLES_IN.search(self.ctx.symbols.read(path)):
            return 0
        taken = imports_of(tree, home_of(self.known, path)) | _inner_imports(tree)
        copied = {id(n.args[0]) for n in ast.walk(tree) if isinstance(n, ast.Call) and n.args and dotted_name(n.func).endswith("loads")}
        copies = {
            id(n) for n in ast.walk(tree) if isinstance(n, ast.Call) and n.args and dotted_name(getattr(n.args[0], "func", n)).endswith("dumps")
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and id(node) not in copied | copies:
                called = dotted_name(node.func)
                module = taken.get(called.partition(".")[0], "").partition(".")[0]
                if module in _PICKLES or called.rpartition(".")[2] in ("to_pickle", "read_pickle"):
                    return node.lineno
        return 0

    # -- fields ----------------------------------------------------------------------------------------------
    def _field(self, cls: Class, value: ast.AST, old: str, new: str) -> str:
        """Why an attribute of a class is data by its name."""
        own = cls[1].rpartition(".")[2]
        taken = imports_of(self.ctx.symbols.tree(cls[0]), home_of(self.known, cls[0]))
        if _column(value, taken) or self._modelled(cls, value):
            return f"{new} of {own} is stored under its name: what was stored before says {old}"
        ours = self.families.ours(cls)
        where = self._built(ours) or self._listed(ours)
        if where:
            return f"{where} takes the names of {own}'s fields for data: what was stored before says {old}"
        return self.pickled([own], old)

    def _class(self, cls: Class, old: str) -> str:
        """Why the name of a class is data."""
        ours = self.families.ours(cls)
        names = [cls[1].rpartition(".")[2], old]
        inside = {id(n) for c in ours if (top := self.families.node(c)) is not None for n in ast.walk(top)}
        for path, tree in near(self.ctx, names).items():
            for function, node in functions_of(tree):
                for what in names_types(node):
                    mine = id(node) in inside if dotted_name(what) in ("self", "cls") else may_be(what, function, names)
                    if mine and self._leaves(path, function.name if function is not None else ""):
                        return f"{path}:{getattr(node, 'lineno', 1)} takes the names of classes for data: what was stored before says {old}"
        return self.pickled(names, old)

    def _modelled(self, cls: Class, value: ast.AST) -> bool:
        """Whether a class is a model of data by its base, and the product reads, gives out or serves such data."""
        bases = [b for b in self.families.above(cls) if isinstance(b, str) and b.partition(".")[0] in _MODELS]
        if not bases or (isinstance(value, ast.Call) and any((k.arg or "").endswith("alias") or k.arg == "name" for k in value.keywords)):
            return False
        if any("Settings" in b for b in bases):
            return True
        names = {c[1].rpartition(".")[2] for c in self.families.ours(cls)}
        return any(_models(tree, names) for tree in near(self.ctx, sorted(names)).values())

    def _parameter(self, path: str, old: str, new: str) -> str:
        """Why a parameter of a function or of what makes an object is data by its name."""
        before = self.known.at(path, self.base)
        for found in self.known.current(path).values():
            then = before.get(found.qualname)
            if found.function is None or then is None or then.function is None or new in _given(then.function) or old not in _given(then.function):
                continue
            if new in _given(found.function) and old not in _given(found.function):
                made = found.name in ("__init__", "__new__")
                ours = self.families.ours((path, found.scope)) if made else [(path, found.qualname)]
                where = self._built(ours)
                if where:
                    return f"{where} gives {ours[0][1]} whatever data says: what was stored before says {old}"
        return ""

    def _built(self, ours: Sequence[Class]) -> str:
        """``path:line`` where one of ``ours`` is called with keywords that come from elsewhere."""
        names = {c[1].rpartition(".")[2] for c in ours}
        inside = [n for c in ours if (n := self.families.node(c)) is not None]
        for path, tree in self._saying(names):
            for function, node in functions_of(tree):
                if isinstance(node, ast.Call) and any(k.arg is None and from_elsewhere(k.value, function) for k in node.keywords):
                    called = dotted_name(node.func) or ast.unparse(node.func)
                    own = called in ("cls", "self.__class__", "type(self)") and any(node in ast.walk(c) for c in inside)
                    if own or called.rpartition(".")[2] in names:
                        return f"{path}:{node.lineno}"
        return ""

    def _listed(self, ours: Sequence[Class]) -> str:
        """``path:line`` where the fields of one of ``ours`` are listed by their names, near to where data leaves the process."""
        names = {c[1].rpartition(".")[2] for c in ours}
        inside = {id(n) for c in ours if (top := self.families.node(c)) is not None for n in ast.walk(top)}
        for path, tree in near(self.ctx, sorted(names)).items():
            for function, node in functions_of(tree):
                if id(node) in inside and sets_by_text(node, function):
                    return f"{path}:{getattr(node, 'lineno', 1)}"
                what = lists_names(node, model=False)
                if what is None or (function is not None and _SHOWS.fullmatch(function.name)):
                    continue
                if id(node) in inside if dotted_name(what) in ("self", "cls") else may_be(what, function, names):
                    called = function.name if function is not None else ""
                    if self._leaves(path, called):
                        return f"{path}:{getattr(node, 'lineno', 1)}"
        return ""

    def _leaves(self, path: str, called: str) -> bool:
        """Whether a file, or one that calls its function ``called``, gives data away."""
        return path in self._data or any(p in self._data for p, _ in (self.known.trees_with(called) if called else ()))

    @cached_property
    def _data(self) -> frozenset[str]:
        """The product's files that use a module by which data leaves the process."""
        return frozenset(p for p in self.ctx.files.product_files if (t := self.ctx.symbols.tree(p)) is not None and not _DATA.isdisjoint(_tops(t)))

    def _saying(self, names: Collection[str]) -> Iterator[tuple[str, ast.Module]]:
        seen: set[str] = set()
        for name in sorted(names):
            for path, tree in self.known.trees_with(name):
                if path not in seen:
                    seen.add(path)
                    yield path, tree


def _given(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    return {a.arg for a in (*function.args.args, *function.args.kwonlyargs)}


def _tops(tree: ast.Module) -> set[str]:
    """The top-level packages that a file imports."""
    out: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            out |= {a.name.partition(".")[0] for a in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            out.add((node.module or "").partition(".")[0])
    return out


def _inner_imports(tree: ast.Module) -> dict[str, str]:
    """What functions of a file import."""
    out: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, _FUNCTIONS):
            out.update(imports_of(ast.Module(node.body, []), ("", False)))
    return out


def _column(value: ast.AST, taken: dict[str, str]) -> bool:
    """Whether the value of an attribute makes its name that of a column or key, and does not give that another name."""
    annotated = isinstance(value, ast.Subscript)
    call = value if isinstance(value, ast.Call) else None
    name = dotted_name(value.value if isinstance(value, ast.Subscript) else call.func if call is not None else ast.Constant(0))
    root, _, rest = name.partition(".")
    whole = ".".join(p for p in (taken.get(root, ""), rest) if p)
    if not root or not any(whole == d or whole.startswith(d + ".") for d in _DECLARED) or whole.rpartition(".")[2] in _NO_NAME:
        return False
    if annotated or call is None:
        return whole.endswith(".Mapped")
    first = call.args[0] if call.args and whole.startswith("sql") else None  # Django shows it only
    return not (isinstance(first, ast.Constant) and isinstance(first.value, str)) and _OWN_NAME.isdisjoint(k.arg or "" for k in call.keywords)


def _models(tree: ast.Module, names: Collection[str]) -> bool:
    """Whether a file reads or writes data by models, or serves one: has it in the signature of a function that something decorates."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, (ast.Attribute, ast.Name))
            and dotted_name(node.func).rpartition(".")[2] in _MODELLING
        ):
            return True
        if isinstance(node, _FUNCTIONS) and node.decorator_list:
            said = [a.annotation for a in (*node.args.args, *node.args.kwonlyargs) if a.annotation is not None] + (
                [node.returns] if node.returns else []
            )
            if any(dotted_name(n).rpartition(".")[2] in names for a in said for n in ast.walk(a)):
                return True
    return False
