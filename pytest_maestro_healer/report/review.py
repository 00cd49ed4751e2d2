"""The interactive review: one heal after the other, one key each.

It decides nothing by itself and touches no file: questions, output and the editor are callables, the answer is a
:class:`ReviewOutcome`, and whoever called it applies that. Until then nothing is written, so leaving at any moment loses nothing.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_maestro_healer.edit.diff import unified
from pytest_maestro_healer.errors import HealerError
from pytest_maestro_healer.evidence.redact import shown
from pytest_maestro_healer.model import Decision, DecisionKind, FileChange, HealingResult, ProofStep, Verdict
from pytest_maestro_healer.report import card
from pytest_maestro_healer.report.text import Line, and_more, clean, count, line, one_line, paint

Ask = Callable[[str], str]
Out = Callable[[str], None]
Edit = Callable[[HealingResult], "bytes | HealingResult | None"]

PROMPT = "accept, reject, skip, edit, diff, evidence, quit [a,r,s,e,d,i,q,?] "
HELP = """\
  a  accept this heal                 A  accept it and all that remain
  r  reject it, never propose again   R  reject it and all that remain
  s  skip it, leave it pending        S  skip it and all that remain
  e  edit the healed file first       d  show the diff again
  i  show the evidence and the proof  ?  show this help
  q  quit: what is decided counts, the rest stays pending"""

_FATES = {"a": "accepted", "r": "rejected", "s": "skipped"}


@dataclass(frozen=True)
class ReviewOutcome:
    """What was decided; ``skipped`` holds those left pending too when the review was ``quit``. Edited heals are in their edited form."""

    accepted: tuple[HealingResult, ...] = ()
    rejected: tuple[HealingResult, ...] = ()
    skipped: tuple[HealingResult, ...] = ()
    quit: bool = False


def review(results: Sequence[HealingResult], *, ask: Ask, out: Out, color: bool = False, edit: Edit | None = None) -> ReviewOutcome:
    """Go through ``results`` and ask for a decision on each.

    ``ask`` shows a prompt and returns the answer (EOFError and KeyboardInterrupt mean quit), ``out`` prints one line. ``edit`` lets the user
    change the first healed file: it returns the new bytes (the heal is then marked as not proved), a result of its own (re-proved), or
    ``None`` for no change; a :class:`~pytest_maestro_healer.errors.HealerError` it raises is shown. Heals without changes are left out.
    """
    todo = [r for r in results if r.changes]
    return _Review(todo, ask, out, color, edit).run()


class _Review:
    def __init__(self, todo: list[HealingResult], ask: Ask, out: Out, color: bool, edit: Edit | None) -> None:
        self.todo, self.ask, self.out, self.color, self.edit = todo, ask, out, color, edit
        self.fates: dict[str, list[HealingResult]] = {"accepted": [], "rejected": [], "skipped": []}

    def run(self) -> ReviewOutcome:
        left = False
        at = 0
        while at < len(self.todo):
            key = self._one(at)
            if key == "q":
                left = True
                self.fates["skipped"] += self.todo[at:]
                break
            chosen = self.todo[at:] if key.isupper() else self.todo[at : at + 1]
            self.fates[_FATES[key.lower()]] += chosen
            at += len(chosen)
        self._close(left)
        done = {fate: tuple(heals) for fate, heals in self.fates.items()}
        return ReviewOutcome(done["accepted"], done["rejected"], done["skipped"], quit=left)

    def _one(self, at: int) -> str:
        """Show heal number ``at`` and ask until the answer decides: a, r, s, A, R, S or q."""
        self._print([line((f"Reviewing [{at + 1}/{len(self.todo)}] ", {"bold": True}), *card.head(shown(self.todo[at])))])
        self._print(card.why(shown(self.todo[at])))
        self._print(card.diff(shown(self.todo[at]).diff))
        while True:
            try:
                key = self.ask(PROMPT).strip()
            except (EOFError, KeyboardInterrupt):
                self.out("")
                return "q"
            if key in ("q", "Q"):
                return "q"
            if key.lower() in _FATES:
                return key
            try:
                self._other(key, at)
            except KeyboardInterrupt:
                self.out("")

    def _other(self, key: str, at: int) -> None:
        if key in ("d", "D"):
            self._print(card.diff(shown(self.todo[at]).diff))
        elif key in ("i", "I"):
            self._print(card.evidence(shown(self.todo[at])))
        elif key in ("e", "E"):
            self._edit(at)
        else:
            if key and key != "?":
                self.out(f"  {clean(key)!r} is not a key")
            self.out(HELP)

    def _edit(self, at: int) -> None:
        before = self.todo[at]
        if self.edit is None:
            self.out("  editing is not possible here")
            return
        try:
            answer = self.edit(before)
        except HealerError as exc:
            self.out(f"  not edited: {one_line(str(exc))}")
            return
        after = edited(before, answer) if isinstance(answer, bytes) else answer
        if after is None or after.changes == before.changes:
            self.out("  not changed")
            return
        if not after.changes:
            self.out("  the edited file equals the present one; skip or reject the heal instead")
            return
        self.todo[at] = after
        self._print(card.diff(shown(after).diff))
        self.out("  " + one_line(after.decision.rule or "edited"))

    def _close(self, left: bool) -> None:
        for fate, color in (("accepted", "green"), ("rejected", "red"), ("skipped", "yellow")):
            heals = self.fates[fate]
            if heals:
                self._print([line((f"{fate}:", {color: True, "bold": True}))])
            for r in map(shown, heals):
                first, more = and_more(r.nodeids or (r.test_id,))
                self.out(f"  {clean(r.healing_id)}  {clean(first)}{more}")
        if left:
            self.out(f"quit: {count(len(self.fates['skipped']), 'heal stays', 'heals stay')} pending")

    def _print(self, rows: Iterable[Line]) -> None:
        for row in rows:
            self.out(paint(row, self.color))


def edited(result: HealingResult, data: bytes) -> HealingResult:
    """``result`` with ``data`` as its first healed file, marked as edited and not proved."""
    first, *rest = result.changes
    changes = [FileChange.of(first.path, first.before_bytes, data), *rest]
    changes = [c for c in changes if c.before != c.after]
    diff = "".join(unified(c.path, c.before_bytes, c.after_bytes) for c in changes)
    rule = "edited by hand, not proved"
    step = ProofStep("edited", None, rule)
    return replace(
        result,
        changes=tuple(changes),
        diff=diff,
        healed_code=data.decode("utf-8", "surrogateescape") if result.healed_code else "",
        verdict=Verdict((step,)),
        validation_results={},
        decision=Decision(DecisionKind.PENDING, rule),
    )


def open_editor(result: HealingResult) -> bytes | None:
    """Let the user edit the first healed file in ``$VISUAL`` or ``$EDITOR`` on a private copy outside the project.

    Returns the new bytes, ``None`` when they are unchanged. Raises :class:`~pytest_maestro_healer.errors.HealerError` when no editor is set or
    it fails.
    """
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR") or next((e for e in ("editor", "nano", "vi", "notepad") if shutil.which(e)), "")
    if not command:
        raise HealerError("no editor is set; set EDITOR")
    try:
        words = shlex.split(command, posix=os.name == "posix")
    except ValueError as exc:
        raise HealerError(f"EDITOR is malformed ({exc})") from exc
    change = result.changes[0]
    with tempfile.TemporaryDirectory(prefix="maestro-heal-") as folder:
        copy = Path(folder, f"healed-{Path(change.path).name}")
        try:
            copy.write_bytes(change.after_bytes)
            done = subprocess.run([*words, str(copy)], check=False)
            data = copy.read_bytes()
        except (OSError, ValueError) as exc:
            raise HealerError(f"{words[0] if words else command}: {exc}") from exc
    if done.returncode:
        raise HealerError(f"{words[0]} ended with status {done.returncode}")
    return None if data == change.after_bytes else data
