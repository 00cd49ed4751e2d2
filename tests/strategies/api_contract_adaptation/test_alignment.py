"""Positional arguments go to the parameters whose kind their values have, or nowhere."""

from __future__ import annotations

import ast
import textwrap

import pytest

from pytest_maestro_healer.evidence import notes
from pytest_maestro_healer.evidence.kinds import documented_types, fits, of_type, of_value
from pytest_maestro_healer.evidence.live import Live
from pytest_maestro_healer.evidence.signatures import Param, Signature, of_live, parse_signature
from pytest_maestro_healer.strategies.api_contract_adaptation.alignment import arguments, shifted, surplus


def sig(text: str) -> Signature:
    found = parse_signature(text)
    assert found is not None
    return found


def call(text: str) -> ast.Call:
    node = ast.parse(text, mode="eval").body
    assert isinstance(node, ast.Call)
    return node


def rewritten(text: str, signature: str, types: dict[str, str] | None = None) -> str | None:
    """The call as :func:`surplus` would have it, ``None`` where it declines."""
    node, new = call(text), sig(signature)
    keywords = [k.arg or "" for k in node.keywords]
    slots = surplus(node.args, keywords, new, types or {})
    if slots is None:
        return None
    made = arguments(node.args, keywords, slots, new)
    assert made is not None
    values = [f"{a.keyword}=" * bool(a.keyword) + ast.unparse(node.args[a.source]) for a in made if isinstance(a.source, int)]
    return ", ".join([*values, *(ast.unparse(k) for k in node.keywords)])


@pytest.mark.parametrize(
    ("text", "signature", "expected"),
    [
        ("f(1, 'x', True)", "(a, *, mode='r', strict=False)", "1, mode='x', strict=True"),
        ("f(1, None)", "(a, *, mode='r')", "1"),
        ("f(1, None)", "(a, *, mode=None)", "1"),
        ("f(1, None, None)", "(a, *, mode=None, strict=False)", "1, mode=None"),
        ("f(1, None, 2.0, False)", "(a, *, width=1.0, snap=False)", "1, width=2.0, snap=False"),
        ("f(1, None, mode='w')", "(a, *, mode='r', strict=False)", "1, mode='w'"),
        ("f(1, None)", "(a)", "1"),
        ("f(1, x, y)", "(a, *, mode, strict)", "1, mode=x, strict=y"),
        ("f(1, 2)", "(a)", None),
        ("f(None, 1, 2)", "(header=None, mtime=0)", None),
        ("f(1, 'x')", "(a, *, width=80)", None),
        ("f(1, None, x)", "(a, *, width=80)", None),
        ("f(1, 2, 3)", "(a, *args, b=0)", None),
        ("f(1, 2, a=3)", "(a, *, b=0)", None),
    ],
)
def test_surplus_arguments(text: str, signature: str, expected: str | None) -> None:
    """What is keyword-only now is named; only a ``None`` without a place is left out; what does not fit is left alone."""
    assert rewritten(text, signature) == expected


def test_a_documented_type_outweighs_the_default() -> None:
    """A parameter whose default is ``None`` takes what its documentation says."""
    assert rewritten("f(1, 'x')", "(a, *, width=None)", {"width": "int, optional"}) is None
    assert rewritten("f(1, 80)", "(a, *, width=None)", {"width": "int, optional"}) == "1, width=80"


@pytest.mark.parametrize(
    ("text", "signature", "found"),
    [
        ("f(1, 0.1, 0.9)", "(n=1, title='', left=0.0, right=1.0)", ["title"]),
        ("f('p', False, 'utf8')", "(name='', lock=0.0, binary=False, encoding='utf8')", ["lock"]),
        ("f(1, 2)", "(n=1, m=1, title='')", []),
        ("f(1, 'x')", "(n=1, m=1, title=None)", []),
        ("f(1, 'x')", "(n, m, title='')", []),
    ],
)
def test_an_inserted_parameter(text: str, signature: str, found: list[str]) -> None:
    """Values of the wrong kind show it, if every one of them is of the right kind one parameter on."""
    node = call(text)
    assert [name for _, name in shifted(node.args, [], sig(signature), {})] == found


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("float, optional", {"number", "none"}),
        ("`~.figure.Figure`, optional", {"object", "none"}),
        ("{'a', 'b'}, default: 'a'", {"text"}),
        ("Optional[List[str]]", {"sequence", "none"}),
        ("typing.Union[int, str, NoneType]", {"number", "text", "none"}),
        ("(float, float)", {"number", "sequence"}),
        ("float, float", {"number", "sequence"}),
        ("array-like", None),
        ("typing.Any", None),
        ("color", None),
    ],
)
def test_written_types(text: str, kinds: set[str] | None) -> None:
    """Types of annotations and docstrings; a word that is not known may mean anything."""
    assert of_type(text) == kinds


