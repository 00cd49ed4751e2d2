"""Is a change of the product finished? Before a heal follows it unasked, the rest of the project is asked whether it followed too.

A name that was given up and that other code, a document or a data file still says; a function that others still use as it was; a word that is a
slip of the keyboard; an older version that came back: any of these makes the change half done or a mistake, and then a person decides.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from weakref import WeakKeyDictionary

from pytest_maestro_healer.evidence.changes import Former, changes_of
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.files import ProjectFiles
from pytest_maestro_healer.evidence.former import changed, product_since
from pytest_maestro_healer.evidence.git import Hunk
from pytest_maestro_healer.evidence.similarity import likeness
from pytest_maestro_healer.evidence.symbols import parse
from pytest_maestro_healer.model import Failure

_TOKEN = re.compile(r"--?[A-Za-z][\w-]*|[A-Za-z_]\w*")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
#: Members that a base class, a library or the language itself calls by their names.
_HOOK = re.compile(r"__\w+__|(?:visit|depart|do|handle|on|generic|help|complete|setup|teardown)_\w+")
#: Prose, in which a name counts only as code; files that speak of the past, which count not at all.
_PROSE, _PAST = (".md", ".rst", ".txt", ".adoc"), re.compile(r"(?i)(change|history|news|releas|\.lock$|\.svg$|\.po$)")
_LARGEST, _MOST = 200_000, 1500
#: Tactics that adapt to how something is used now: whoever else uses it has to have followed.
_SHAPES = frozenset({
    "changed_parameters", "reordered_parameters", "method_or_property", "sync_or_async", "list_to_iterator", "bytes_or_text", "unpacked_result",
    "result_object", "result_dict", "renamed_key", "renamed_option", "python2_members",
})  # fmt: skip
#: Tactics that know names of Python and of libraries only.
_FOREIGN = frozenset({
    "py2_compat", "removed_attribute", "removed_method", "python2_members", "name_typo", "import_typo", "library_migration", "missing_import",
    "removed_stdlib",
})  # fmt: skip
_VERSIONS = 6
_ALIKE = 0.8


def unfinished(ctx: Context, failure: Failure, tactic: str, before: Mapping[str, bytes], after: Mapping[str, bytes]) -> str:
    """Why the change that a heal follows may be half done or a mistake, ``""`` where nothing says so. ``before`` and ``after`` are test files."""
    edit = Edited(before, after)
    base = product_since(ctx, failure)
    if not base or not any(p.endswith(".py") for p in changed(ctx, base)):
        return ""
    hunks = tuple(h for h in ctx.git.hunks(base) if h.path.endswith(".py") and not ctx.is_test_code(h.path))
    asked = Halves(ctx, edit, hunks, tactic)
    questions = (asked.words, asked.texts, asked.mistyped, asked.imports, asked.same, asked.uses, asked.again)
    return next((reason for ask in questions if (reason := ask())), "")


def vacuous(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> bool:
    """Whether a repair of what did not parse makes an assertion of a call that is given a comparison only: ``assert clean(a == b)``."""
    lines = {line.strip() for d in before.values() for line in d.splitlines()}
    for data in after.values():
        tree = parse(data)
        for node in ast.walk(tree) if tree is not None else ():
            if isinstance(node, ast.Assert) and isinstance(node.test, ast.Call) and data.splitlines()[node.lineno - 1].strip() not in lines:
                call = node.test
                if len(call.args) == 1 and not call.keywords and isinstance(call.args[0], ast.Compare):
                    return not (isinstance(call.func, ast.Name) and call.func.id in ("all", "any", "bool"))
    return False


@dataclass(frozen=True)
class Edited:
    """What a heal writes: the words of the lines it takes away and of those it puts there."""

    before: Mapping[str, bytes]
    after: Mapping[str, bytes]

    @cached_property
    def _lines(self) -> tuple[str, str]:
        gone: list[str] = []
        came: list[str] = []
        for path, data in self.after.items():
            old, new = ((d or b"").decode("utf-8", "replace").splitlines() for d in (self.before.get(path), data))
            for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
                if tag != "equal":
                    gone += old[i1:i2]
                    came += new[j1:j2]
        return "\n".join(gone), "\n".join(came)

    @cached_property
    def gone(self) -> list[str]:
        """Words that are given up."""
        old, new = (dict.fromkeys(_TOKEN.findall(t)) for t in self._lines)
        return [w for w in old if w not in new and len(w) > 1]

    @cached_property
    def came(self) -> list[str]:
        """Words that are new."""
        old, new = (dict.fromkeys(_TOKEN.findall(t)) for t in self._lines)
        return [w for w in new if w not in old and len(w) > 1]

    @cached_property
    def kept(self) -> set[str]:
        """Words of the files that are edited."""
        return {w for data in self.after.values() for w in _TOKEN.findall(data.decode("utf-8", "replace"))}

    @cached_property
    def texts(self) -> list[str]:
        """Texts that are given up."""
        old, new = (re.findall(r"[\"']([^\"'\n]{3,60})[\"']", t) for t in self._lines)
        return [t for t in dict.fromkeys(old) if t not in new]

    @property
    def starred(self) -> bool:
        """Whether a file imports all names of a module."""
        return any(re.search(rb"(?m)^\s*from\s+[\w.]+\s+import\s+\*", d or b"") for d in self.before.values())

    def added_imports(self) -> Iterator[tuple[str, str]]:
        """(name, module) of what was not imported before."""
        for path, data in self.after.items():
            old = _imported(self.before.get(path) or b"")
            yield from ((n, m) for n, m in _imported(data).items() if n not in old)

    def imports(self) -> Iterator[tuple[str, str, str]]:
        """(name, module that it was imported from, module that it is imported from now)."""
        for path, data in self.after.items():
            old, new = _imported(self.before.get(path) or b""), _imported(data)
            for name, module in new.items():
                if (was := old.get(name, old.get("*", module))) != module:
                    yield name, was, module


def _imported(data: bytes) -> dict[str, str]:
    tree = parse(data)
    nodes = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and not n.level] if tree is not None else []
    return {a.name: n.module or "" for n in nodes for a in n.names}


class Halves:
    """The questions; each answers with a reason or ``""``."""

    def __init__(self, ctx: Context, edit: Edited, hunks: Sequence[Hunk], tactic: str) -> None:
        self.ctx, self.edit, self.hunks, self.tactic = ctx, edit, hunks, tactic
        self.known = changes_of(ctx.git, ctx.files, ctx.symbols)
        moved = {old: new for old, new in ctx.git.renames().items() if old.endswith(".py") and ctx.files.read(old) is None}
        #: The modules that are gone, and those that took their places.
        self.moved = {_stem(old): _stem(new) for old, new in moved.items()}
        self.removed = "\n".join([*(line for h in hunks for line in h.removed), *self.moved])
        self.added = "\n".join([*(line for h in hunks for line in h.added), *self.moved.values()])

    @cached_property
    def dropped(self) -> list[str]:
        """The words that the heal gives up and that the product gave up."""
        words = set(_TOKEN.findall(self.removed))
        return [w for w in self.edit.gone if w in words]

    def words(self) -> str:
        """Who still says what was given up? And who was it that had it?"""
        if self.tactic == "reordered_parameters":
            return "an order of parameters that changed may be a mistake"
        for word in self.dropped:
            if _HOOK.fullmatch(word):
                return f"{word} is a name that others call by a rule"
            where = still_said(self.ctx, word, self.edit.came)
            if where:
                return f"{where} still says {word}"
            if self.tactic in _FOREIGN and self._defined(word):
                return f"{word} was the product's own"
            if self.edit.came and not set(self.edit.came) & set(_TOKEN.findall(self.added)):
                return f"what is used in place of {word} was there before"
        return ""

    def texts(self) -> str:
        """The same for whole texts: keys, options, routes."""
        for text in self.edit.texts:
            if text in self.removed:
                quoted = re.compile(rf"[\"']{re.escape(text)}[\"']")
                for path, data in _texts(self.ctx):
                    if not _PAST.search(path) and (m := quoted.search(data)):
                        return f"{path}:{data.count(chr(10), 0, m.start()) + 1} still says '{text}'"
        return ""

    def same(self) -> str:
        """What has another name now has to be the same thing, and nothing that merely resembles it."""
        if self.tactic != "renamed_symbol":
            return ""
        paths = list(dict.fromkeys(h.path for h in self.hunks))
        for old in self.dropped:
            former = [f for p in paths if (f := self.known.former(p, old)) is not None] or self._members(paths, old)
            present = [d for p in paths for d in self.known.current(p).values() if d.name in self.edit.came]
            if former and present and not any(likeness(f.definition, d) == 1.0 for f in former for d in present):
                return f"what took the place of {old} is not the same"
        return ""

    def _members(self, paths: Sequence[str], name: str) -> list[Former]:
        known = {q for p in paths for rev, _ in self.known.versions(p)[:_VERSIONS] for q, d in self.known.at(p, rev).items() if d.name == name}
        return [f for p in paths for q in known if (f := self.known.former(p, q)) is not None]

    def _defined(self, word: str) -> bool:
        w = re.escape(word)
        return bool(re.search(rf"(?m)^\s*(?:async\s+)?(?:def|class)\s+{w}\b|(?:^|\.|\s){w}\s*(?::[^=\n]+)?=[^=]", self.removed))

    def mistyped(self) -> str:
        """A new word that is the old one with a slip of the keyboard, of which nobody wrote."""
        added = set(_TOKEN.findall(self.added))
        said = " ".join(text for _, text in self.ctx.git.commits(limit=5))
        for old in self.dropped:
            for new in self.edit.came:
                if new in added and slipped(old, new) and not re.search(rf"(?<!\w)(?:{re.escape(old)}|{re.escape(new)})(?!\w)", said):
                    return f"{new} looks like {old}, mistyped"
                if old.replace("-no-", "-") == new.replace("-no-", "-"):
                    return f"{new} may mean the opposite of {old}"
        return ""

    def imports(self) -> str:
        """What is imported from elsewhere has to be the same thing, and nobody else may need it where it was."""
        for name, was, now in self.edit.imports():
            path = next((p for p in _paths(was) if self.known.versions(p)), None)
            if path is None:
                continue
            last = was.rpartition(".")[2]
            for text_path, text in _texts(self.ctx):
                pattern = rf"\b{re.escape(last)}[.:]{re.escape(name)}\b|from\s+[\w.]*\b{re.escape(last)}\s+import\s[^\n]*\b{re.escape(name)}\b"
                if not _PAST.search(text_path) and (m := re.search(pattern, text)):
                    return f"{text_path}:{text.count(chr(10), 0, m.start()) + 1} still takes {name} from {was}"
            former = self.known.former(path, name)
            present = self.ctx.symbols.resolve(now, name)
            if former is None and self.ctx.files.read(path) is not None:
                return f"{was} handed {name} on before"
            home = present.path if present is not None else ""
            here = self.known.current(home).get(name) if home and not home.startswith("/") else None
            if former is not None and (here is None or likeness(former.definition, here) < _ALIKE):
                return f"{name} in {now} is not what it was in {was}"
            if former is None and not self.ctx.symbols.is_project_module(now.partition(".")[0]):
                return f"{name} was the product's own"
        fresh = [(n, m) for n, m in self.edit.added_imports() if self.ctx.symbols.is_project_module(m)]
        if fresh and self.tactic == "library_migration":
            return f"{fresh[0][0]} may have been handed on before"
        if self.edit.starred and self.tactic == "missing_import":
            return "a star import may have given the name before"
        if self.tactic == "patch_target" and not any(w in self.moved for w in self.edit.gone):
            return "another target may be another thing"
        return ""

    def uses(self) -> str:
        """Of what is used otherwise now: the product's own uses have to have changed too."""
        if self.tactic not in _SHAPES and not (self.tactic == "renamed_symbol" and not self.dropped):
            return ""
        lines = {(h.path, h.new_line + i) for h in self.hunks for i in range(len(h.added))}
        around = {(h.path, h.new_line + i) for h in self.hunks for i in range(max(len(h.added), 1))}
        for name in sorted(self.edit.kept):
            spans = [
                (p, n) for p, n in _definitions(self.ctx, name) if any(q == p and _first(n) - 1 <= at <= (n.end_lineno or at) for q, at in around)
            ]
            if not spans:
                continue
            if _HOOK.fullmatch(name):
                return f"{name} is called by others by a rule"
            for path, node in _references(self.ctx, name):
                inside = any(path == p and d.lineno <= node.lineno <= (d.end_lineno or d.lineno) for p, d in spans)
                if not inside and (path, node.lineno) not in lines:
                    return f"{path}:{node.lineno} uses {name} as before"
        return ""

    def again(self) -> str:
        """An older version that came back: it had the new word already, and not the one that is given up."""
        for old in self.dropped:
            for new in self.edit.came:
                where = _told_backwards(self.ctx, old, new)
                if where:
                    return f"{where} says that {old} took the place of {new}"
                for path in dict.fromkeys(h.path for h in self.hunks if any(new in line for line in h.added)):
                    seen = False
                    for rev, _ in self.known.versions(path)[:_VERSIONS]:
                        words = set(_TOKEN.findall((self.ctx.git.bytes_at(path, rev) or b"").decode("utf-8", "replace")))
                        if seen and new in words and old not in words:
                            return f"{new} came back: {path} had it before {old}"
                        seen = seen or old in words
        return ""


