"""Is a change of the product finished? Before a heal follows it unasked, the rest of the project is asked whether it followed too.

A name that was given up and that other code, a document or a data file still says; a function that others still use as it was; a word that is a
slip of the keyboard; an older version that came back: any of these makes the change half done or a mistake, and then a person decides.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from pytest_maestro_healer.evidence.changes import Former, changes_of
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.finished.edited import TOKEN, Edited, paired
from pytest_maestro_healer.evidence.finished.intent.meant import Change, meant, stem
from pytest_maestro_healer.evidence.finished.names.beside import said_beside
from pytest_maestro_healer.evidence.finished.names.forms import singular_in
from pytest_maestro_healer.evidence.finished.names.inherited import had_by_family
from pytest_maestro_healer.evidence.finished.names.library import library_used
from pytest_maestro_healer.evidence.finished.names.mentions import PAST, definitions_of, field_of, still_said, texts
from pytest_maestro_healer.evidence.finished.names.stored import Stored
from pytest_maestro_healer.evidence.finished.names.units import another_quantity
from pytest_maestro_healer.evidence.finished.places.loaded import Loads
from pytest_maestro_healer.evidence.finished.places.modules import module_said, still_taken
from pytest_maestro_healer.evidence.finished.places.relocated import (
    another,
    another_took_place,
    homes_of,
    merged,
    module_apart,
    module_changed,
    moved_apart,
    taken_by_name,
)
from pytest_maestro_healer.evidence.finished.returned import definition_returned, module_returned, word_returned
from pytest_maestro_healer.evidence.finished.users.bodies import option_means_another, parameter_used_otherwise
from pytest_maestro_healer.evidence.finished.users.followed import HOOK, Followers
from pytest_maestro_healer.evidence.git import Hunk
from pytest_maestro_healer.evidence.past.former import changed, product_since
from pytest_maestro_healer.evidence.past.origin import origin
from pytest_maestro_healer.evidence.past.unseen import unseen
from pytest_maestro_healer.evidence.similarity import identical
from pytest_maestro_healer.evidence.symbols import parse
from pytest_maestro_healer.model import Failure, Follows

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
#: What a heal writes besides the new word.
_NEUTRAL = frozenset({"await", "async", "list", "assert", "import", "from", "self", "None", "True", "False", "pytest"})
#: Why a heal waits for a person where there is no git.
NO_PAST = "without its history in git nobody knows what the product did before"
_VERSIONS = 6


def unfinished(ctx: Context, failure: Failure, follows: Follows, before: Mapping[str, bytes], after: Mapping[str, bytes]) -> str:
    """Why the change that a heal follows may be half done or a mistake, ``""`` where nothing says so. ``before`` and ``after`` are test files."""
    edit = Edited(before, after)
    if not ctx.git.available or (ctx.git.shallow and not origin(ctx, failure)):
        return NO_PAST if _own(ctx, edit) else ""
    behind = library_used(changes_of(ctx.git, ctx.files, ctx.symbols), edit) if follows & Follows.LIBRARY else ""
    if behind:
        return behind
    hidden = unseen(ctx, failure)
    if hidden and {*Path(hidden).parts[-2:], stem(hidden)} & {*edit.gone, *edit.came, *edit.kept}:
        return f"{hidden} is not in the project's git: what it was before is not known"
    # what came back to what it was before the test changed is no difference to then: it is one to when the test came
    touched = [commit for commit, _ in ctx.git.commits(failure.path, limit=1)]  # all there is to know of a file that cannot be collected
    since = dict.fromkeys((product_since(ctx, failure), origin(ctx, failure), *touched, "HEAD"))
    return next((reason for base in since if base and (reason := _asked(ctx, edit, follows, base))), "")


def _asked(ctx: Context, edit: Edited, follows: Follows, base: str) -> str:
    if not any(p.endswith(".py") for p in changed(ctx, base)):
        return ""
    hunks = tuple(h for h in ctx.git.hunks(base) if h.path.endswith(".py") and not ctx.is_test_code(h.path))
    asked = Halves(ctx, edit, hunks, follows, base)
    questions = (
        asked.words,
        asked.texts,
        asked.mistyped,
        asked.imports,
        asked.same,
        asked.stored,
        asked.moved_on,
        asked.uses,
        asked.beside,
        asked.back,
        asked.alone,
    )
    return next((reason for ask in questions if (reason := ask())), "")


def _own(ctx: Context, edit: Edited) -> bool:
    """Whether a heal may follow a change of the product, rather than one of Python or of a library."""
    if edit.starred or any(ctx.symbols.is_project_module(now.partition(".")[0]) for _, _, now in edit.imports()):
        return True
    if any(ctx.symbols.is_project_module(module.partition(".")[0]) for _, module in edit.added_imports()):
        return True
    return any(_made(ctx, word) for word in edit.came)


def _made(ctx: Context, word: str) -> bool:
    """Whether the product gives something the name ``word``."""
    return any(_makes(node, word) for _, tree in changes_of(ctx.git, ctx.files, ctx.symbols).trees_with(word) for node in ast.walk(tree))


def _makes(node: ast.AST, word: str) -> bool:
    """Whether a node gives something the name ``word``."""
    if isinstance(node, (ast.Name, ast.Attribute)):
        return isinstance(node.ctx, ast.Store) and word in (getattr(node, "id", ""), getattr(node, "attr", ""))
    return word in (getattr(node, "name", ""), getattr(node, "arg", "")) and isinstance(node, (*_FUNCTIONS, ast.ClassDef, ast.arg))


class Halves:
    """The questions; each answers with a reason or ``""``."""

    def __init__(self, ctx: Context, edit: Edited, hunks: Sequence[Hunk], follows: Follows, base: str) -> None:
        self.ctx, self.edit, self.hunks, self.follows, self.base = ctx, edit, hunks, follows, base
        self.known = changes_of(ctx.git, ctx.files, ctx.symbols)
        left = {old: new for old, new in ctx.git.renames().items() if old.endswith(".py") and ctx.files.read(old) is None}
        #: The modules that are gone since, and those that took their places: by path and by name.
        self.renamed = {old: new for old, new in left.items() if ctx.git.bytes_at(old, base) is not None}
        self.moved = {stem(old): stem(new) for old, new in self.renamed.items()}
        self.removed = "\n".join([*(line for h in hunks for line in h.removed), *self.moved])
        self.added = "\n".join([*(line for h in hunks for line in h.added), *self.moved.values()])

    @cached_property
    def gave_up(self) -> set[str]:
        """The words of what the product lost."""
        return set(TOKEN.findall(self.removed))

    @cached_property
    def brought(self) -> set[str]:
        """The words of what the product gained."""
        return set(TOKEN.findall(self.added))

    @cached_property
    def instead(self) -> dict[str, set[str]]:
        """Which words the product put in the place of each word that it gave up."""
        return paired((h.removed, h.added) for h in self.hunks)

    @cached_property
    def lost(self) -> set[str]:
        """Modules that the product had and that have no successor by git."""
        gone = {h.old_path for h in self.hunks if h.old_path.endswith(".py") and self.ctx.files.read(h.old_path) is None}
        return {stem(p) for p in gone} - set(self.moved)

    @cached_property
    def had(self) -> set[str]:
        """Names and keys that what changed had already: what gets one of them is merged with something else."""
        out: set[str] = set(dir(builtins))
        for path in dict.fromkeys(h.old_path for h in self.hunks):
            tree = parse(self.ctx.git.bytes_at(path, self.base) or b"")
            for node in ast.walk(tree) if tree is not None else ():
                if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
                    out.add(node.name)
                elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                    out.add(node.attr)
                elif isinstance(node, ast.Dict):
                    out |= {k.value for k in node.keys if isinstance(k, ast.Constant) and isinstance(k.value, str)}
            out |= {t.id for n in (tree.body if tree is not None else ()) if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name)}
        return out

    @cached_property
    def loads(self) -> Loads:
        """Which modules of the product load which others."""
        return Loads(self.ctx, self.hunks, self.base)

    @cached_property
    def dropped(self) -> list[str]:
        """The words that the heal gives up and that the product gave up."""
        return [w for w in self.edit.gone if w in self.gave_up]

    def words(self) -> str:
        """Who still says what was given up? And who was it that had it?"""
        if self.follows & Follows.ORDER:
            return "an order of parameters that changed may be a mistake"
        for word in self.edit.gone:
            if word in self.lost:
                return f"{word} was a module of the product"
        came = [w for w in self.edit.came if w not in _NEUTRAL]
        for word in self.dropped:
            taken = next((w for w in came if w in self.had), "")
            if taken:
                return f"{taken} was something else before"
            inherited = next((r for w in came if (r := had_by_family(self.known, self.base, (h.path for h in self.hunks), word, w))), "")
            if inherited:
                return inherited
            if HOOK.fullmatch(word):
                return f"{word} is a name that others call by a rule"
            module = self.edit.module_of(word)
            left = bool(module) and any(self.ctx.files.read(p) is not None for p in _paths(module))
            where = "" if left else module_said(self.ctx, self.known, module) if module else None
            if where is None:
                where = still_said(self.ctx, word, self.edit.came)
            if where:
                return f"{where} still says {word}"
            if self.follows & Follows.LIBRARY and self._defined(word):
                return f"{word} was the product's own"
            if self.edit.came and self.brought.isdisjoint(self.edit.came):
                return f"what is used in place of {word} was there before"
            other = self._says_another(word)
            if other:
                return f"the product says {other} in place of {word}"
        return ""

    def _says_another(self, word: str) -> str:
        """What else than the heal the product wrote in place of ``word``, where that is as new as what the heal writes."""
        heirs = self.edit.pairs.get(word, set())
        others = self.instead.get(word, set()) - heirs
        return next((o for o in sorted(others - self.gave_up) if heirs and _made(self.ctx, o)), "")

    def texts(self) -> str:
        """The same for whole texts: keys, options, routes."""
        for text in self.edit.texts:
            if text in self.removed:
                for path, tree in self.known.trees_with(text.lstrip("-")) if self.follows & Follows.TEXT else ():
                    line = field_of(tree, text.lstrip("-").replace("-", "_"))
                    if line:
                        return f"{path}:{line} still says {text}"
                quoted = re.compile(rf"[\"']{re.escape(text)}[\"']")
                for path, data in texts(self.ctx):
                    if not PAST.search(path) and (m := quoted.search(data)):
                        return f"{path}:{data.count(chr(10), 0, m.start()) + 1} still says '{text}'"
                    if not PAST.search(path) and (line := singular_in(data, text)):
                        return f"{path}:{line} may make '{text}' of its singular"
        where = option_means_another(self.known, self.base, self.hunks, self.edit.texts) if self.follows & Follows.TEXT else ""
        return f"{where} is not the same but for what it is called" if where else ""

    def same(self) -> str:
        """What has another name now has to be the same thing, and nothing that merely resembles it."""
        for name, spans in self.shaped.items() if self.follows & Follows.PARAMETERS else ():
            turned = parameter_used_otherwise(self.known, self.base, sorted({p for p, _, _ in spans}), name, self.edit.pairs)
            if turned:
                return f"{turned} of {name} is not used for what it was"
        if not self.follows & Follows.NAME:
            return ""
        paths = list(dict.fromkeys(h.path for h in self.hunks))
        for old in self.dropped:
            heirs = self.edit.pairs.get(old) or set(self.edit.came)
            parts = re.findall(rf"(?m)^\s*(?:async\s+)?def\s+{re.escape(old)}\b", self.removed)
            if any(len(parts) > len(re.findall(rf"(?m)^\s*(?:async\s+)?def\s+{re.escape(h)}\b", self.added)) > 0 for h in heirs):
                return f"not all of {old} came back under another name"
            former = [f for p in paths if (f := self.known.former(p, old)) is not None] or self._members(paths, old)
            present = [(p, d) for p in paths for d in self.known.current(p).values() if d.name in heirs]
            other = another_took_place(self.loads, former, present)
            if other:
                return f"what took the place of {old} is not the same" if other == old else other
        return ""

    def stored(self) -> str:
        """Does data outside of the repository say the old name?"""
        asked = Stored(self.ctx, self.base, [h.path for h in self.hunks])
        found = (asked.told(old, new) for old in self.dropped for new in sorted(self.edit.pairs.get(old, ())) or self.edit.came)
        left = [now for was, now in self.renamed.items() if stem(was) in self.edit.gone]
        return next((r for r in found if r), "") or asked.moved(left, self.edit.imports())

    def _members(self, paths: Sequence[str], name: str) -> list[Former]:
        known = {q for p in paths for rev, _ in self.known.versions(p)[:_VERSIONS] for q, d in self.known.at(p, rev).items() if d.name == name}
        return [f for p in paths for q in known if (f := self.known.former(p, q)) is not None]

    def _defined(self, word: str) -> bool:
        w = re.escape(word)
        return bool(re.search(rf"(?m)^\s*(?:async\s+)?(?:def|class)\s+{w}\b|(?:^|\.|\s){w}\s*(?::[^=\n]+)?=[^=]", self.removed))

    def mistyped(self) -> str:
        """A new word that is the old one with a slip of the keyboard, of which nobody wrote; or one that means another quantity."""
        said = " ".join(text for _, text in self.ctx.git.commits(limit=5))
        for old in self.dropped:
            for new in sorted(self.edit.pairs.get(old, ())) or self.edit.came:
                other = another_quantity(old, new) if new in self.brought else ""
                if other:
                    return f"{new} is another thing than {old}: {other} differ"
            for new in self.edit.came:
                if new in self.brought and slipped(old, new) and not re.search(rf"(?<!\w)(?:{re.escape(old)}|{re.escape(new)})(?!\w)", said):
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
            taken = still_taken(self.ctx, self.known, name, was, now)
            if taken:
                return f"{taken} still takes {name} from {was}"
            former = self.known.former(path, name)
            present = self.ctx.symbols.resolve(now, name)
            if former is None and self.ctx.files.read(path) is not None:
                return f"{was} handed {name} on before"
            home = present.path if present is not None else ""
            here = self.known.current(home).get(name) if home and not home.startswith("/") else None
            if former is not None and (here is None or not identical(former.definition, here, homes_of(self.known, former.path, home))):
                return f"{name} in {now} is not what it was in {was}"
            if former is not None and here is not None and home not in (former.path, self.renamed.get(former.path)):
                apart = moved_apart(self.loads, former.definition, here, (former.path, former.rev, home))
                if apart:
                    return apart
            if former is None and not self.ctx.symbols.is_project_module(now.partition(".")[0]):
                return f"{name} was the product's own"
        for name, _ in self.edit.added_imports():
            if name in self.gave_up:
                return f"{name} was handed on by the product before"
        fresh = [(n, m) for n, m in self.edit.added_imports() if self.ctx.symbols.is_project_module(m)]
        if fresh and self.follows & Follows.MIGRATION:
            return f"{fresh[0][0]} may have been handed on before"
        if self.edit.starred and self.follows & Follows.IMPORT:
            return "a star import may have given the name before"
        if self.follows & Follows.TARGET:
            if not any(w in self.moved for w in self.edit.gone):
                return "another target may be another thing"
            return taken_by_name(self.known, self.hunks, self.base, self.edit.near - set(self.edit.came))
        return ""

    @cached_property
    def shaped(self) -> dict[str, list[tuple[str, int, int]]]:
        """(path, first line, last line) of the definitions that changed, by each of their names that the edited tests say."""
        if not self.follows & Follows.SHAPE and not (self.follows & Follows.NAME and not self.dropped and not self.edit.only_imports):
            return {}
        around = {(h.path, h.new_line + i) for h in self.hunks for i in range(max(len(h.added), 1))}
        found = {
            name: [
                (p, n.lineno, n.end_lineno or n.lineno)
                for p, n in definitions_of(self.ctx, name)
                if any(q == p and _first(n) - 1 <= at <= (n.end_lineno or at) for q, at in around)
            ]
            for name in sorted(self.edit.near if self.follows & (Follows.USE | Follows.NAME) else self.edit.kept)
        }
        return {name: spans for name, spans in found.items() if spans}

    def moved_on(self) -> str:
        """What is elsewhere or has another name now has to be the same thing still, and nothing else besides."""
        twice = merged(self.known, self.hunks, self.brought.intersection(self.edit.came))
        if twice:
            return f"{twice} is bound twice now"
        for was, now in self.renamed.items():
            parts = {*TOKEN.findall(was)} ^ {*TOKEN.findall(now)}
            apart = module_apart(self.loads, was, now) if parts & {*self.edit.gone, *self.edit.came} else ""
            changed_there = module_changed(self.known, self.base, was, now) if stem(was) in self.edit.gone else ""
            if changed_there or apart:
                return f"{changed_there} in {now} is not what it was in {was}" if changed_there else apart
        return another(self.loads, self.hunks, [*self.edit.gone, *self.edit.kept])

    def back(self) -> str:
        """What is what it was in an older version already, and was something else since."""
        for name, spans in self.shaped.items():
            path = next((p for p, first, _ in spans if definition_returned(self.known, p, name, first)), "")
            if path:
                return f"{name} is what it was in an older version: {path} may have come back"
        module = module_returned(self.ctx.git, self.renamed)
        if module:
            return f"{module} came back: it was renamed before"
        asked = (word_returned(self.ctx, self.known, self.hunks, self.base, old, new) for old in self.dropped for new in self.edit.came)
        return next((reason for reason in asked if reason), "")

    def uses(self) -> str:
        """Of what is used otherwise now: the product's own uses have to have changed too."""
        return Followers(self.ctx, self.edit, self.hunks, self.follows, self.base, self.known).behind(self.shaped)

    def beside(self) -> str:
        """Does anybody else in the repository use what was given up, or is used otherwise now?"""
        where = said_beside(self.ctx, dict.fromkeys((*self.dropped, *self.shaped, *(t for t in self.edit.texts if t in self.removed))))
        return f"{where} uses it, and lies beside the folder of these tests" if where else ""

    def alone(self) -> str:
        """Does anything besides the changed definition itself speak for the change?"""
        came = [w for w in self.edit.came if w in self.brought]
        left = [(n, was) for n, was, _ in self.edit.imports() if any(self.known.versions(p) for p in _paths(was))]
        moved = [n for n, was in left if any(self.ctx.git.bytes_at(p, self.base) is not None for p in _paths(was))]
        if not (self.dropped or came or moved or self.shaped):
            return ""
        if (
            self.follows & Follows.LIBRARY
            and not self.dropped
            and not any(self.ctx.symbols.is_project_module(m) for _, m in self.edit.added_imports())
        ):
            return ""  # a name of Python or of a library, whatever the product does with it
        reason = "no message, note or other code of the product says that the change was meant"
        heirs: dict[str, Sequence[str]] = {old: sorted(self.edit.pairs.get(old, ())) or came for old in self.dropped} or {"": came}
        modules = tuple(dict.fromkeys((was, now) for _, was, now in self.edit.imports()))
        changes = [
            Change(self.ctx, self.hunks, self.base, (old,) if old else (), (*dict.fromkeys((*new, *moved)),), self.shaped, self.follows, modules)
            for old, new in heirs.items()
        ]
        return "" if all(map(meant, changes)) else reason


def _first(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> int:
    return min([node.lineno, *(d.lineno for d in node.decorator_list)])


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


def _paths(module: str) -> Iterator[str]:
    stem = module.replace(".", "/")
    for folder in ("", "src/", "lib/"):
        yield f"{folder}{stem}.py"
        yield f"{folder}{stem}/__init__.py"
