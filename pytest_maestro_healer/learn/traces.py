"""How to see later whether healed code was committed as it was, without keeping the code: short hashes of what the heal changed.

Of Python files the changed functions, classes and module-level code are hashed as syntax trees, so that a formatter's work is no edit. Of
files that are not Python, or could not be parsed before the heal, the added lines are hashed without their white space.
"""

from __future__ import annotations

import ast
import hashlib
import sys
import warnings
from collections.abc import Iterator, Sequence

from pytest_maestro_healer.edit.diff import unified
from pytest_maestro_healer.model import FileChange

#: Trees are written down differently by different Pythons.
PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"
_MOST = 50
_MOST_FILES = 20


def traces(changes: Sequence[FileChange]) -> dict[str, list[str]]:
    """Path -> hashes of what the heal wrote there."""
    out = {}
    for c in changes[:_MOST_FILES]:
        before, after = (set(_units(data)) if c.path.endswith(".py") else set() for data in (c.before_bytes, c.after_bytes))
        added = [ln[1:] for ln in unified(c.path, c.before_bytes, c.after_bytes).splitlines() if ln[:1] == "+" and ln[:3] != "+++"]
        found = sorted(after - before) if before and after else [_line(ln) for ln in added if ln.strip()]
        if found:
            out[c.path] = found[:_MOST]
    return out


def there(data: bytes, wanted: Sequence[str]) -> bool:
    """Whether a file has all of what was hashed."""
    missing = set(wanted) - set(_units(data))
    return not missing or missing <= {_line(ln) for ln in data.decode("utf-8", "replace").splitlines()}


def _units(data: bytes) -> Iterator[str]:
    """Hashes of every function, of every class and the module without those in them; nothing where the file does not parse."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    yield from _inside(tree, "")


def _inside(node: ast.Module | ast.ClassDef, name: str) -> Iterator[str]:
    rest: list[ast.stmt] = []
    for child in node.body:
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield _hash(f"{name}.{child.name}", ast.dump(child))
        elif isinstance(child, ast.ClassDef):
            yield from _inside(child, f"{name}.{child.name}")
        else:
            rest.append(child)
    head = [*node.decorator_list, *node.bases, *node.keywords] if isinstance(node, ast.ClassDef) else []
    yield _hash(name, "\0".join(ast.dump(part) for part in (*head, *rest)))


def _line(line: str) -> str:
    return _hash("", "".join(line.split()))


def _hash(name: str, text: str) -> str:
    return hashlib.sha256(f"{name}\0{text}".encode("utf-8", "surrogatepass")).hexdigest()[:10]
