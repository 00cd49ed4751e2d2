"""Names that are strings: keys of dicts, options of command lines, routes, patch targets."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from pytest_maestro_healer.evidence.changes import Changes
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.evidence.literals import Pair, string_pairs, strings_in
from pytest_maestro_healer.model import Applicability, Diagnosis, Evidence, Failure, FailurePattern, Follows, Proposal
from pytest_maestro_healer.strategies.api_contract_adaptation import calls
from pytest_maestro_healer.strategies.api_contract_adaptation import examples_literals as examples
from pytest_maestro_healer.strategies.api_contract_adaptation.cause import Gone, changes, raised_in_test, test_function
from pytest_maestro_healer.strategies.api_contract_adaptation.renames import STRATEGY, Migration, proposal
from pytest_maestro_healer.strategies.api_contract_adaptation.resolve import Resolver, resolver
from pytest_maestro_healer.strategies.api_contract_adaptation.sites import PATCHERS
from pytest_maestro_healer.strategies.api_contract_adaptation.successors import Successor, history, library_successors, project_successors
from pytest_maestro_healer.strategies.base import Tactic

_ASSERTING = ("assert", "raises", "warns", "match", "deprecated_call", "fail", "skip", "xfail", "parametrize", "mark")


def product_pairs(ctx: Context, test_path: str) -> Sequence[Pair]:
    """String literals that product changes newer than the test replaced, as long as the product no longer has the old one."""
    known = changes(ctx)
    return known.newest(test_path, lambda rev: _pairs(known, rev))


@lru_cache(maxsize=32)
def _pairs(known: Changes, rev: str) -> list[Pair]:
    pairs = string_pairs(known.hunks(rev))
    still = {s for path in {p.where.partition(":")[0] for p in pairs} for s in strings_in(known.symbols.tree(path))}
    return [p for p in pairs if p.old not in still]


def unique(pairs: Sequence[Pair], old: str) -> Pair | None:
    """The one pair for ``old``; ``None`` where it became several things."""
    found = {p.new: p for p in pairs if p.old == old}
    return next(iter(found.values())) if len(found) == 1 else None


class RenamedKey(Tactic):
    name = "renamed_key"
    summary = "A key that the product's change renamed is looked up under its new name."
    patterns = frozenset({FailurePattern.API_CHANGE, FailurePattern.ASSERTION_FAILURE})
    applicability = Applicability.SAFE
    follows = Follows.TEXT
    evidence = ("git",)
    sources = ("git history of the product",)
    heals = examples.KEYS
    declines = examples.NOT_KEYS

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """Keys that are missing."""
        return failure.is_a("KeyError")

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """The key in all failing tests that lack it."""
        key = _key(failure)
        if key is None or not raised_in_test(failure):
            return
        pair = unique(product_pairs(ctx, failure.path), key)
        if pair is None:
            return
        edits = calls.Edits()
        group = [failure, *(f for f in ctx.failures if f.nodeid != failure.nodeid and _key(f) == key and f.is_a("KeyError") and raised_in_test(f))]
        for f in group:
            at = test_function(f, ctx)
            for node in _lookups(at[1], key) if at is not None else ():
                assert at is not None
                calls.rename_string(edits.of(at[0]), node, key, pair.new)
        made = edits.all()
        if made:
            text = f"the key {key!r} is {pair.new!r} now"
            fact = Evidence("git", f"the product's change put {pair.new!r} where {key!r} was", pair.where, 0.8)
            yield Proposal(
                STRATEGY,
                self.name,
                made,
                (fact,),
                Applicability.SAFE,
                text,
                tuple(f.nodeid for f in group),
                meaning=text,
                cause_key=f"key:{key}",
                score=0.9,
            )


def _key(failure: Failure) -> str | None:
    try:
        value = ast.literal_eval(str(failure.exc_attrs.get("key") or failure.message))
    except (ValueError, SyntaxError):
        return None
    return value if isinstance(value, str) else None


def _lookups(function: ast.AST, key: str) -> Iterator[ast.Constant]:
    for node in ast.walk(function):
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and node.slice.value == key:
            yield node.slice
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("get", "pop", "setdefault"):
            yield from (a for a in node.args[:1] if isinstance(a, ast.Constant) and a.value == key)


class RenamedOption(Tactic):
    name = "renamed_option"
    summary = (
        "A command-line option, route or other name that a test hands to the product as a string follows the product's own change of that string."
    )
    applicability = Applicability.SAFE
    follows = Follows.TEXT
    evidence = ("git",)
    sources = ("git history of the product",)
    heals = examples.OPTIONS
    declines = examples.NOT_OPTIONS

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """Any failure of a running test; the product's change decides."""
        return failure.phase in ("call", "setup") and not failure.is_a("SyntaxError", "ImportError", "NameError")

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """All renamed strings that the failing test passes."""
        at = test_function(failure, ctx)
        if at is None:
            return
        src, function = at
        pairs = product_pairs(ctx, src.path)
        if not pairs:
            return
        names = resolver(src, ctx)
        edits = calls.Edits()
        used: list[Pair] = []
        for node in ast.walk(function):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value and _passed(node, names, function):
                pair = _for(node.value, pairs)
                if pair is not None and calls.rename_string(edits.of(src), node, pair.old, pair.new):
                    used.append(pair)
        made = edits.all()
        if made:
            used = list(dict.fromkeys(used))
            text = ", ".join(f"{p.old!r} is {p.new!r} now" for p in used)
            facts = tuple(Evidence("git", f"the product's change put {p.new!r} where {p.old!r} was", p.where, 0.8) for p in used)
            special = all(p.old.startswith(("-", "/")) for p in used)
            yield Proposal(STRATEGY, self.name, made, facts, Applicability.SAFE if special else Applicability.REVIEW, text, (failure.nodeid,),
                           meaning=text, cause_key=f"string:{used[0].old}", score=0.86 if special else 0.7)  # fmt: skip


