"""Which environment variables a piece of Python reads, itself or through what it calls."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.evidence.symbols import SymbolIndex

_METHODS = {"get", "pop", "setdefault", "__getitem__"}
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "FTP_PROXY", "http_proxy", "https_proxy", "all_proxy", "ftp_proxy")
_COLOUR = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "PY_COLORS", "PYTHON_COLORS", "COLORTERM", "TERM")
#: The variables that name a locale.
LOCALE = ("LC_ALL", "LC_TIME", "LC_NUMERIC", "LC_COLLATE", "LC_CTYPE", "LC_MESSAGES", "LC_MONETARY", "LANG", "LANGUAGE")
_HOME = ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")
_CHILD = (
    "PYTHONWARNINGS",
    "PYTHONOPTIMIZE",
    "PYTHONDEVMODE",
    "PYTHONVERBOSE",
    "PYTHONUNBUFFERED",
    "PYTHONIOENCODING",
    "PYTHONUTF8",
    "PYTHONDONTWRITEBYTECODE",
    "GIT_DIR",
    "GIT_WORK_TREE",
)
#: What a mention in the source makes the interpreter or a library read, from their documentation.
KNOWN: Sequence[tuple[re.Pattern[bytes], tuple[str, ...]]] = (
    (re.compile(rb"\b(get_terminal_size|argparse|ArgumentParser|optparse|rich|click|typer|tabulate|prettytable)\b"), ("COLUMNS", "LINES")),
    (re.compile(rb"\b(localtime|fromtimestamp|mktime|now|today|astimezone|tzlocal|timezone|altzone|strftime|ctime)\b"), ("TZ",)),
    (re.compile(rb"x1b\[|033\[|\b(isatty|rich|click|typer|termcolor|colorama|colored|colorlog|argparse)\b"), _COLOUR),
    (re.compile(rb"\b(urllib|requests|httpx|aiohttp|getproxies|urlopen)\b"), (*_PROXIES, "NO_PROXY", "no_proxy")),
    (re.compile(rb"\b(expanduser|platformdirs|appdirs|xdg)\b|\bhome\(\)"), _HOME),
    (re.compile(rb"\btempfile\b"), ("TMPDIR", "TEMP", "TMP")),
    (re.compile(rb"\b(locale|gettext|strcoll|strxfrm|babel)\b"), LOCALE),
    (re.compile(rb"\bgetuser\b"), ("LOGNAME", "USER", "LNAME", "USERNAME")),
    (re.compile(rb"\b(subprocess|Popen)\b"), _CHILD),
    (re.compile(rb"\b(EDITOR|VISUAL|PAGER)\b"), ("EDITOR", "VISUAL", "PAGER")),
)  # fmt: skip


@dataclass(frozen=True)
class Read:
    """One read of a variable. ``required``: it raises where the variable is not set; ``default`` is the source of the fallback, ``""`` without."""

    name: str
    path: str
    line: int
    required: bool
    default: str = ""
    at_import: bool = False
    converter: str = ""

    @property
    def where(self) -> str:
        """``path:line``."""
        return f"{self.path}:{self.line}"


def reads(tree: ast.Module, path: str) -> list[Read]:
    """The variables that a module reads by a name that can be seen: ``os.environ[...]``, ``.get``, ``os.getenv``, ``in``, field aliases."""
    constants = {
        t.id: n.value.value
        for n in tree.body
        if isinstance(n, ast.Assign) and isinstance(n.value, ast.Constant) and isinstance(n.value.value, str)
        for t in n.targets
        if isinstance(t, ast.Name)
    }
    return list(_walk(tree, path, constants, True, ""))


def _walk(node: ast.AST, path: str, constants: Mapping[str, str], at_import: bool, converter: str) -> Iterator[Read]:
    found = _read(node, constants)
    if found is not None:
        name, required, default = found
        yield Read(name, path, getattr(node, "lineno", 1), required, default, at_import, converter)
    inside = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
    for child in ast.iter_child_nodes(node):
        called = converter
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and child in node.args:
            called = node.func.id
        elif not isinstance(node, (ast.Call, ast.expr)):
            called = ""
        yield from _walk(child, path, constants, at_import and not inside, called)


def _read(node: ast.AST, constants: Mapping[str, str]) -> tuple[str, bool, str] | None:
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and _environ(node.value):
        name = _text(node.slice, constants)
        return (name, True, "") if name else None
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], (ast.In, ast.NotIn)) and _environ(node.comparators[0]):
        name = _text(node.left, constants)
        return (name, False, "") if name else None
    if not isinstance(node, ast.Call) or not node.args:
        return None
    function = node.func
    last = last_name(function)
    direct = isinstance(function, ast.Attribute) and last in _METHODS and _environ(function.value)
    if direct or last in ("getenv", "getenvb", "get_env", "env_var", "require_env"):
        name = _text(node.args[0], constants)
        default = ast.unparse(node.args[1]) if len(node.args) > 1 else next((ast.unparse(k.value) for k in node.keywords if k.arg == "default"), "")
        return (name, last == "require_env", default) if name else None
    return None


def _environ(node: ast.expr) -> bool:
    name = last_name(node)
    return name in ("environ", "environb") or (name in ("env", "environment", "_environ") and isinstance(node, ast.Name))


def _text(node: ast.expr, constants: Mapping[str, str]) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return constants.get(node.id, "") if isinstance(node, ast.Name) else ""


class Variables:
    """The variables that a test's own project code reads, found through the imports of its module."""

    def __init__(self, index: SymbolIndex) -> None:
        self._index = index
        self._reach: dict[str, tuple[str, ...]] = {}
        self._reads: dict[str, tuple[Read, ...]] = {}

    def named(self, path: str, names: Collection[str]) -> dict[str, str]:
        """Those of ``names`` that stand as a text of their own in what ``path`` reaches, and where: a read that goes by a variable or a helper."""
        out: dict[str, str] = {}
        for file in self.reachable(path):
            data = self._index.read(file)
            said = [n for n in names if n not in out and n.encode() in data]
            tree = self._index.tree(file) if said else None
            for node in ast.walk(tree) if tree is not None else ():
                if isinstance(node, ast.Constant) and node.value in said:
                    out.setdefault(str(node.value), f"{file}:{node.lineno}")
        return out

    def reachable(self, path: str, limit: int = 150) -> Sequence[str]:
        """``path`` and the project's files that it imports, directly and through others, nearest first."""
        if path not in self._reach:
            seen, queue = {path: None}, [path]
            while queue and len(seen) < limit:
                for other in self.imported(queue.pop(0)):
                    if other not in seen:
                        seen[other] = None
                        queue.append(other)
            self._reach[path] = tuple(seen)
        return self._reach[path]

    def imported(self, path: str) -> Iterator[str]:
        """The project's files that ``path`` itself imports."""
        tree = self._index.tree(path)
        if tree is None:
            return
        from pytest_maestro_healer.evidence.symbols import absolute_module

        module = self._index.module_name(path)
        for node in ast.walk(tree):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [a.name for a in node.names]
            elif isinstance(node, ast.ImportFrom):
                base = absolute_module(node, module, path.endswith("__init__.py"))
                names = [base, *(f"{base}.{a.name}" for a in node.names)]
            for name in names:
                if self._index.is_project_module(name) and (found := self._index.module_path(name)) is not None:
                    yield found

    def read_in(self, path: str) -> Sequence[Read]:
        """The reads that stand in one file."""
        if path not in self._reads:
            data = self._index.read(path)
            tree = self._index.tree(path) if b"env" in data else None
            self._reads[path] = tuple(reads(tree, path)) if tree is not None else ()
        return self._reads[path]

    def read_by(self, path: str) -> Sequence[Read]:
        """All reads in the project's code that the test module ``path`` reaches."""
        return [r for p in self.reachable(path) for r in self.read_in(p)]

    def implied(self, path: str) -> Mapping[str, str]:
        """Variables that the interpreter or a library reads for what the reached code mentions, each with the mentioning file."""
        out: dict[str, str] = {}
        for p in self.reachable(path):
            data = self._index.read(p)
            for pattern, names in KNOWN:
                if pattern.search(data):
                    for n in names:
                        out.setdefault(n, p)
        return out
