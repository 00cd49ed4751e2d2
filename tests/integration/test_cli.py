"""The command line: what it prints, what it writes, its exit codes."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pytest_maestro_healer
from pytest_maestro_healer.commands.root import find_root, rootdir
from pytest_maestro_healer.errors import ConfigError
from pytest_maestro_healer.model import Evidence, HealingResult, Verdict
from tests.apply_helpers import PROVED, Cli, Done, Project, commands, heal, heal_number, numbered

SOURCE = numbered()
ONE, TWO, THREE = (heal_number(SOURCE, i) for i in (1, 2, 3))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    p = Project(tmp_path)
    p.write({"pytest.ini": b"[pytest]\nheal_cache_dir = ../cache\n"})
    monkeypatch.chdir(p.root)
    for name in ("NO_COLOR", "FORCE_COLOR", "PY_COLORS"):
        monkeypatch.delenv(name, raising=False)
    return p


@pytest.fixture
def cli(project: Project, capfd: pytest.CaptureFixture[str]) -> Cli:
    return commands(capfd)


def one_line(done: Done, *words: str) -> None:
    """An error: exit code 2, nothing on stdout, exactly one line on stderr."""
    assert done.code == 2
    assert done.out == ""
    assert done.err.startswith("maestro-heal: ")
    assert done.err.count("\n") == 1
    for word in words:
        assert word in done.err


# -- list, show, diff ------------------------------------------------------------------------------------------
def test_empty_project(cli: Cli, project: Project) -> None:
    done = cli("list")
    assert (done.code, done.err) == (0, "")
    assert "0 heals pending" in done.out
    assert not project.cache.exists()


def test_list_ends_in_the_next_commands(cli: Cli, project: Project) -> None:
    project.store.save_pending([ONE, TWO])
    done = cli("list")
    assert done.code == 1
    assert f"maestro-heal accept {ONE.healing_id}" in done.out
    assert "maestro-heal accept --all" in done.out
    assert str(project.store.patch) in done.out
    assert "test_a.py::test_2" in done.out


def test_list_as_json(cli: Cli, project: Project) -> None:
    project.store.save_pending([ONE, TWO])
    cli("accept", ONE.healing_id)
    project.write({"test_a.py": b"edited\n"})
    data = cli("list", "--json").json
    assert [e["healing_id"] for e in data["applied"]] == [ONE.healing_id]
    assert [(e["healing_id"], e["files"]) for e in data["pending"]] == [(TWO.healing_id, ["test_a.py"])]
    assert "changed since" in data["pending"][0]["stale"]
    assert "changes" not in data["pending"][0]


def test_show_has_evidence_proof_and_diff(cli: Cli, project: Project) -> None:
    full = replace(ONE, evidence=(Evidence("git", "f returns one more since abc1234", "shop.py:3"),))
    project.store.save_pending([full])
    done = cli("show", ONE.healing_id[:5])
    assert done.code == 0
    for text in ("evidence: git: f returns one more since abc1234 (shop.py:3)", "proof: fresh passed", "+    assert f(1) == 101"):
        assert text in done.out
    assert HealingResult.from_dict(cli("--json", "show", ONE.healing_id).json).changes == ONE.changes


def test_show_an_applied_heal(cli: Cli, project: Project) -> None:
    project.store.apply([ONE])
    done = cli("show", ONE.healing_id)
    assert "state: applied" in done.out
    assert "+    assert f(1) == 101" in done.out


def test_show_what_would_be_written_and_not_what_a_bundle_claims(cli: Cli, project: Project) -> None:
    project.store.save_pending([replace(ONE, diff="+ harmless\n")])
    assert "harmless" not in cli("show", ONE.healing_id).out


@pytest.mark.parametrize("args", [(), (ONE.healing_id, TWO.healing_id), (ONE.healing_id,)])
def test_diff_into_git_apply(project: Project, args: tuple[str, ...]) -> None:
    source = b"\xef\xbb\xbf" + SOURCE.replace(b"\n", b"\r\n") + b"# \xff no newline"
    project.write({"test_a.py": source})
    heals = [heal({"test_a.py": (source, source.replace(b"f(%d) == %d" % (i, i), b"f(%d) == %d" % (i, i + 100)))}, f"t::{i}") for i in (1, 2)]
    project.store.save_pending(heals)
    ids = [{ONE.healing_id: heals[0], TWO.healing_id: heals[1]}[a].healing_id for a in args]
    done = subprocess.run([sys.executable, "-m", "pytest_maestro_healer", "diff", *ids], cwd=project.root, capture_output=True, check=True)
    subprocess.run(["git", "apply", "-"], input=done.stdout, cwd=project.root, check=True)
    wanted = source.replace(b"f(1) == 1", b"f(1) == 101")
    assert project.read() == (wanted if len(args) == 1 else wanted.replace(b"f(2) == 2", b"f(2) == 102"))


def test_git_apply_of_the_saved_patch(project: Project) -> None:
    path = project.store.save_pending([ONE, TWO]).with_suffix(".patch")
    subprocess.run(["git", "apply", str(path)], cwd=project.root, check=True)
    assert project.read() == SOURCE.replace(b"== 1\n", b"== 101\n").replace(b"== 2\n", b"== 102\n")
    assert project.store.entries() == []


# -- accept, reject, rollback ----------------------------------------------------------------------------------
def test_accept_one_then_the_rest(cli: Cli, project: Project) -> None:
    project.store.save_pending([ONE, TWO, THREE])
    done = cli("accept", ONE.healing_id)
    assert done.code == 1
    assert f"applied  {ONE.healing_id}  test_a.py" in done.out
    assert "2 heals pending" in done.out
    done = cli("accept", "--all")
    assert done.code == 0
    assert project.read().count(b"== 10") == 3
    assert cli("list").code == 0


def test_accept_says_what_was_not_freshly_confirmed(cli: Cli, project: Project) -> None:
    project.store.save_pending([replace(ONE, verdict=Verdict(PROVED.steps[:2])), TWO])
    done = cli("accept", "--all")
    assert done.code == 0
    assert done.err.count("not confirmed in a fresh process") == 1
    assert ONE.healing_id in done.err


def test_accept_of_a_stale_heal_fails(cli: Cli, project: Project) -> None:
    project.store.save_pending([ONE])
    project.write({"test_a.py": b"edited\n"})
    done = cli("accept", ONE.healing_id)
    assert done.code == 1
    assert "stale" in done.err
    assert project.read() == b"edited\n"
    done = cli("accept", "--all")
    assert done.code == 1
    assert "is skipped: test_a.py changed" in done.err


def test_reject_is_remembered(cli: Cli, project: Project) -> None:
    project.store.save_pending([ONE, TWO])
    assert cli("reject", ONE.healing_id).code == 1
    assert cli("reject", "--all").code == 0
    assert project.store.was_rejected(ONE)
    assert project.read() == SOURCE


def test_rollback_by_id_and_last(cli: Cli, project: Project) -> None:
    project.store.save_pending([ONE, TWO, THREE])
    cli("accept", ONE.healing_id)
    cli("accept", TWO.healing_id, THREE.healing_id)
    assert cli("rollback", "--last").out.count("rolled back") == 2
    assert project.read() == ONE.changes[0].after_bytes
    assert cli("rollback", ONE.healing_id).code == 0
    assert project.read() == SOURCE
    one_line(cli("rollback", "--last"), "nothing is applied")


def test_rollback_of_several_goes_newest_first(cli: Cli, project: Project) -> None:
    later = heal_number(ONE.changes[0].after_bytes.replace(b"f(1) == 101", b"f(1) == 1"), 1)
    assert later.changes == ONE.changes
    second = heal({"test_a.py": (ONE.changes[0].after_bytes, ONE.changes[0].after_bytes.replace(b"== 101", b"== 7"))})
    project.store.apply([ONE])
    project.store.apply([second])
    assert cli("rollback", ONE.healing_id, second.healing_id).code == 0
    assert project.read() == SOURCE


def test_rollback_refuses_an_edited_file(cli: Cli, project: Project) -> None:
    project.store.apply([ONE])
    project.write({"test_a.py": b"mine\n"})
    done = cli("rollback", "--last")
    assert done.code == 1
    assert "changed since" in done.err
    assert project.read() == b"mine\n"


@pytest.mark.parametrize("command", ["accept", "reject", "rollback"])
def test_outcomes_as_json(cli: Cli, project: Project, command: str) -> None:
    project.store.save_pending([ONE, TWO])
    if command == "rollback":
        project.store.accept([ONE.healing_id])
    data = cli(command, ONE.healing_id, "--json").json
    assert data["outcomes"] == [
        {
            "healing_id": ONE.healing_id,
            "status": {"accept": "applied", "reject": "rejected", "rollback": "rolled_back"}[command],
            "message": "",
            "files": ["test_a.py"],
        }
    ]
    assert data["pending"] == [TWO.healing_id]


def test_interrupted_apply_is_repaired_by_any_command(cli: Cli, project: Project) -> None:
    project.write({"test_b.py": SOURCE})
    both = heal(dict.fromkeys(("test_a.py", "test_b.py"), (SOURCE, ONE.changes[0].after_bytes)))
    project.store.apply([both])
    (entry,) = project.store.folder.glob("journal/*.json")
    entry.write_bytes(entry.read_bytes().replace(b'"state": "done"', b'"state": "begun"'))
    project.write({"test_b.py": SOURCE})
    done = cli("list")
    assert "interrupted apply" in done.err
    assert project.read() == SOURCE


# -- errors ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("args", "word"),
    [
        ((), "no command"),
        (("accept",), "either IDs or --all"),
        (("accept", "--all", "h-1"), "either IDs or --all"),
        (("rollback",), "either IDs or --last"),
        (("nonsense",), "invalid choice"),
        (("list", "--wrong"), "unrecognized"),
        (("show",), "required"),
        (("show", "h-none"), "no heal 'h-none'"),
        (("accept", "h-none"), "no heal 'h-none'"),
        (("reject", "h-none"), "no heal 'h-none'"),
        (("rollback", "h-none"), "no heal 'h-none'"),
        (("-C", "missing", "list"), "missing is not a folder"),
        (("--root", "missing", "list"), "is not a folder"),
    ],
)
def test_errors_are_one_line(cli: Cli, project: Project, args: tuple[str, ...], word: str) -> None:
    project.store.save_pending([ONE])
    one_line(cli(*args), word)


@pytest.mark.parametrize(
    ("args", "near"),
    [(("lst",), "list"), (("acept", "--all"), "accept"), (("list", "--jsn"), "--json"), (("watch", "--round", "x"), ""), (("zzz",), "")],
)
def test_a_mistyped_command_or_option_is_told_the_nearest(cli: Cli, project: Project, args: tuple[str, ...], near: str) -> None:
    done = cli(*args)
    one_line(done, f"did you mean {near}?" if near else "(see maestro-heal")
    assert ("did you mean" in done.err) == bool(near)


def test_ambiguous_prefix(cli: Cli, project: Project) -> None:
    project.store.save_pending([ONE, TWO])
    one_line(cli("accept", "h-"), "not unique", ONE.healing_id, TWO.healing_id)
    assert project.read() == SOURCE


def test_newer_bundle_is_an_error_and_stays(cli: Cli, project: Project) -> None:
    path = project.store.save_pending([ONE])
    path.write_bytes(path.read_bytes().replace(b'"schema": 1', b'"schema": 9', 1))
    one_line(cli("list"), "newer", "schema 9")
    assert path.exists()


def test_corrupt_bundle_is_said_and_set_aside(cli: Cli, project: Project) -> None:
    path = project.store.save_pending([ONE])
    path.write_bytes(b"\x00")
    done = cli("list")
    assert "set aside" in done.err
    assert "Traceback" not in done.err
    assert not path.exists()


def test_unwritable_cache_is_one_line(cli: Cli, project: Project) -> None:
    project.store.save_pending([ONE])
    if os.name != "posix":
        pytest.skip("mode bits")
    project.store.folder.chmod(0o777)
    one_line(cli("accept", "--all"), "writable by everybody")
    assert project.read() == SOURCE


def test_broken_configuration_is_one_line(cli: Cli, project: Project) -> None:
    project.write({"pytest.ini": b"[pytest\n"})
    one_line(cli("list"), "pytest.ini")


def test_control_characters_are_shown_not_sent(cli: Cli, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    evil = "\x1b]0;owned\x07\x1b[2J\u202e\r"
    after = SOURCE.replace(b"f(1) == 1", b"f(1) == '\x1b[31m'")
    bad = replace(
        heal({"test_a.py": (SOURCE, after)}, f"test_a.py::{evil}"), healing_id="h-" + evil, explanation=evil, tactic=evil, alternatives=(evil,)
    )
    project.store.save_pending([bad])
    monkeypatch.setenv("FORCE_COLOR", "1")
    for command in (["list"], ["show", bad.healing_id], ["diff"], ["review"], ["accept", "--all"], ["list"], ["rollback", "--last"]):
        done = cli(*command)
        for code in ("\x1b]", "\x07", "\x1b[2J", "\u202e", "\r", "'\x1b[31m'"):
            assert code not in done.out + done.err, (command, code)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=80) | st.recursive(st.none() | st.integers() | st.text(max_size=5), st.lists).map(lambda v: json.dumps(v).encode()))
def test_any_bundle_bytes(cli: Cli, project: Project, data: bytes) -> None:
    path = project.store.save_pending([ONE])
    path.write_bytes(data)
    for command in ("list", "diff", "review"):
        done = cli(command)
        assert done.code in (0, 1, 2)
        assert "Traceback" not in done.err
    for old in path.parent.glob("pending.json*"):
        old.unlink()


# -- colour ----------------------------------------------------------------------------------------------------
def test_colour_follows_the_environment(cli: Cli, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.store.save_pending([ONE])
    assert "\x1b[" not in cli("list").out
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[32m+    assert f(1) == 101" in cli("diff").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in cli("diff").out


def test_colour_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    from pytest_maestro_healer.commands.output import use_color

    class Tty:
        def isatty(self) -> bool:
            return True

    for name in ("NO_COLOR", "FORCE_COLOR", "PY_COLORS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert use_color(Tty())  # type: ignore[arg-type]
    monkeypatch.setenv("TERM", "dumb")
    assert not use_color(Tty())  # type: ignore[arg-type]


# -- doors and root --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("module", ["pytest_maestro_healer", "pytest_maestro_healer.cli"])
def test_python_dash_m(project: Project, module: str) -> None:
    done = subprocess.run([sys.executable, "-m", module, "--version"], capture_output=True, text=True, cwd=project.root)
    assert (done.returncode, done.stdout) == (0, f"maestro-heal {pytest_maestro_healer.__version__}\n")


def test_closed_pipe_is_quiet(project: Project) -> None:
    project.store.save_pending([ONE])
    command = [sys.executable, "-m", "pytest_maestro_healer", "list"]
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(command, cwd=project.root, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert done.stderr == ""


def test_neither_pytest_nor_libcst_is_imported(project: Project) -> None:
    project.store.save_pending([ONE])
    code = (
        "import sys; from pytest_maestro_healer.cli import main; main(['list']); main(['accept', '--all']); main(['rollback', '--last']);"
        "print(sorted({'pytest', '_pytest', 'libcst'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=project.root, check=True)
    assert done.stdout.endswith("[]\n")


def test_help_and_version_exit_with_zero(cli: Cli) -> None:
    assert "exit codes" in cli("--help").out
    assert cli("accept", "--help").code == 0
    assert cli("--version").code == 0
    assert "PYTEST ARGUMENTS" in cli("run", "--help").out


def test_demo_gets_its_arguments(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    import pytest_maestro_healer.demo

    seen: list[list[str]] = []
    monkeypatch.setattr(pytest_maestro_healer.demo, "run_demo", lambda argv: seen.append(list(argv)) or 1)
    assert cli("demo", "--keep", "x", "--apply").code == 1
    assert seen == [["--keep", "x", "--apply"]]


def test_run_starts_pytest_with_healing(cli: Cli, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[list[str], Path]] = []

    def call(command: list[str], folder: Path, stdout: int | None) -> int:
        calls.append((command[1:], folder))
        return codes.pop(0)

    monkeypatch.setattr("pytest_maestro_healer.commands.run._call", call)
    codes = [0, 1, 4]
    assert cli("run").code == 0
    assert cli("-C", "..", "run", "--", "-k", "x", "--json").code == 1
    assert cli("--root", ".", "run", "-q", "test_a.py").code == 2
    assert [c[0] for c in calls] == [
        ["-m", "pytest", "--heal"],
        ["-m", "pytest", "--heal", "-k", "x", "--json"],
        ["-m", "pytest", "--heal", f"--rootdir={project.root}", "-q", "test_a.py"],
    ]
    assert calls[1][1] == Path("..")


def test_C_and_root(cli: Cli, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.store.save_pending([ONE])
    monkeypatch.chdir(project.root.parent)
    assert cli("list").code == 0
    assert cli("-C", "project", "list").code == 1
    assert cli("list", "--root", "project").code == 1


@pytest.mark.parametrize(
    ("files", "start", "root"),
    [
        ({"pytest.ini": ""}, "a/b", "."),
        ({"pytest.ini": "", "a/tox.ini": "[tox]\n"}, "a/b", "."),
        ({"pytest.ini": "", "a/tox.ini": "[pytest]\n"}, "a/b", "a"),
        ({"a/setup.cfg": "[tool:pytest]\n", "setup.py": ""}, "a/b", "a"),
        ({"a/pyproject.toml": "[tool.pytest.ini_options]\n", "setup.cfg": "[tool:pytest]\n"}, "a/b", "a"),
        ({"a/pyproject.toml": "[tool.black]\n", "setup.cfg": "[tool:pytest]\n"}, "a/b", "."),
        ({"a/pyproject.toml": "[tool.black]\n", "setup.cfg": "[metadata]\n"}, "a/b", "a"),
        ({"pyproject.toml": '[tool.pytest.ini_options]\naddopts = "-q"\n', "a/setup.py": ""}, "a/b", "."),
        ({"setup.py": ""}, "a/b", "."),
        ({"a/setup.py": ""}, "a/b", "a"),
        ({"a/.pytest.ini": "[pytest]\n"}, "a/b", "a"),
        ({}, "a/b", "a/b"),
    ],
)
def test_root_is_pytests_rootdir(tmp_path: Path, files: dict[str, str], start: str, root: str) -> None:
    from _pytest.config.findpaths import determine_setup

    (tmp_path / "a" / "b").mkdir(parents=True)
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    old = Path.cwd()
    os.chdir(tmp_path / start)
    try:
        theirs = determine_setup(inifile=None, args=[], rootdir_cmd_arg=None, invocation_dir=Path.cwd(), **_override())[0]
    finally:
        os.chdir(old)
    assert rootdir(tmp_path / start)[0] == theirs == (tmp_path / root).resolve() == (tmp_path / root)


def _override() -> dict[str, Any]:
    import inspect

    from _pytest.config.findpaths import determine_setup

    return {"override_ini": None} if "override_ini" in inspect.signature(determine_setup).parameters else {}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pytest.ini", "[pytest]\nheal_cache_dir = .state\n"),
        ("tox.ini", "[pytest]\nheal_cache_dir = .state\n"),
        ("setup.cfg", "[tool:pytest]\nheal_cache_dir = .state\n"),
        ("pyproject.toml", '[tool.pytest.ini_options]\nheal_cache_dir = ".state"\n'),
        ("pyproject.toml", '[tool.pytest]\nheal_cache_dir = ".state"\n'),
        ("pytest.toml", '[pytest]\nheal_cache_dir = ".state"\n'),
    ],
)
def test_cache_dir_is_read_from_every_kind_of_configuration(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert rootdir(tmp_path) == (tmp_path, ".state")


def test_root_falls_back_to_a_folder_with_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pytest started in the top folder with arguments has another rootdir than a command in a sub-folder would find."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    project = Project(tmp_path)
    (project.root / "sub").mkdir()
    assert find_root(project.root / "sub")[0] == project.root / "sub"
    from pytest_maestro_healer.apply.store import Store

    Store(project.root).save_pending([ONE])
    assert find_root(project.root / "sub")[0] == project.root


@pytest.mark.parametrize("text", ["[tool.pytest", "\x00", "a = = 1"])
def test_unreadable_toml_is_a_config_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(ConfigError, match=r"pyproject\.toml"):
        rootdir(tmp_path)


# -- review ----------------------------------------------------------------------------------------------------
def test_review_without_a_terminal_writes_nothing(cli: Cli, project: Project) -> None:
    project.store.save_pending([ONE, TWO])
    done = cli("review")
    assert done.code == 1
    assert "[2/2]" in done.out
    assert f"maestro-heal accept {TWO.healing_id}" in done.out
    assert project.read() == SOURCE


def test_review_on_a_terminal(cli: Cli, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.store.save_pending([ONE, TWO, THREE])
    answers = iter(["a", "r", "q"])
    monkeypatch.setattr("pytest_maestro_healer.commands.heals.is_tty", lambda _: True)
    monkeypatch.setattr("builtins.input", lambda _: next(answers))
    done = cli("review")
    assert done.code == 1
    assert project.read() == ONE.changes[0].after_bytes
    assert project.store.was_rejected(TWO)
    assert [r.healing_id for r in project.store.pending()] == [THREE.healing_id]


@pytest.mark.skipif(os.name == "nt", reason="pseudo-terminals")
@pytest.mark.parametrize("leave", [b"q\n", b"\x03", b"\x04"])
def test_review_on_a_real_terminal(project: Project, leave: bytes) -> None:
    import pty

    project.store.save_pending([ONE, TWO])
    main_end, other_end = pty.openpty()
    command = [sys.executable, "-m", "pytest_maestro_healer", "review"]
    child = subprocess.Popen(
        command, cwd=project.root, stdin=other_end, stdout=other_end, stderr=other_end, env={**os.environ, "TERM": "xterm"}, start_new_session=True,
        preexec_fn=_take_terminal,
    )  # fmt: skip
    os.close(other_end)
    seen = b""
    answers = [b"a\n", leave]
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if not answers and not select.select([main_end], [], [], 2)[0]:
            os.write(main_end, leave)  # a Ctrl-C just before Python reads is not seen until the next one: people press it again
            continue
        try:
            chunk = os.read(main_end, 4096)
        except OSError:
            break
        if not chunk:
            break
        seen += chunk
        if answers and seen.count(b"[a,r,s,e,d,i,q,?] ") == 3 - len(answers):
            os.write(main_end, answers.pop(0))
    os.close(main_end)
    assert child.wait(timeout=30) == 1
    assert b"\x1b[32m+    assert f(1) == 101" in seen
    assert b"1 heal stays pending" in seen
    assert b"Traceback" not in seen
    assert project.read() == ONE.changes[0].after_bytes
    assert [r.healing_id for r in project.store.pending()] == [TWO.healing_id]


def _take_terminal() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
