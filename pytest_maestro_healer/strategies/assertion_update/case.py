"""What all tactics share: which side was expected, where it was written, and a proposal out of splices."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_maestro_healer.edit.guards.values import looks_nondeterministic
from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.errors import EditError
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.evidence.nodeids import has_params, without_params
from pytest_maestro_healer.model import Applicability, Comparison, Edit, Evidence, Failure, Operand, Proposal, Value
from pytest_maestro_healer.strategies.assertion_update import intent
from pytest_maestro_healer.strategies.assertion_update.matching import literal_is, text_of
from pytest_maestro_healer.strategies.assertion_update.render import Writer, plain_of
from pytest_maestro_healer.strategies.assertion_update.strings import Splice
from pytest_maestro_healer.strategies.assertion_update.trace import Origin, Tracer
from pytest_maestro_healer.strategies.assertion_update.tree import loop_of, node_at
from pytest_maestro_healer.strategies.dependency_fix.editor import insertion

STRATEGY_NAME = "assertion_update"
#: Raised in the test itself these mean that a call no longer fits: a contract changed, and the assertion is not the cause.
CONTRACT = ("AttributeError", "TypeError", "NameError", "ImportError")


@dataclass
class Change:
    """Edits of one failure with what they say."""

    splices: dict[SourceFile, list[Splice]] = field(default_factory=dict)
    imports: dict[SourceFile, list[str]] = field(default_factory=dict)

    def add(self, src: SourceFile, splices: Iterable[Splice], imports: Iterable[str] = ()) -> None:
        """Take over splices for one file; equal ones count once."""
        mine = self.splices.setdefault(src, [])
        mine += [s for s in splices if s not in mine]
        needed = self.imports.setdefault(src, [])
        needed += [i for i in imports if i not in needed]

    def edits(self) -> tuple[Edit, ...] | None:
        """As edits; ``None`` where nothing changes or two overlap."""
        out: list[Edit] = []
        for src, splices in self.splices.items():
            mine = [src.replace(s.start, s.end, s.text) for s in splices if src.text[s.start : s.end] != s.text]
            tree = src.tree
            for line in self.imports.get(src, ()) if tree is not None else ():
                mine.append(src.insert(*insertion(src, tree or ast.Module([], []), line)))
            try:
                healed = src.with_edits(mine)
            except EditError:
                return None
            if not src.path.endswith(".py") or (healed.syntax_error is None and healed.data != src.data):
                out += mine
        return tuple(out) or None


@dataclass(frozen=True)
class Sides:
    """The two operands by what they mean, and the origin of the expected one."""

    expected: Operand
    actual: Operand
    origin: Origin


def sides_of(failure: Failure, tracer: Tracer, comparison: Comparison) -> Sides | None:
    """Which operand was expected: the one that was written down; ``None`` where both or neither were."""
    first = comparison.operand("left", "actual", "member")
    second = comparison.operand("right", "expected", "container")
    if first is None or second is None:
        return None
    found = [(o, origin_of(o, tracer)) for o in (first, second)]
    written = [(o, g) for o, g in found if g is not None and _fits(g, o.value)]
    if len(written) == 2:
        direct = [(o, g) for o, g in written if g.via == "literal"]
        named = [(o, g) for o, g in written if (o.source or "").split(".")[-1].lower().startswith(("expect", "want", "exp_", "correct", "desired"))]
        written = direct if len(direct) == 1 else named
        roles = [(o, g) for o, g in found if o.role == "expected" and g is not None]
        written = written or roles
    if len(written) != 1:
        return None
    expected, origin = written[0]
    if origin is None:
        return None
    return Sides(expected, second if expected is first else first, origin)


def origin_of(operand: Operand, tracer: Tracer) -> Origin | None:
    """Where an operand's value was written."""
    src = tracer.ctx.source(operand.location.path) if operand.location else None
    node = node_at(src, operand.location) if src else None
    return tracer.trace(node, src, operand.value) if src and isinstance(node, ast.expr) else None


