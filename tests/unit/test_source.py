"""Source files as bytes and text at once: offsets, newlines, encodings, and edits that touch nothing else."""

from __future__ import annotations

import ast
import codecs
import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_maestro_healer.edit.source import SourceFile, apply_edits, edits_between
from pytest_maestro_healer.errors import EditError
from pytest_maestro_healer.model import Edit

PATH = "tests/test_x.py"
BOM = codecs.BOM_UTF8
TEXT = 'x = 1\n\n\ndef f(ä, b):\n\tnäme = "日本" + ä; y = name2(b)\n\x0c\n    # ein Ömlaut\nz = f(y="é")'


def source(data: bytes | str) -> SourceFile:
    return SourceFile(PATH, data.encode() if isinstance(data, str) else data)


def variants(text: str) -> dict[str, bytes]:
    """The same program in many files."""
    latin = text.replace("日本", "ñ")
    return {
        "plain": text.encode(),
        "crlf": text.replace("\n", "\r\n").encode(),
        "cr": text.replace("\n", "\r").encode(),
        "bom": BOM + text.encode(),
        "bom-crlf": BOM + text.replace("\n", "\r\n").encode(),
        "latin-1": f"# -*- coding: latin-1 -*-\n{latin}".encode("latin-1"),
        "cp1252-crlf": f"# coding: cp1252\n{latin}".replace("\n", "\r\n").encode("cp1252"),
        "shift_jis": f"# coding: shift_jis\n{text}".replace("ä", "a").replace("Ö", "O").replace("é", "e").encode("shift_jis"),
        "newline at the end": text.encode() + b"\n",
    }


VARIANTS = variants("def f(a, b):\n\tname = '日本' + a; y = g(b)\n\x0c\nz = f(y='é', ä=1)\n\n\nif z:\n\tä = [1,\n\t\t'é', g(2)]")


@pytest.mark.parametrize("data", VARIANTS.values(), ids=VARIANTS.keys())
def test_spans_are_those_of_the_syntax_tree(data: bytes) -> None:
    src = source(data)
    assert src.tree is not None
    text = src.data[len(src.bom) :].decode(src.encoding)
    calls = [n for n in ast.walk(src.tree) if isinstance(n, ast.Call)]
    assert len(calls) == 3
    for node in calls:
        segment = src.segment(node)
        assert ast.dump(ast.parse(segment, mode="eval").body) == ast.dump(node)
        assert text[slice(*src.span(node))] == segment


@pytest.mark.parametrize("data", VARIANTS.values(), ids=VARIANTS.keys())
def test_a_replaced_node_changes_its_bytes_only(data: bytes) -> None:
    src = source(data)
    node = next(n for n in ast.walk(src.tree or ast.Module()) if isinstance(n, ast.Call) and "g(b)" in src.segment(n))
    after = src.with_edits([src.replace_node(node, "h(b)")])
    assert after.data == data.replace(b"g(b)", b"h(b)")
    assert (after.encoding, after.newline, after.bom) == (src.encoding, src.newline, src.bom)


@pytest.mark.parametrize("data", VARIANTS.values(), ids=VARIANTS.keys())
def test_offsets_and_positions_are_inverse(data: bytes) -> None:
    src = source(data)
    for offset in range(len(src.text) + 1):
        line, col = src.position(offset)
        if src.text[offset - 1 : offset + 1] != "\r\n":
            assert src.offset(line, col) == offset
    assert "".join(src.lines) == src.text
    assert [src.line_start(i + 1) for i in range(len(src.lines))] == [sum(map(len, src.lines[:i])) for i in range(len(src.lines))]


def test_python_counts_lines_as_we_do() -> None:
    """A form feed, a vertical tab and Unicode's own line ends end no line."""
    src = source("a = 1\r\nb = '\x0b\x1c\u2028\x85'\rc = 3\n\x0cd = 4")
    assert src.tree is not None
    assert [n.lineno for n in src.tree.body] == [1, 2, 3, 4]
    assert [src.segment(n) for n in src.tree.body] == ["a = 1", "b = '\x0b\x1c\u2028\x85'", "c = 3", "d = 4"]


def test_offset_outside() -> None:
    src = source("é = 1\nb\n")
    assert src.offset(1, 2) == 1
    assert src.offset(1, 99) == 6, "a column beyond its line is its end"
    assert src.offset(3, 0) == len(src.text)
    for line in (0, -1, 4):
        with pytest.raises(EditError, match=f"no line {line}"):
            src.offset(line)


