"""Width and colours of the terminal, and the locale: what programs take from the variables of a shell."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterable

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.model import Applicability, Evidence, Failure, FailurePattern, Proposal
from pytest_maestro_healer.strategies.base import Tactic
from pytest_maestro_healer.strategies.environment_healing import examples_surroundings as examples
from pytest_maestro_healer.strategies.environment_healing.hints import ANSI, shown, squeezed, texts
from pytest_maestro_healer.strategies.environment_healing.isolate import Changes, Trial, advice, isolated, propose

_SWITCHES = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "PY_COLORS", "PYTHON_COLORS")
_BROKEN = frozenset({FailurePattern.ASSERTION_FAILURE, FailurePattern.ENVIRONMENT_ISSUE, FailurePattern.UNKNOWN})


class Terminal(Tactic):
    """Output that was wrapped or coloured for another terminal."""

    name = "terminal"
    summary = "Gives the test the terminal width, colour switches and terminal type that its expectations were written with"
    patterns = _BROKEN
    applicability = Applicability.SAFE
    evidence = ("experiment", "symbol")
    sources = (
        "https://docs.python.org/3/library/shutil.html#shutil.get_terminal_size",
        "https://no-color.org",
        "https://docs.python.org/3/using/cmdline.html#controlling-color",
    )
    heals = examples.TERMINAL_HEALS
    declines = examples.TERMINAL_DECLINES

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """The width or the switches with which the unhealed test passes."""
        if failure.phase == "collect" or not ctx.experiments.available:
            return
        compared = texts(failure)
        if ANSI.search(shown(failure)) or any(ANSI.search(t) for t in compared):
            yield from self._colour(failure, ctx, compared)
        broken = _wrapped(compared) or any("\n" in t or "..." in t or "…" in t for t in compared)
        asked = any(b"get_terminal_size" in ctx.symbols.read(p) or b"COLUMNS" in ctx.symbols.read(p) for p in ctx.variables.reachable(failure.path))
        if asked or _wrapped(compared) or (broken and "COLUMNS" in ctx.variables.implied(failure.path)):
            yield from self._width(failure, ctx, ("80", "100", "120", "160", "200", "79", "72") if broken else ("80", "120"))

    def _width(self, failure: Failure, ctx: Context, widths: tuple[str, ...]) -> Iterable[Proposal]:
        documented = {s.value: s for s in ctx.settings.values("COLUMNS")}
        trial = Trial(failure, ctx)
        here = ctx.environ.get("COLUMNS")
        found = trial.first({"COLUMNS": w} for w in (*documented, *widths) if w != here)
        if found is None:
            return
        width = found["COLUMNS"] or ""
        facts = [
            Evidence(
                "experiment", f"the test passes as it stands at {width} columns, and fails at {here or 'the width of this run'}", failure.path, 0.8
            )
        ]
        facts += [Evidence("docs", f"{documented[width].place}: COLUMNS={width}", documented[width].where, 0.6)] if width in documented else []
        safe = width == "80" or width in documented
        yield from self._made(trial, found, facts, f"the expected text is wrapped at {width} columns", safe)

    def _colour(self, failure: Failure, ctx: Context, compared: tuple[str, ...]) -> Iterable[Proposal]:
        trial = Trial(failure, ctx, clean=not any(n in {r.name for r in ctx.variables.read_by(failure.path)} for n in _SWITCHES))
        here = [n for n in (*_SWITCHES, "COLORTERM") if n in ctx.environ]
        plain: list[Changes] = [dict.fromkeys(here), {**dict.fromkeys(n for n in here if n != "NO_COLOR"), "NO_COLOR": "1"}, {"TERM": "dumb"}]
        bright: list[Changes] = [
            dict.fromkeys(n for n in here if n == "NO_COLOR"),
            {**dict.fromkeys(n for n in here if n == "NO_COLOR"), "FORCE_COLOR": "1"},
            {**dict.fromkeys(n for n in here if n == "NO_COLOR"), "FORCE_COLOR": "1", "TERM": "xterm-256color"},
            {**dict.fromkeys(n for n in here if n == "NO_COLOR"), "CLICOLOR_FORCE": "1", "TERM": "xterm-256color"},
        ]
        for changes in (c for c in (*plain, *bright) if c):
            if trial.works(changes):
                found = trial.minimal(changes)
                if found:
                    what = ", ".join(f"{k}={v}" if v is not None else f"no {k}" for k, v in found.items())
                    facts = [Evidence("experiment", f"the test passes as it stands with {what}, and fails without that", failure.path, 0.8)]
                    yield from self._made(trial, found, facts, f"the expected text has the colours of {what}", True)
                return

    def _made(self, trial: Trial, found: Changes, facts: list[Evidence], told: str, safe: bool) -> Iterable[Proposal]:
        group, ctx = trial.group(found), trial.ctx
        made = propose(
            self.name, group, ctx, lambda: isolated(group, ctx, found, why="The terminal that the expected texts were written for."),
            evidence=facts, explanation=told, meaning=" ".join(f"{k}={v}" for k, v in found.items()), safe=safe, score=0.85, clean=trial.clean,
        )  # fmt: skip
        if made is not None:
            yield made


def _wrapped(compared: tuple[str, ...]) -> bool:
    """Whether two texts differ in their line breaks and indentation only."""
    return len(compared) == 2 and compared[0] != compared[1] and squeezed(compared[0]) == squeezed(compared[1]) and any("\n" in t for t in compared)


class LocaleVariables(Tactic):
    """What :mod:`locale` and :mod:`gettext` take from the shell."""

    name = "locale_variables"
    summary = "Gives the test the locale that its expectations were written in, where the product asks the shell for one"
    patterns = _BROKEN
    applicability = Applicability.REVIEW
    evidence = ("experiment", "docs")
    sources = ("https://docs.python.org/3/library/locale.html", "https://docs.python.org/3/library/gettext.html#gettext.find")
    heals = examples.LOCALE_HEALS
    declines = examples.LOCALE_DECLINES

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """A locale under which the unhealed test passes, or the name of one that is not installed."""
        made = self._passing(failure, ctx) if failure.phase != "collect" and ctx.experiments.available else None
        if made is not None:
            yield made
        elif failure.is_a("locale.Error") and "unsupported locale" in failure.message:
            where = str(failure.location or "")
            name = _asked_for(failure.statement)
            text = (
                f"{f'the locale {name}' if name else 'a locale'} that {where or 'the test'} asks for is not installed: install it where the tests run"
            )
            yield advice(self.name, failure, text, [Evidence("value", f"{failure.message} ({where})", where, 0.85)])

    def _passing(self, failure: Failure, ctx: Context) -> Proposal | None:
        implied = ctx.variables.implied(failure.path)
        if "LC_ALL" not in implied and not failure.is_a("locale.Error"):
            return None
        documented = {s.value: s for name in ("LC_ALL", "LANG", "LANGUAGE") for s in ctx.settings.values(name)}
        trial = Trial(failure, ctx)
        gone = dict.fromkeys(n for n in ("LANGUAGE",) if n in ctx.environ)
        names = [n for n in (*documented, "C.UTF-8", "en_US.UTF-8", "C") if n != ctx.environ.get("LC_ALL")]
        found = trial.first({**gone, "LC_ALL": n} for n in names)
        if found is None:
            return None
        group, name = trial.group(found), found["LC_ALL"] or ""
        facts = [Evidence("experiment", f"the test passes as it stands under LC_ALL={name}, and fails without", implied.get("LC_ALL", ""), 0.8)]
        facts += [Evidence("docs", f"{documented[name].place} names {name}", documented[name].where, 0.6)] if name in documented else []
        return propose(
            self.name, group, ctx, lambda: isolated(group, ctx, found, why="The locale that the expected texts were written in."),
            evidence=facts, explanation=f"the expectations hold in the locale {name}", meaning=f"the locale is {name}",
            safe=name in documented, score=0.75, clean=trial.clean,
        )  # fmt: skip


def _asked_for(statement: str) -> str:
    """The locale that a statement sets, ``""`` where it does not stand there."""
    with contextlib.suppress(SyntaxError, ValueError):
        for node in ast.walk(ast.parse(statement.strip())):
            if isinstance(node, ast.Call) and last_name(node.func) == "setlocale" and len(node.args) == 2:
                given = node.args[1]
                return given.value if isinstance(given, ast.Constant) and isinstance(given.value, str) else ""
    return ""