def _fits(origin: Origin, value: Value) -> bool:
    """That the literal found is what was compared (nothing changed it on the way)."""
    if not value.source:
        return True
    try:
        ast.literal_eval(origin.node)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return True  # partly computed: the edit itself checks
    return literal_is(origin.node, origin.written(value) or value) or value.type not in (
        "str",
        "bytes",
        "int",
        "float",
        "bool",
        "NoneType",
        "list",
        "tuple",
        "dict",
        "set",
    )


def in_test_frame(failure: Failure) -> bool:
    """Whether the exception came out of the test's own line, not out of product code."""
    return bool(failure.frames) and failure.frames[-1].kind == "test"


def contract_changed(failure: Failure) -> bool:
    """A call that no longer fits, raised in test code: not an assertion's matter."""
    return failure.is_a(*CONTRACT) and in_test_frame(failure) and not failure.statement.lstrip().startswith("raise")


def degenerate(value: Value) -> bool:
    """Values that a broken product returns: nothing, empty, not a number, an exception object."""
    plain = plain_of(value) or value
    return plain.source in ("None", "''", "[]", "()", "{}", "set()", "b''", "NotImplemented", 'float("nan")') or _is_exception(plain)


def _is_exception(value: Value) -> bool:
    return value.source is None and len(value.keys) == 1 and value.keys[0].source == "'args'"


def subjects(source: str | None) -> list[str]:
    """The names of what an expression calls, outermost first."""
    try:
        tree = ast.parse((source or "").strip(), mode="eval")
    except SyntaxError:
        return []
    return [n for c in ast.walk(tree) if isinstance(c, ast.Call) and (n := last_name(c.func))]


_MACHINE = re.compile(r"site-packages|dist-packages|/home/\w|/Users/\w|[A-Z]:\\\\Users|/\.?venv/|/root/")


def volatile(old: str, new: str, ctx: Context | None = None) -> str | None:
    """Why the new value cannot be pinned: it is of this moment, or of this machine."""
    found = _MACHINE.search(new)
    if found and not _MACHINE.search(old):
        return f"{found[0]!r} is a place on this machine"
    if ctx is not None and len(str(ctx.root)) > 4 and str(ctx.root) in new and str(ctx.root) not in old:
        return f"{str(ctx.root)!r} is where the project stands on this machine"
    return looks_nondeterministic(new)


def also_used(sides: Sides, failure: Failure) -> str:
    """Why the name that holds the expected value cannot be given another one: it is an input too, or was compared before."""
    name = (sides.expected.source or "").split(".")[0].split("[")[0]
    where = sides.expected.location
    src = sides.origin.src
    if not name.isidentifier() or where is None or sides.origin.via == "literal":
        return ""
    names = {n.id for n in ast.walk(_expression(sides.actual.source)) if isinstance(n, ast.Name)}
    if name in names and name not in ("self", "cls"):
        return f"{name} is part of what is checked, not only what is expected"
    if where.path != src.path or failure.comparison is None or name in ("self", "cls"):
        return ""
    line = failure.comparison.location.line if failure.comparison.location else where.line
    body = next((f for f in ast.walk(src.tree or ast.Module([], [])) if _holds(f, line)), None)
    for statement in ast.walk(body) if body else ():
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)) or not isinstance(statement, ast.stmt) or _compound(statement):
            continue
        loads = [n for n in ast.walk(statement) if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load)]
        if not loads or statement.lineno >= line or _is_print(statement):
            continue
        if _is_check(statement):
            return f"{name} is compared at line {statement.lineno} too, and held there"
        return f"{name} is used at line {statement.lineno} too, not only as the expected value"
    return ""


def _expression(source: str | None) -> ast.AST:
    try:
        return ast.parse((source or "").strip(), mode="eval")
    except SyntaxError:
        return ast.Module([], [])


def _holds(node: ast.AST, line: int) -> bool:
    return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.lineno <= line <= (node.end_lineno or node.lineno)


def _compound(node: ast.stmt) -> bool:
    return isinstance(node, (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.ClassDef))


