"""Patches checked by git itself; moving a heal onto changed bytes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_maestro_healer.apply.merge import hunks, rebase, split_lines
from pytest_maestro_healer.apply.patch import combined, git_prefix, patch
from tests.apply_helpers import heal, heal_number, numbered

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="no git")
LINES = [b"line %d\n" % i for i in range(40)]


def git_apply(folder: Path, text: bytes, *options: str, cwd: Path | None = None) -> None:
    done = subprocess.run(
        ["git", "-c", "core.autocrlf=false", "-c", "core.safecrlf=false", "apply", *options, "-"], cwd=cwd or folder, input=text, capture_output=True
    )
    assert done.returncode == 0, (done.stderr, text)


def change(data: bytes) -> bytes:
    return data.replace(b"line 3\n", b"LINE 3\n").replace(b"line 30\n", b"")


CASES = {
    "plain": (b"".join(LINES), change(b"".join(LINES))),
    "crlf": (b"".join(LINES).replace(b"\n", b"\r\n"), change(b"".join(LINES)).replace(b"\n", b"\r\n")),
    "only some crlf": (b"a\r\nb\nc\rd\n", b"a\r\nB\nc\rd\n"),
    "newline style changes": (b"a\nb\n", b"a\r\nb\r\n"),
    "latin-1": (b"# -*- coding: latin-1 -*-\nx = '\xe4\xf6'\n", b"# -*- coding: latin-1 -*-\nx = '\xe4\xfc'\n"),
    "invalid utf-8": (b"x = '\xff\xfe'\ny = 1\n", b"x = '\xff\xfe'\ny = 2\n"),
    "utf-8": ("x = 'äöü'\n".encode(), "x = 'äöß'\n".encode()),
    "line separators": ("a = '\u2028\x85\x0c'\nb = 1\n".encode(), "a = '\u2028\x85\x0c'\nb = 2\n".encode()),
    "bom stays": (b"\xef\xbb\xbfa = 1\n", b"\xef\xbb\xbfa = 2\n"),
    "bom goes": (b"\xef\xbb\xbfa = 1\n", b"a = 1\n"),
    "null bytes": (b"a = 1\n\x00\x00\nb\n", b"a = 2\n\x00\x00\nb\n"),
    "no newline at the end, both": (b"a\nb\nc", b"a\nB\nc"),
    "no newline at the end, last line": (b"a\nb\nc", b"a\nb\nd"),
    "newline added": (b"a\nb", b"a\nb\n"),
    "newline removed": (b"a\nb\n", b"a\nb"),
    "one line": (b"a", b"b"),
    "grows at the end": (b"a\n", b"a\nb\nc\n"),
    "grows at the start": (b"a\n", b"import x\n\na\n"),
    "becomes empty": (b"a\nb\n", b""),
    "was empty": (b"", b"a\n"),
}


@needs_git
@pytest.mark.parametrize(
    ("case", "name"),
    [(c, "test_a.py") for c in CASES]
    + [("plain", n) for n in ("sub dir/test b.py", "tests/test_ä.py", 'tests/odd"quote.py', "tests/back\\slash.py", "tests/t\tab.py")],
)
def test_git_apply_gives_the_exact_bytes(tmp_path: Path, case: str, name: str) -> None:
    before, after = CASES[case]
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(before)
    text = patch(name, before, after)
    git_apply(tmp_path, text)
    assert (path.read_bytes() if path.exists() else b"") == after
    if path.exists() and before:
        git_apply(tmp_path, text, "-R")
        assert path.read_bytes() == before


@needs_git
def test_git_apply_in_a_folder_of_a_repository(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    sub = tmp_path / "back end"
    sub.mkdir()
    before, after = CASES["plain"]
    assert git_prefix(tmp_path) == ""
    text = patch("test_a.py", before, after, git_prefix(sub))
    for cwd in (tmp_path, sub):
        (sub / "test_a.py").write_bytes(before)
        git_apply(tmp_path, text, cwd=cwd)
        assert (sub / "test_a.py").read_bytes() == after


@needs_git
@settings(max_examples=25, deadline=None)
@given(st.data())
def test_git_apply_any_lines(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    piece = st.sampled_from([b"a\n", b"b\n", b"\xff\n", b"c\r\n", b"\n", b"-- x\n", b"\\ y\n"])
    before, after = (b"".join(data.draw(st.lists(piece, min_size=1, max_size=30))) + data.draw(st.sampled_from([b"", b"tail"])) for _ in range(2))
    if before == after:
        return
    folder = tmp_path_factory.mktemp("any")
    (folder / "test_a.py").write_bytes(before)
    git_apply(folder, patch("test_a.py", before, after))
    assert (folder / "test_a.py").read_bytes() == after


@needs_git
def test_combined_patch_of_heals_in_one_file(tmp_path: Path) -> None:
    source = numbered()
    heals = [heal_number(source, i) for i in (1, 2, 7)]
    clash = heal({"test_a.py": (source, source.replace(b"f(1) == 1", b"f(1) == 5"))})
    text, left_out = combined([*heals, clash])
    assert left_out == (clash.healing_id,)
    (tmp_path / "test_a.py").write_bytes(source)
    git_apply(tmp_path, text)
    expected = source
    for i in (1, 2, 7):
        expected = expected.replace(b"== %d\n" % i, b"== %d\n" % (i + 100))
    assert (tmp_path / "test_a.py").read_bytes() == expected


# -- moving heals ----------------------------------------------------------------------------------------------
def test_rebase_keeps_both_changes() -> None:
    base = b"".join(LINES)
    mine, theirs = base.replace(b"line 3\n", b"mine\n"), base.replace(b"line 4\n", b"theirs\nand more\n")
    assert rebase(base, mine, theirs) == theirs.replace(b"line 3\n", b"mine\n")


def test_rebase_refuses_the_same_line() -> None:
    base = b"".join(LINES)
    assert rebase(base, base.replace(b"line 3", b"mine"), base.replace(b"line 3", b"theirs")) is None
    assert rebase(base, base.replace(b"line 3\n", b"line 3\nmine\n"), base.replace(b"line 3\n", b"")) is None


def test_rebase_leaves_what_is_there_already() -> None:
    base = b"".join(LINES)
    both = base.replace(b"line 3", b"same").replace(b"line 9", b"other")
    assert rebase(base, base.replace(b"line 3", b"same"), both) == both


def test_imports_at_one_place_are_both_kept() -> None:
    base = b"import a\n\nx = 1\n"
    mine, theirs = b"import a\nimport os\nimport re\n\nx = 1\n", b"import a\nimport os\n\nx = 1\n"
    assert rebase(base, mine, theirs) == b"import a\nimport os\nimport re\n\nx = 1\n"
    assert rebase(base, b"import a\ny = 2\n\nx = 1\n", theirs) is None


def test_import_blocks_with_their_blank_lines_are_both_kept() -> None:
    base = b'"""Doc."""\n\n\nx = 1\n'
    below = rebase(base, b'"""Doc."""\n\nimport os\n\n\nx = 1\n', b'"""Doc."""\n\nimport re\n\n\nx = 1\n')
    assert below == b'"""Doc."""\n\nimport os\nimport re\n\n\nx = 1\n'
    above = rebase(b"import a\n", b"import os\n\nimport a\n", b"import re\n\nimport a\n")
    assert above == b"import os\nimport re\n\nimport a\n"


def test_rebase_does_not_make_a_file_that_does_not_parse() -> None:
    base = b"a = (\n    1\n)\nb = 2\n"
    assert rebase(base, b"a = [\n    1\n]\nb = 2\n", base.replace(b"    1\n", b"    1 }\n")) is None


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([b"a\n", b"b\n", b"c\r\n", b"d"]), max_size=20), st.lists(st.sampled_from([b"a\n", b"b\n", b"x\n"]), max_size=20))
def test_hunks_rebuild_the_new_lines(old: list[bytes], new: list[bytes]) -> None:
    before, after = split_lines(b"".join(old)), split_lines(b"".join(new))
    out: list[bytes] = []
    at = 0
    for h in hunks(before, after):
        out += [*before[at : h.start], *h.lines]
        at = h.end
    assert [*out, *before[at:]] == after
    assert b"".join(before) == b"".join(old)
