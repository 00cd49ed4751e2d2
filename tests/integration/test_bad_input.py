"""Files, folders and disks as they should not be: a clear message, nothing lost, and the test result as it is without healing."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.integration.toys import BROKEN, HEALED, NEW, OLD, Suite

APPLY = ("--heal-apply=all",)


def odd(name: str) -> bytes:
    latin = b"# -*- coding: latin-1 -*-\n# caf\xe9\n" + BROKEN.encode() + b"    assert 'd\xe9j\xe0' != 'vu'\n"
    return {
        "latin-1": latin,
        "crlf": BROKEN.replace("\n", "\r\n").encode(),
        "cr in a string": BROKEN.encode() + b"    assert '''a\r\nb''' == 'a\\nb'\n",
        "bom": b"\xef\xbb\xbf" + BROKEN.encode(),
        "bom and crlf": b"\xef\xbb\xbf" + BROKEN.replace("\n", "\r\n").encode(),
        "tabs": BROKEN.replace("    ", "\t").encode(),
        "no final newline": BROKEN.rstrip("\n").encode(),
        "form feed": BROKEN.replace("\n\n\n", "\n\f\n\n").encode(),
        "trailing space": BROKEN.replace("== 2", "== 2   \t").encode(),
        "astral": BROKEN.encode() + "    assert '\U0001f600ä' != '\u2028'\n".encode(),
        "5000 lines": BROKEN.encode() + b"".join(b"\n\ndef test_%d():\n    assert %d == %d\n" % (i, i, i) for i in range(1250)),
        "long line": BROKEN.encode() + b"    assert '" + b"x" * 100_000 + b"'\n",
    }[name]


NAMES = [
    "latin-1", "crlf", "cr in a string", "bom", "bom and crlf", "tabs", "no final newline", "form feed", "trailing space", "astral",
    "5000 lines", "long line",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_all_other_bytes_stay(suite: Suite, name: str) -> None:
    data = odd(name)
    suite.write({"test_a.py": data})
    run = suite.heal(heal=APPLY, fresh=True)
    assert run.kinds() == {"test_a.py::test_call": "applied"}, run.text[-3000:]
    assert suite.read("test_a.py") == data.replace(OLD.encode(), NEW.encode())
    assert suite.plain().ret == 0
    assert all(o.ok for o in suite.store.rollback())
    assert suite.read("test_a.py") == data


UNREADABLE = {
    "undecodable": BROKEN.encode() + b"# \xff\xfe\n",
    "null byte": BROKEN.encode() + b"X = '\x00'\n",
    "only nulls": b"\x00" * 300,
    "unknown coding": b"# coding: nonsense\n" + BROKEN.encode(),
    "utf-16": b"\xff\xfe" + BROKEN.encode("utf-16-le"),
    "empty": b"",
}


@pytest.mark.parametrize("data", UNREADABLE.values(), ids=UNREADABLE)
def test_files_that_cannot_be_read_as_python(suite: Suite, data: bytes) -> None:
    suite.write({"test_a.py": data, "test_b.py": BROKEN, "test_c.py": "def test_c():\n    pass\n"})
    args = ("--continue-on-collection-errors",)
    plain, run = suite.plain(*args), suite.heal(*args)
    assert run.ret == plain.ret == 1
    assert run.counts() == plain.counts()
    assert "test_b.py::test_call" in {n for r in run.results if r["decision"]["kind"] == "pending" for n in r["nodeids"]}, run.text[-2000:]
    assert run.kinds().get("test_a.py", "rejected") == "rejected"
    assert suite.read("test_a.py") == data
    assert "please report" not in run.text


def test_a_read_only_file(suite: Suite) -> None:
    suite.write({"test_a.py": BROKEN, "test_b.py": BROKEN.replace("old_name", "old_one")})
    suite.toy((OLD, NEW), ("lib.old_one(", NEW))
    (suite.path / "test_a.py").chmod(0o444)
    run = suite.heal(heal=APPLY, fresh=True)
    assert run.ret == 1
    assert run.kinds() == {"test_a.py::test_call": "pending", "test_b.py::test_call": "applied"}
    assert "test_a.py is read-only" in run.text
    assert suite.read("test_a.py") == BROKEN.encode()


def test_a_linked_file(suite: Suite) -> None:
    suite.write({"real/test_real.py": BROKEN})
    (suite.path / "test_link.py").symlink_to("real/test_real.py")
    run = suite.heal("test_link.py", heal=APPLY, fresh=True)
    assert set(run.kinds().values()) == {"applied"}, run.text[-3000:]
    assert (suite.path / "test_link.py").is_symlink()
    assert suite.read("real/test_real.py") == HEALED.encode()


def test_a_link_that_leads_out_of_the_project(suite: Suite) -> None:
    (suite.outside / "test_far.py").write_text(BROKEN)
    (suite.path / "test_link.py").symlink_to(suite.outside / "test_far.py")
    plain, run = suite.plain("test_link.py"), suite.heal("test_link.py", heal=APPLY, fresh=True)
    assert run.ret == plain.ret == 1
    assert "applied" not in run.kinds().values()
    assert (suite.outside / "test_far.py").read_text() == BROKEN


def test_a_file_that_changes_during_the_run(suite: Suite) -> None:
    suite.write({"test_a.py": BROKEN, "test_b.py": "from pathlib import Path\n\n\ndef test_b():\n    p = Path(__file__).with_name('test_a.py')\n"
                 "    p.write_text('# new\\n' + p.read_text())\n"})  # fmt: skip
    run = suite.heal(heal=APPLY, fresh=True)
    assert run.ret == 1
    assert "test_a.py changed during the run: its failures are not healed" in run.text
    assert suite.read("test_a.py").decode() == "# new\n" + BROKEN


def test_a_file_that_is_deleted_during_the_run(suite: Suite) -> None:
    suite.write(
        {"test_a.py": BROKEN, "test_b.py": "from pathlib import Path\n\n\ndef test_b():\n    Path(__file__).with_name('test_a.py').unlink()\n"}
    )
    run = suite.heal(heal=APPLY, fresh=True)
    assert run.ret == 1
    assert "test_a.py was deleted during the run" in run.text
    assert not (suite.path / "test_a.py").exists()


DURING = """