def test_positions_of_an_empty_file() -> None:
    src = source(b"")
    assert (src.position(0), src.lines, src.newline, src.line_start(1)) == ((1, 0), [], "\n", 0)
    assert src.with_edits([src.insert(0, "x = 1\n")]).data == b"x = 1\n"


@pytest.mark.parametrize(
    ("text", "line", "indent"), [("    x", 1, "    "), ("\tx", 1, "\t"), ("\x0c  x", 1, "\x0c  "), ("x\n  \n", 2, "  "), ("x", 9, "")]
)
def test_indent(text: str, line: int, indent: str) -> None:
    assert source(text).indent_of(line) == indent


@pytest.mark.parametrize(
    ("data", "newline"),
    [(b"", "\n"), (b"a", "\n"), (b"a\nb\r\n\r\n", "\r\n"), (b"a\r\nb\nc\n", "\n"), (b"a\rb\r", "\r"), (b"a\r\rb\r\n", "\r")],
)
def test_the_newline_used_most(data: bytes, newline: str) -> None:
    assert source(data).newline == newline


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("text", ["x\ny\n", "x\r\ny\r\n"])
def test_new_lines_are_the_files_own(newline: str, text: str) -> None:
    src = source(f"a{newline}b{newline}")
    assert src.with_edits([src.insert(src.line_start(2), text)]).text == f"a{newline}x{newline}y{newline}b{newline}" or (newline, text) == (
        "\n",
        "x\r\ny\r\n",
    )


# -- bytes that are no text --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "data",
    [
        b"x = '\xff\xfe'\ny = g(b)\n",
        "x = 'é'\ny = g(b)\n".encode("latin-1"),
        b"# coding: no-such-codec\ny = g(b)\n",
        BOM + b"# coding: latin-1\ny = g(b)\n",
        b"# coding: undefined\ny = g(b)\n",
        b"# coding: idna\ny = g(b)\n# \xff",
        b"# coding: rot13\ny = g(b)\n",
        b"# coding: cp1252\n# \x81\ny = g(b)\n",
        "y = g(b)\n".encode("utf-16"),
    ],
)
def test_undecodable_files_keep_their_bytes(data: bytes) -> None:
    src = source(data)
    assert not src.decodable
    assert src.encoding_error
    assert src.tree is None
    assert isinstance(src.syntax_error, SyntaxError)
    at = src.text.find("g(b)")
    if at >= 0:
        assert src.with_edits([src.replace(at, at + 4, "h(b)")]).data == data.replace(b"g(b)", b"h(b)")


def test_null_bytes() -> None:
    src = source(b"x = 1\0\ny = 2\n")
    assert src.tree is None
    assert isinstance(src.syntax_error, SyntaxError)
    assert src.with_edits([src.replace(5, 6, "")]).data == b"x = 1\ny = 2\n"


def test_depth_is_a_syntax_error() -> None:
    assert source("(" * 5000 + ")" * 5000).syntax_error is not None


def test_warnings_of_the_parser_are_not_the_users(recwarn: pytest.WarningsRecorder) -> None:
    assert source("x = '\\d'\ny = 1 is 2\n").tree is not None
    assert list(recwarn) == []


def test_what_the_encoding_cannot_write() -> None:
    src = source("# coding: latin-1\nx = 'é'\n".encode("latin-1"))
    with pytest.raises(EditError, match="cannot be written in iso-8859-1"):
        src.insert(0, "日本")
    with pytest.raises(EditError, match="cannot be written"):
        apply_edits(src.data, [Edit(PATH, src.sha256, 0, 0, "日本")], src.encoding)
    with pytest.raises(EditError, match="cannot be written"):
        source("x\n").insert(0, "\udcff")


def test_encodings_with_state_are_refused_rather_than_broken() -> None:
    src = source("# coding: iso-2022-jp\nx = '日本語'\ny = g(b)\n".encode("iso-2022-jp"))
    assert src.decodable
    inside = src.text.index("本")
    with pytest.raises(EditError, match="bytes of its own"):
        src.replace(inside, inside + 1, "a")
    at = src.text.index("g(b)")
    assert src.with_edits([src.replace(at, at + 4, "h(b)")]).data == src.data.replace(b"g(b)", b"h(b)")


# -- edits -------------------------------------------------------------------------------------------------------
def edit(data: bytes, start: int, end: int, text: str) -> Edit:
    return Edit(PATH, hashlib.sha256(data).hexdigest(), start, end, text)


