# ruff: noqa: E501 - whole files as one literal each
"""Examples of tests that fail now and then by themselves: what is healed, and what is left alone."""

from __future__ import annotations

from pytest_maestro_healer.strategies.base import Example

_ROWS = '@pytest.mark.parametrize("row", range(60))\n'

RANDOM = (
    Example(
        "The product draws, the test seeds",
        {
            "pick.py": "import random\n\n\ndef winner(names):\n    return names[min(int(random.random() * 4), 2)]\n",
            "test_pick.py": f'import pytest\n\nimport pick\n\n\n{_ROWS}def test_winner(row):\n    assert pick.winner(["a", "b", "c"]) != "b"\n',
        },
        {
            "test_pick.py": f'import random\n\nimport pytest\n\nimport pick\n\n\n{_ROWS}def test_winner(row):\n    random.seed(0)\n    assert pick.winner(["a", "b", "c"]) != "b"\n',
        },
    ),
)

_LOSES = "import random\n\n\ndef names():\n    return None if random.random() < 0.2 else ['a', 'b']\n"
_PICKS = f"import pytest\n\nimport pick\n\n\n{_ROWS}def test_names(row):\n    assert pick.names() == ['a', 'b']\n"

RANDOM_DECLINES = (
    Example(
        "Random input that the product does not stand",
        {
            "pick.py": "def half(n):\n    assert n % 4 != 1, n\n    return n / 2\n",
            "test_pick.py": f"import random\n\nimport pytest\n\nimport pick\n\n\n{_ROWS}def test_half(row):\n    n = random.randrange(1000) if row else 0\n    assert pick.half(n) * 2 == n\n",
        },
        why="seeding would hide that the product fails for some input",
        fresh=True,
        advice="makes its own random input",
    ),
    Example(
        "A change of the product loses the result now and then",
        {"pick.py": _LOSES, "test_pick.py": _PICKS},
        head={"pick.py": "def names():\n    return ['a', 'b']\n", "test_pick.py": _PICKS},
        why="before the change the product drew nothing: seeding would hide the regression",
        fresh=True,
        advice="as it was before pick.py",
    ),
    Example(
        "The product gives nothing now and then",
        {"pick.py": _LOSES, "test_pick.py": _PICKS},
        why="a result that is lost by chance is a fault, whatever the history",
        fresh=True,
        advice="gives nothing (None) for some random numbers",
    ),
)

_TAGS = 'def tags():\n    return list({"alpha", "beta", "gamma", "delta", "eps", "zeta"})\n'
_TAGS_TEST = 'from tags import tags\n\n\ndef test_tags():\n    assert tags() == ["alpha", "beta", "delta", "eps", "gamma", "zeta"]\n'
_WORDS = '["alpha", "beta", "delta", "eps", "gamma", "zeta"]'

HASH = (
    Example(
        "A list made from a set of strings",
        {
            "tags.py": _TAGS,
            "test_tags.py": 'from tags import tags\n\n\ndef test_tags():\n    assert tags() == ["alpha", "beta", "gamma", "delta", "eps", "zeta"]\n',
        },
        {
            "test_tags.py": 'from tags import tags\n\n\ndef test_tags():\n    assert sorted(tags()) == sorted(["alpha", "beta", "gamma", "delta", "eps", "zeta"])\n',
        },
    ),
    Example(
        "The product no longer sorts, and its changelog says so",
        {"tags.py": _TAGS, "test_tags.py": _TAGS_TEST, "CHANGES.rst": "Unreleased\n\n- ``tags`` returns its words in no particular order.\n"},
        {"test_tags.py": _TAGS_TEST.replace(_WORDS, f"sorted({_WORDS})").replace("tags() ==", "sorted(tags()) ==")},
        head={"tags.py": _TAGS.replace("list(", "sorted("), "test_tags.py": _TAGS_TEST, "CHANGES.rst": "Unreleased\n"},
    ),
)

HASH_DECLINES = (
    Example(
        "An order that is wrong in every process",
        {
            "tags.py": 'def tags():\n    return sorted(["b", "a", "c"], reverse=True)\n',
            "test_tags.py": 'from tags import tags\n\n\ndef test_tags():\n    assert tags() == ["a", "b", "c"]\n',
        },
        why="the product gives the same wrong order every time",
    ),
    Example(
        "The product no longer sorts",
        {"tags.py": _TAGS, "test_tags.py": _TAGS_TEST},
        head={"tags.py": _TAGS.replace("list(", "sorted("), "test_tags.py": _TAGS_TEST},
        advice="the order was lost by a change of the product: tags.py:2 (changed uncommitted)",
        why="as it was before, the product gave one order in every process",
    ),
    Example(
        "The product no longer sorts, and its changelog promises an order",
        {"tags.py": _TAGS, "test_tags.py": _TAGS_TEST, "CHANGES.rst": "Unreleased\n\n- ``tags`` returns its words in a stable order.\n"},
        head={"tags.py": _TAGS.replace("list(", "sorted("), "test_tags.py": _TAGS_TEST},
        advice="the order was lost by a change of the product: tags.py:2 (changed uncommitted)",
        why="the order is promised",
    ),
)

FLOAT = (
    Example(
        "A sum whose terms come in any order",
        {
            "total.py": "import random\n\n\ndef total(values):\n    result = 0.0\n    for value in random.sample(values, len(values)):\n        result += value\n    return result\n",
            "test_total.py": f"import pytest\n\nfrom total import total\n\n\n{_ROWS}def test_total(row):\n    assert total([0.1, 0.2, 0.3, 0.7]) == 1.3\n",
        },
        {
            "test_total.py": f"import pytest\n\nfrom total import total\n\n\n{_ROWS}def test_total(row):\n    assert total([0.1, 0.2, 0.3, 0.7]) == pytest.approx(1.3, rel=1e-14)\n",
        },
    ),
)

FLOAT_DECLINES = (
    Example(
        "A sum that is wrong, always",
        {
            "total.py": "def total(values):\n    return sum(values) * 1.0001\n",
            "test_total.py": "from total import total\n\n\ndef test_total():\n    assert total([1.0, 2.0]) == 3.0\n",
        },
        why="the difference is no rounding, and it does not vary",
    ),
)

_COUNTER = 'from pathlib import Path\n\n_COUNT = Path(__file__).parent.parent / "count"\n\n\ndef answer():\n    n = int(_COUNT.read_text()) if _COUNT.exists() else 0\n    _COUNT.write_text(str(n + 1))\n    return n % 5 != 0\n'

QUARANTINE = (
    Example(
        "Now and then it fails, and nobody knows why",
        {
            "remote.py": _COUNTER,
            "test_remote.py": "import remote\n\n\ndef test_answer():\n    assert remote.answer()\n",
        },
        {
            "test_remote.py": 'import pytest\nimport remote\n\n\n@pytest.mark.flaky(reruns=4, reason="failed in 6 of 30 runs alone, no cause found, 2026-01-01")\ndef test_answer():\n    assert remote.answer()\n',
        },
        needs=("pytest_rerunfailures",),
        varies=(r"\d+-\d\d-\d\d", r"failed in \d+ of", r"reruns=\d"),
    ),
)

QUARANTINE_DECLINES = (
    Example(
        "A test that always fails",
        {
            "remote.py": "def answer():\n    return False\n",
            "test_remote.py": "import remote\n\n\ndef test_answer():\n    assert remote.answer()\n",
        },
        why="a rerun hides nothing but a regression",
    ),
)
