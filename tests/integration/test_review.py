"""The interactive review, key by key."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_maestro_healer.errors import HealerError
from pytest_maestro_healer.model import Decision, DecisionKind, Evidence, HealingResult, ProofStep, Verdict
from pytest_maestro_healer.report.review import HELP, ReviewOutcome, edited, open_editor, review
from tests.apply_helpers import Project, heal, heal_number, numbered

SOURCE = numbered()
HEALS = [heal_number(SOURCE, i) for i in range(1, 6)]


class Screen:
    """Answers for a review, and what it printed. An answer may be an exception to raise."""

    def __init__(self, *answers: str | type[BaseException]) -> None:
        self.answers = list(answers)
        self.lines: list[str] = []

    def ask(self, prompt: str) -> str:
        self.lines.append(prompt)
        answer = self.answers.pop(0)
        if isinstance(answer, str):
            return answer
        raise answer

    def run(
        self,
        heals: list[HealingResult] = HEALS,
        edit: Callable[[HealingResult], bytes | HealingResult | None] | None = None,
        color: bool = False,
    ) -> ReviewOutcome:
        outcome = review(heals, ask=self.ask, out=self.lines.append, color=color, edit=edit)
        assert not self.answers, "not every answer was asked for"
        decided = [*outcome.accepted, *outcome.rejected, *outcome.skipped]
        assert sorted(r.healing_id for r in decided) == sorted(r.healing_id for r in heals if r.changes), "a heal was lost"
        return outcome

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def ids(results: tuple[HealingResult, ...]) -> list[int]:
    known = [h.healing_id for h in HEALS]
    return [known.index(r.healing_id) + 1 for r in results]


def test_each_heal_by_itself() -> None:
    screen = Screen("a", "r", "s", "a", "s")
    outcome = screen.run()
    assert (ids(outcome.accepted), ids(outcome.rejected), ids(outcome.skipped), outcome.quit) == ([1, 4], [2], [3, 5], False)
    assert "Reviewing [2/5] " + HEALS[1].healing_id in screen.text
    assert "+    assert f(2) == 102" in screen.text
    closing = screen.text[screen.text.rindex("accepted:") :]
    assert closing.index(HEALS[3].healing_id) < closing.index("rejected:") < closing.index("skipped:")


@pytest.mark.parametrize(("key", "field"), [("A", "accepted"), ("R", "rejected"), ("S", "skipped")])
def test_capitals_take_all_that_remain(key: str, field: str) -> None:
    outcome = Screen("a", "r", key).run()
    assert set(range(3, 6)) <= set(ids(getattr(outcome, field)))
    assert not outcome.quit


@pytest.mark.parametrize("leave", ["q", "Q", KeyboardInterrupt, EOFError])
def test_leaving_loses_nothing(leave: str | type[BaseException]) -> None:
    screen = Screen("a", "r", leave)
    outcome = screen.run()
    assert (ids(outcome.accepted), ids(outcome.rejected), ids(outcome.skipped), outcome.quit) == ([1], [2], [3, 4, 5], True)
    assert "3 heals stay pending" in screen.text


def test_help_unknown_and_empty_answers_ask_again() -> None:
    screen = Screen("?", "zz", "", "  a ", "S")
    assert ids(screen.run().accepted) == [1]
    assert screen.text.count(HELP) == 3
    assert "'zz' is not a key" in screen.text


def test_every_key_is_in_the_help() -> None:
    for key in "arsediq?ARS":
        assert f"  {key}  " in "  " + HELP


def test_diff_and_evidence_on_request() -> None:
    full = replace(HEALS[0], evidence=(Evidence("git", "changed on purpose", "shop.py:3"),))
    screen = Screen("d", "i", "s")
    screen.run([full])
    assert screen.text.count("+    assert f(1) == 101") == 2
    assert "evidence: git: changed on purpose (shop.py:3)" in screen.text
    assert "proof: rerun passed" in screen.text


def test_evidence_where_there_is_none() -> None:
    screen = Screen("i", "s")
    screen.run([replace(HEALS[0], verdict=Verdict(), decision=Decision(DecisionKind.PENDING, ""))])
    assert "no evidence was recorded" in screen.text


def test_edited_bytes_are_marked_as_not_proved() -> None:
    data = SOURCE.replace(b"f(1) == 1\n", b"f(1) == 55\n")
    screen = Screen("e", "a")
    (result,) = screen.run([HEALS[0]], edit=lambda _: data).accepted
    assert result.changes[0].after_bytes == data
    assert result.changes[0].before_bytes == SOURCE
    assert not result.verdict.proved
    assert "+    assert f(1) == 55" in screen.text
    assert "edited by hand, not proved" in screen.text


def test_reproved_edit_is_taken_as_it_is() -> None:
    again = replace(edited(HEALS[0], SOURCE.replace(b"f(1) == 1\n", b"f(1) == 55\n")), verdict=Verdict((ProofStep("rerun", True),)))
    (result,) = Screen("e", "a").run([HEALS[0]], edit=lambda _: again).accepted
    assert result == again


@pytest.mark.parametrize("answer", [None, HEALS[0].changes[0].after_bytes])
def test_unchanged_edit(answer: bytes | None) -> None:
    screen = Screen("e", "a")
    assert screen.run([HEALS[0]], edit=lambda _: answer).accepted == (HEALS[0],)
    assert "not changed" in screen.text


def test_edit_back_to_the_present_file_is_no_heal() -> None:
    screen = Screen("e", "s")
    assert screen.run([HEALS[0]], edit=lambda _: SOURCE).skipped == (HEALS[0],)
    assert "skip or reject" in screen.text


def test_edit_that_fails_or_is_interrupted() -> None:
    def fails(_: HealingResult) -> bytes:
        raise HealerError("vi: not found")

    def interrupted(_: HealingResult) -> bytes:
        raise KeyboardInterrupt

    for edit in (fails, interrupted, None):
        screen = Screen("e", "a")
        assert screen.run([HEALS[0]], edit=edit).accepted == (HEALS[0],)
    assert "editing is not possible here" in screen.text


def test_edit_of_one_file_of_several() -> None:
    both = heal(dict.fromkeys(("test_a.py", "test_b.py"), (SOURCE, HEALS[0].changes[0].after_bytes)))
    result = edited(both, b"x = 1\n")
    assert [c.after_bytes for c in result.changes] == [b"x = 1\n", HEALS[0].changes[0].after_bytes]
    assert result.diff.count("+++ b/") == 2


def test_results_without_changes_are_not_asked_about() -> None:
    assert Screen().run([replace(HEALS[0], changes=())]) == ReviewOutcome()


def test_control_characters_are_shown() -> None:
    evil = "\x1b[2J\x07\u202e"
    bad = replace(
        HEALS[0], explanation=evil, diff=f"+{evil}\n", nodeids=(f"t::{evil}",), evidence=(Evidence(evil, evil, evil),), alternatives=(evil,)
    )
    screen = Screen("i", "d", evil, "a")
    screen.run([bad], color=True)
    assert "\x1b[2J" not in screen.text
    assert "\x07" not in screen.text
    assert "\u202e" not in screen.text
    assert "\\x1b[2J" in screen.text


def test_colour() -> None:
    screen = Screen("s")
    screen.run([HEALS[0]], color=True)
    assert "\x1b[32m+    assert f(1) == 101\x1b[0m" in screen.text


# -- the editor ------------------------------------------------------------------------------------------------
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    script = tmp_path / "my editor.py"
    script.write_text(f"import sys, pathlib\np = pathlib.Path(sys.argv[-1])\n{code}\n")
    monkeypatch.delenv("VISUAL", raising=False)
    quote = '"' if os.name == "nt" else "'"
    monkeypatch.setenv("EDITOR", f"{sys.executable} {quote}{script}{quote} --wait")


def test_editor_gets_a_copy_outside_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = Project(tmp_path)
    log = tmp_path / "log"
    editor(tmp_path, monkeypatch, f"pathlib.Path({str(log)!r}).write_text(str(p)); p.write_bytes(p.read_bytes() + b'# \\xff\\r\\n')")
    assert open_editor(HEALS[0]) == HEALS[0].changes[0].after_bytes + b"# \xff\r\n"
    copy = Path(log.read_text())
    assert project.root not in copy.parents
    assert copy.name == "healed-test_a.py"
    assert not copy.exists()
    assert project.read() == SOURCE


def test_editor_without_a_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor(tmp_path, monkeypatch, "")
    assert open_editor(HEALS[0]) is None


@pytest.mark.parametrize(
    ("code", "words"),
    [("p.write_bytes(b'x'); sys.exit(3)", "status 3"), ("p.unlink()", "No such file")],
)
def test_editor_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, words: str) -> None:
    editor(tmp_path, monkeypatch, code)
    with pytest.raises(HealerError, match=words):
        open_editor(HEALS[0])


@pytest.mark.parametrize("command", ["/no/such/editor", "'unclosed"])
def test_editor_that_cannot_start(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setenv("VISUAL", command)
    with pytest.raises(HealerError):
        open_editor(HEALS[0])


def test_no_editor_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VISUAL", "EDITOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(HealerError, match="set EDITOR"):
        open_editor(HEALS[0])
