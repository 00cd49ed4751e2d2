"""The one module that knows pytest's private names; everything version-dependent is decided here."""

from __future__ import annotations

import ast
import copy
import dataclasses
import inspect
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from _pytest.assertion.rewrite import rewrite_asserts
from _pytest.pathlib import resolve_package_path
from _pytest.runner import collect_one_node, runtestprotocol

try:
    from _pytest.config import ConftestImportFailure
except ImportError:  # pragma: no cover - kept for a future move of the name
    ConftestImportFailure = None  # type: ignore[assignment,misc]

__all__ = [
    "apply_asserts",
    "cause_of",
    "collect",
    "conftest_failure_path",
    "fixture_locations",
    "internal_folders",
    "module_names",
    "purge_fixtures",
    "rewrite_one",
    "run_item",
    "snapshot_reporter",
    "wants_rewrite",
]


def internal_folders() -> tuple[str, ...]:
    """Folders whose frames never belong to a user: pytest's and pluggy's own."""
    import _pytest
    import pluggy

    return tuple(str(Path(inspect.getfile(m)).parent) for m in (_pytest, pluggy, pytest))


def apply_asserts(tree: ast.Module, source: bytes, path: str, config: pytest.Config | None) -> None:
    """Rewrite the assert statements of ``tree`` in place, as pytest does on import."""
    rewrite_asserts(tree, source, path, config)


def wants_rewrite(config: pytest.Config, name: str, path: str) -> bool:
    """Whether pytest would rewrite the asserts of module ``name`` in ``path``."""
    if config.getoption("assertmode", "rewrite") != "rewrite":
        return False
    hook = config.pluginmanager.rewrite_hook
    decide = getattr(hook, "_should_rewrite", None)
    if decide is None:
        return True
    from _pytest.assertion.rewrite import assertstate_key

    try:
        return bool(decide(name, path, config.stash[assertstate_key]))
    except Exception:
        return True


def run_item(item: pytest.Item, nextitem: pytest.Item | None) -> list[pytest.TestReport]:
    """Setup, call and teardown of one item; nothing is logged."""
    return runtestprotocol(item, log=False, nextitem=nextitem)


def collect(node: pytest.Collector) -> tuple[list[pytest.Item], BaseException | None]:
    """All items under ``node`` without firing collect reports, and the first error met."""
    items: list[pytest.Item] = []
    rep = collect_one_node(node)
    if not rep.passed:
        return items, _report_error(rep)
    for child in rep.result:
        if isinstance(child, pytest.Item):
            items.append(child)
        else:
            more, error = collect(child)
            items += more
            if error is not None:
                return items, error
    return items, None


class CollectFailed(Exception):
    """Carries the text of a collection error whose exception object is gone."""


def _report_error(rep: pytest.CollectReport) -> BaseException | None:
    if rep.skipped:
        return None
    live = getattr(rep, "maestro_exception", None)
    return live if live is not None else CollectFailed(str(rep.longrepr))


def cause_of(exc: BaseException) -> BaseException:
    """The exception a user caused: behind pytest's ``CollectError`` and ``ConftestImportFailure`` wrappers."""
    seen = 0
    while seen < 5:
        seen += 1
        inner = exc.__cause__
        if ConftestImportFailure is not None and isinstance(exc, ConftestImportFailure):
            cause = getattr(exc, "cause", None)
            if isinstance(cause, BaseException):
                exc = cause
                continue
        if isinstance(exc, pytest.Collector.CollectError) and inner is not None:
            exc = inner
            continue
        return exc
    return exc


def conftest_failure_path(exc: BaseException) -> Path | None:
    """The conftest file, if ``exc`` says that importing one failed."""
    if ConftestImportFailure is not None and isinstance(exc, ConftestImportFailure):
        return Path(exc.path)
    return None


def module_names(config: pytest.Config, path: Path) -> list[str]:
    """The names under which pytest imports the test module ``path``, the likeliest first."""
    root = config.rootpath
    names: list[str] = []
    package = resolve_package_path(path)
    if package is not None:
        rel = path.with_suffix("").relative_to(package.parent)
        names.append(".".join(rel.parts))
    mode = str(config.getoption("importmode", "prepend"))
    if "importlib" in mode:
        try:
            from _pytest.pathlib import resolve_pkg_root_and_module_name

            _, name = resolve_pkg_root_and_module_name(path, consider_namespace_packages=bool(config.getini("consider_namespace_packages")))
            names.append(name)
        except Exception:
            pass
        from _pytest.pathlib import module_name_from_path

        names.append(module_name_from_path(path, root))
    if package is None and "importlib" not in mode:
        names.append(path.stem)
    return list(dict.fromkeys([*_loaded_as(str(path)), *names]))