def test_docstrings_in_three_styles() -> None:
    """Numpy, Google and Sphinx."""
    numpy = "F.\n\nParameters\n----------\nrows, columns : int\n    How many.\ntitle : str, optional\n"
    assert documented_types(numpy) == {"rows": "int", "columns": "int", "title": "str, optional"}
    assert documented_types("F.\n\nArgs:\n    rows (int): How many.\n")["rows"] == "int"
    assert documented_types("F.\n\n:param int rows: How many.\n:type title: str\n") == {"rows": "int", "title": "str"}


def test_values_and_parameters() -> None:
    """Literals have a kind, names have none; an annotation counts before the default."""
    assert [of_value(ast.parse(t, mode="eval").body) for t in ("-1", "None", "True", "[x]", "{}", "f'{x}'", "x")] == [
        "number", "none", "bool", "sequence", "mapping", "text", "",
    ]  # fmt: skip
    number = ast.parse("1", mode="eval").body
    assert fits(number, Param("a", "normal", "None", "str"), {}) is False
    assert fits(number, Param("a", "normal", "None"), {}) is None
    assert fits(number, Param("a", "normal", "0.5"), {}) is True

    def annotated(a: int, b: str = "") -> None: ...

    found = of_live(annotated)
    assert found is not None
    assert [p.annotation for p in found.params] == ["int", "str"]


def test_the_method_that_runs(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    """The traceback's line tells which class's method of that name it is."""
    source = """
        class A:
            def go(self):
                pass

        class B:
            def __init__(self):
                pass

            def go(self):
                pass
    """
    (tmp_path / "methods_here.py").write_text(textwrap.dedent(source))
    monkeypatch.syspath_prepend(tmp_path)
    __import__("methods_here")
    live = Live(tmp_path)
    assert [live.running("methods_here", n, line) for n, line in (("go", 4), ("go", 11), ("__init__", 8), ("gone", 4))] == [
        "methods_here.A.go", "methods_here.B.go", "methods_here.B", "",
    ]  # fmt: skip


def test_a_deprecation_in_the_code(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    """Two names in quotes in one message that speaks of a change; prose in which they meet is none."""
    message = 'def f():\n    raise ValueError("`joiner` is deprecated, replaced by `glue`")\n\n\n'
    text = message + 'def g():\n    "Alias for `f()`: the `width` of the `joiner`, now deprecated."\n'
    (tmp_path / "says_so.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    __import__("says_so")
    assert notes.deprecation_in_code("says_so", "joiner", ["width", "glue"]) == ("glue", "`joiner` is deprecated, replaced by `glue`", "says_so")
    assert notes.deprecation_in_code("says_so", "joiner", ["width"]) is None


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("Alias for `show()` that prints the `n_words` most probable words for `topics` topics.", None),
        ("`topics` is deprecated, use `n_words`.", "n_words"),
        ("Renamed from ``topics`` to ``n_words``.", "n_words"),
        (".. versionchanged:: 2.0 The ``topics`` argument was renamed ``n_words``.", "n_words"),
        ("Use n_words instead of topics.", "n_words"),
        ("n_words: formerly topics", "n_words"),
    ],
)
def test_a_change_told_of_two_parameters(text: str, new: str | None) -> None:
    """The word of change must be about the two names, not about the function that the sentence starts with."""
    told = notes.parameter_documented(text, "topics", ["n_words"])
    assert (told[0] if told else None) == new