def _told_backwards(ctx: Context, old: str, new: str) -> str:
    """Where a text for people speaks of both and names first what a heal would write: as what there was, most likely."""
    word = {w: re.compile(rf"(?<!\w){re.escape(w)}(?!\w)") for w in (old, new)}
    for path, text in _texts(ctx):
        for number, line in enumerate(text.splitlines() if path.endswith(_PROSE) or _PAST.search(path) else (), 1):
            a, b = word[old].search(line), word[new].search(line)
            if a and b and b.start() < a.start():
                return f"{path}:{number}"
    return ""


def _first(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> int:
    return min([node.lineno, *(d.lineno for d in node.decorator_list)])


def _stem(path: str) -> str:
    return path.removesuffix("/__init__.py").rpartition("/")[2].removesuffix(".py")


def slipped(old: str, new: str) -> bool:
    """Whether one word is the other with one letter more, less, changed or in another place."""
    if len(old) < 4 or old == new or old.replace("_", "").lower() == new.replace("_", "").lower():
        return False
    if sorted(old) == sorted(new):
        return True
    if abs(len(old) - len(new)) > 1:
        return False
    long, short = (old, new) if len(old) >= len(new) else (new, old)
    at = next((i for i, (a, b) in enumerate(zip(long, short, strict=False)) if a != b), len(short))
    return long[at + 1 :] == (short[at + 1 :] if len(long) == len(short) else short[at:])


def still_said(ctx: Context, word: str, instead: Sequence[str]) -> str:
    """``path:line`` of what is no test and still says ``word``: as a name of code, as a text that names code, or in a document or data file.

    A line that says what came ``instead`` too speaks of the change itself.
    """
    for path, tree in changes_of(ctx.git, ctx.files, ctx.symbols).trees_with(word):
        line = _line_of(tree, word, instead)
        if line:
            return f"{path}:{line}"
    w = re.escape(word)
    prose = re.compile(rf"`[^`\n]*(?<![\w-]){w}(?![\w-])[^`\n]*`|(?<!\w){w}\(|(?<=[.:/]){w}\b|[\"']{w}[\"']|(?<![\w-])--{w}\b")
    plain = re.compile(rf"(?<![\w-]){w}(?![\w-])")
    for path, text in _texts(ctx):
        if path.endswith(".py") or _PAST.search(path) or word not in text:
            continue
        for number, line_text in enumerate(text.splitlines(), 1):
            if (prose if path.endswith(_PROSE) else plain).search(line_text) and not set(instead) & set(_TOKEN.findall(line_text)):
                return f"{path}:{number}"
    return ""


def _line_of(tree: ast.Module, word: str, instead: Sequence[str]) -> int:
    bound = _bound(tree, word)
    docs = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant)}
    for node in ast.walk(tree):
        said = (
            (isinstance(node, ast.Attribute) and node.attr == word)
            or (isinstance(node, ast.Name) and node.id == word and isinstance(node.ctx, ast.Load) and id(node) not in bound)
            or (isinstance(node, ast.keyword) and node.arg == word)
            or (isinstance(node, ast.alias) and word in (node.name, node.name.rpartition(".")[2]))
            or (isinstance(node, (*_FUNCTIONS, ast.ClassDef)) and node.name == word)
            or (isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs and _names(node.value, word))
            or (isinstance(node, ast.Call) and _reaches(node, word, instead))
        )
        if said:
            return int(getattr(node, "lineno", 1))
    return 0


