"""Names that are used and never imported, or mistyped."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Applicability, Diagnosis, Evidence, Failure, FailurePattern, Follows, Proposal
from pytest_maestro_healer.strategies.base import Example, Tactic
from pytest_maestro_healer.strategies.dependency_fix import table_names
from pytest_maestro_healer.strategies.dependency_fix.build import edit_files, enclosing_function, functions, group_of
from pytest_maestro_healer.strategies.dependency_fix.cause import Missing, missing, raised_in_tests
from pytest_maestro_healer.strategies.dependency_fix.editor import FileEditor
from pytest_maestro_healer.strategies.dependency_fix.migrate import import_line
from pytest_maestro_healer.strategies.dependency_fix.own import other_than_own
from pytest_maestro_healer.strategies.dependency_fix.sites import bound_at_module_level, chain_of, import_sites, local_names, parents, uses
from pytest_maestro_healer.strategies.dependency_fix.typos import is_new_text, near_names

_PATTERNS = frozenset({FailurePattern.IMPORT_ERROR})
#: So many versions of a file are asked for an import that it had.
_VERSIONS = 10
#: The weight of an import that the last commit has.
_AT_HEAD = 0.95


def _undefined(failure: Failure, ctx: Context) -> tuple[Missing, SourceFile, ast.Module] | None:
    found = missing(failure)
    if found is None or found.kind != "undefined" or not raised_in_tests(failure, found, ctx):
        return None
    src = ctx.source(found.path)
    return (found, src, src.tree) if src is not None and src.tree is not None else None


def attributes_of(name: str, tree: ast.Module) -> set[str]:
    """The attributes that a file reads from an undefined name."""
    up = parents(tree)
    return {c[1].attr for n in uses(tree, name) if len(c := chain_of(n, up)) > 1 and isinstance(c[1], ast.Attribute)}


def is_called(name: str, tree: ast.Module) -> bool:
    """Whether the name itself is called or used as an expression of its own anywhere."""
    up = parents(tree)
    return any(not isinstance(up.get(n), ast.Attribute) for n in uses(tree, name))


class MissingImport(Tactic):
    name = "missing_import"
    summary = (
        "A name that is used and never imported is imported from the one place that fits: git, the project, sibling tests, the standard library."
    )
    patterns = _PATTERNS
    applicability = Applicability.SAFE
    follows = Follows.LIBRARY | Follows.IMPORT
    evidence = ("git", "symbol", "docs")
    sources = (table_names.SOURCE, table_names.PY2_SOURCE)
    heals = (
        Example(
            "a project function that nobody imported",
            {
                "shop/__init__.py": "",
                "shop/util.py": "def total(items):\n    return sum(items)\n",
                "test_total.py": "def test_total():\n    assert total([1, 2]) == 3\n",
            },
            {"test_total.py": "from shop.util import total\n\n\ndef test_total():\n    assert total([1, 2]) == 3\n"},
        ),
        Example(
            "a standard library module",
            {"test_os.py": "import sys\n\n\ndef test_os():\n    assert sys and os.sep.join(['a'])\n"},
            {"test_os.py": "import os\nimport sys\n\n\ndef test_os():\n    assert sys and os.sep.join(['a'])\n"},
        ),
        Example(
            "a Python 2 builtin",
            {"test_u.py": "def test_u():\n    assert isinstance('a', unicode)\n"},
            {"test_u.py": "def test_u():\n    assert isinstance('a', str)\n"},
        ),
    )
    declines = (
        Example(
            "the name is undefined in the product",
            {
                "shop.py": "def total(items):\n    return reduce(max, items)\n",
                "test_shop.py": "from shop import total\n\n\ndef test_total():\n    assert total([1, 2]) == 2\n",
            },
            why="the product uses a name it does not have: a bug to name, not a test to edit",
        ),
    )

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """NameErrors only."""
        return failure.is_a("NameError")

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """One proposal per source that fits; several are a tie."""
        got = _undefined(failure, ctx)
        if got is None:
            return
        found, src, tree = got
        if found.name in table_names.PY2_BUILTINS:
            yield from _py2_builtin(found, failure, ctx)
            return
        options = _best_sources(found.name, src, tree, ctx)
        paths, nodeids = group_of(found, ctx, failure)
        for line, fact in options[:3]:
            doubt = "" if _committed(fact) else next(filter(None, (other_than_own(found.name, p, line, ctx) for p in paths)), "")
            only = len(options) == 1 and not doubt
            p = edit_files(
                self.name,
                lambda editor, line=line: editor.need(line),  # type: ignore[misc]
                paths,
                ctx,
                nodeids=nodeids,
                evidence=[fact],
                meaning=line,
                explanation=f"{found.name} is used and never imported: {line}" + (f"; but {doubt}" if doubt else ""),
                cause_key=found.key,
                safe=only,
                score=0.9 if only else 0.5,
            )
            if p is not None:
                yield p


def _committed(fact: Evidence) -> bool:
    """Whether the last commit itself has the import."""
    return fact.kind == "git" and fact.weight == _AT_HEAD


def _py2_builtin(found: Missing, failure: Failure, ctx: Context) -> Iterator[Proposal]:
    new = table_names.PY2_BUILTINS[found.name]

    def change(editor: FileEditor) -> None:
        for use in uses(editor.tree, found.name):
            editor.replace_node(use, new)

    paths, nodeids = group_of(found, ctx, failure)
    fact = Evidence("docs", f"{found.name} is {new} in Python 3", table_names.PY2_SOURCE, 0.9)
    text = f"{found.name} is {new}"
    p = edit_files("missing_import", change, paths, ctx, nodeids=nodeids, evidence=[fact], meaning=text, explanation=text, cause_key=found.key,
                   safe=True, score=0.9)  # fmt: skip
    if p is not None:
        yield p


def _best_sources(name: str, src: SourceFile, tree: ast.Module, ctx: Context) -> list[tuple[str, Evidence]]:
    """Import statements that would define the name, of the strongest kind of evidence that has any."""
    attrs = attributes_of(name, tree)
    bare = is_called(name, tree)
    for source in (_from_head, _from_past, _from_siblings, _from_project, _from_known):
        options = dict.fromkeys(source(name, attrs, bare, src, ctx))
        if options:
            return list(options)
    return []


def _from_head(name: str, attrs: set[str], bare: bool, src: SourceFile, ctx: Context) -> Iterator[tuple[str, Evidence]]:
    """The import that the last commit's version of the file had."""
    data = ctx.git.bytes_at(src.path)
    if data is None:
        return
    for line, where in _had(name, SourceFile(src.path, data), ctx):
        yield line, Evidence("git", f"the last commit's version of {src.path} has {line}", where, _AT_HEAD)


