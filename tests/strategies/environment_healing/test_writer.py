"""Isolation written into functions of every shape; everything else stays as it was."""

from __future__ import annotations

import ast

import pytest

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.errors import EditError
from pytest_maestro_healer.strategies.environment_healing.paths import Written, below, instead, parents, written
from pytest_maestro_healer.strategies.environment_healing.place import functions
from pytest_maestro_healer.strategies.environment_healing.writer import Writer, free_name, quoted


def source(text: str) -> SourceFile:
    return SourceFile("test_a.py", text.encode())


def first(src: SourceFile) -> ast.FunctionDef | ast.AsyncFunctionDef:
    assert src.tree is not None
    return next(node for node, _ in functions(src.tree))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("def test_a():\n    pass\n", "def test_a(fx):\n    pass\n"),
        ("def test_a(b):\n    pass\n", "def test_a(b, fx):\n    pass\n"),
        ("async def test_a( self ):\n    pass\n", "async def test_a( self, fx ):\n    pass\n"),
        ("def test_a(b=1):\n    pass\n", "def test_a(fx, b=1):\n    pass\n"),
        ("def test_a(b, c=1):\n    pass\n", "def test_a(b, fx, c=1):\n    pass\n"),
        ("def test_a(*args):\n    pass\n", "def test_a(fx, *args):\n    pass\n"),
        ("def test_a(b: 'x'):\n    pass\n", "def test_a(b: 'x', fx):\n    pass\n"),
        ("def test_a(\n    b,\n    c,\n):\n    pass\n", "def test_a(\n    b,\n    c,\n    fx,\n):\n    pass\n"),
        ("def test_a(fx):\n    pass\n", "def test_a(fx):\n    pass\n"),
    ],
)
def test_an_argument_is_added_to_any_parameter_list(before: str, after: str) -> None:
    src = source(before)
    writer = Writer(src)
    writer.argument(first(src), "fx")
    assert src.with_edits(writer.edits()).text == after


def test_two_arguments_and_statements_after_the_docstring() -> None:
    src = source('def test_a():\n    """Doc."""\n    # about x\n    x = 1\n')
    writer = Writer(src)
    node = first(src)
    writer.argument(node, "fx")
    writer.argument(node, "fy")
    writer.start(node, ["fx(1)", "fy(2)"])
    assert src.with_edits(writer.edits()).text == 'def test_a(fx, fy):\n    """Doc."""\n    # about x\n    fx(1)\n    fy(2)\n    x = 1\n'


def test_windows_line_ends_stay() -> None:
    src = source("def test_a():\r\n    x = 1\r\n")
    writer = Writer(src)
    writer.start(first(src), ["y = 2"])
    assert src.with_edits(writer.edits()).data == b"def test_a():\r\n    y = 2\r\n    x = 1\r\n"


def test_a_body_on_the_line_of_its_header_is_left_alone() -> None:
    src = source("def test_a(): x = 1\n")
    writer = Writer(src)
    writer.start(first(src), ["y = 2"])
    with pytest.raises(EditError):
        writer.edits()


def test_imports_fixture_and_mark_at_one_place_stand_in_order() -> None:
    src = source("def test_a():\n    pass\n")
    writer = Writer(src)
    assert writer.module("pytest") == "pytest"
    assert writer.module("time") == "time"
    writer.definition(first(src), ["def helper():", "    pass"])
    writer.decorate(first(src), "mark")
    assert src.with_edits(writer.edits()).text == "import time\n\nimport pytest\n\n\ndef helper():\n    pass\n\n\n@mark\ndef test_a():\n    pass\n"


def test_names_at_hand_are_used() -> None:
    src = source("import os as system\nfrom unittest import mock as m\n\nx = 1\n")
    writer = Writer(src)
    assert writer.module("os") == "system"
    assert writer.module("unittest.mock") == "m"
    assert writer.edits() == ()
    assert free_name(src, "x", "y") == "y"
    assert free_name(src, "x") == "x_2"


@pytest.mark.parametrize("text", ["plain", 'with "quotes"', "back\\slash", "tab\t", "é"])
def test_a_literal_means_its_text(text: str) -> None:
    assert ast.literal_eval(quoted(text)) == text


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ('open("/tmp/a/b.txt")', 'open(tmp_path / "a/b.txt")'),
        ('save("/tmp/a/b.txt")', 'save(str(tmp_path / "a/b.txt"))'),
        ('Path("/tmp") / "a" / "b.txt"', 'tmp_path / "a/b.txt"'),
        ('os.path.join("/tmp", "a")', 'str(tmp_path / "a")'),
        ('os.path.join(tempfile.gettempdir(), "a")', 'str(tmp_path / "a")'),
        ('(Path("/tmp/a")).write_text("x")', '((tmp_path / "a")).write_text("x")'),
        ('f"/tmp/a/{name}.txt"', 'str(tmp_path / "a" / f"{name}.txt")'),
    ],
)
def test_paths_are_moved_in_the_form_that_fits(statement: str, expected: str) -> None:
    src = source(f"x = {statement}\n")
    assert src.tree is not None
    up = parents(src.tree)
    found = [w for w in written(src.tree, src) if below(w.text, "/tmp") is not None]
    assert len(found) == 1
    writer = Writer(src)
    writer.replace_node(found[0].node, instead(found[0], "tmp_path", below(found[0].text, "/tmp") or "", up))
    assert src.with_edits(writer.edits()).text == f"x = {expected}\n"


def test_a_path_is_below_itself_and_not_below_a_namesake() -> None:
    assert below("/tmp/a", "/tmp/a") == ""
    assert below("/tmp/a/b", "/tmp/a/") == "b"
    assert below("/tmp/ab", "/tmp/a") is None
    assert Written(ast.Constant("x"), "x", False).tail == ""
