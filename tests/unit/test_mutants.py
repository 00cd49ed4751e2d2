"""Mutants of product functions: every operator, at its own line, of the function it says, and never in the way."""

from __future__ import annotations

import textwrap
import time
import types
import warnings
from typing import Any

import pytest

from pytest_maestro_healer.prove.mutants import Mutant, mutants

EVERY = frozenset(range(1, 200))


def of(text: str, limit: int = 50, executed: frozenset[int] = EVERY) -> list[Mutant]:
    return mutants("pkg/lib.py", textwrap.dedent(text).encode(), executed, limit)


def swapped(text: str, mutant: Mutant) -> types.FunctionType:
    """The function as it is once the mutant's code is in it, the way the session does that."""
    names: dict[str, Any] = {}
    exec(compile(textwrap.dedent(text), "lib.py", "exec", dont_inherit=True), names)
    owner: Any = names
    for part in mutant.qualname.split("."):
        owner = owner[part] if isinstance(owner, dict) else vars(owner)[part]
    function: types.FunctionType = getattr(owner, "__func__", owner)
    function.__code__ = mutant.code.replace(co_filename=function.__code__.co_filename)
    return function


@pytest.mark.parametrize(
    ("body", "args", "what", "expected"),
    [
        ("return a + b", (5, 3), "Add replaced by Sub", 2),
        ("return a - b", (5, 3), "Sub replaced by Add", 8),
        ("return a * b", (6, 3), "Mult replaced by Div", 2),
        ("return a / b", (6, 3), "Div replaced by Mult", 18),
        ("return a // b", (6, 3), "FloorDiv replaced by Mult", 18),
        ("return a % b", (6, 3), "Mod replaced by Mult", 18),
        ("a += b; return a", (5, 3), "Add replaced by Sub", 2),
        ("return a == b", (1, 1), "Eq replaced by NotEq", False),
        ("return a != b", (1, 1), "NotEq replaced by Eq", True),
        ("return a < b", (1, 1), "Lt replaced by LtE", True),
        ("return a <= b", (1, 1), "LtE replaced by Lt", False),
        ("return a > b", (1, 1), "Gt replaced by GtE", True),
        ("return a >= b", (1, 1), "GtE replaced by Gt", False),
        ("return a in b", (1, [1]), "In replaced by NotIn", False),
        ("return a not in b", (1, [1]), "NotIn replaced by In", True),
        ("return a is b", (1, 1), "Is replaced by IsNot", False),
        ("return a is not b", (1, 1), "IsNot replaced by Is", True),
        ("return a and b", (0, 7), "And replaced by Or", 7),
        ("return a or b", (3, 7), "Or replaced by And", 7),
        ("return a if b else 9", (3, True), "condition negated", 9),
        ("if a: return b\n    return 9", (1, 7), "condition negated", 9),
        ("return a", (1, 2), "return value replaced by None", None),
        ("return 7", (1, 2), "7 replaced by 8", 8),
        ("return 0.5", (1, 2), "0.5 replaced by 1.5", 1.5),
        ("return True", (1, 2), "True replaced by False", False),
        ("return 'text'", (1, 2), "text changed", "text~"),
        ("if a: raise ValueError\n    return b", (1, 7), "exception not raised", 7),
        ("return f'{a}x'", (1, 2), "text changed", "1x~"),
        ("return [a for a in b if a > 1]", (0, [1, 2]), "Gt replaced by GtE", [1, 2]),
        ("while a < b: a += 1\n    return a", (1, 3), "Lt replaced by LtE", 4),
        ("match a:\n        case 1: return b\n    return 9", (2, 7), "1 replaced by 2", 7),
    ],
)
def test_operators(body: str, args: tuple[Any, ...], what: str, expected: Any) -> None:
    text = f"def f(a, b):\n    {body}\n"
    found = [m for m in of(text) if m.what == what]
    assert found, [m.what for m in of(text)]
    assert swapped(text, found[0])(*args) == expected


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    return None",
        "def f():\n    return",
        "def f():\n    '''What it does.'''",
        "def f():\n    pass",
        "def f():\n    return ''\n".replace("return ''", "x = ''"),
        "def f(a=5, *, b: 'int' = 7) -> 'str': ...",
        "@deco(5)\ndef f(): ...",
        "def f():\n    x: 'int'",
        "def f():\n    def g(a=1):\n        return 5\n",
        "def f():\n    g = lambda: 5\n",
        "X = 1 + 2\n",
        "class A:\n    x = 5\n",
        "def f():\n    '%s' % (a,)\n".replace("'%s' %", "x = '' %"),
    ],
)
def test_what_is_not_mutated(text: str) -> None:
    assert of(text) == []


def test_messages_and_format_codes_are_left_alone() -> None:
    """A changed message is no other behaviour, a changed format code only a crash."""
    assert [m.what for m in of("def f(a):\n    assert a, 'why'\n    raise ValueError('text')\n")] == ["exception not raised"]
    assert "text changed" not in [m.what for m in of("def f(a):\n    return f'{a:.2f}'\n")]
    assert "Add replaced by Sub" not in [m.what for m in of("def f(a):\n    return 'a' + a\n")]


