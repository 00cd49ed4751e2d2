"""Have those who use what is another thing now followed? The product's own uses, by name too, and those of what hands a result on."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Mapping, Sequence
from functools import cached_property

from pytest_maestro_healer.evidence.changes import COMMON, Changes
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.evidence.finished.edited import Edited
from pytest_maestro_healer.evidence.finished.names.mentions import as_before, definitions_of, references, said_in_texts
from pytest_maestro_healer.evidence.finished.users.classes import built_right, fields_shifted, makes_itself, parameters_of
from pytest_maestro_healer.evidence.finished.users.taken import HANDED_ON, function_around, harmless, meddles, parents, taken, ways
from pytest_maestro_healer.evidence.finished.users.uses import binds, calls_shown, fits
from pytest_maestro_healer.evidence.git import Hunk
from pytest_maestro_healer.evidence.symbols import parse
from pytest_maestro_healer.model import Follows

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
#: Members that a base class, a library or the language itself calls by their names.
HOOK = re.compile(
    r"__\w+__|(?:visit|depart|do|handle|on|generic|help|complete|setup|teardown)_\w+|write(?:lines)?|read(?:lines?|into)?|flush|close|fileno|seek|tell|keys|"
    r"isoformat|utcoffset|tzname|emit|filter|format|run|acquire|release|find_spec|exec_module|getvalue"
)
#: What the caller gets.
_GIVEN = Follows.RESULT | Follows.LAZINESS | Follows.ENCODING
#: Keeps what a function gave the first time.
_KEEPS = re.compile(r"(?i)cache|memo|once")
#: So many functions that hand a result on are asked for their uses.
_MOST = 12
Spans = Sequence[tuple[str, int, int]]


class Followers:
    """Asks who uses ``shaped`` (the places of what is used otherwise now, by name) as it was; ``base`` is the commit before the change."""

    def __init__(self, ctx: Context, edit: Edited, hunks: Sequence[Hunk], follows: Follows, base: str, known: Changes) -> None:
        self.ctx, self.edit, self.follows, self.base, self.known = ctx, edit, follows, base, known
        self.lines = {(h.path, h.new_line + i): h for h in hunks for i in range(len(h.added))}
        self.asked: set[tuple[str, str]] = set()

    def behind(self, shaped: Mapping[str, Spans]) -> str:
        """Why somebody may not have followed; ``""`` where nothing says so."""
        return next((reason for name, spans in shaped.items() if (reason := self._behind(name, spans))), "")

    def _behind(self, name: str, spans: Spans) -> str:
        self.asked |= {(path, name) for path, _, _ in spans}
        if len(self.asked) > _MOST:
            return f"what {name} gives goes on to many others"
        if HOOK.fullmatch(name):
            return f"{name} is called by others by a rule"
        if self.follows & Follows.PARAMETERS and self._shifted(name, spans):
            return f"the parameters of {name} changed their places"
        definitions = list(definitions_of(self.ctx, name))
        told = (
            said_in_texts(self.ctx, name, lambda line: self._shows(line, name, spans, definitions)) if self.follows & (Follows.USE | _GIVEN) else ""
        )
        if told:
            return f"{told} reaches {name} by its name"
        wrapped = self._wrapped(name, spans, definitions)
        if wrapped:
            return wrapped
        for path, made in definitions if self.follows & Follows.PARAMETERS else ():
            line = makes_itself(self.ctx, path, made) if isinstance(made, ast.ClassDef) and any(path == p for p, _, _ in spans) else 0
            if line:
                return f"{path}:{line} makes a {name} as before"
        several = len({p for p, _ in definitions}) > 1 or name in COMMON or hasattr(builtins, name)
        for path, node in references(self.ctx, name, {p for p, _, _ in spans}):
            if several and not any(p in self.ctx.variables.reachable(path) for p, _, _ in spans):
                continue  # it may mean another one of that name
            if isinstance(node, ast.Attribute) and isinstance(node.value, (ast.Constant, ast.JoinedStr)):
                continue
            reason = self._use(name, spans, path, node, definitions)
            if reason:
                return reason
        return ""

    def _use(self, name: str, spans: Spans, path: str, node: ast.expr, definitions: Sequence[tuple[str, _Definition]]) -> str:
        behind = f"{path}:{node.lineno} uses {name} as before"
        tree = self.ctx.symbols.tree(path)
        if self.follows & Follows.USE:
            fit = fits(self.ctx, self.follows, path, node, [n for _, n in definitions])
            if not fit and not (self.follows & Follows.PARAMETERS and built_right(self.ctx, path, node, definitions)):
                return behind
            return self._awaited(tree, path, node) if tree is not None and self.follows & Follows.AWAITING else ""
        if any(path == p and first <= node.lineno <= last for p, first, last in spans):
            return ""
        hunk = self.lines.get((path, node.lineno))
        if hunk is None or tree is None or as_before(tree, node, hunk, by_itself=False):
            return behind
        return self._taken(tree, path, name, node, behind) if self.follows & _GIVEN else ""

    def _taken(self, tree: ast.Module, path: str, name: str, node: ast.expr, behind: str) -> str:
        """Of a line that was touched: the use itself has to be another one; and what hands the result on is another thing too."""
        up = parents(tree)
        how = taken(node, tree, up)
        around = function_around(node, up)
        then = self.known.tree_at(path, self.base)
        former = [n for n in ast.walk(then) if isinstance(n, _FUNCTIONS) and around is not None and n.name == around.name] if then is not None else []
        before = {h for f in former for h in ways(f, then, name)} if then is not None else set()
        if not before and then is not None:
            before = ways(then, then, name)
        left = before | self._given_up(name)
        if any(h in left and not harmless(h, self.follows) for h in how - {HANDED_ON}):
            return behind
        if HANDED_ON in how and around is not None and (HANDED_ON in before or not former) and (path, around.name) not in self.asked:
            return self._behind(around.name, [(path, around.lineno, around.end_lineno or around.lineno)])
        return ""

    def _given_up(self, name: str) -> set[str]:
        """How the tests took the result before the heal, and do not any more."""
        if name not in self._tests:
            sides = [[ways(t, t, name) for d in side.values() if (t := parse(d)) is not None] for side in (self.edit.before, self.edit.after)]
            old, new = (set().union(*found) for found in sides)
            self._tests[name] = old - new - {HANDED_ON}
        return self._tests[name]

    @cached_property
    def _tests(self) -> dict[str, set[str]]:
        return {}

    def _awaited(self, tree: ast.Module, path: str, node: ast.expr) -> str:
        """What awaits became a coroutine itself, perhaps: then its uses have to fit too."""
        around = function_around(node, parents(tree))
        if not isinstance(around, ast.AsyncFunctionDef) or (path, around.name) in self.asked:
            return ""
        then = self.known.tree_at(path, self.base)
        was = [n for n in ast.walk(then) if isinstance(n, ast.FunctionDef) and n.name == around.name] if then is not None else []
        return self._behind(around.name, [(path, around.lineno, around.end_lineno or around.lineno)]) if was else ""

    def _wrapped(self, name: str, spans: Spans, definitions: Sequence[tuple[str, _Definition]]) -> str:
        """Whether a decorator of the product deals with what it gives, or keeps it."""
        if self.follows & Follows.ACCESS or not self.follows & Follows.SHAPE:
            return ""  # where only the name or place is another one, it deals with the same thing
        there = [n for p, n in definitions if any(p == q and first <= n.lineno <= last for q, first, last in spans)]
        for decorator in (d for n in there if isinstance(n, _FUNCTIONS) for d in n.decorator_list):
            func = decorator.func if isinstance(decorator, ast.Call) else decorator
            word = last_name(func)
            if self.follows & (Follows.LAZINESS | Follows.AWAITING) and _KEEPS.search(word):
                return f"{word} keeps what {name} gives"
            for path, made in definitions_of(self.ctx, word) if word else ():
                if meddles(made, called=isinstance(decorator, ast.Call)):
                    return f"{path}:{made.lineno} deals with {name} by itself"
        return ""

    def _shows(self, line: str, name: str, spans: Spans, definitions: Sequence[tuple[str, _Definition]]) -> bool:
        """Whether a line of a document shows nothing but calls with the parameters of now."""
        if self.follows & (Follows.USE | _GIVEN) != Follows.PARAMETERS or self._shifted(name, spans, always=True):
            return False
        calls = calls_shown(line, name)
        taken = [a for p, d in definitions if (a := parameters_of(self.ctx, p, d)) is not None]
        return bool(calls) and all(any(binds(c, a, member=isinstance(c.func, ast.Attribute) or own) for a, own in taken) for c in calls)

    def _shifted(self, name: str, spans: Spans, *, always: bool = False) -> bool:
        """Whether a parameter that is kept has another place, though there are as many as before; ``always``: also where there are not."""
        for path in {p for p, _, _ in spans}:
            if fields_shifted(self.ctx, self.known, self.base, path, name):
                return True
            for q, then in self.known.at(path, self.base).items():
                now = self.known.current(path).get(q)
                if then.name == name and then.function is not None and now is not None and now.function is not None:
                    old, new = ([a.arg for a in (*f.args.posonlyargs, *f.args.args)] for f in (then.function, now.function))
                    if (always or len(old) == len(new)) and any(a in new and new.index(a) != i for i, a in enumerate(old)):
                        return True
        return False
