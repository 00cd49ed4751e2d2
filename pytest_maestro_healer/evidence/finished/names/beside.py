"""Who else in the repository uses what changed: other packages beside the folder that the tests were run in."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.finished.names.mentions import PAST, PROSE
from pytest_maestro_healer.evidence.symbols import parse


def said_beside(ctx: Context, words: Iterable[str]) -> str:
    """``path:line`` (relative to the repository) of a file outside of the root that uses the project and says one of ``words``; ``""`` without one.

    Nothing outside of the root is looked at closer: whether such a use still fits is for a person to say.
    """
    ours = {m.partition(".")[0] for m in ctx.symbols.project_modules()}
    for word in words:
        for path in ctx.git.saying_beside(word):
            data = ctx.git.read_beside(path) if not path.endswith(PROSE) and not PAST.search(path) else b""
            line = next((k for k, text in enumerate(data.splitlines(), 1) if re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])".encode(), text)), 0)
            if line and _uses(path, data, ours):
                return f"{path}:{line}"
    return ""


def _uses(path: str, data: bytes, ours: set[str]) -> bool:
    """Whether a file imports one of the modules ``ours``; of what is no Python, whether it names one."""
    tree = parse(data) if path.endswith(".py") else None
    if tree is None:
        return any(re.search(rf"\b{re.escape(m)}\b".encode(), data) for m in ours)
    found = (n for n in ast.walk(tree) if isinstance(n, (ast.Import, ast.ImportFrom)))
    names = [a.name if isinstance(n, ast.Import) else n.module or "" for n in found for a in n.names]
    return any(name.partition(".")[0] in ours for name in names)