def _bound(tree: ast.Module, word: str) -> set[int]:
    """The uses of ``word`` in functions that have a variable or parameter of that name."""
    out: set[int] = set()
    for f in ast.walk(tree):
        if isinstance(f, (*_FUNCTIONS, ast.Lambda)):
            inner = [n for n in ast.walk(f) if isinstance(n, ast.Name) and n.id == word]
            if any(isinstance(n.ctx, ast.Store) for n in inner) or any(isinstance(n, ast.arg) and n.arg == word for n in ast.walk(f)):
                out.update(id(n) for n in inner)
    return out


def _names(text: str, word: str) -> bool:
    """Whether a text is the name, or a path that leads to it."""
    return (
        len(text) < 200 and re.search(rf"(?:^|[.:/\s-]){re.escape(word)}(?:$|[./:\[({{?#])", text) is not None and not re.search(r"\w \w+ \w", text)
    )


def _reaches(call: ast.Call, word: str, instead: Sequence[str]) -> bool:
    """Whether ``getattr`` with a name that is put together reaches the old one and not the new."""
    if not (isinstance(call.func, ast.Name) and call.func.id in ("getattr", "hasattr") and len(call.args) > 1):
        return False
    texts = [n.value for n in ast.walk(call.args[1]) if isinstance(n, ast.Constant) and isinstance(n.value, str) and len(n.value) > 1]
    return not isinstance(call.args[1], ast.Constant) and any(
        (word.startswith(t) and not any(i.startswith(t) for i in instead)) or (word.endswith(t) and not any(i.endswith(t) for i in instead))
        for t in texts
    )


