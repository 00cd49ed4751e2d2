"""Was a change of the product meant? A definition that is another one now says only that somebody typed it.

What speaks for an intention is a second place: a commit message, changelog or document that tells of the change, the product's own code (or its
``__all__``) or a test that followed it in the same change, or a deprecation that had announced it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from pytest_maestro_healer.evidence.changes import Changes, changes_of
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.finished.edited import TOKEN, paired, words_of
from pytest_maestro_healer.evidence.finished.intent.said import BESIDE, at, directed, kept, module_moved, moved, removed, scope, unfinished, units
from pytest_maestro_healer.evidence.finished.intent.turned import Turned, turned
from pytest_maestro_healer.evidence.finished.names.mentions import PAST, as_before, definitions_of, references
from pytest_maestro_healer.evidence.git import Hunk
from pytest_maestro_healer.evidence.symbols import absolute_module
from pytest_maestro_healer.model import Follows

#: Words of a heal's own code, of which no sentence needs to speak.
_NEUTRAL = frozenset(
    {"await", "async", "asyncio", "anyio", "run", "mark", "pytest", "list", "tuple", "decode", "encode", "import", "from", "def", "self"}
)
_COMMITS = 20


@dataclass(frozen=True)
class Change:
    """What changed: the product's ``hunks`` since ``base``, the words given up (``old``), those in their place (``new``), and where the definitions
    of what is used otherwise now are (``shaped``). ``modules`` are those that the tests imported from, with those that they import from now."""

    ctx: Context
    hunks: Sequence[Hunk]
    base: str
    old: tuple[str, ...]
    new: tuple[str, ...]
    shaped: Mapping[str, Sequence[tuple[str, int, int]]]
    follows: Follows
    modules: tuple[tuple[str, str], ...] = ()

    @property
    def known(self) -> Changes:
        """The product's definitions, now and then."""
        return changes_of(self.ctx.git, self.ctx.files, self.ctx.symbols)

    @cached_property
    def exchanged(self) -> tuple[set[str], set[str]]:
        """The words that the product lost, and those that it gained."""
        lost = words_of(line for h in self.hunks for line in h.removed)
        gained = words_of(line for h in self.hunks for line in h.added)
        return lost - gained, gained - lost

    @cached_property
    def turned(self) -> list[Turned]:
        """What is used otherwise now, with what it was."""
        return [t for name, spans in self.shaped.items() for t in turned(self.known, self.base, name, spans, self.exchanged)]

    @cached_property
    def came(self) -> set[tuple[str, str]]:
        """(path, class) of the definitions that came."""
        known = self.known
        return {
            (path, d.scope.rpartition(".")[2])
            for path in dict.fromkeys(h.path for h in self.hunks)
            for q, d in known.current(path).items()
            if d.name in self.new and q not in known.at(path, self.base)
        }

    def places(self, name: str) -> set[tuple[str, str]]:
        """(path, class) of the definitions of a name that are used otherwise now."""
        spans = self.shaped.get(name, ())
        return {
            (path, d.scope.rpartition(".")[2])
            for path, first, last in spans
            for d in self.known.current(path).values()
            if d.name == name and first <= d.line <= last
        }

    def in_step(self, text: str, old: str, new: str) -> bool:
        """Whether ``new`` stands for ``old`` in a sentence that tells of several at once: ``A and B are called C and D``."""
        lost, gained = ([w for w in dict.fromkeys(TOKEN.findall(text)) if w in words] for words in self.exchanged)
        return len(lost) != len(gained) or old not in lost or new not in gained or lost.index(old) == gained.index(new)

    @cached_property
    def sentences(self) -> list[str]:
        """What was written about it."""
        return list(_sentences(self))


def meant(change: Change) -> bool:
    """Whether something besides the changed definition itself speaks for the change."""
    return not _of_another(change) and not _promised(change) and (_told(change) or _followed(change) or _tested(change) or _announced(change))


def _told(change: Change) -> bool:
    """A sentence that states that what came took the place of what went, or how something is used now."""
    old, new = ([w for w in words if w not in _NEUTRAL] for words in (change.old, change.new))
    shape = bool(change.follows & (Follows.SHAPE & ~(Follows.PARAMETERS | Follows.TEXT)))
    gained = change.exchanged[1]
    for text in change.sentences:
        if BESIDE.search(text):
            continue
        if any(directed(text, a, b) and change.in_step(text, a, b) for a in old for b in new):
            return True
        if not new and any(removed(text, word) for word in old):
            return True
        if not change.follows & Follows.SHAPE and any(moved(text, word) for word in new if not old or word not in gained):
            return True
        if change.modules and all(module_moved(text, was, now) for was, now in change.modules):
            return True
        if (shape or not old) and any(t.stated(text, change.follows) for t in change.turned):
            return True
    return False