#: By path, the names under which it is loaded, and how many modules there were when all were looked at.
_LOADED: dict[str, tuple[list[str], int]] = {}


def _loaded_as(path: str) -> list[str]:
    """The names under which ``path`` is loaded. To look at every module costs a forked copy of a process as much as running a small test."""
    known, modules = _LOADED.get(path, ([], 0))
    if not known or modules != len(sys.modules) or any(getattr(sys.modules.get(n), "__file__", None) != path for n in known):
        known = [n for n, m in list(sys.modules.items()) if getattr(m, "__file__", None) == path]
        _LOADED[path] = known, len(sys.modules)
    return known


def purge_fixtures(session: pytest.Session, nodeid: str) -> Callable[[], None]:
    """Forget the fixtures of the module ``nodeid`` (keyed by nodeid up to pytest 9.0); returns the undo."""
    manager = getattr(session, "_fixturemanager", None)
    by_arg: dict[str, list[Any]] = getattr(manager, "_arg2fixturedefs", {})
    auto: dict[str, list[str]] = getattr(manager, "_nodeid_autousenames", {})
    saved = {k: list(v) for k, v in by_arg.items()}
    saved_auto = {k: list(v) for k, v in auto.items()}

    def mine(base: object) -> bool:
        return str(base) == nodeid or str(base).startswith(nodeid + "::")

    for defs in by_arg.values():
        defs[:] = [d for d in defs if not mine(getattr(d, "baseid", ""))]
    for key in [k for k in auto if mine(k)]:
        del auto[key]

    def restore() -> None:
        by_arg.clear()
        by_arg.update(saved)
        auto.clear()
        auto.update(saved_auto)

    return restore


def fixture_locations(item: pytest.Item) -> dict[str, tuple[str, int]]:
    """Fixture name -> (file, first line) for the fixtures that ``item`` uses."""
    info = getattr(item, "_fixtureinfo", None)
    out: dict[str, tuple[str, int]] = {}
    for name, defs in getattr(info, "name2fixturedefs", {}).items():
        code = getattr(inspect.unwrap(defs[-1].func), "__code__", None) if defs else None
        if code is not None:
            out[name] = (code.co_filename, code.co_firstlineno)
    return out


def available_fixtures(item: pytest.Item) -> list[str]:
    """Every fixture name visible to ``item``."""
    manager = getattr(item.session, "_fixturemanager", None)
    by_arg: dict[str, list[Any]] = getattr(manager, "_arg2fixturedefs", {})
    getter = getattr(manager, "getfixturedefs", None)
    if getter is None:
        return sorted(by_arg)
    out = []
    for name in list(by_arg):
        try:
            if getter(name, item):
                out.append(name)
        except Exception:
            out.append(name)
    return sorted(out)


def snapshot_reporter(config: pytest.Config) -> Callable[[], None]:
    """Remember the terminal reporter's warning count and the session's stop flags; returns the undo."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    stats: dict[str, list[Any]] = getattr(reporter, "stats", {})
    warned = len(stats.get("warnings", ()))

    def restore() -> None:
        if "warnings" in stats:
            del stats["warnings"][warned:]
            if not stats["warnings"]:
                del stats["warnings"]

    return restore


def quiet_logreport(config: pytest.Config, keep: object) -> Callable[[], None]:
    """Leave only ``keep`` on ``pytest_runtest_logreport`` (subtests log directly); returns the undo."""
    hook = config.hook.pytest_runtest_logreport
    removed = []
    for impl in list(hook.get_hookimpls()):
        if impl.plugin is not keep:
            removed.append(impl)
            hook._remove_plugin(impl.plugin)

    def restore() -> None:
        for impl in removed:
            hook._add_hookimpl(impl)

    return restore


def walk_parents(node: Any) -> Iterator[Any]:
    """``node`` and its parents, innermost first."""
    while node is not None:
        yield node
        node = node.parent


def suspend_stop(session: pytest.Session) -> Callable[[], None]:
    """Clear the session's stop flags (their public setters refuse to); returns the undo."""
    names = [n for n in ("_shouldfail", "_shouldstop", "shouldfail", "shouldstop") if n in vars(session)]
    saved: dict[str, Any] = {n: vars(session)[n] for n in names}
    for n in names:
        vars(session)[n] = False
    failed, collected = session.testsfailed, session.testscollected

    def restore() -> None:
        vars(session).update(saved)
        session.testsfailed, session.testscollected = failed, collected

    return restore


def tear_down(session: pytest.Session) -> None:
    """Tear down all that is set up; raises what the finalizers raise."""
    session._setupstate.teardown_exact(None)


