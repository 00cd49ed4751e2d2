"""What ran, in which order, and whether that was all there is."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Container, Iterator, Mapping, Sequence

import pytest

from pytest_maestro_healer.evidence.nodeids import is_test


def sequences(by_process: Mapping[str, Sequence[object]], failed: Container[str]) -> dict[str, list[str]]:
    """For each failed test what ran in its process, in the order in which it ran (one list for all tests of a process)."""
    out: dict[str, list[str]] = {}
    for nodeids in by_process.values():
        names = list(dict.fromkeys(str(n) for n in nodeids))
        out.update({n: names for n in names if n in failed})
    return out


def partial(config: pytest.Config, items: Sequence[pytest.Item]) -> bool:
    """Whether tests may have been left out of this run, or came in another order than that of their file."""
    option = config.option
    chosen = any(is_test(str(a)) for a in config.args) or any(getattr(option, n, None) for n in ("keyword", "markexpr", "lf", "deselect"))
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    chosen = chosen or bool(getattr(reporter, "stats", {}).get("deselected"))
    last: dict[str, int] = {}
    moved = False
    for item in items:
        path, line = str(item.path), item.location[1] or 0
        moved = moved or last.get(path, 0) > line
        last[path] = line
    return chosen or moved or config.pluginmanager.hasplugin("dsession")


@contextlib.contextmanager
def undisturbed(environ: Mapping[str, str], platform: tuple[str, str]) -> Iterator[None]:
    """Heal in the environment and on the platform that the run began with: tests may have left others behind (``sys.platform``, ``HOME``)."""
    left, here = dict(os.environ), (sys.platform, os.name)
    _set(environ, platform)
    try:
        yield
    finally:
        _set(left, here)


def _set(environ: Mapping[str, str], platform: tuple[str, str]) -> None:
    for name in [n for n in os.environ if n not in environ]:
        del os.environ[name]
    os.environ.update({n: v for n, v in environ.items() if os.environ.get(n) != v})
    sys.platform, os.name = platform
