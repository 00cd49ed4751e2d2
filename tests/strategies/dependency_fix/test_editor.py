"""Import edits: minimal, byte-exact, never half a statement."""

from __future__ import annotations

import ast

import pytest

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.strategies.dependency_fix.editor import FileEditor, insertion
from pytest_maestro_healer.strategies.dependency_fix.sites import import_sites, uses


def healed(text: str, drop: tuple[str, ...] = (), instead: tuple[tuple[str, str], ...] = (), need: tuple[str, ...] = ()) -> str:
    src = SourceFile("test_x.py", text.encode())
    editor = FileEditor(src)
    for site in import_sites(src, "test_x"):
        if site.bound in drop:
            editor.drop(site)
        for name, line in instead:
            if site.bound == name:
                editor.instead(site, line)
    for line in need:
        editor.need(line)
    return src.with_edits(editor.edits()).data.decode()


@pytest.mark.parametrize(
    ("before", "drop", "after"),
    [
        ("from m import a, b, c\nx = 1\n", ("a",), "from m import b, c\nx = 1\n"),
        ("from m import a, b, c\nx = 1\n", ("c",), "from m import a, b\nx = 1\n"),
        ("from m import a, b, c\nx = 1\n", ("b", "c"), "from m import a\nx = 1\n"),
        ("from m import (\n    a,  # why\n    b,\n)\nx = 1\n", ("a",), "from m import (\n    b,\n)\nx = 1\n"),
        ("from m import (\n    a,\n    b,\n)\nx = 1\n", ("b",), "from m import (\n    a,\n)\nx = 1\n"),
        ("import os\nimport m\nx = 1\n", ("m",), "import os\nx = 1\n"),
        ("import m\n\n\ndef f():\n    pass\n", ("m",), "def f():\n    pass\n"),
        ("def f():\n    import m\n", ("m",), "def f():\n    pass\n"),
        ("import os; import m\n", ("m",), "import os; pass\n"),
        ("import m\r\nx = 1\r\n", ("m",), "x = 1\r\n"),
    ],
)
def test_drop(before: str, drop: tuple[str, ...], after: str) -> None:
    assert healed(before, drop) == after


def test_a_moved_name_leaves_its_neighbours() -> None:
    assert healed("from m import a, b\nx = 1\n", instead=(("b", "from n import b"),)) == "from m import a\nfrom n import b\nx = 1\n"


def test_several_edits_keep_a_trailing_comment_and_a_missing_newline() -> None:
    assert healed("import os\nfrom m import a  # noqa", instead=(("a", "from n import a"),)) == "import os\nfrom n import a  # noqa"


@pytest.mark.parametrize(
    ("before", "line", "after"),
    [
        ("import os\nimport sys\n", "import re", "import os\nimport re\nimport sys\n"),
        ('"""Doc."""\n\nx = 1\n', "import re", '"""Doc."""\n\nimport re\n\nx = 1\n'),
        ("# comment\nx = 1\n", "import re", "# comment\nimport re\n\nx = 1\n"),
        ("from __future__ import annotations\n\nx = 1\n", "import re", "from __future__ import annotations\n\nimport re\n\nx = 1\n"),
        ("import pytest\n", "import re", "import re\n\nimport pytest\n"),
        ("def f():\n    pass\n", "import re", "import re\n\n\ndef f():\n    pass\n"),
    ],
)
def test_needed_imports_go_where_they_belong(before: str, line: str, after: str) -> None:
    assert healed(before, need=(line,)) == after


def test_what_is_there_is_not_imported_again() -> None:
    assert healed("import re\n", need=("import re",)) == "import re\n"


def test_insertion_into_an_empty_file() -> None:
    src = SourceFile("test_x.py", b"")
    assert src.tree is not None
    assert insertion(src, src.tree, "import re")[1].startswith("import re\n")


def test_uses_respect_scopes() -> None:
    tree = ast.parse("x = a\ndef f(a):\n    return a\ndef g():\n    return a\nl = [a for a in b]\ndef h():\n    a = 1\n    return a\n")
    assert [n.lineno for n in uses(tree, "a")] == [1, 5]


def test_guarded_imports_are_known() -> None:
    src = SourceFile(
        "test_x.py",
        b"try:\n    import a\nexcept ImportError:\n    import b\nimport c\nwith pytest.raises(ImportError):\n    import d\n",
    )
    assert {s.module: s.guarded for s in import_sites(src, "test_x")} == {"a": True, "b": False, "c": False, "d": True}