def _is_print(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and last_name(node.value.func) in ("print", "pprint")


def _is_check(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assert) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and last_name(node.value.func).lower().startswith("assert")
    )


def alike(failure: Failure, ctx: Context) -> list[Failure]:
    """All failures of the same assertion: this one, other parameter sets, other tests that share the place."""
    place = failure.comparison.location if failure.comparison else None
    out = [failure]
    for other in ctx.failures:
        if other.nodeid != failure.nodeid and other.comparison is not None and other.comparison.location == place and other.phase == failure.phase:
            out.append(other)
    return out


def siblings_passed(failure: Failure, ctx: Context) -> list[str]:
    """Other parameter sets of the same test that pass."""
    base = without_params(failure.nodeid)
    return [n for n in ctx.passed if has_params(failure.nodeid) and has_params(n) and without_params(n) == base]


def one_site_many_values(failure: Failure, ctx: Context, origin: Origin) -> str:
    """Why one literal cannot hold what is wanted here, ``""`` where it can."""
    if origin.row:
        return ""
    loop = loop_of(origin.src, origin.node)
    if loop is not None and not isinstance(loop, ast.While):
        return f"the expected value at {origin.where} stands inside a loop: one literal for the values of every round"
    if origin.via == "helper default":
        return f"the expected value at {origin.where} is a helper's default, which all its callers share"
    passed = siblings_passed(failure, ctx)
    if passed and origin.via in ("literal", "local variable"):
        return f"the expected value at {origin.where} serves every parameter set, and {passed[0]} passes with it: it needs a row of its own"
    return ""


def advice(tactic: str, failure: Failure, text: str, evidence: Sequence[Evidence] = (), key: str = "") -> Proposal:
    """A proposal without an edit."""
    return Proposal(
        STRATEGY_NAME,
        tactic,
        (),
        tuple(evidence),
        Applicability.ADVICE,
        text,
        (failure.nodeid,),
        cause_key=key or f"advice:{tactic}:{failure.nodeid}",
        advice=text,
        score=0.2,
    )


@dataclass
class Finding:
    """What goes into a proposal besides the edits."""

    tactic: str
    change: Change
    failures: Sequence[Failure]
    explanation: str
    meaning: str
    key: str
    evidence: list[Evidence]
    facts: list[Evidence] = field(default_factory=list)
    score: float = 0.5
    safe: bool = False


def proposal(finding: Finding) -> Proposal | None:
    """The proposal, ``None`` where the edits do not work out. Safe only where the product's change and an example of the very call say so."""
    edits = finding.change.edits()
    if edits is None:
        return None
    kinds = {e.kind for e in finding.facts}
    # a pattern stands for a part of the message: nobody can tell from facts which part the author would have kept
    safe = finding.safe or (finding.tactic != "exception_message" and intent.outright(finding.facts))
    return Proposal(
        STRATEGY_NAME,
        finding.tactic,
        edits,
        (*finding.evidence, *finding.facts),
        Applicability.SAFE if safe else Applicability.REVIEW,
        finding.explanation,
        tuple(dict.fromkeys(f.nodeid for f in finding.failures)),
        meaning=finding.meaning,
        cause_key=finding.key,
        score=min(0.95, finding.score + 0.15 * len(kinds)),
    )


def writer_for(src: SourceFile, failure: Failure, told: Mapping[str, str] | None = None) -> Writer:
    """A writer that knows which module the file is, and which texts of this run have a name there."""
    return Writer(src, failure.module if src.path == failure.path else "", told)


def facts_for(ctx: Context, failure: Failure, old: Value, new: Value, actual: str | None) -> list[Evidence]:
    """Corroboration of a change from one captured value to another."""
    a, b = text_of(old), text_of(new)
    before = a if a is not None else old.source or old.repr
    after = b if b is not None else new.source or new.repr
    return intent.corroboration(ctx, failure, before, after, subjects(actual), actual or "", new.source or new.repr)


def shorten(text: str, size: int = 80) -> str:
    """One line for a sentence."""
    flat = " ".join(text.split())
    return flat if len(flat) <= size else flat[: size - 3] + "..."
