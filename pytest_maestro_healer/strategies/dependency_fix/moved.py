"""Symbols and modules that moved or were renamed, inside the project or an installed package."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

from pytest_maestro_healer.evidence.changes import changes_of
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.symbols import Definition, body_of, parse
from pytest_maestro_healer.model import Applicability, Evidence
from pytest_maestro_healer.strategies.base import Example
from pytest_maestro_healer.strategies.dependency_fix.coincidence import both_there, exported_no_more, handed_on, still_wanted, there_before
from pytest_maestro_healer.strategies.dependency_fix.examples_moved import NAMESAKES
from pytest_maestro_healer.strategies.dependency_fix.migrate import move_import
from pytest_maestro_healer.strategies.dependency_fix.plans import Plan, Planner
from pytest_maestro_healer.strategies.dependency_fix.sites import Site, chain_of, parents, uses
from pytest_maestro_healer.strategies.dependency_fix.tactic import ImportTactic

_SIMILAR = 0.85
#: Names that many modules have, each with its own meaning: the same name elsewhere proves nothing.
_COMMON = frozenset(
    [
        "main",
        "run",
        "cli",
        "app",
        "get",
        "set",
        "add",
        "parse",
        "load",
        "loads",
        "dump",
        "dumps",
        "read",
        "write",
        "open",
        "close",
        "start",
        "stop",
        "setup",
        "config",
        "settings",
        "log",
        "logger",
        "version",
        "test",
        "data",
        "name",
        "value",
        "type",
        "init",
        "process",
        "handle",
        "handler",
        "execute",
        "call",
        "create",
        "make",
        "build",
        "update",
        "delete",
        "remove",
        "check",
        "validate",
        "format",
        "encode",
        "decode",
        "parser",
        "client",
        "server",
        "session",
        "connect",
        "default",
        "options",
        "args",
        "util",
        "utils",
        "helper",
        "helpers",
        "error",
        "base",
        "t",
        "_",
        "x",
    ]
)


def _plan(site: Site, target: str, ctx: Context, tactic: str, evidence: Sequence[Evidence], score: float, *, safe: bool = True) -> Plan:
    old = site.dotted if site.name else site.module
    return Plan(
        tactic,
        Applicability.SAFE if safe else Applicability.REVIEW,
        tuple(evidence),
        f"{old} is now {target}",
        f"{old} is imported from its present place, {target}",
        score,
        lambda editor: move_import(site, target, ctx, editor),
    )


def _exists(module: str, ctx: Context) -> bool:
    return ctx.symbols.module_path(module) is not None or ctx.symbols.is_project_module(module) or ctx.live.importable(module)


# -- modules -----------------------------------------------------------------------------------------------
def plan_renamed_module(site: Site, ctx: Context) -> Sequence[Plan]:
    """A module that git saw renamed, or whose only change is a leading underscore and that still has what is used of it."""
    missing_name = bool(site.name) and _exists(site.module, ctx)
    old = f"{site.module}.{site.name}" if missing_name else site.module
    if not missing_name and _exists(site.module, ctx):
        return ()
    if missing_name and ctx.symbols.provides(site.module, site.name):
        return ()
    wanted = _wanted(site, module_is_name=missing_name)
    for new, fact in _renamed_by_git(old, ctx):
        if all(ctx.symbols.provides(new, n) for n in wanted):
            return _module_plan(site, new, missing_name, ctx, fact, 0.95)
    stem = old.rpartition(".")[2].strip("_")
    parent = old.rpartition(".")[0]
    if not parent or not stem:
        return ()
    same = [
        m
        for m in ctx.symbols.package(old.partition(".")[0])
        if m != old and m.rpartition(".")[0] == parent and m.rpartition(".")[2].strip("_") == stem
    ]
    good = [m for m in same if all(ctx.symbols.provides(m, n) or (ctx.live.module(m) is not None and ctx.live.has(m, n)) for n in wanted)]
    if len(good) != 1 or not _is_module_import(site, missing_name, wanted) or both_there(old, good[0], ctx):
        return ()
    fact = Evidence(
        "symbol",
        f"{old} is gone, {good[0]} is the only module beside it of that name and has {', '.join(sorted(wanted)) or 'its place'}",
        good[0],
        0.8,
    )
    return _module_plan(site, good[0], missing_name, ctx, fact, 0.85)


def _is_module_import(site: Site, missing_name: bool, wanted: set[str]) -> bool:
    return bool(wanted) or missing_name


def _wanted(site: Site, *, module_is_name: bool) -> set[str]:
    """The names that the test needs of the module."""
    if site.name and not module_is_name:
        return {site.name}
    if site.src.tree is None:
        return set()
    up = parents(site.src.tree)
    depth = len(site.module.split(".")) if not site.name and not site.alias.asname else 1
    out = set()
    for name in uses(site.scope, site.bound):
        chain = chain_of(name, up)
        if len(chain) > depth and (link := chain[depth]) is not name:
            out.add(link.attr if hasattr(link, "attr") else "")
    return out - {""}


def _renamed_by_git(old: str, ctx: Context) -> Iterator[tuple[str, Evidence]]:
    path = old.replace(".", "/")
    for before, after in ctx.git.renames().items():
        stem = before.removesuffix(".py").removesuffix("/__init__")
        if before.endswith(".py") and after.endswith(".py") and (stem == path or stem.endswith("/" + path)) and ctx.files.read(after) is not None:
            yield ctx.symbols.module_name(after), Evidence("git", f"git saw {before} renamed to {after}", after, 0.95)
    for before in (f"{p}{path}{s}" for p in ("", "src/", "lib/") for s in (".py", "/__init__.py")):
        data = ctx.git.bytes_at(before)
        if data is None or len(data) < 20 or ctx.files.read(before) is not None:
            continue
        same = [p for p in ctx.files.product_files if ctx.files.read(p) == data and ctx.git.bytes_at(p) is None]
        if len(same) == 1:  # moved in the working tree, not yet known to git
            yield ctx.symbols.module_name(same[0]), Evidence("git", f"{same[0]} has the bytes of {before} at the last commit", same[0], 0.95)


def _module_plan(site: Site, new: str, missing_name: bool, ctx: Context, fact: Evidence, score: float) -> Sequence[Plan]:
    if missing_name:
        return [_plan(site, new, ctx, "renamed_module", [fact], score)]
    if site.name:
        return [_plan(site, f"{new}.{site.name}", ctx, "renamed_module", [fact], score)]
    if site.alias.asname or "." not in site.module:
        plan = _plan(site, new, ctx, "renamed_module", [fact], score)
        return [plan]
    return [_plain_submodule(site, new, fact, score)]


def _plain_submodule(site: Site, new: str, fact: Evidence, score: float) -> Plan:
    """``import pkg.old`` with uses ``pkg.old.f``: both are rewritten."""
    from pytest_maestro_healer.errors import EditError
    from pytest_maestro_healer.strategies.dependency_fix.editor import FileEditor

    depth = len(site.module.split("."))

    def apply(editor: FileEditor) -> None:
        for name in uses(site.scope, site.bound):
            chain = chain_of(name, editor.up)
            text = editor.src.segment(chain[depth - 1]) if len(chain) >= depth else ""
            if text == site.module:
                editor.replace_node(chain[depth - 1], new)
        if new.partition(".")[0] != site.bound and any(len(chain_of(n, editor.up)) < depth for n in uses(site.scope, site.bound)):
            raise EditError("the package itself is used too")
        editor.instead(site, f"import {new}")

    meaning = f"{site.module} is now {new}"
    return Plan("renamed_module", Applicability.SAFE, (fact,), meaning, f"{meaning}: imported and used from there", score, apply)


# -- symbols -----------------------------------------------------------------------------------------------
def plan_moved(site: Site, ctx: Context) -> Sequence[Plan]:
    """A name that another module of the same package defines, that the package now takes from elsewhere, or whose body has a new name."""
    if not site.name or ctx.live.is_stdlib(site.module):
        return ()
    top = site.module.partition(".")[0]
    if not ctx.symbols.package(top):
        return ()
    if changes_of(ctx.git, ctx.files, ctx.symbols).promised(site.module, site.name):
        return ()
    found = [d for d in ctx.symbols.find_in_package(site.name, top) if not d.is_test and d.module != site.module and not there_before(site, d, ctx)]
    if site.name.lower() in _COMMON:
        return _defined_plans(site, known, ctx) if (known := [d for d in found if d.kind != "import" and handed_on(site, d, ctx)]) else ()
    defined = [d for d in found if d.kind in ("function", "class", "variable")]
    if any(d.kind in ("function", "class") for d in defined):
        defined = [d for d in defined if d.kind in ("function", "class")]
    if defined:
        return _defined_plans(site, defined, ctx)
    if found:
        plans = _origin_plans(site, found, ctx)
        if plans:
            return plans
    return list(_hint_plans(site, ctx)) or list(_same_body_plans(site, top, ctx))


def _defined_plans(site: Site, defined: Sequence[Definition], ctx: Context) -> Sequence[Plan]:
    targets: dict[str, Evidence] = {}
    meant = not any(exported_no_more(site, d, ctx) for d in defined)
    for d in defined:
        place = _public_place(d, ctx)
        targets.setdefault(f"{place}.{site.name}", Evidence("symbol", f"{d.kind} {site.name} is defined in {d.module}", f"{d.path}:{d.line}", 0.85))
    unique = len(targets) == 1
    return [_plan(site, t, ctx, "moved_symbol", [e], 0.9 if unique else 0.5, safe=unique and meant) for t, e in targets.items()]


def _public_place(d: Definition, ctx: Context) -> str:
    """The module to import a definition from: its own if that is public or nothing public re-exports it, else the shallowest that does."""
    if not any(p.startswith("_") for p in d.module.split(".")):
        return d.module
    public = []
    for module in ctx.symbols.package(d.module.partition(".")[0]):
        if any(p.startswith("_") for p in module.split(".")) or ctx.files.is_test_code(ctx.symbols.module_path(module) or ""):
            continue
        info = ctx.symbols.module(module)
        other = info.definitions.get(d.name) if info is not None else None
        if info is None or other is None or other.kind != "import":
            continue
        exported = info.exports is not None and d.name in info.exports
        if (exported or info.is_package) and ctx.symbols.resolve(module, d.name) == d:
            public.append(module)
    return min(public, key=lambda m: (m.count("."), m)) if public else d.module


def _origin_plans(site: Site, found: Sequence[Definition], ctx: Context) -> Sequence[Plan]:
    """The package itself imports the name from somewhere else: the test does the same."""
    top = site.module.partition(".")[0]
    origins: dict[str, Definition] = {}
    for d in found:
        if (
            d.kind == "import"
            and d.origin.rpartition(".")[2] == site.name
            and d.origin.partition(".")[0] != top
            and not d.origin.startswith("__future__")
        ):
            origins.setdefault(d.origin, d)
    real = {o: d for o, d in origins.items() if not o.startswith(("typing.", "typing_extensions."))} or origins
    good = {o: d for o, d in real.items() if ctx.live.importable(o.rpartition(".")[0]) or ctx.live.importable(o)}
    unique = len(good) == 1 and (ctx.git.available or not any(ctx.files.read(d.path) is not None for d in good.values()))
    return [
        _plan(site, o, ctx, "moved_symbol", [Evidence("symbol", f"{d.module} itself takes {site.name} from {o.rpartition('.')[0]}", f"{d.path}:{d.line}", 0.8)],  # noqa: E501
              0.85 if unique else 0.5, safe=unique)
        for o, d in good.items()
    ]  # fmt: skip


def _hint_plans(site: Site, ctx: Context) -> Iterator[Plan]:
    """The module's own ``__getattr__`` names the successor."""
    import re

    text = ctx.live.hint(site.module, site.name)
    names = [n for n in re.findall(r"[A-Za-z_][\w.]*", text) if n not in (site.name, site.module, f"{site.module}.{site.name}")]
    for name in names:
        target = name if "." in name else f"{site.module}.{name}"
        module, _, last = target.rpartition(".")
        if last and ctx.symbols.module(module) is not None and ctx.symbols.provides(module, last) and len(last) > 2:
            yield _plan(site, target, ctx, "moved_symbol", [Evidence("symbol", f"{site.module} says: {text}", site.module, 0.9)], 0.85)
            return


