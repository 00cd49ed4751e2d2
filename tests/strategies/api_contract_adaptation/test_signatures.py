"""Rewritten calls bind to what they bound to before; parameters are matched by what stands where in the bodies."""

from __future__ import annotations

import ast
import random

import pytest

from pytest_maestro_healer.evidence.signatures import Mapped, Param, Signature, correspond, of_class, of_function, parse_signature, rebind
from pytest_maestro_healer.evidence.similarity import Def, definitions


def only(text: str) -> Def:
    """The first definition of a text."""
    return next(iter(definitions(ast.parse(text)).values()))


def sig(text: str) -> Signature:
    found = parse_signature(text)
    assert found is not None
    return found


def shuffled(rng: random.Random, names: list[str]) -> Signature:
    """A signature with these parameters in any order, some positional-only, some keyword-only, some with defaults."""
    rng.shuffle(names)
    first, second = sorted((rng.randint(0, len(names)), rng.randint(0, len(names))))
    optional = rng.randint(0, second)
    out = []
    for i, name in enumerate(names):
        kind = (
            "positional" if i < first and rng.random() < 0.3 and (not out or out[-1].kind == "positional") else "normal" if i < second else "keyword"
        )
        default = "0" if (i >= optional and kind != "keyword") or (kind == "keyword" and rng.random() < 0.5) else None
        out.append(Param(name, kind, default))  # type: ignore[arg-type]
    return Signature(tuple(out))


@pytest.mark.parametrize("seed", range(300))
def test_a_rewritten_call_binds_to_the_parameters_it_bound_to(seed: int) -> None:
    rng = random.Random(seed)
    names = list("abcde")[: rng.randint(1, 5)]
    old, new = shuffled(rng, names[:]), shuffled(rng, names[:])
    count = rng.randint(0, len(old.positional))
    rest = [p.name for p in old.params[count:] if p.kind != "positional" and rng.random() < 0.7]
    before = old.bind(count, rest)
    got = rebind(count, rest, old, new, Mapped({n: n for n in names}))
    if before.error:
        assert got is None
        return
    if got is None:  # a parameter that was optional is required now
        assert any(p.required and p.name not in before.given for p in new.params)
        return
    keywords = [a.keyword for a in got if a.keyword]
    after = new.bind(len(got) - len(keywords), keywords)
    assert not after.error
    positional = [a.source for a in got if not a.keyword]
    named = {a.keyword: a.source for a in got if a.keyword}
    assert {n: positional[s] if isinstance(s, int) else named[s] for n, s in after.given.items()} == dict(before.given)


@pytest.mark.parametrize(
    ("old", "new", "names", "values"),
    [
        ("def f(a, b):\n    return a - b\n", "def f(a, c):\n    return a - c\n", {"a": "a", "b": "c"}, {}),
        ("def f(x, y):\n    return x / y\n", "def f(top, bottom):\n    return top / bottom\n", {"x": "top", "y": "bottom"}, {}),
        ("def f(x, y):\n    return x / y\n", "def f(bottom, top):\n    return top / bottom\n", {"x": "top", "y": "bottom"}, {}),
        ("def f(a):\n    return a * 2\n", "def f(a, times):\n    return a * times\n", {"a": "a"}, {"times": "2"}),
        ("def f(a, b):\n    return a\n", "def f(a):\n    return a\n", {"a": "a"}, {}),
    ],
)
def test_parameters_correspond_by_their_place_in_the_body(old: str, new: str, names: dict[str, str], values: dict[str, str]) -> None:
    mapped = correspond(only(old), only(new))
    assert mapped is not None
    assert (dict(mapped.names), dict(mapped.values)) == (names, values)


def test_a_new_parameter_without_a_trace_has_no_value() -> None:
    mapped = correspond(only("def f(a):\n    return a\n"), only("def f(a, b):\n    return g(a, b)\n"))
    assert mapped is not None
    assert not mapped.values


def test_constructors_of_dataclasses_and_classes() -> None:
    tree = ast.parse(
        "@dataclass\nclass A:\n    x: int\n    y: int = 1\n    n: ClassVar[int] = 2\n\n\nclass B:\n    def __init__(self, z): ...\n\n\nclass C: ...\n"
    )
    found = [of_class(n) for n in tree.body if isinstance(n, ast.ClassDef)]
    assert [f.names if f else None for f in found] == [("x", "y"), ("z",), None]


@pytest.mark.parametrize(
    ("text", "positional", "keywords", "error"),
    [
        ("(a, b=1)", 1, [], ""),
        ("(a, b=1)", 0, [], "missing a"),
        ("(a, b=1)", 3, [], "takes 2 positional arguments but 3 were given"),
        ("(a, /)", 0, ["a"], "unexpected keyword argument 'a'"),
        ("(a, *, b)", 2, [], "takes 1 positional arguments but 2 were given"),
        ("(a)", 1, ["a"], "multiple values for argument 'a'"),
        ("(*args, **kwargs)", 4, ["q"], ""),
    ],
)
def test_binding(text: str, positional: int, keywords: list[str], error: str) -> None:
    assert sig(text).bind(positional, keywords).error == error


def test_the_receiver_is_left_out() -> None:
    node = ast.parse("def f(self, a, *, b=2, **rest): ...").body[0]
    assert isinstance(node, ast.FunctionDef)
    assert str(of_function(node, bound=True)) == "(a, b, **rest)"
