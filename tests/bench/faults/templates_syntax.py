"""Planted syntax errors, and planted idioms of Python 2."""

# ruff: noqa: E501 (texts of whole files, one a line)
from __future__ import annotations

from .templates import Template

S = "syntax_repair"
PRODUCT = """
def label(name, count):
    if count < 0:
        raise ValueError("negative: %d" % count)
    return f"{name}:{count}"
"""


def _row(tactic: str, name: str, test: str, old: str, new: str, **more: object) -> Template:
    head = "from $pkg.$mod import label\n\n\n"
    return Template(S, tactic, name, head + test, product=PRODUCT, broken=(head + test).replace(old, new), **more)  # type: ignore[arg-type]


TABLE = (
    _row("fstring_braces", "fstring_open", "def test_label():\n    n = $n\n    assert label('$w', n) == f'$w:{n}'\n", "{n}'", "{n'"),
    _row("fstring_braces", "fstring_close", "def test_label():\n    n = $n\n    assert label('$w', n) == f'$w:{n}'\n", ":{n}'", ":n}'"),
    _row(
        "empty_body",
        "empty_class",
        "class Odd(Exception):\n    pass\n\n\ndef test_label():\n    assert label('$w', $n) == '$w:$n'\n",
        "Exception):\n    pass\n",
        "Exception):\n",
        message="wip",
    ),
    _row(
        "empty_body",
        "empty_except",
        "def test_label():\n    try:\n        label('$w', -1)\n    except ValueError:\n        pass\n    assert label('$w', $n) == '$w:$n'\n",
        "ValueError:\n        pass\n",
        "ValueError:\n",
        message="wip",
    ),
    _row(
        "wrong_scope",
        "await_in_def",
        "import asyncio\n\n\nasync def ask():\n    await asyncio.sleep(0)\n    return label('$w', $n)\n\n\ndef test_label():\n    assert asyncio.run(ask()) == '$w:$n'\n",
        "async def",
        "def",
        weight=2,
    ),
    _row(
        "wrong_scope",
        "return_outside",
        "def both():\n    a = label('$w', $n)\n    return a, a\n\n\ndef test_label():\n    assert both() == ('$w:$n', '$w:$n')\n",
        "    return a, a",
        "return a, a",
        weight=2,
    ),
    _row(
        "python2",
        "except_comma",
        "def test_label():\n    try:\n        label('$w', -$n)\n    except ValueError as e:\n        assert str(e) == 'negative: -$n'\n",
        "ValueError as e",
        "ValueError, e",
        message="wip",
    ),
    _row(
        "python2", "backticks", "def test_label():\n    assert repr(label('$w', $n)) == \"'$w:$n'\"\n", "repr(label('$w', $n))", "`label('$w', $n)`"
    ),
    _row(
        "python2",
        "raise_comma",
        "import pytest\n\n\ndef test_label():\n    with pytest.raises(ValueError, match='$v'):\n        raise ValueError('$v')\n",
        "ValueError('$v')\n",
        "ValueError, '$v'\n",
    ),
    _row("python2", "old_octal", "def test_label():\n    assert label('$w', 0o1$n) == '$w:' + str(0o1$n)\n".replace("$n", "7"), "0o17)", "017)"),
    _row("python2", "unicode_raw", "def test_label():\n    assert label(r'$w\\d', $n) == '$w\\\\d:$n'\n", "label(r'", "label(ur'"),
    _row(
        "argument_order",
        "default_before",
        "def check(n, name='$w'):\n    assert label(name, n) == f'{name}:{n}'\n\n\ndef test_label():\n    check(n=$n, name='$v')\n    check(n=$n)\n",
        "check(n, name='$w')",
        "check(name='$w', n)",
    ),
    _row(
        "argument_order",
        "repeated_argument",
        "def check(name, n):\n    assert label(name, n) == f'{name}:{n}'\n\n\ndef test_label():\n    check(name='$v', n=$n)\n",
        "check(name='$v', n=$n)",
        "check(name='$v', n=$n, n=$n)",
    ),
    _row(
        "keyword_typo",
        "else_if",
        "def test_label():\n    n = $n\n    if n > 100:\n        want = ''\n    elif n > 1:\n        want = '$w:$n'\n    assert label('$w', n) == want\n",
        "elif",
        "else if",
    ),
    _row(
        "newer_syntax",
        "newer_syntax",
        "def test_label():\n    assert label('$w', $n) == '$w:$n'\n",
        "def test_label",
        "def ident[T](x: T) -> T:\n    return x\n\n\ndef test_label",
        advice="3.12",
    ),
)