def test_lines_and_names() -> None:
    text = """\
    import functools


    class Money:
        rate = 2

        @property
        @functools.lru_cache
        def value(self):
            x = 1

            return (
                x
                + 2
            )

        class Inner:
            @staticmethod
            def deep(a):
                return a


    async def later(a):
        return a

    if __file__:
        def one(a): return a
    else:
        def two(a): return a
    try:
        def three(a): return a
    except ImportError:
        def four(a): return a
    else:
        def five(a): return a
    finally:
        def six(a): return a
    for _ in range(1):
        def seven(a): return a
    with open(__file__):
        def eight(a): return a
    """
    found = of(text)
    assert {m.qualname for m in found} == {
        "Money.value", "Money.Inner.deep", "later", "one", "two", "three", "four", "five", "six", "seven", "eight",
    }  # fmt: skip
    assert {(m.at, m.what) for m in found if m.qualname == "Money.value"} == {
        (10, "1 replaced by 2"), (12, "return value replaced by None"), (13, "Add replaced by Sub"), (14, "2 replaced by 3"),
    }  # fmt: skip
    original = compile(textwrap.dedent(text), "lib.py", "exec", dont_inherit=True)
    codes = {}

    def walk(code: types.CodeType) -> None:
        for const in code.co_consts:
            if isinstance(const, types.CodeType):
                codes[const.co_name, const.co_firstlineno] = const
                walk(const)

    walk(original)
    for m in found:
        same = codes[m.code.co_name, m.code.co_firstlineno]
        assert same.co_freevars == m.code.co_freevars
        assert same.co_flags == m.code.co_flags
        assert {ln for *_, ln in m.code.co_lines() if ln} <= {ln for *_, ln in same.co_lines() if ln}


def test_futures_of_the_module_hold() -> None:
    text = "from __future__ import annotations\n\n\ndef f(a):\n    x: Unknown = a + 1\n    return x\n"
    assert swapped(text, next(m for m in of(text) if m.what == "Add replaced by Sub"))(5) == 4


def test_async_functions_and_generators_keep_their_kind() -> None:
    text = "async def f(a):\n    return a + 1\n\n\ndef g(a):\n    yield a + 1\n"
    found = {m.qualname: m for m in of(text) if m.what == "Add replaced by Sub"}
    with pytest.raises(StopIteration) as done:
        swapped(text, found["f"])(3).send(None)
    assert done.value.value == 2
    assert list(swapped(text, found["g"])(3)) == [2]


def test_only_lines_that_ran() -> None:
    text = "def f(a):\n    if a:\n        return 1\n    return 2\n"
    assert {m.at for m in of(text, executed=frozenset({2, 4}))} == {2, 4}
    assert of(text, executed=frozenset()) == []


@pytest.mark.parametrize("limit", [0, 1, 2, 3, 8])
def test_the_limit_is_spread_over_functions(limit: int) -> None:
    text = "".join(f"def f{i}(a):\n    a = a + 1\n    a = a + 2\n    return a + 3\n" for i in range(3))
    found = of(text, limit)
    assert len(found) == limit
    names = [m.qualname for m in found]
    assert len(set(names)) == min(limit, 3)
    assert len({(m.qualname, m.at, m.what) for m in found}) == limit


def test_a_limit_over_what_there_is() -> None:
    assert len(of("def f(a):\n    return a\n", 100)) == 1


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"def f(:\n",
        b"\xff\xfe\x00",
        b"def f(a):\n    return a + '\xff'\n",
        b"def f(a):\n    return a + 1\0\n",
        b"# coding: no-such\ndef f(a):\n    return a + 1\n",
        b"def f(a):\n    return " + b"(" * 3000 + b"a" + b")" * 3000,
        b"def f(a):\n    return a" + b" + a" * 3000 + b"\n",
    ],
)
def test_sources_of_which_nothing_can_be_made(data: bytes) -> None:
    assert mutants("lib.py", data, EVERY, 8) == []


def test_latin_1_and_crlf() -> None:
    data = "# coding: latin-1\r\ndef f(a):\r\n    return 'é' * a\r\n".encode("latin-1")
    assert {m.at for m in mutants("lib.py", data, EVERY, 8)} == {3}


def test_warnings_of_the_product_are_not_said_again() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert of("def f(a):\n    x = '\\d' if a is 5 else 2\n    return x\n")


def test_closures_keep_their_cells() -> None:
    """Functions made in functions are not mutated; methods that use ``super`` or ``__class__`` keep that cell."""
    text = "class A:\n    def f(self):\n        return 1\n\n\nclass B(A):\n    def f(self):\n        return super().f() + 1\n"
    m = next(m for m in of(text) if m.qualname == "B.f" and m.what == "Add replaced by Sub")
    assert m.code.co_freevars == ("__class__",)


def test_long_modules_take_no_longer_than_short_ones() -> None:
    """Only the statement that holds the function is copied and compiled."""
    one = "def f{0}(a, b):\n    x = a + {0}\n    if x > 3:\n        return x * b\n    return [x, b]\n"
    data = "".join(one.format(i) for i in range(1000)).encode()
    began = time.process_time()
    assert len(mutants("lib.py", data, frozenset(range(4000, 4100)), 8)) == 8
    assert time.process_time() - began < 1.5, "copying the whole module eight times takes five seconds and more"
