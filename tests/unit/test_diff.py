"""Unified diffs for people: git's form, every line end visible where it matters."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_maestro_healer.edit.diff import unified

HEAD = "diff --git a/t.py b/t.py\n--- a/t.py\n+++ b/t.py\n"


def test_equal_files_have_no_diff() -> None:
    assert unified("t.py", b"a\n", b"a\n") == ""


def test_form() -> None:
    assert unified("t.py", b"a\nb\nc\n", b"a\nB\nc\n") == HEAD + "@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n"


@pytest.mark.parametrize(
    ("before", "after", "body"),
    [
        (b"a", b"a\n", "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n"),
        (b"a\n", b"a", "@@ -1 +1 @@\n-a\n+a\n\\ No newline at end of file\n"),
        (b"a\r\n", b"a\n", "@@ -1 +1 @@\n-a\r\n+a\n"),
        (b"a\rb\n", b"a\rc\n", "@@ -1 +1 @@\n-a\rb\n+a\rc\n"),
        (b"\xef\xbb\xbfa\n", b"a\n", "@@ -1 +1 @@\n-\ufeffa\n+a\n"),
        (b"a\x0cb\n", b"a\x0cc\n", "@@ -1 +1 @@\n-a\x0cb\n+a\x0cc\n"),
        ("a\u2028b\n".encode(), b"a\n", "@@ -1 +1 @@\n-a\u2028b\n+a\n"),
        (b"\xff\n", b"a\n", "@@ -1 +1 @@\n-\udcff\n+a\n"),
        (b"a\n", b"", "@@ -1 +0,0 @@\n-a\n"),
    ],
)
def test_lines_end_where_git_ends_them(before: bytes, after: bytes, body: str) -> None:
    assert unified("t.py", before, after) == HEAD + body


def test_another_encoding_is_readable() -> None:
    before = "# coding: latin-1\nx = 'é'\n".encode("latin-1")
    assert "-x = 'é'\n+x = 'è'\n" in unified("t.py", before, before.replace(b"\xe9", b"\xe8"))


def test_context() -> None:
    before = "".join(f"{i}\n" for i in range(20)).encode()
    assert unified("t.py", before, before.replace(b"\n10\n", b"\nten\n"), context=1).count("\n") == 3 + 1 + 4


@settings(max_examples=8, deadline=None)
@given(
    st.lists(st.sampled_from(["a\n", "b\r\n", "é\n", "\t\n"]), max_size=6),
    st.lists(st.sampled_from(["a\n", "c\n", "é\n"]), max_size=6),
    st.booleans(),
)
def test_git_takes_it(tmp_path_factory: pytest.TempPathFactory, old: list[str], new: list[str], cut: bool) -> None:
    before, after = ("x\n" + "".join(old)).encode(), ("x\n" + "".join(new)).encode()
    after = after[:-1] if cut else after
    folder: Path = tmp_path_factory.mktemp("git")
    (folder / "t.py").write_bytes(before)
    text = unified("t.py", before, after).encode("utf-8", "surrogateescape")
    if text:
        subprocess.run(["git", "apply", "--whitespace=nowarn", "-"], input=text, cwd=folder, check=True, timeout=20)
    assert (folder / "t.py").read_bytes() == after
