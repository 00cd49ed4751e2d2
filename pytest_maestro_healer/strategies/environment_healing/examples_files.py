"""Examples of the tactics about files and folders."""

from __future__ import annotations

from pytest_maestro_healer.strategies.base import Example

_LOAD = "import json\n\n\ndef load(path):\n    with open(path, encoding='utf-8') as f:\n        return json.load(f)\n"

WORKING_HEALS = (
    Example(
        "pytest started one folder above",
        {
            "shop/tests/menu.json": '{"tea": 3}\n',
            "shop/tests/test_menu.py": """
                import json


                def test_menu():
                    with open("tests/menu.json", encoding="utf-8") as f:
                        menu = json.load(f)
                    assert menu == {"tea": 3}
            """,
        },
        {
            "shop/tests/test_menu.py": """
                import json
                from pathlib import Path


                def test_menu():
                    with open(Path(__file__).parents[1] / "tests/menu.json", encoding="utf-8") as f:
                        menu = json.load(f)
                    assert menu == {"tea": 3}
            """,
        },
    ),
    Example(
        "pytest started inside the test folder",
        {
            "prices.py": _LOAD,
            "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["."]\n',
            "tests/data/menu.json": '{"tea": 3}\n',
            "tests/test_menu.py": """
                from pathlib import Path

                from prices import load

                DATA = Path("tests") / "data"


                def test_menu():
                    assert load(DATA / "menu.json") == {"tea": 3}


                def test_again():
                    assert list(load(str(DATA / "menu.json"))) == ["tea"]
            """,
        },
        {
            "tests/test_menu.py": """
                from pathlib import Path

                from prices import load

                DATA = Path(__file__).parents[1] / "tests/data"


                def test_menu():
                    assert load(DATA / "menu.json") == {"tea": 3}


                def test_again():
                    assert list(load(str(DATA / "menu.json"))) == ["tea"]
            """,
        },
        cwd="tests",
    ),
    Example(
        "the product's own relative path",
        {
            "shop/prices.py": _LOAD + "\n\ndef menu():\n    return load('config/menu.json')\n",
            "shop/pytest.ini": "",
            "shop/config/menu.json": '{"tea": 3}\n',
            "shop/test_prices.py": "from prices import menu\n\n\ndef test_menu():\n    assert menu() == {'tea': 3}\n",
        },
        {
            "shop/test_prices.py": """
                from pathlib import Path

                from prices import menu


                def test_menu(monkeypatch):
                    monkeypatch.chdir(Path(__file__).parent)
                    assert menu() == {'tea': 3}
            """,
        },
    ),
)
WORKING_DECLINES = (
    Example(
        "a file that is nowhere",
        {
            "prices.py": _LOAD,
            "data/menu.json": '{"tea": 3}\n',
            "test_menu.py": "from prices import load\n\n\ndef test_menu():\n    assert load('data/menus.json') == {'tea': 3}\n",
        },
        why="no folder of the project has it: which file is meant is not for a tool to guess",
    ),
    Example(
        "the product looks in the wrong folder",
        {
            "shop/prices.py": _LOAD + "\n\ndef menu():\n    return load('confg/menu.json')\n",
            "shop/config/menu.json": '{"tea": 3}\n',
            "shop/test_prices.py": "from prices import menu\n\n\ndef test_menu():\n    assert menu() == {'tea': 3}\n",
        },
        why="a typo of the product",
        cwd="shop",
    ),
)
