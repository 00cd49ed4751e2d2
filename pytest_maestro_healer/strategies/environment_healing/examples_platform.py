"""Examples of the tactic about platforms and versions."""

from __future__ import annotations

from pytest_maestro_healer.strategies.base import Example

_NAMES = "import os\n\n\ndef place(name):\n    return os.path.join('menus', 'hot', name)\n"
_PYPROJECT = """
    [project]
    name = "shop"
    version = "1"
    classifiers = [
        "Programming Language :: Python :: 3.7",
        "Programming Language :: Python :: 3.8",
    ]
"""

PLATFORM_HEALS = (
    Example(
        "a path written on Windows",
        {"names.py": _NAMES, "test_names.py": "from names import place\n\n\ndef test_place():\n    assert place('tea') == 'menus\\\\hot\\\\tea'\n"},
        {
            "test_names.py": """
                import os

                from names import place


                def test_place():
                    assert place('tea') == os.path.join("menus", "hot", "tea")
            """,
        },
    ),
    Example(
        "line ends written on Windows",
        {
            "rows.py": "import os\n\n\ndef rows(names):\n    return ''.join(n + os.linesep for n in names)\n",
            "test_rows.py": "from rows import rows\n\n\ndef test_rows():\n    assert rows(['tea', 'milk']) == 'tea\\r\\nmilk\\r\\n'\n",
        },
        {
            "test_rows.py": """
                import os

                from rows import rows


                def test_rows():
                    assert rows(['tea', 'milk']) == 'tea\\nmilk\\n'.replace("\\n", os.linesep)
            """,
        },
    ),
    Example(
        "a message of an older Python",
        {
            "pyproject.toml": _PYPROJECT,
            "calc.py": "def check(text):\n    compile(text, 'input', 'eval')\n",
            "test_calc.py": """
                import pytest

                from calc import check


                def test_check():
                    with pytest.raises(SyntaxError) as excinfo:
                        check("f(")
                    assert excinfo.value.msg == "unexpected EOF while parsing"
            """,
        },
        {
            "test_calc.py": """
                import sys

                import pytest

                from calc import check


                def test_check():
                    with pytest.raises(SyntaxError) as excinfo:
                        check("f(")
                    assert excinfo.value.msg == ("'(' was never closed" if sys.version_info >= (3, 11) else "unexpected EOF while parsing")
            """,
        },
        min_python=(3, 11),
        max_python=(3, 11),
    ),
)
PLATFORM_DECLINES = (
    Example(
        "the product joins with the wrong separator",
        {
            "names.py": "def place(name):\n    return '-'.join(['menus', 'hot', name])\n",
            "test_names.py": "from names import place\n\n\ndef test_place():\n    assert place('tea') == 'menus/hot/tea'\n",
        },
        why="a dash is no platform's separator",
    ),
    Example(
        "a message of the product's own",
        {
            "pyproject.toml": _PYPROJECT,
            "calc.py": "def check(text):\n    raise ValueError('no such dish')\n",
            "test_calc.py": """
                import pytest

                from calc import check


                def test_check():
                    with pytest.raises(ValueError) as excinfo:
                        check("f(")
                    assert str(excinfo.value) == "unknown dish"
            """,
        },
        why="the project words it, not Python",
    ),
)