def _promised(change: Change) -> bool:
    """Whether what was written promises that what went is still there under its old name (then it was lost), or that more is to come."""
    return any(unfinished(text) or any(kept(text, old) for old in change.old) for text in change.sentences)


def _of_another(change: Change) -> bool:
    """Whether what was written names a class or a module, ``Session.close is Session.shut now``, and another one changed so too."""
    asked = [((*change.old, *change.new), change.came), *(((name,), change.places(name)) for name in change.shaped)]
    return any(names and _elsewhere(change, names, places) for names, places in asked)


def _elsewhere(change: Change, names: Sequence[str], places: set[tuple[str, str]]) -> bool:
    """Whether some ``places`` (path, class) are not among those that what was written has before some ``names``."""
    stems = {stem(h.path) for h in change.hunks}
    names = [n for n in names if n not in stems]  # what stands before a module is its package
    words = "|".join(map(re.escape, names)) or "(?!)"
    before = {c for text in change.sentences for c in re.findall(rf"\b(\w+)[.#](?:{words})\b", text)}
    before |= {scope(text) for text in change.sentences if any(at(n, text) is not None for n in names)}
    classes, modules = {c for c in before if c[:1].isupper()}, before & stems
    if classes and not {cls for _, cls in places if cls} <= classes:
        return True
    return bool(modules) and not classes and not {stem(path) for path, _ in places} <= modules


def stem(path: str) -> str:
    """The name of a file's module."""
    return path.removesuffix("/__init__.py").rpartition("/")[2].removesuffix(".py")


def _sentences(change: Change) -> Iterator[str]:
    """What was written about the change: messages of the commits that made it, and lines that were added to texts for people since."""
    git = change.ctx.git
    words = {*change.old, *change.new, *change.shaped}
    paths = {h.path for h in change.hunks}
    loose = [line for h in git.hunks("HEAD") if h.path in paths for line in (*h.removed, *h.added)]
    if words.isdisjoint(words_of(loose)):
        for commit, _ in git.commits(limit=_COMMITS):
            if commit == change.base:
                break
            if any(not words.isdisjoint(_touched(change, h, commit)) for h in git.hunks(f"{commit}~1", commit) if h.path in paths):
                yield from units(git.message(commit).splitlines())
            if change.base == f"{commit}~1":
                break
    for hunk in git.hunks(change.base):
        if hunk.path.endswith((".md", ".rst", ".txt", ".adoc")) or PAST.search(hunk.path):
            yield from units(hunk.added)


def _touched(change: Change, hunk: Hunk, commit: str) -> set[str]:
    """The words of a hunk, and the names of the definitions that it lies in."""
    around = {d.name for d in change.known.at(hunk.path, commit).values() if d.line <= hunk.new_line <= getattr(d.node, "end_lineno", d.line)}
    return around | words_of((*hunk.removed, *hunk.added))


def _followed(change: Change) -> bool:
    """Other code of the product that was changed with it: a use of the new name, or of what is used otherwise now."""
    lines = {(h.path, h.new_line + i): h for h in change.hunks for i in range(len(h.added))}
    homes = {p for spans in change.shaped.values() for p, _, _ in spans} or {h.path for h in change.hunks if _defines(change, h)}
    for name in (*change.new, *change.shaped):
        found = [(p, d.lineno, d.end_lineno or d.lineno) for p, d in definitions_of(change.ctx, name) if not isinstance(d, ast.ClassDef)]
        own, several = [*change.shaped.get(name, ()), *found], len(found) > 1
        for path, node in references(change.ctx, name, homes):
            hunk = lines.get((path, node.lineno))
            if hunk is None or any(path == p and first <= node.lineno <= last for p, first, last in own):
                continue
            if several and homes.isdisjoint(change.ctx.variables.reachable(path)):
                continue  # it may mean another one of that name
            was = words_of(hunk.removed)
            heirs = paired([(hunk.removed, hunk.added)])
            if any(old in was and name in heirs.get(old, {name}) for old in change.old):
                return True
            tree = change.ctx.symbols.tree(path)
            if name in change.shaped and name in was and not as_before(tree, node, hunk, by_itself=bool(change.follows & Follows.USE)):
                return True
    return _imported(change, lines) or _listed(change, lines)