def _from_past(name: str, attrs: set[str], bare: bool, src: SourceFile, ctx: Context) -> Iterator[tuple[str, Evidence]]:
    """The import that an older version of the file had, if it was by an import that the newest one with the name had it."""
    for commit, _ in ctx.git.commits(src.path, limit=_VERSIONS):
        old = SourceFile(src.path, ctx.git.bytes_at(src.path, f"{commit}~1") or b"")
        if old.tree is None or name not in bound_at_module_level(old.tree):
            continue
        for line, where in _had(name, old, ctx):
            yield line, Evidence("git", f"{src.path} had {line} until {commit[:7]}", where, 0.9)
        return


def _had(name: str, old: SourceFile, ctx: Context) -> Iterator[tuple[str, str]]:
    """(statement, ``path:line``) of the imports that bound the name at the top of an older version of a file."""
    for site in import_sites(old, ctx.symbols.module_name(old.path)):
        if site.bound == name and isinstance(site.scope, ast.Module):
            yield _line_of(site.node, site.alias), f"{old.path}:{site.node.lineno}"


def _line_of(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> str:
    one = ast.Import([alias]) if isinstance(node, ast.Import) else ast.ImportFrom(node.module, [alias], node.level)
    return ast.unparse(one)


def _from_siblings(name: str, attrs: set[str], bare: bool, src: SourceFile, ctx: Context) -> Iterator[tuple[str, Evidence]]:
    """How the other test files import it, if they agree."""
    votes: Counter[str] = Counter()
    for other in ctx.test_files_with(name):
        if other.path == src.path:
            continue
        for site in import_sites(other, ctx.symbols.module_name(other.path)):
            relative = isinstance(site.node, ast.ImportFrom) and site.node.level
            if site.bound == name and isinstance(site.scope, ast.Module) and not site.guarded and not relative:
                votes[_line_of(site.node, site.alias)] += 1
    for line, n in votes.most_common(3):
        yield line, Evidence("symbol", f"{n} other test file{'s' * (n > 1)} of the project import it so", line, 0.85)


def _from_project(name: str, attrs: set[str], bare: bool, src: SourceFile, ctx: Context) -> Iterator[tuple[str, Evidence]]:
    """The project's own definition, or its module or package of that name."""
    for d in ctx.symbols.find(name):
        if d.kind in ("function", "class", "variable") and d.path != src.path and d.module and not d.is_test:
            yield f"from {d.module} import {name}", Evidence("symbol", f"{d.kind} {name} is defined in {d.path}:{d.line}", f"{d.path}:{d.line}", 0.85)
    if not bare and attrs:
        for module in ctx.symbols.project_modules():
            path = ctx.symbols.module_path(module) or ""
            if module.rpartition(".")[2] == name and not ctx.is_test_code(path) and all(ctx.symbols.provides(module, a) for a in attrs):
                yield import_line(module, name, ctx), Evidence("symbol", f"{module} is a module of the project", path, 0.8)


def _from_known(name: str, attrs: set[str], bare: bool, src: SourceFile, ctx: Context) -> Iterator[tuple[str, Evidence]]:
    """Conventional aliases, the standard library, installed packages."""
    alias = table_names.ALIASES.get(name)
    if alias is not None and ctx.live.importable(alias):
        yield (
            import_line(alias, name, ctx) if "." not in alias else f"import {alias} as {name}",
            Evidence("docs", f"{name} is the conventional alias of {alias}", table_names.SOURCE, 0.85),
        )
        return
    if name in table_names.PREFERRED and not (attrs and not bare and ctx.live.is_stdlib(name) and attrs <= set(ctx.live.names(name))):
        module = table_names.PREFERRED[name]
        yield f"from {module} import {name}", Evidence("docs", f"{name} is a name of {module}", module, 0.8)
        return
    if attrs and not bare and ctx.live.importable(name) and not name.startswith("_"):
        names = set(ctx.live.names(name)) if ctx.live.module(name) is not None else set(ctx.symbols.package(name) and _module_names(name, ctx))
        if attrs <= names:
            yield f"import {name}", Evidence("symbol", f"module {name} has {', '.join(sorted(attrs))}", name, 0.85)
            return
    for module in ctx.live.stdlib_modules_with(name, table_names.STDLIB):
        if not name.startswith("_") and len(name) > 3:
            yield f"from {module} import {name}", Evidence("symbol", f"the standard library has {module}.{name}", module, 0.6)


def _module_names(name: str, ctx: Context) -> Sequence[str]:
    info = ctx.symbols.module(name)
    return [*info.definitions] if info is not None else ()


class NameTypo(Tactic):
    name = "name_typo"
    summary = "A mistyped name in a test is corrected to the only near name that is in scope there."
    patterns = _PATTERNS
    applicability = Applicability.SAFE
    follows = Follows.LIBRARY
    evidence = ("symbol",)
    sources = ("CPython's suggestions, Lib/traceback.py",)
    heals = (
        Example(
            "a mistyped local variable",
            {"test_r.py": "def test_r():\n    response = 'a b'.split()\n    assert reponse[0] == 'a'\n"},
            {"test_r.py": "def test_r():\n    response = 'a b'.split()\n    assert response[0] == 'a'\n"},
        ),
    )
    declines = (
        Example(
            "two names are equally near",
            {"test_r.py": "def test_r():\n    value1 = 1\n    value2 = 2\n    assert value1 and value2 and value3\n"},
            why="either could be meant, or a third value is missing",
        ),
    )

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """NameErrors only."""
        return failure.is_a("NameError")

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """The unique near name of the scope."""
        got = _undefined(failure, ctx)
        if got is None:
            return
        found, src, tree = got
        if found.name in table_names.PY2_BUILTINS or _best_sources(found.name, src, tree, ctx):
            return
        function = enclosing_function(tree, found.line)
        scope = set(bound_at_module_level(tree)) | set(ctx.live.builtins)
        if function is not None:
            scope |= local_names(function)
        near = near_names(found.name, sorted(scope))
        line = src.lines[found.line - 1] if 0 < found.line <= len(src.lines) else ""
        new = is_new_text(src.path, line, ctx)
        if len(near) != 1:
            return
        where = function if function is not None else tree

        def change(editor: FileEditor) -> None:
            twin = next((f for f in functions(editor.tree) if function is not None and f.lineno == function.lineno), None)
            body = twin or editor.tree
            for n in ast.walk(body):
                if isinstance(n, ast.Name) and n.id == found.name and isinstance(n.ctx, ast.Load):
                    editor.replace_node(n, near[0])

        fact = Evidence("symbol", f"{found.name} is undefined, {near[0]} is the only near name in scope", f"{src.path}:{found.line}", 0.8)
        text = f"{found.name} is meant to be {near[0]}"
        p = edit_files(self.name, change, [src.path], ctx, nodeids=[failure.nodeid], evidence=[fact], meaning=text, explanation=text,
                       cause_key=f"{found.key}:{src.path}:{getattr(where, 'name', '')}", safe=new is not False, score=0.8)  # fmt: skip
        if p is not None:
            yield p
