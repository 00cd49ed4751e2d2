"""Results that are looked at before they can be there: a missing await, join, or turn of the event loop."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.errors import EditError
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.experiments import Observation
from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.model import Applicability, Diagnosis, Evidence, Failure, FailurePattern, Follows, Proposal
from pytest_maestro_healer.strategies.base import Tactic
from pytest_maestro_healer.strategies.environment_healing.paths import parents
from pytest_maestro_healer.strategies.environment_healing.place import Place, failing_function, statement_at, test_function
from pytest_maestro_healer.strategies.environment_healing.writer import Writer, free_name
from pytest_maestro_healer.strategies.timing_adjustment import examples_unawaited as examples
from pytest_maestro_healer.strategies.timing_adjustment.build import advice, proposal
from pytest_maestro_healer.strategies.timing_adjustment.conditions import wanted
from pytest_maestro_healer.strategies.timing_adjustment.handed import handed_out
from pytest_maestro_healer.strategies.timing_adjustment.measure import (
    LEAST,
    MARGIN,
    bound,
    evidence,
    group,
    known,
    measured,
    proof,
    runs,
    seconds,
    slower_than_before,
    written,
)
from pytest_maestro_healer.strategies.timing_adjustment.sleeps import PATIENCE, STAYS, sleeps_before

_PATTERNS = frozenset({FailurePattern.ASSERTION_FAILURE, FailurePattern.API_CHANGE, FailurePattern.UNKNOWN, FailurePattern.FLAKY_BEHAVIOR})
_CONCURRENT = (
    b"threading",
    b"asyncio",
    b"concurrent",
    b"multiprocessing",
    b"create_task",
    b"ensure_future",
    b"call_soon",
    b"call_later",
    b"Popen",
    b"anyio",
)
#: How long something that goes on in the background is given to show.
_NEAR = 0.3
_SPAWN = {"create_task", "ensure_future", "start_soon", "submit"}


class MissingAwait(Tactic):
    """A coroutine compared or used instead of its result."""

    name = "missing_await"
    summary = "Awaits a coroutine whose result the test looks at"
    patterns = _PATTERNS
    applicability = Applicability.SAFE
    follows = Follows.AWAITING
    evidence = ("value", "symbol")
    sources = ("https://docs.python.org/3/library/asyncio-dev.html#detect-never-awaited-coroutines",)
    heals = (*examples.AWAIT_HEALS, *examples.HELPER_HEALS)
    declines = examples.AWAIT_DECLINES

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """Where a coroutine shows in the message or among the operands."""
        operands = failure.comparison.operands if failure.comparison else ()
        text = failure.message + str(failure.exc_attrs.get("obj_type", ""))
        return "coroutine" in text or any("coroutine" in o.value.type or "<coroutine" in o.value.repr for o in operands)

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """``await`` in an async test, ``asyncio.run`` in another."""
        place = failing_function(failure, ctx) or test_function(failure, ctx)
        failing = statement_at(place, failure.location.line) if place and failure.location else None
        if place is None or failing is None:
            return
        found = list(_coroutines(place, failing, ctx)) or list(_in_helpers(place, ctx))
        if len(found) != 1:
            return
        call, where = found[0]
        writer = Writer(place.src)
        text = place.src.segment(call)
        tree = place.src.tree or place.node
        home = max((f for f in ast.walk(tree) if _is_function(f) and _holds(f, call)), key=lambda f: f.lineno, default=place.node)
        asynchronous = isinstance(home, ast.AsyncFunctionDef)
        if asynchronous:
            up = parents(tree)
            bare = not isinstance(up.get(call), (ast.Attribute, ast.Subscript, ast.Call, ast.Await))
            writer.replace_node(call, f"await {text}" if bare or not _is_base(call, up) else f"(await {text})")
        else:
            writer.replace_node(call, f"{writer.module('asyncio')}.run({text})")
        name = ast.unparse(call.func)
        facts = [
            Evidence("symbol", f"{name} is defined with async def", where, 0.6),
            Evidence("value", "a coroutine object is used", str(failure.location), 0.6),
        ]
        made = proposal(
            self.name, [failure], ctx, writer, evidence=facts, explanation=f"{name}(...) is a coroutine: without await it never runs",
            meaning=f"the result of {name} is meant", safe=asynchronous, score=0.85,
        )  # fmt: skip
        if made is not None:
            yield made


def _is_function(node: ast.AST) -> bool:
    return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))


def _holds(function: ast.AST, call: ast.Call) -> bool:
    return any(n is call for n in ast.walk(function))


def _is_base(call: ast.Call, up: dict[ast.AST, ast.AST]) -> bool:
    """Whether the call is what an attribute, a subscript or another call is applied to."""
    outer = up.get(call)
    return (isinstance(outer, (ast.Attribute, ast.Subscript)) and outer.value is call) or (isinstance(outer, ast.Call) and outer.func is call)


def _coroutines(place: Place, failing: ast.stmt, ctx: Context, *, alone: bool = False) -> Iterator[tuple[ast.Call, str]]:
    """Calls of async functions without await: in the failing statement, or in what a name in it was set to."""
    names = {n.id for n in ast.walk(failing) if isinstance(n, ast.Name)}
    statements = [failing] + [
        s
        for s in ast.walk(place.node)
        if not alone and isinstance(s, ast.Assign) and s.lineno < failing.lineno and any(isinstance(t, ast.Name) and t.id in names for t in s.targets)
    ]
    for statement in statements:
        awaited = {id(n.value) for n in ast.walk(statement) if isinstance(n, ast.Await)}
        inside = {
            id(a)
            for n in ast.walk(statement)
            if isinstance(n, ast.Call)
            for a in n.args
            if last_name(n.func) in (*_SPAWN, "run", "wait_for", "gather", "wait")
        }
        for call in ast.walk(statement):
            if isinstance(call, ast.Call) and id(call) not in awaited | inside and (where := _async_definition(call, place, ctx)):
                yield call, where


def _in_helpers(place: Place, ctx: Context) -> Iterator[tuple[ast.Call, str]]:
    """The same in the async functions of this file that the test calls."""
    called = {last_name(c.func) for c in ast.walk(place.node) if isinstance(c, ast.Call)}
    for helper in ast.walk(place.src.tree or place.node):
        if isinstance(helper, ast.AsyncFunctionDef) and helper.name in called:
            for statement in helper.body:
                yield from _coroutines(Place(place.src, helper, "other"), statement, ctx, alone=True)


def _async_definition(call: ast.Call, place: Place, ctx: Context) -> str:
    """Where the called function is defined with ``async def``; ``""`` where it is not, or where another of that name is not async."""
    name, found = last_name(call.func), ""
    for path in ctx.variables.reachable(place.src.path):
        tree = ctx.symbols.tree(path) if path != place.src.path else place.src.tree
        for node in ast.walk(tree) if tree is not None else ():
            if isinstance(node, ast.AsyncFunctionDef) and node.name == name:
                found = found or f"{path}:{node.lineno}"
            elif isinstance(node, ast.FunctionDef) and node.name == name:
                return ""
    return found


class MissingJoin(Tactic):
    """A thread, task or future that was started, and whose effect is looked at without waiting for it."""

    name = "missing_join"
    summary = "Waits for the thread, task or future that a test has started before it looks at what that does"
    patterns = _PATTERNS
    applicability = Applicability.SAFE
    evidence = ("timing",)
    sources = (
        "https://docs.python.org/3/library/threading.html#threading.Thread.join",
        "https://docs.python.org/3/library/asyncio-task.html#task-object",
    )
    heals = examples.JOIN_HEALS
    declines = examples.JOIN_DECLINES

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """Assertions and errors of the test itself."""
        return failure.phase == "call" and (not failure.frames or failure.frames[-1].kind in ("test", "stdlib", "third_party"))

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """The one thing started and not waited for."""
        place = failing_function(failure, ctx) or test_function(failure, ctx)
        failing = statement_at(place, failure.location.line) if place and failure.location else None
        if place is None or failing is None or not ctx.experiments.available or next(iter(sleeps_before(place, failing)), None):
            return
        waits = _waits(place, failing, ctx)
        if len(waits) != 1:
            return
        make, what = waits[0]
        try:
            data, _ = measured(failure, ctx, {place.src.path: place.src.with_edits(make(place, failing, PATIENCE).edits()).data})
        except EditError:
            return
        if data is None:
            return
        became = slower_than_before(failure, ctx, data.median)
        limit = bound(data.longest)
        fact = evidence(data, f"{written(limit)} s", f"limit = {MARGIN:g} times the longest, at least {LEAST:g} s", str(failure.location))
        if became and became.told:  # what was there at once is not any more, however short the wait
            yield advice(self.name, failure, f"the product began to work in the background: {became.text}", [fact])
            return
        under, rate = proof(failure, ctx)
        if rate == 0.0:
            return
        made = proposal(
            self.name, [failure], ctx, make(place, failing, limit), evidence=[fact, *([became.fact] if became else [])],
            explanation=f"{what} is started and not waited for",
            meaning=f"{what} has ended", safe=became is None, score=0.9, proof=under,
        )  # fmt: skip
        if made is not None:
            yield made


class _Wait:
    """Makes the waiting statement for one started thing."""

    def __init__(self, name: str, kind: str, statement: ast.stmt, many: str = "") -> None:
        self.name, self.kind, self.statement, self.many = name, kind, statement, many

    def __call__(self, place: Place, failing: ast.stmt, limit: float) -> Writer:
        writer = Writer(place.src)
        top = _top(place, failing, self.statement)
        name = self.name
        if self.kind == "thread" and self.many:
            indent = "    "
            writer.before(top, [f"for {name} in {self.many}:", f"{indent}{name}.join(timeout={written(limit)})"])
        elif self.kind == "thread":
            writer.before(top, [f"{name}.join(timeout={written(limit)})"])
        elif self.kind == "future":
            writer.before(top, [f"{name}.result(timeout={written(limit)})"])
        else:
            if not name:
                name = free_name(place.src, "task", "started")
                writer.replace(place.src.span(self.statement)[0], place.src.span(self.statement)[0], f"{name} = ")
            writer.before(top, [f"await {writer.module('asyncio')}.wait_for({name}, timeout={written(limit)})"])
        return writer


def _top(place: Place, failing: ast.stmt, started: ast.stmt) -> ast.stmt:
    """The statement that holds ``failing`` in the block in which the thing was started."""
    for node in ast.walk(place.node):
        for part in ("body", "orelse", "finalbody"):
            block: Sequence[ast.stmt] = getattr(node, part, None) or []
            if isinstance(block, list) and started in block:
                inside: ast.stmt | None = next((s for s in block if s.lineno <= failing.lineno <= (s.end_lineno or 0)), None)
                if inside is not None:
                    return inside
    raise EditError("started in another block")


def _waits(place: Place, failing: ast.stmt, ctx: Context) -> list[tuple[_Wait, str]]:
    """What the function starts before the failing statement without any waiting for it."""
    text = "\n".join(ast.unparse(s) for s in ast.walk(place.node) if isinstance(s, ast.stmt) and s is not place.node and s.lineno < failing.lineno)
    out: list[tuple[_Wait, str]] = []
    for s in (n for n in ast.walk(place.node) if isinstance(n, ast.stmt) and n is not place.node and n.lineno < failing.lineno):
        call = s.value if isinstance(s, (ast.Expr, ast.Assign)) else None
        if isinstance(s, ast.For) and isinstance(s.target, ast.Name) and isinstance(s.iter, ast.Name):
            if any(f"{s.target.id}.start()" == ast.unparse(x) for x in s.body) and ".join(" not in text:
                out.append((_Wait(s.target.id, "thread", s, s.iter.id), f"every thread of {s.iter.id}"))
            continue
        if not isinstance(call, ast.Call):
            continue
        last = last_name(call.func)
        if last == "start" and isinstance(s, ast.Expr) and isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
            name = call.func.value.id
            made = any(
                isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == name and "hread" in ast.unparse(n.value) for n in ast.walk(place.node)
            )
            if made and f"{name}.join(" not in text:
                out.append((_Wait(name, "thread", s), f"the thread {name}"))
        elif last in _SPAWN:
            name = s.targets[0].id if isinstance(s, ast.Assign) and isinstance(s.targets[0], ast.Name) else ""
            if (name and any(f"{w}{name}" in text for w in ("await ", "wait_for(", "gather("))) or (name and f"{name}.result(" in text):
                continue
            if last == "submit" and name:
                out.append((_Wait(name, "future", s), f"the future {name}"))
            elif last in ("create_task", "ensure_future") and isinstance(place.node, ast.AsyncFunctionDef):
                out.append((_Wait(name, "task", s), f"the task {name}".strip()))
        elif isinstance(s, ast.Assign) and isinstance(s.targets[0], ast.Name) and (kind := handed_out(last, place.src, ctx)):
            name = s.targets[0].id
            if not any(f"{name}.{w}(" in text for w in ("join", "result", "is_alive", "done")):
                out.append((_Wait(name, kind, s), f"the {kind} {name}"))
    return out


class MissingWait(Tactic):
    """Something that runs in the background of the product, looked at at once."""

    name = "missing_wait"
    summary = "Polls for what the product does in the background, where the test looks at it without giving it time"
    patterns = _PATTERNS
    applicability = Applicability.SAFE
    evidence = ("timing",)
    sources = ("https://docs.python.org/3/library/asyncio-eventloop.html#asyncio.loop.call_soon",)
    heals = examples.WAIT_HEALS
    declines = examples.WAIT_DECLINES

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """Assertions of the test itself."""
        return failure.phase == "call" and failure.is_a("AssertionError")

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """A poll before the assertion, where what it waits for comes and stays."""
        place = failing_function(failure, ctx) or test_function(failure, ctx)
        failing = statement_at(place, failure.location.line) if place and failure.location else None
        if place is None or failing is None or not ctx.experiments.available or not _concurrent(place, ctx):
            return
        if known(failure, ctx).too_short:
            return  # it does give it time, and says how much: more of that heals it
        condition = wanted(failing, place.src, {})
        if condition is None or not condition.looks or next(iter(sleeps_before(place, failing)), None) or _waits(place, failing, ctx):
            return
        awaited = isinstance(place.node, ast.AsyncFunctionDef)
        near = _run(failure, ctx, place.src, _poll(place, failing, condition.negative, _NEAR, awaited))
        if near is None or not near.passed:
            yield from self._changing(failure, near)
            return
        polled = _poll(place, failing, condition.negative, PATIENCE, awaited)
        data, _ = measured(failure, ctx, {place.src.path: place.src.with_edits(polled.edits()).data})
        if data is None or not _stays(failure, ctx, place, failing, STAYS * data.longest):
            return
        became = slower_than_before(failure, ctx, data.median)
        limit = bound(data.longest)
        fact = evidence(data, f"{written(limit)} s", f"deadline = {MARGIN:g} times the longest, at least {LEAST:g} s", str(failure.location))
        if became and became.told:
            yield advice(
                self.name, failure, f"the product began to work in the background: {became.text}, now after up to {seconds(data.longest)}", [fact]
            )
            return
        under, rate = proof(failure, ctx)
        if rate == 0.0:
            return
        made = proposal(
            self.name, group(failure, ctx, [failing.lineno]), ctx, _poll(place, failing, condition.negative, limit, awaited), evidence=[fact],
            explanation=f"the test looks at once at what the product does in the background within {seconds(data.longest)}",
            meaning=f"wait until {condition.positive}", safe=ctx.git.available and became is None and not promised(place, ctx), score=0.7,
            proof=under,
        )  # fmt: skip
        if made is not None:
            yield made

    def _changing(self, failure: Failure, later: Observation | None) -> Iterable[Proposal]:
        """What was looked at too early and becomes something else than is expected: its value at that moment means nothing."""
        before, after = _shown(failure), _shown(later.failure) if later is not None and later.failure is not None else None
        if before is None or after is None or before == after:
            return
        text = (
            f"looked at too early: it is {' and '.join(before)} at once and {' and '.join(after)} within {seconds(_NEAR)}, "
            f"which is not what the test expects either: what the product does in the background, or the expectation, is wrong"
        )
        fact = Evidence("timing", f"with {seconds(_NEAR)} of time the values compared are others", str(failure.location), 0.6)
        yield advice(self.name, failure, text, [fact])


def _shown(failure: Failure) -> tuple[str, ...] | None:
    """The values that were compared, as source; ``None`` where one has none."""
    texts = [o.value.source for o in failure.comparison.operands] if failure.comparison is not None else []
    return tuple(t for t in texts if t is not None) if texts and None not in texts else None


def _stays(failure: Failure, ctx: Context, place: Place, failing: ast.stmt, length: float) -> bool:
    """Whether what the poll saw still holds some time later: else it was on its way to something else."""
    pause = Writer(place.src)
    nap = f"await {pause.module('asyncio')}.sleep" if isinstance(place.node, ast.AsyncFunctionDef) else f"{pause.module('time')}.sleep"
    pause.before(failing, [f"{nap}({min(PATIENCE, max(0.1, length)):.3g})"])
    seen = _run(failure, ctx, place.src, pause)
    return seen is not None and seen.passed


def _run(failure: Failure, ctx: Context, src: SourceFile, writer: Writer) -> Observation | None:
    try:
        return next(iter(runs(failure, ctx, {src.path: src.with_edits(writer.edits()).data}, 1)), None)
    except EditError:
        return None


def _poll(place: Place, failing: ast.stmt, negative: str, limit: float, awaited: bool) -> Writer:
    writer = Writer(place.src)
    clock = writer.imported("time", "monotonic")
    nap = f"await {writer.module('asyncio')}.sleep(0.01)" if awaited else f"{writer.imported('time', 'sleep')}(0.01)"
    name = free_name(place.src, "deadline", "wait_until")
    writer.before(failing, [f"{name} = {clock}() + {written(limit)}", f"while {negative} and {clock}() < {name}:", f"    {nap}"])
    return writer


#: What a docstring says that a caller need not wait for.
_PROMISES = re.compile(
    r"(?i)\b(?:returns?|blocks?|blocking|waits?|waiting|gives? back|comes? back)\b[^.]{0,40}?"
    r"\b(?:when|until|till|once|after|as soon as|ready|done|finished|complete)\b"
)


def promised(place: Place, ctx: Context) -> bool:
    """Whether something that the test calls promises, in its docstring, to come back only when it is done: that it does not is its own fault."""
    called = {last_name(n.func) for n in ast.walk(place.node) if isinstance(n, ast.Call)}
    for path in ctx.variables.reachable(place.src.path):
        tree = ctx.symbols.tree(path) if not ctx.is_test_code(path) else None
        for node in ast.walk(tree) if tree is not None else ():
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name in called and _PROMISES.search(ast.get_docstring(node) or ""):
                return True
    return False


def _concurrent(place: Place, ctx: Context) -> bool:
    return any(word in ctx.symbols.read(p) for p in ctx.variables.reachable(place.src.path)[:60] for word in _CONCURRENT)
