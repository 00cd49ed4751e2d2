"""Examples of the tactics about time zone, terminal, locale and encoding."""

from __future__ import annotations

from pytest_maestro_healer.strategies.base import Example

_STAMP = "from datetime import datetime\n\n\ndef stamp(seconds):\n    return datetime.fromtimestamp(seconds).strftime('%Y-%m-%d %H:%M')\n"
_STAMP_TEST = "from stamps import stamp\n\n\ndef test_stamp():\n    assert stamp(86400) == '1970-01-02 00:00'\n"
_STAMP_OFF = """
    from datetime import datetime, timedelta, timezone


    def stamp(seconds):
        return (datetime.fromtimestamp(seconds, timezone.utc) + timedelta(hours=1)).strftime("%Y-%m-%d %H:%M")
"""
_INDIA_TEST = """
    import time

    import pytest

    from stamps import stamp


    def test_stamp():
        assert stamp(0) == '1970-01-01 05:30'
"""

ZONE_HEALS = (
    Example(
        "written where local time is UTC",
        {"stamps.py": _STAMP, "test_stamps.py": _STAMP_TEST},
        {
            "test_stamps.py": """
                import time

                import pytest
                from stamps import stamp


                @pytest.fixture
                def utc():
                    \"\"\"Local time as the expectations have it: UTC.\"\"\"
                    with pytest.MonkeyPatch.context() as patch:
                        patch.setenv("TZ", "UTC")
                        time.tzset()
                        yield
                    time.tzset()


                @pytest.mark.usefixtures("utc")
                def test_stamp():
                    assert stamp(86400) == '1970-01-02 00:00'
            """,
        },
        env={"TZ": "America/New_York"},
    ),
    Example(
        "written where CI sets the zone",
        {
            "stamps.py": _STAMP,
            "tox.ini": "[testenv]\nsetenv =\n    TZ = Asia/Kolkata\ncommands = pytest\n",
            "test_stamps.py": _INDIA_TEST,
        },
        {
            "test_stamps.py": """
                import time

                import pytest

                from stamps import stamp


                @pytest.fixture
                def time_zone():
                    \"\"\"Local time as the expectations have it: Asia/Kolkata.\"\"\"
                    with pytest.MonkeyPatch.context() as patch:
                        patch.setenv("TZ", "Asia/Kolkata")
                        time.tzset()
                        yield
                    time.tzset()


                @pytest.mark.usefixtures("time_zone")
                def test_stamp():
                    assert stamp(0) == '1970-01-01 05:30'
            """,
        },
        env={"TZ": "UTC"},
    ),
)
ZONE_DECLINES = (
    Example(
        "the product is an hour off in every zone",
        {
            "stamps.py": _STAMP_OFF,
            "test_stamps.py": _STAMP_TEST,
        },
        why="no zone makes it pass: the product adds an hour",
        env={"TZ": "UTC"},
    ),
)  # fmt: skip

_USAGE = """
    import argparse


    def usage():
        parser = argparse.ArgumentParser(prog="shop")
        parser.add_argument("--warehouse", metavar="NAME", help="the warehouse that articles are taken from, by name")
        return parser.format_usage() + parser.format_help().splitlines()[-1]
"""
_USAGE_TEST = """
    from cli import usage


    def test_usage():
        assert usage() == "usage: shop [-h] [--warehouse NAME]\\n  --warehouse NAME  the warehouse that articles are taken from, by name"
"""
_COLOUR = """
    import os


    def bold(text):
        if "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb":
            return text
        return f"\\x1b[1m{text}\\x1b[0m" if os.environ.get("FORCE_COLOR") else text
"""
_BOLD_TEST = "from paint import bold\n\n\ndef test_bold():\n    assert bold('sale') == '\\x1b[1msale\\x1b[0m'\n"

TERMINAL_HEALS = (
    Example(
        "written at 80 columns",
        {"cli.py": _USAGE, "test_cli.py": _USAGE_TEST},
        {
            "test_cli.py": """
                from cli import usage


                def test_usage(monkeypatch):
                    monkeypatch.setenv("COLUMNS", "80")
                    assert usage() == "usage: shop [-h] [--warehouse NAME]\\n  --warehouse NAME  the warehouse that articles are taken from, by name"
            """,
        },
        env={"COLUMNS": "50"},
    ),
    Example(
        "a length that follows the width",
        {
            "rule.py": "import shutil\n\n\ndef rule():\n    return '-' * (shutil.get_terminal_size().columns // 10)\n",
            "test_rule.py": "from rule import rule\n\n\ndef test_rule():\n    assert rule() == '-' * 8\n",
        },
        {
            "test_rule.py": """
                from rule import rule


                def test_rule(monkeypatch):
                    monkeypatch.setenv("COLUMNS", "80")
                    assert rule() == '-' * 8
            """,
        },
        env={"COLUMNS": "132"},
    ),
    Example(
        "colour is forced in this shell",
        {"paint.py": _COLOUR, "test_paint.py": "from paint import bold\n\n\ndef test_bold():\n    assert bold('sale') == 'sale'\n"},
        {
            "test_paint.py": """
                from paint import bold


                def test_bold(monkeypatch):
                    monkeypatch.delenv("FORCE_COLOR", raising=False)
                    assert bold('sale') == 'sale'
            """,
        },
        env={"FORCE_COLOR": "1"},
    ),
    Example(
        "the test expects colour",
        {"paint.py": _COLOUR, "test_paint.py": _BOLD_TEST},
        {
            "test_paint.py": """
                from paint import bold


                def test_bold(monkeypatch):
                    monkeypatch.setenv("FORCE_COLOR", "1")
                    assert bold('sale') == '\\x1b[1msale\\x1b[0m'
            """,
        },
    ),
)
TERMINAL_DECLINES = (
    Example(
        "a changed help text",
        {
            "cli.py": _USAGE.replace(", by name", " by its number"),
            "test_cli.py": _USAGE_TEST,
        },
        why="no width makes the texts equal: the product says something else",
        env={"COLUMNS": "50"},
    ),
    Example(
        "colour that the product always writes",
        {
            "paint.py": "import os\n\n\ndef bold(text):\n    return f'\\x1b[1m{text}\\x1b[0m'\n",
            "test_paint.py": "from paint import bold\n\n\ndef test_bold():\n    assert bold('sale') == 'sale'\n",
        },
        why="the product ignores NO_COLOR",
        env={"FORCE_COLOR": "1"},
    ),
)