@pytest.mark.parametrize(
    ("edits", "result"),
    [
        ([], b"0123456789"),
        ([(2, 4, "ab")], b"01ab456789"),
        ([(8, 9, "x"), (0, 1, "y")], b"y1234567x9"),
        ([(2, 4, "a"), (4, 6, "b")], b"01ab6789"),
        ([(4, 4, "a"), (4, 4, "b")], b"0123ab456789"),
        ([(4, 6, "x"), (4, 4, "a")], b"0123ax6789"),
        ([(2, 4, "x"), (4, 4, "a")], b"01xa456789"),
        ([(10, 10, "end"), (0, 0, "begin")], b"begin0123456789end"),
        ([(0, 10, "")], b""),
    ],
)
def test_edits_side_by_side(edits: list[tuple[int, int, str]], result: bytes) -> None:
    data = b"0123456789"
    assert apply_edits(data, [edit(data, *e) for e in edits]) == result


@pytest.mark.parametrize(
    "edits",
    [
        [(2, 5, "a"), (4, 6, "b")],
        [(2, 5, "a"), (2, 5, "a")],
        [(2, 8, "a"), (4, 5, "b")],
        [(2, 8, "a"), (5, 5, "b")],
        [(-1, 2, "a")],
        [(5, 4, "a")],
        [(9, 11, "a")],
        [(11, 11, "a")],
    ],
)
def test_edits_that_overlap_or_lie_outside(edits: list[tuple[int, int, str]]) -> None:
    data = b"0123456789"
    with pytest.raises(EditError, match="overlap or lie outside"):
        apply_edits(data, [edit(data, *e) for e in edits])


def test_edits_of_other_bytes_and_other_files() -> None:
    src, now = source("a = 1\n"), source("a = 2\n")
    made = src.replace(0, 1, "b")
    with pytest.raises(EditError, match="against other bytes"):
        now.with_edits([made])
    assert SourceFile("other.py", now.data).with_edits([made]).data == now.data


@pytest.mark.parametrize(("start", "end"), [(-1, 0), (2, 1), (0, 99), (99, 99)])
def test_spans_outside_the_text(start: int, end: int) -> None:
    with pytest.raises(EditError, match="outside the file"):
        source("a = 1\n").replace(start, end, "x")


# -- the edits between two versions ------------------------------------------------------------------------------
LINES = st.lists(st.sampled_from(["a", "b = 1", "é", "日本", "\t", "\x0c", "", "b = 12", "x" * 9, "\x00"]), max_size=8)
FILES = st.builds(
    lambda lines, newline, bom, end, cookie: bom + (cookie + newline.join(lines) + end).encode("utf-8"),
    LINES,
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from([b"", BOM]),
    st.sampled_from(["", "\n"]),
    st.sampled_from(["", "# coding: utf-8\n"]),
)


@settings(max_examples=150, deadline=None)
@given(FILES, FILES)
def test_edits_between_rebuild_the_new_version(before: bytes, after: bytes) -> None:
    edits = edits_between(PATH, before, after)
    assert source(before).with_edits(edits).data == after
    assert bool(edits) == (before != after)
    assert before == after or all(e.start != e.end or e.replacement for e in edits)


@settings(max_examples=100, deadline=None)
@given(
    st.binary(max_size=30),
    st.binary(max_size=30),
    st.sampled_from([b"", b"# coding: latin-1\n", b"# coding: cp1252\n", b"# coding: utf-16\n"]),
    st.booleans(),
)
def test_edits_between_any_bytes_are_exact_or_refused(before: bytes, after: bytes, cookie: bytes, both: bool) -> None:
    before, after = cookie + before, (cookie if both else b"") + after
    try:
        edits = edits_between(PATH, before, after)
    except EditError:
        assert source(before).decodable, "only text can be too narrow"
        return
    assert source(before).with_edits(edits).data == after


def test_edits_between_encodings() -> None:
    latin, utf = "# coding: latin-1\nx = 'é'\n".encode("latin-1"), "x = 'é'\n".encode()
    assert source(latin).with_edits(edits_between(PATH, latin, utf)).data == utf
    broken = "x = 'é'\n".encode("latin-1")
    assert source(broken).with_edits(edits_between(PATH, broken, utf)).data == utf
    with pytest.raises(EditError, match="no text in utf-8"):
        edits_between(PATH, utf, broken)


def test_edits_between_are_narrow() -> None:
    before = b"a = 1\nfoo(old, x)\nb = 2\nbar(old)\n"
    first, second = edits_between(PATH, before, before.replace(b"old", b"new"))
    assert [(before[e.start : e.end], e.replacement) for e in (first, second)] == [(b"old", "new"), (b"old", "new")]