def _tested(change: Change) -> bool:
    """Whether a test was changed with it already: somebody wrote the new name in place of the old one, here or in another file of tests.

    Where several places have the new name, each has to have such a test, which imports it from there and names its class.
    """
    blocks: dict[str, list[tuple[Sequence[str], Sequence[str]]]] = {}
    for h in change.ctx.git.hunks(change.base):
        if change.ctx.is_test_code(h.path):
            blocks.setdefault(h.path, []).append((h.removed, h.added))
    heirs = {path: paired(found) for path, found in blocks.items()}
    followed = [path for path, found in heirs.items() if any(not found.get(old, set()).isdisjoint(change.new) for old in change.old)]
    if len(change.came) < 2:
        return bool(followed)
    return bool(followed) and all(any(_goes_by(change, test, *place) for test in followed) for place in change.came)


def _goes_by(change: Change, test: str, path: str, cls: str) -> bool:
    """Whether a test file imports from a product file, by its own imports, and says a class."""
    symbols = change.ctx.symbols
    if cls and cls.encode() not in symbols.read(test):
        return False
    tree = symbols.tree(test)
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Import) and any(symbols.module_path(a.name) == path for a in node.names):
            return True
        if isinstance(node, ast.ImportFrom):
            module = absolute_module(node, symbols.module_name(test), test.endswith("__init__.py"))
            found = [symbols.resolve(module, a.name) for a in node.names]
            if symbols.module_path(module) == path or any(d is not None and d.path == path for d in found):
                return True
    return False


def _listed(change: Change, lines: Mapping[tuple[str, int], Hunk]) -> bool:
    """Whether ``__all__`` of a product file says the new name in place of the old one."""
    for path in {p for p, _ in lines}:
        tree = change.ctx.symbols.tree(path)
        lists = [n.value for n in (tree.body if tree is not None else ()) if isinstance(n, ast.Assign) and "__all__" in map(ast.unparse, n.targets)]
        for node in (n for value in lists for n in ast.walk(value) if isinstance(n, ast.Constant) and n.value in change.new):
            hunk = lines.get((path, node.lineno))
            was = re.findall(r"['\"](\w+)['\"]", "\n".join(hunk.removed)) if hunk is not None else []
            if not set(was).isdisjoint(change.old):
                return True
    return False


def _imported(change: Change, lines: Mapping[tuple[str, int], Hunk]) -> bool:
    """Whether an import of the product was changed with it: from the old module or name to the new."""
    for path in {p for p, _ in lines}:
        tree = change.ctx.symbols.tree(path)
        for node in ast.walk(tree) if tree is not None else ():
            if isinstance(node, (ast.Import, ast.ImportFrom)) and (hunk := lines.get((path, node.lineno))) is not None:
                names = {p for a in node.names for p in a.name.split(".")} | set((getattr(node, "module", "") or "").split("."))
                was = words_of(line for line in hunk.removed if "import" in line)
                if not names.isdisjoint(change.new) and not was.isdisjoint(change.old):
                    return True
    return False


def _announced(change: Change) -> bool:
    """A deprecation that names what came, in every definition that is gone."""
    known = change.known
    gone = []
    for path in dict.fromkeys(h.old_path for h in change.hunks):
        lines = (change.ctx.git.bytes_at(path, change.base) or b"").decode("utf-8", "replace").splitlines()
        for q, d in known.at(path, change.base).items():
            if d.name in change.old and q not in known.current(path):
                gone.append("\n".join(lines[max(d.line - 3, 0) : getattr(d.node, "end_lineno", d.line) + 1]))
    return bool(gone) and all(re.search(r"(?i)deprecat", text) and any(at(new, text) is not None for new in change.new) for text in gone)


def _defines(change: Change, hunk: Hunk) -> bool:
    """Whether a hunk brings a definition of what came."""
    names = "|".join(re.escape(n) for n in change.new)
    text = "\n".join(hunk.added)
    return bool(names) and re.search(rf"\b(?:def|class)\s+(?:{names})\b|\b(?:{names})\s*[:=](?!=)|[(,]\s*(?:{names})\s*[,:=)]", text) is not None