def _same_body_plans(site: Site, top: str, ctx: Context) -> Iterator[Plan]:
    """The body that git knows under the old name stands under a new one today."""
    former = _former(site, ctx)
    if former is None:
        return
    old_body, old_names, where = former
    if len(old_body) < 80 or still_wanted(site, ctx):  # pass, return None: equal bodies that prove nothing
        return
    scored: list[tuple[float, Definition]] = []
    for module in ctx.symbols.package(top):
        info = ctx.symbols.module(module)
        for d in info.definitions.values() if info is not None else ():
            if d.is_test or d.kind not in ("function", "class") or (module == site.module and d.name in old_names):
                continue
            body = ctx.symbols.body(d)
            if body == old_body:
                scored.append((1.0, d))
            elif body and 0.6 < len(body) / len(old_body) < 1.6:
                ratio = difflib.SequenceMatcher(None, old_body, body, autojunk=False).quick_ratio()
                if ratio >= _SIMILAR and (exact := difflib.SequenceMatcher(None, old_body, body).ratio()) >= _SIMILAR:
                    scored.append((exact, d))
    if not scored:
        return
    best = max(s for s, _ in scored)
    top_ones = [d for s, d in scored if s >= best - 0.05]
    for d in top_ones[:3]:
        fact = Evidence(
            "git",
            f"the body of {site.name} at {where} is {'exactly' if best == 1.0 else f'{best:.0%}'} that of {d.dotted}",
            f"{d.path}:{d.line}",
            best * 0.9,
        )
        hidden = d.name.startswith("_") and not site.name.startswith("_")
        yield _plan(site, d.dotted, ctx, "moved_symbol", [fact], 0.8 * best, safe=best == 1.0 and len(top_ones) == 1 and not hidden)