def suspend_debugger(config: pytest.Config) -> Callable[[], None]:
    """Take ``--pdb`` and ``--trace`` away while healing; returns the undo."""
    manager = config.pluginmanager
    taken = [(name, manager.get_plugin(name)) for name in ("pdbinvoke", "pdbtrace") if manager.hasplugin(name)]
    for name, _ in taken:
        manager.unregister(name=name)

    def restore() -> None:
        for name, plugin in taken:
            manager.register(plugin, name)

    return restore


def rewrite_one(statement: ast.Assert) -> ast.Module:
    """pytest's own rewriting of one assert, for its temporaries (``@py_assert1 = ...``), which the raising frame still has.

    Works on a copy. Raises whatever pytest's rewriter raises for a tree that it does not understand.
    """
    module = ast.Module(body=[copy.deepcopy(statement)], type_ignores=[])
    rewrite_asserts(module, b"", "<assert>", None)
    return module


def load_initial_conftests(config: pytest.Config) -> None:
    """Pytest's own loading of the initial conftests, without the wrappers around it (which have run already)."""
    config.pytest_load_initial_conftests(early_config=config)


def broken_conftest(exc: BaseException) -> Path | None:
    """The conftest that could not be imported, or that was imported and then refused as a plugin."""
    path = conftest_failure_path(exc)
    if path is None:
        file = getattr(getattr(exc, "plugin", None), "__file__", None)
        path = Path(file) if file and Path(file).name == "conftest.py" else None
    return path


def forget_conftest(config: pytest.Config, path: Path) -> None:
    """Take a half-registered conftest out of the plugin manager, so that it can be loaded again."""
    manager = config.pluginmanager
    plugin = manager.get_plugin(str(path))
    if plugin is None:
        return
    manager.unregister(plugin)
    getattr(manager, "_conftest_plugins", set()).discard(plugin)
    for mods in getattr(manager, "_dirpath2confmods", {}).values():
        if plugin in mods:
            mods.remove(plugin)


def allow_brackets() -> Callable[[], None]:
    """Let arguments name files below a folder with ``[`` in its name, where pytest reads the start of a parameter set; returns the undo."""
    from _pytest import main

    original = main.resolve_collection_argument

    def resolve(invocation_path: Path, arg: str, *args: Any, **kwargs: Any) -> Any:
        path, sep, rest = str(arg).partition("::")
        real = Path(os.path.normpath(invocation_path / path))
        if "[" not in path or not real.exists():
            return original(invocation_path, arg, *args, **kwargs)
        # asked about a path without brackets, it takes the rest apart
        found: Any = original(invocation_path, (os.sep if real.is_dir() else os.devnull) + sep + rest, *args, **kwargs)
        return (real, *found[1:]) if isinstance(found, tuple) else dataclasses.replace(found, path=real)

    main.resolve_collection_argument = resolve

    def restore() -> None:
        main.resolve_collection_argument = original

    return restore


def quiet_collection(config: pytest.Config, keep: object) -> Callable[[], None]:
    """Leave only ``keep`` on the hooks that report collection; returns the undo."""
    undo = []
    for name in ("pytest_collectreport", "pytest_itemcollected", "pytest_collection_finish", "pytest_deselected", "pytest_collectstart"):
        hook = getattr(config.hook, name)
        for impl in list(hook.get_hookimpls()):
            if impl.plugin is not keep or name == "pytest_collectreport":
                hook._remove_plugin(impl.plugin)
                undo.append((hook, impl))

    def restore() -> None:
        for hook, impl in undo:
            hook._add_hookimpl(impl)

    return restore


def add_junit_properties(config: pytest.Config, properties: Mapping[str, Mapping[str, str]]) -> None:
    """Add ``properties`` (by nodeid) to the finished test cases of ``--junitxml``, before the file is written; no test case is added."""
    from xml.etree import ElementTree

    from _pytest.junitxml import mangle_test_address, xml_key

    log = config.stash.get(xml_key, None)
    wanted: dict[tuple[str, str], Mapping[str, str]] = {}
    for nodeid, values in properties.items():
        names = mangle_test_address(nodeid)
        wanted[".".join(names[:-1]), names[-1]] = values
    for node in getattr(log, "node_reporters_ordered", ()):
        case = node.to_xml()
        values = wanted.get((case.get("classname", ""), case.get("name", "")), {})
        if not values:
            continue
        holder = case.find("properties")
        if holder is None:
            holder = ElementTree.Element("properties")
            case.insert(0, holder)
        for name, value in values.items():
            ElementTree.SubElement(holder, "property", name=name, value=value)
        if hasattr(node, "family"):  # not finished yet: what was built is what is written
            node.to_xml = lambda case=case: case
