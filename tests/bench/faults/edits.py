"""Building blocks of injectors: choosing a place in a host's tests and making the fault out of an edited text."""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Callable, Mapping

from .model import Fault, Host
from .pysource import parsed

TEST_MESSAGES = ("Tidy the tests", "Tests: small clean-up", "wip", "Reformat tests")


def broken_test(
    host: Host,
    rng: random.Random,
    path: str,
    text: str | bytes,
    *,
    base: str = "",
    committed: bool | None = None,
    also: tuple[str, ...] = (),
    what: str = "",
) -> Fault:
    """A test file that was edited badly: the expected heal is what stood there before (``base``, or the host's own text), or one of ``also``."""
    data = text if isinstance(text, bytes) else text.encode()
    before = base.encode() if base else host.files[path]
    if committed is None:
        committed = rng.random() < 0.5
    return Fault(
        changes={path: data},
        tests=(path,),
        expected={path: (before, *(a.encode() for a in also))},
        base={path: before} if base else {},
        message=rng.choice(TEST_MESSAGES) if committed else "",
        what=what,
    )


def replace_match(host: Host, rng: random.Random, pattern: str, new: str | Callable[[re.Match[str]], str]) -> tuple[str, str] | None:
    """(path, text) with one random match of a regular expression, in code lines of test functions, replaced."""
    places = []
    for path in host.tests:
        text = host.text(path)
        for match in re.finditer(pattern, text, re.MULTILINE):
            if _in_code(text, match.start()):
                places.append((path, match))
    if not places:
        return None
    path, match = rng.choice(places)
    text = host.text(path)
    insert = new if isinstance(new, str) else new(match)
    return path, text[: match.start()] + (match.expand(insert) if isinstance(new, str) else insert) + text[match.end() :]


def broken_match(
    host: Host, rng: random.Random, pattern: str, new: str | Callable[[re.Match[str]], str], committed: bool | None = None
) -> Fault | None:
    """The fault of :func:`replace_match`, where the file then no longer compiles."""
    for _ in range(20):
        found = replace_match(host, rng, pattern, new)
        if found is None:
            return None
        if not compiles(found[1]):
            return broken_test(host, rng, *found, committed=committed)
    return None


def compiles(text: str | bytes) -> bool:
    """Whether Python compiles it."""
    try:
        compile(text, "x", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


_STRINGS: dict[str, list[tuple[int, int]]] = {}


def _in_code(text: str, at: int) -> bool:
    """Whether a place is outside docstrings, multi-line strings and comments."""
    if text not in _STRINGS:
        lines = text.splitlines(keepends=True)
        starts = [0]
        for line in lines:
            starts.append(starts[-1] + len(line))
        spans = []
        for node in ast.walk(parsed(text)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.end_lineno and node.end_lineno > node.lineno:
                spans.append((starts[node.lineno - 1], starts[node.end_lineno]))
        _STRINGS[text] = spans
    line = text[text.rfind("\n", 0, at) + 1 : at]
    return "#" not in line and not any(a <= at < b for a, b in _STRINGS[text])


def with_changelog(host: Host, files: Mapping[str, bytes | None], entry: str) -> dict[str, bytes | None]:
    """``files`` and a line at the top of the host's changelog (``CHANGELOG.md`` where it has none)."""
    name = next((p for p in host.files if re.match(r"CHANGE", p) and "/" not in p), "CHANGELOG.md")
    old = host.files.get(name, b"")
    return {**files, name: f"Unreleased\n----------\n\n- {entry}\n\n".encode() + old}


def function_called(host: Host, rng: random.Random, text: str) -> list[str]:
    """The last names of what a text calls, shuffled."""
    found = sorted(
        {n.func.attr if isinstance(n.func, ast.Attribute) else getattr(n.func, "id", "") for n in ast.walk(parsed(text)) if isinstance(n, ast.Call)}
    )
    rng.shuffle(found)
    return [f for f in found if f]
