"""Examples of the tactic for deprecations."""

# ruff: noqa: E501 - projects as one string each
from __future__ import annotations

from pytest_maestro_healer.strategies.base import Example

_INI = {"pytest.ini": "[pytest]\nfilterwarnings = error::DeprecationWarning:test_m\n", "shop/__init__.py": ""}
_OLD = "import warnings\n\n\ndef total(items):\n    return sum(items)\n\n\ndef add_up(items):\n    warnings.warn('add_up is deprecated, use total instead', DeprecationWarning, stacklevel=2)\n    return sum(items)\n"
_SHIM = "import warnings\n\n\nclass _Box:\n    size = 3\n\n\ndef __getattr__(name):\n    if name == 'Box':\n        warnings.warn(\"'Box' is deprecated and will be removed in 3.0.\", DeprecationWarning, stacklevel=2)\n        return _Box\n    raise AttributeError(name)\n"
_KEYWORD = "import warnings\n\n\ndef cut(text, length=0, size=None):\n    if size is not None:\n        warnings.warn(\"The 'size' argument is deprecated, use 'length' instead\", DeprecationWarning, stacklevel=2)\n        length = size\n    return text[:length]\n"

HEALS = (
    Example(
        "a function whose warning names the successor",
        {**_INI, "shop/m.py": _OLD, "test_m.py": "from shop.m import add_up\n\n\ndef test_add():\n    assert add_up([1, 2]) == 3\n"},
        {"test_m.py": "from shop.m import total\n\n\ndef test_add():\n    assert total([1, 2]) == 3\n"},
    ),
    Example(
        "a class that the module hands out with a warning, under the name it has inside",
        {**_INI, "shop/m.py": _SHIM, "test_m.py": "from shop import m\n\n\ndef test_box():\n    assert m.Box.size == 3\n"},
        {"test_m.py": "from shop import m\n\n\ndef test_box():\n    assert m._Box.size == 3\n"},
    ),
    Example(
        "a keyword whose warning names the successor",
        {**_INI, "shop/m.py": _KEYWORD, "test_m.py": "from shop.m import cut\n\n\ndef test_cut():\n    assert cut('hello', size=2) == 'he'\n"},
        {"test_m.py": "from shop.m import cut\n\n\ndef test_cut():\n    assert cut('hello', length=2) == 'he'\n"},
    ),
)
DECLINES = (
    Example(
        "a warning without a successor",
        {
            **_INI,
            "shop/m.py": "import warnings\n\n\ndef total(items):\n    warnings.warn('total is deprecated: sums go away', DeprecationWarning, stacklevel=2)\n    return sum(items)\n",
            "test_m.py": "from shop.m import total\n\n\ndef test_total():\n    assert total([1, 2]) == 3\n",
        },
        why="nothing is said about what to use",
    ),
)