def _former(site: Site, ctx: Context) -> tuple[str, set[str], str] | None:
    """(body, all names, short commit) of the newest committed version of the module that still had the name."""
    if not ctx.git.available:
        return None
    known = ctx.symbols.module_path(site.module)
    stem = site.module.replace(".", "/")
    paths = [known] if known else [f"{p}{stem}{s}" for p in ("", "src/", "lib/") for s in (".py", "/__init__.py")]
    for path in paths:
        if path is None or path.startswith("/"):
            continue
        for commit, _ in [(ctx.git.head, ""), *ctx.git.commits(path, limit=10)]:
            for rev in (commit, f"{commit}~1"):
                data = ctx.git.bytes_at(path, rev)
                tree = parse(data) if data else None
                body = body_of(tree, site.name) if tree is not None else ""
                if tree is not None and body:
                    return body, {getattr(n, "name", "") for n in tree.body}, rev[:7] + rev[40:]
    return None


_OLD = {"shop/__init__.py": "", "shop/util.py": "def total(items):\n    return sum(items)\n"}
_TEST = "from shop.util import total\n\n\ndef test_total():\n    assert total([1, 2]) == 3\n"


class RenamedModule(ImportTactic):
    name = "renamed_module"
    summary = "A module that was renamed or moved is imported under its new name, in every test file."
    applicability = Applicability.SAFE
    evidence = ("git", "symbol")
    sources = ("git's rename detection",)
    heals = (
        Example(
            "a module renamed in git",
            {"shop/__init__.py": "", "shop/sums.py": _OLD["shop/util.py"], "test_total.py": _TEST},
            {"test_total.py": _TEST.replace("shop.util", "shop.sums")},
            head={**_OLD, "test_total.py": _TEST},
        ),
        Example(
            "a module made private",
            {
                "shop/__init__.py": "",
                "shop/_util.py": _OLD["shop/util.py"],
                "test_total.py": "import shop.util\n\n\ndef test_total():\n    assert shop.util.total([1, 2]) == 3\n",
            },
            {"test_total.py": "import shop._util\n\n\ndef test_total():\n    assert shop._util.total([1, 2]) == 3\n"},
        ),
    )
    declines = (
        Example(
            "the module of similar name lacks what is used",
            {"shop/__init__.py": "", "shop/_util.py": "def mean(items):\n    return 0\n", "test_total.py": _TEST},
            why="total was removed with its module: a regression or a removal, not a rename",
        ),
    )

    def planner(self) -> Planner:
        return plan_renamed_module