def _for(value: str, pairs: Sequence[Pair]) -> Pair | None:
    exact = unique(pairs, value)
    if exact is not None:
        return exact
    for p in pairs:
        if p.old.startswith("--") and value.startswith(p.old + "=") and unique(pairs, p.old) is not None:
            return p
        if p.old.startswith("/") and len(p.old) > 1 and value.startswith((p.old.rstrip("/") + "/", p.old + "?")) and unique(pairs, p.old) is not None:
            return p
    return None


def _passed(node: ast.Constant, names: Resolver, function: ast.AST) -> bool:
    """Whether a string reaches the product as (part of) an argument of a call that asserts nothing."""
    below: ast.AST = node
    for outer in names.above(node):
        if isinstance(outer, ast.Call):
            if below is outer.func:
                return False
            f = outer.func
            name = last_name(f)
            return not name.lower().startswith(_ASSERTING) and name not in ("len", "print", "sorted", "set", "list", "str", "isinstance")
        if not isinstance(outer, (ast.List, ast.Tuple, ast.Dict, ast.keyword, ast.JoinedStr)) or outer is function:
            return False
        below = outer
    return False


class PatchTarget(Tactic):
    name = "patch_target"
    summary = "The dotted target of a patch follows what it names: a renamed or moved definition or module, a name imported elsewhere."
    applicability = Applicability.SAFE
    follows = Follows.TARGET
    evidence = ("git", "symbol")
    sources = ("https://docs.python.org/3/library/unittest.mock.html#where-to-patch", "git history of the product")
    heals = examples.TARGETS
    declines = examples.NOT_TARGETS

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """Attribute and import errors that came up inside a patching tool."""
        hidden = failure.message.startswith(("<", "import error in ")) or "' object at " in failure.message  # pytest hides its monkeypatch's frames
        inside = not raised_in_test(failure) or hidden
        return failure.is_a("AttributeError", "ModuleNotFoundError", "ImportError") and inside

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """For each target in the failing file that names nothing."""
        src = ctx.source(failure.path)
        if src is None or src.tree is None or (failure.frames and failure.frames[-1].kind == "product"):
            return
        names = resolver(src, ctx)
        seen: set[str] = set()
        for call in ast.walk(src.tree):
            if not isinstance(call, ast.Call) or last_name(call.func) not in PATCHERS:
                continue
            for arg in call.args[:2]:
                if isinstance(arg, ast.Constant) and isinstance(arg.value, str) and arg.value not in seen and _meant(arg.value, failure.message):
                    seen.add(arg.value)
                    yield from self._target(arg.value, call, names, failure, ctx)

    def _target(self, value: str, call: ast.Call, names: Resolver, failure: Failure, ctx: Context) -> Iterator[Proposal]:
        classes = names.classes
        head, _, last = value.rpartition(".")
        if not head:
            ref = names.ref(call.args[0])
            head = ref.dotted if ref is not None and ref.kind in ("module", "class", "instance") else ""
            kind = "module" if ref is not None and ref.kind == "module" else "class"
            if not head:
                return
        else:
            kind = "module" if ctx.symbols.module_path(head) is not None else "class"
            if ctx.symbols.module_path(head) is None and classes.class_node(head) is None:
                yield from _taken_by_name(value, self.name, failure, ctx)
                yield from _moved_module(value, self.name, failure, ctx)
                return
        gone = Gone(head, kind, last)  # type: ignore[arg-type]
        past = history(gone, ctx)
        group = [failure, *(f for f in ctx.failures if f.nodeid != failure.nodeid and f.message == failure.message)]
        if (past is not None and past.former.definition.kind != "variable") or (past is not None and project_successors(gone, past, ctx)):
            for s in project_successors(gone, past, ctx):
                edits = Migration(gone, past.owner, s, group, ctx).run()
                if edits:
                    yield proposal(self.name, gone, s, edits, group, ctx)
            return
        found = [Successor(dotted, "moved", (fact,), True, 0.88) for dotted, fact in _imported_elsewhere(gone, ctx)]
        own = changes(ctx).is_product(names.classes.path(gone.owner))
        for s in found or ([] if own else library_successors(gone, ctx)):
            edits = Migration(gone, gone.owner, s, group, ctx).run()
            if edits:
                yield proposal(self.name, gone, s, edits, group, ctx)