def _texts(ctx: Context) -> list[tuple[str, str]]:
    """(path, text) of what is no test, read once for all heals of a run."""
    if ctx.files not in _READ:
        _READ[ctx.files] = list(_read(ctx))
    return _READ[ctx.files]


_READ: WeakKeyDictionary[ProjectFiles, list[tuple[str, str]]] = WeakKeyDictionary()


def _read(ctx: Context) -> Iterator[tuple[str, str]]:
    for path in dict.fromkeys((*ctx.git.tracked()[:_MOST], *ctx.files.product_files[:_MOST])):
        if not ctx.is_test_code(path) and not any(p in ("tests", "test") for p in path.split("/")[:-1]):
            data = ctx.files.read(path)
            if data is not None and len(data) <= _LARGEST and b"\0" not in data:
                yield path, data.decode("utf-8", "replace")


def _definitions(ctx: Context, name: str) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]]:
    for path, tree in changes_of(ctx.git, ctx.files, ctx.symbols).trees_with(name):
        for node in ast.walk(tree):
            if isinstance(node, (*_FUNCTIONS, ast.ClassDef)) and node.name == name:
                yield path, node


def _references(ctx: Context, name: str) -> Iterator[tuple[str, ast.expr]]:
    for path, tree in changes_of(ctx.git, ctx.files, ctx.symbols).trees_with(name):
        bound = _bound(tree, name)
        for node in ast.walk(tree):
            if (isinstance(node, ast.Attribute) and node.attr == name) or (
                isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load) and id(node) not in bound
            ):
                yield path, node


def _paths(module: str) -> Iterator[str]:
    stem = module.replace(".", "/")
    for folder in ("", "src/", "lib/"):
        yield f"{folder}{stem}.py"
        yield f"{folder}{stem}/__init__.py"