_READ = "from pathlib import Path\n\nDATA = Path(__file__).parent / 'menu.txt'\n\n\ndef first_line(text):\n    return text.splitlines()[0]\n"
ENCODING_HEALS = (
    Example(
        "a file opened without its encoding",
        {
            "menu.txt": "Käse\nBrot\n",
            "menu.py": _READ,
            "test_menu.py": """
                from menu import DATA, first_line


                def test_first_line():
                    with open(DATA) as f:
                        text = f.read()
                    assert first_line(text).startswith("K")


                def test_length():
                    assert len(first_line(DATA.read_text())) == 4
            """,
        },
        {
            "test_menu.py": """
                from menu import DATA, first_line


                def test_first_line():
                    with open(DATA, encoding="utf-8") as f:
                        text = f.read()
                    assert first_line(text).startswith("K")


                def test_length():
                    assert len(first_line(DATA.read_text(encoding="utf-8"))) == 4
            """,
        },
        env={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        fresh=True,
    ),
    Example(
        "a file in an old encoding",
        {
            "menu.txt": "Käse\nBrot\n".encode("cp1252"),
            "menu.py": _READ,
            "test_menu.py": "from menu import DATA, first_line\n\n\ndef test_first_line():\n    assert first_line(DATA.read_text()) == 'K\\xe4se'\n",
        },
        {
            "test_menu.py": """
                from menu import DATA, first_line


                def test_first_line():
                    assert first_line(DATA.read_text(encoding="cp1252")) == 'K\\xe4se'
            """,
        },
    ),
)
ENCODING_DECLINES = (
    Example(
        "the product opens it without an encoding",
        {
            "menu.txt": "Käse\nBrot\n".encode("cp1252"),
            "menu.py": _READ + "\n\ndef menu():\n    return DATA.read_text().split()\n",
            "test_menu.py": "from menu import menu\n\n\ndef test_menu():\n    assert len(menu()) == 2\n",
        },
        advice="without an encoding",
        why="a user of the product meets the same error",
    ),
)

_TITLES = """
    import gettext
    import os


    def title():
        language = (os.environ.get("LC_ALL") or os.environ.get("LANG") or "C").partition("_")[0]
        assert gettext.find("shop", languages=[language]) is None
        return {"de": "Laden", "fr": "Magasin"}.get(language, "Shop")
"""
_SHOP_TEST = "from titles import title\n\n\ndef test_title():\n    assert title() == 'Shop'\n"

LOCALE_HEALS = (
    Example(
        "written in an English shell",
        {"titles.py": _TITLES, "test_titles.py": _SHOP_TEST},
        {
            "test_titles.py": """
                from titles import title


                def test_title(monkeypatch):
                    monkeypatch.setenv("LC_ALL", "C.UTF-8")
                    assert title() == 'Shop'
            """,
        },
        env={"LANG": "de_DE.UTF-8", "LC_ALL": ""},
    ),
    Example(
        "a locale that is not installed",
        {
            "test_price.py": """
                import locale

                import pytest


                @pytest.fixture
                def german():
                    before = locale.setlocale(locale.LC_ALL)
                    locale.setlocale(locale.LC_ALL, 'xx_XX.UTF-8')
                    yield
                    locale.setlocale(locale.LC_ALL, before)


                def test_price(german):
                    assert locale.str(1.5) == '1,5'
            """,
        },
        advice="the locale xx_XX.UTF-8 that test_price.py:9 asks for is not installed",
    ),
    Example(
        "written where CI is French",
        {
            "titles.py": _TITLES,
            ".gitlab-ci.yml": "test:\n  variables:\n    LANG: fr_FR.UTF-8\n  script: pytest\n",
            "test_titles.py": "from titles import title\n\n\ndef test_title():\n    assert title() == 'Magasin'\n",
        },
        {
            "test_titles.py": """
                from titles import title


                def test_title(monkeypatch):
                    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
                    assert title() == 'Magasin'
            """,
        },
    ),
)
LOCALE_DECLINES = (
    Example(
        "a title that no locale has",
        {"titles.py": _TITLES.replace('"Shop")', '"Shp")'), "test_titles.py": _SHOP_TEST},
        why="the product has a typo",
        env={"LANG": "de_DE.UTF-8"},
    ),
)  # fmt: skip
