"""``maestro-heal watch``: what a person, or with ``--json`` a program, sees of it."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from pytest_maestro_healer.commands.output import Output, is_tty
from pytest_maestro_healer.model import DecisionKind
from pytest_maestro_healer.report.text import Segment, clean, columns, count, cut, line, one_line
from pytest_maestro_healer.watch import loop
from pytest_maestro_healer.watch.board import Plan
from pytest_maestro_healer.watch.child import Project
from pytest_maestro_healer.watch.loop import Timing

__all__ = ["Timing", "watch_project"]
_WHY = {"cancelled": "stopped: files changed meanwhile", "stopped": "stopped", "error": "pytest gave no answer"}


def watch_project(
    out: Output,
    timing: Timing,
    *,
    folder: Path,
    root: Path,
    cache_dir: str,
    given: Path | None = None,
    arguments: Sequence[str] = (),
) -> int:
    """Watch the project at ``root``: pytest is started in ``folder`` with ``arguments``, with the rootdir ``given`` if there is one.

    Returns 0 when no test was left failing, 1 when one was, 2 when the last round came to no end, 130 when a signal ended the first one. Raises
    :class:`~pytest_maestro_healer.errors.HealerError` where the project cannot be watched.
    """
    loop.require_watchfiles()
    project = Project(Path(os.path.realpath(root)), folder, tuple(arguments), given)
    screen = _Screen(out, live=not out.json and is_tty(sys.stdout) and os.environ.get("TERM") != "dumb")
    with _terminal_kept(), contextlib.closing(screen):
        return loop.watch(lambda: loop.Watch(project, screen, timing, cache_dir=cache_dir, json=out.json))


class _Screen:
    """One line that is rewritten on a terminal, plain lines elsewhere, one JSON object for each round with ``--json``."""

    def __init__(self, out: Output, *, live: bool) -> None:
        self.out, self.live = out, live
        self._shown = ""
        self._told = ""

    def status(self, text: str) -> None:
        """What is going on."""
        text = one_line(text)
        if self.live:
            self._rewrite(text)
        elif text != self._told:
            # without a terminal each state is said once
            self.out.lines([f"maestro-heal: {text}"])
            self._flush()
        self._told = text

    def _rewrite(self, text: str) -> None:
        width = shutil.get_terminal_size().columns - 1
        text = cut(text, width) if columns(text) > width else text
        if text != self._shown:
            sys.stdout.write(f"\r\x1b[2K{text}")
            self._shown = text
            self._flush()

    def close(self) -> None:
        """Take the rewritten line away."""
        if self._shown:
            self._rewrite("")

    def say(self, text: str) -> None:
        """A line that stays."""
        self.close()
        self.out.lines([line(("maestro-heal: ", {"bold": True}), one_line(text))])
        self._flush()

    def begin(self, plan: Plan) -> None:
        """Pytest has the terminal now."""
        self._told = ""
        if plan.reason != "start":
            what = "heals applied to" if plan.reason == "heal" else "changed:"
            self.say(f"{what} {', '.join(plan.changed[:3])}{f' and {len(plan.changed) - 3} more' if len(plan.changed) > 3 else ''}; {_scope(plan)}")
        self.close()

    def end(self, done: loop.Round) -> None:
        """The round's summary."""
        if self.out.json:
            print(loop.document(done), flush=True)
            return
        self.close()
        counts = done.board.counts()
        parts: list[str | Segment] = [f"round {done.number}, {done.seconds:.1f} s: "]
        if done.status != "finished":
            parts += [(_WHY[done.status], {"yellow": True}), " (heals that were begun are written wholly, or not at all)" * (done.status != "error")]
        else:
            colours = {"passed": "green", "failed": "red", "healed": "green", "skipped": "yellow"}
            shown = [(f"{n} {name}", {colours.get(name, "yellow"): True}) for name, n in counts.items() if n]
            parts += [s for i, item in enumerate(shown) for s in ((", ", item) if i else (item,))] or ["no tests"]
            pending = [r for r in done.report.results if r.decision.kind is DecisionKind.PENDING]
            if pending:
                ready = pending[0].healing_id if len(pending) == 1 else "--all"
                parts += [f"; {count(len(pending), 'heal')} pending: maestro-heal accept {clean(ready)}"]
        self.out.lines([line(("maestro-heal: ", {"bold": True}), *parts)])
        self._flush()

    @staticmethod
    def _flush() -> None:
        sys.stdout.flush()


def _scope(plan: Plan) -> str:
    if plan.files is None:
        return f"all tests run ({plan.why})"
    return f"{count(len(plan.files), 'file')} affected"


@contextlib.contextmanager
def _terminal_kept() -> Iterator[None]:
    """The terminal is left as it was found, whatever a test or a debugger did to it."""
    try:
        import termios

        handle = sys.__stdin__.fileno() if sys.__stdin__ is not None and is_tty(sys.__stdin__) else -1
        modes = termios.tcgetattr(handle) if handle >= 0 else None
    except (ImportError, OSError, ValueError):
        modes = None
    try:
        yield
    finally:
        if modes is not None:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(handle, termios.TCSADRAIN, modes)