class Meddler(Tactic):
    name = "meddler"
    summary = ""
    applicability = Applicability.SAFE

    def propose(self, failure, ctx):
        yield from Swap().propose(failure, ctx)
        %s


Toy.tactics = (Meddler(),)
"""


@pytest.mark.parametrize(
    ("deed", "after"),
    [
        ("open(ctx.root / failure.path, 'a').write('# mine' + chr(10))", BROKEN + "# mine\n"),
        ("(ctx.root / failure.path).unlink()", None),
        ("(ctx.root / failure.path).unlink(); (ctx.root / failure.path).mkdir()", None),
    ],
    ids=["changed", "deleted", "a folder now"],
)
def test_a_file_that_changes_while_it_is_healed(suite: Suite, deed: str, after: str | None) -> None:
    suite.toy(extra=DURING % deed)
    suite.write({"test_a.py": BROKEN})
    run = suite.heal(heal=APPLY, fresh=True)
    assert run.ret == 1
    assert "applied" not in run.kinds().values(), run.text[-2000:]
    path = suite.path / "test_a.py"
    assert (path.read_text() if path.is_file() else None) == after
    assert "Traceback" not in run.text.partition("healing summary")[2]


@pytest.mark.parametrize("target", ["journal", "project"])
@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk(suite: Suite, target: str, call: str) -> None:
    """Writing fails half-way, in the journal or in the project."""
    suite.write({"test_a.py": BROKEN, "conftest.py": f"""
import errno, os, pathlib
import pytest

def full(*a, **k):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

@pytest.fixture(scope="session", autouse=True)
def disk(pytestconfig):
    here = str(pytestconfig.rootpath)
    fsync, replace = os.fsync, pathlib.Path.replace

    def mine(path):
        return str(path).startswith(here) == ({target!r} == "project")

    def fake_fsync(fd):
        return full() if mine(os.readlink(f"/proc/self/fd/{{fd}}")) else fsync(fd)

    def fake_replace(self, to):
        return full() if mine(to) and "heal.json" not in str(to) else replace(self, to)

    if {call!r} == "fsync":
        os.fsync = fake_fsync
    else:
        pathlib.Path.replace = fake_replace
    UNDO.append((fsync, replace))
    yield

UNDO = []

def pytest_unconfigure():
    for f, r in UNDO:
        os.fsync, pathlib.Path.replace = f, r