class MovedSymbol(ImportTactic):
    name = "moved_symbol"
    summary = "A name that moved to another module of the same package, or got a new name there, is imported from its present place."
    applicability = Applicability.SAFE
    evidence = ("symbol", "git")
    sources = ("the package's own source",)
    heals = (
        Example(
            "a function moved; its neighbour stayed",
            {
                "shop/__init__.py": "",
                "shop/util.py": "def mean(items):\n    return sum(items) / len(items)\n",
                "shop/sums.py": "def total(items):\n    return sum(items)\n",
                "test_total.py": "from shop.util import mean, total\n\n\ndef test_total():\n    assert total([1, 2]) == 3\n    assert mean([1, 3]) == 2\n",  # noqa: E501
            },
            {
                "test_total.py": "from shop.util import mean\nfrom shop.sums import total\n\n\n"
                "def test_total():\n    assert total([1, 2]) == 3\n    assert mean([1, 3]) == 2\n",
            },
        ),
        Example(
            "a function renamed: git knows its body",
            {
                "shop/__init__.py": "",
                "shop/util.py": "def grand_total(items):\n    result = 0\n    for item in items:\n        result += item\n    return result\n",
                "test_total.py": _TEST,
            },
            {"test_total.py": "from shop.util import grand_total\n\n\ndef test_total():\n    assert grand_total([1, 2]) == 3\n"},
            head={
                "shop/__init__.py": "",
                "shop/util.py": "def total(items):\n    result = 0\n    for item in items:\n        result += item\n    return result\n",
                "test_total.py": _TEST,
            },
        ),
    )
    declines = (
        *NAMESAKES,
        Example(
            "removed without a successor",
            {"shop/__init__.py": "", "shop/util.py": "def totals(items):\n    return [sum(i) for i in items]\n", "test_total.py": _TEST},
            head={"shop/__init__.py": "", "shop/util.py": "def total(items):\n    return sum(items)\n", "test_total.py": _TEST},
            why="totals is another function; total is gone, which the product's author has to answer for",
        ),
    )

    def planner(self) -> Planner:
        return plan_moved