def _taken_by_name(value: str, tactic: str, failure: Failure, ctx: Context) -> Iterator[Proposal]:
    """A target that went through a module which the product imported, and of which it imports the name itself now (``time.sleep``, ``sleep``)."""
    owner, _, through = value.rpartition(".")[0].rpartition(".")
    name = value.rpartition(".")[2]
    info = ctx.symbols.module(owner) if ctx.symbols.module_path(owner) is not None else None
    if info is None or through in info.definitions:
        return
    taken = [d for d in info.definitions.values() if d.kind == "import" and f".{d.origin}".endswith(f".{through}.{name}")]
    if len(taken) != 1:
        return
    new = f"{owner}.{taken[0].name}"
    edits = calls.Edits()
    for src in ctx.test_files_with(value):
        for node in ast.walk(src.tree) if src.tree is not None else ():
            if isinstance(node, ast.Constant) and node.value == value:
                calls.rename_string(edits.of(src), node, value, new)
    made = edits.all()
    if made:
        fact = Evidence("symbol", f"{owner} imports {name} from {taken[0].origin.rpartition('.')[0]} itself", f"{taken[0].path}:{taken[0].line}", 0.8)
        text = f"{value} is looked up as {new} now"
        alike = tuple(f.nodeid for f in ctx.failures if f.message == failure.message and f.nodeid != failure.nodeid)
        yield Proposal(
            STRATEGY, tactic, made, (fact,), Applicability.SAFE, text, (failure.nodeid, *alike), meaning=text, cause_key=f"target:{value}", score=0.88
        )  # fmt: skip


def _moved_module(value: str, tactic: str, failure: Failure, ctx: Context) -> Iterator[Proposal]:
    """A target in a module that git saw renamed."""
    for before, after in ctx.git.renames().items():
        if not (before.endswith(".py") and after.endswith(".py")) or ctx.files.read(after) is None:
            continue
        new = ctx.symbols.module_name(after)
        old_name = before[:-3].replace("/", ".").removesuffix(".__init__")
        for old in (old_name, old_name.removeprefix("src."), old_name.removeprefix("lib.")):
            if value.startswith(old + ".") and new != old:
                edits = calls.Edits()
                for src in ctx.test_files_with(old):
                    for node in ast.walk(src.tree) if src.tree is not None else ():
                        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith(old + "."):
                            calls.rename_string(edits.of(src), node, old, new)
                made = edits.all()
                if made:
                    fact = Evidence("git", f"git saw {before} renamed to {after}", after, 0.9)
                    text = f"{old} is now {new}"
                    yield Proposal(
                        STRATEGY,
                        tactic,
                        made,
                        (fact,),
                        Applicability.SAFE,
                        text,
                        (failure.nodeid,),
                        meaning=text,
                        cause_key=f"module:{old}",
                        score=0.92,
                    )
                return


def _imported_elsewhere(gone: Gone, ctx: Context) -> list[tuple[str, Evidence]]:
    """Where the product looks the name up now: a module that it reads the name from as an attribute, or the one module that imports it now."""
    if gone.kind != "module":
        return []
    known = changes(ctx)
    path = ctx.symbols.module_path(gone.owner)
    info = ctx.symbols.module(gone.owner)
    tree = ctx.symbols.tree(path) if path is not None else None
    if info is None or path is None or tree is None:
        return []
    found: dict[str, Evidence] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == gone.name and isinstance(node.value, ast.Name) and node.value.id in info.definitions:
            origin = info.definitions[node.value.id].origin
            if origin and (ctx.symbols.module_path(origin) is not None or ctx.live.module(origin) is not None):
                found[f"{origin}.{gone.name}"] = Evidence(
                    "symbol", f"{gone.owner} reads {gone.name} from {origin} itself now", f"{path}:{node.lineno}", 0.8
                )
    if found:
        return list(found.items()) if len(found) == 1 else []
    homes = [d for d in ctx.symbols.find(gone.name) if not d.is_test and d.module != gone.owner and d.kind == "import" and known.is_product(d.path)]
    if len(homes) == 1:
        d = homes[0]
        return [
            (f"{d.module}.{gone.name}", Evidence("symbol", f"{d.module} is the one module that imports {gone.name} now", f"{d.path}:{d.line}", 0.65))
        ]
    return []


def _meant(target: str, message: str) -> bool:
    """Whether an error speaks of a target: of its last name, or of a module on the way to it."""
    head, _, last = target.rpartition(".")
    parts = target.split(".")
    on_the_way = any(f"'{'.'.join(parts[:i])}' has no attribute '{parts[i]}'" in message for i in range(1, len(parts) - 1))
    return last in message or ("." in head and f"'{head}'" in message) or on_the_way