"""})  # fmt: skip
    if call == "fsync" and not Path("/proc/self/fd").exists():
        pytest.skip("needs /proc")
    before = {k: v[1] for k, v in suite.tree().items()}
    run = suite.heal(heal=APPLY, fresh=True)
    assert run.ret == 1
    assert run.counts() == "1 failed"
    assert os.strerror(errno.ENOSPC) in run.text
    assert "applied" not in run.kinds().values()
    assert {k: v[1] for k, v in suite.tree().items()} == before
    # and with room again
    (suite.path / "conftest.py").unlink()
    run = suite.heal(heal=APPLY, fresh=True)
    assert run.kinds() == {"test_a.py::test_call": "applied"}
    assert suite.read("test_a.py") == HEALED.encode()


def test_a_cache_folder_that_cannot_be_used(suite: Suite) -> None:
    suite.write({"test_a.py": BROKEN, "afile": "x"})
    run = suite.heal("-o", "heal_cache_dir=afile/cache", heal=APPLY, fresh=True)
    assert run.ret == 1
    assert "cannot be used" in run.text
    assert "applied" not in run.kinds().values()
    assert suite.read("test_a.py") == BROKEN.encode()


def test_damaged_state_is_set_aside(suite: Suite) -> None:
    suite.write({"test_a.py": BROKEN})
    suite.heal()
    suite.store.bundle.write_bytes(b"{ not json")
    (suite.store.folder / "rejected.json").write_bytes(b"\x00")
    run = suite.heal()
    assert run.ret == 1
    assert run.kinds() == {"test_a.py::test_call": "pending"}
    assert "set aside" in run.notes
    assert len(suite.store.pending()) == 1


@pytest.mark.parametrize("folder", ["with space", "größe-日本", "-dash", "a'b\"c", "semi;colon$HOME"])
def test_folders_with_odd_names(suite: Suite, folder: str) -> None:
    name = f"{folder}/test_ä b.py" if folder == "größe-日本" else f"{folder}/test_a.py"
    suite.write({name: BROKEN, "pytest.ini": "[pytest]\npythonpath = .\n"})
    run = suite.heal(heal=APPLY, fresh=True)
    assert run.kinds() == {f"{name}::test_call": "applied"}, run.text[-2500:]
    assert suite.read(name) == HEALED.encode()


def test_a_project_in_an_odd_folder(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    root = suite.path / "mein projekt (ä)"
    suite.write(
        {f"{root.name}/{n}": t for n, t in {"test_a.py": BROKEN, "lib.py": suite.read("lib.py"), "toyheal.py": suite.read("toyheal.py")}.items()}
    )
    suite.write({f"{root.name}/pytest.ini": "[pytest]\n"})
    monkeypatch.chdir(root)
    suite.path = root
    run = suite.spawn(heal=APPLY)
    assert run.kinds() == {"test_a.py::test_call": "applied"}, run.text
    assert (root / "test_a.py").read_text() == HEALED


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
@pytest.mark.parametrize("kind", ["no repository", "no commit", "bare", "worktree", "broken", "submodule folder"])
def test_kinds_of_repository(suite: Suite, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, os.devnull)

    def git(*args: str, cwd: Path = suite.path) -> None:
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b.c", *args], cwd=cwd, check=True, capture_output=True)

    suite.write({"test_a.py": BROKEN})
    if kind in ("no commit", "worktree"):
        git("init", "-q")
    if kind == "worktree":  # the project is a linked worktree of a bare repository
        git("add", ".")
        git("commit", "-qm", "x")
        git("clone", "-q", "--bare", ".", str(suite.outside / "bare.git"))
        shutil.rmtree(suite.path / ".git")
        git("worktree", "add", "-q", "--no-checkout", str(suite.outside / "tree"), cwd=suite.outside / "bare.git")
        shutil.copy(suite.outside / "tree" / ".git", suite.path / ".git")
    if kind == "bare":
        git("init", "-q", "--bare", ".")
    if kind == "broken":
        suite.write({".git": "gitdir: /nowhere/at/all\n"})
    if kind == "submodule folder":
        suite.write({".git/HEAD": "rubbish"})
    run = suite.heal()
    assert run.ret == 1
    assert run.kinds() == {"test_a.py::test_call": "pending"}, run.text[-2000:]
    assert not run.notes


def test_a_file_of_the_wrong_place_is_named(suite: Suite) -> None:
    """A test outside the root: run, captured, never edited."""
    (suite.outside / "far").mkdir()
    (suite.outside / "far" / "test_far.py").write_text(BROKEN)
    suite.write({"pytest.ini": "[pytest]\npythonpath = .\n"})
    args = (f"--rootdir={suite.path}", "-c", "pytest.ini", str(suite.outside / "far"))
    plain, run = suite.plain(*args), suite.heal(*args, heal=APPLY, fresh=True)
    assert run.ret == plain.ret == 1
    assert run.one()["decision"]["kind"] == "rejected"
    assert (suite.outside / "far" / "test_far.py").read_text() == BROKEN
