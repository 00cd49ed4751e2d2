"""Documented values of environment variables, and which variables code reads."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from pytest_maestro_healer.evidence.files import ProjectFiles
from pytest_maestro_healer.evidence.settings import Settings
from pytest_maestro_healer.evidence.symbols import SymbolIndex
from pytest_maestro_healer.evidence.variables import Variables, reads


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        (".env.example", "API_URL=https://a.example\n", "https://a.example"),
        (".env.example", 'export API_URL="two words"  # both\n', "two words"),
        (".env.example", "API_URL=two words  # both\n", "two words"),
        ("docker-compose.yml", "services:\n  web:\n    environment:\n      - API_URL=http://web:80\n", "http://web:80"),
        ("docker-compose.yml", "    environment:\n      API_URL: http://web:80\n", "http://web:80"),
        ("docker-compose.yml", "      API_URL: ${API_URL:-http://fallback}\n", "http://fallback"),
        (".github/workflows/ci.yml", "env:\n  API_URL: 'http://ci'\n", "http://ci"),
        ("tox.ini", "setenv =\n    API_URL = http://tox\n", "http://tox"),
        ("Dockerfile", "ENV API_URL http://image\n", "http://image"),
        ("Dockerfile", "ENV API_URL=http://image\n", "http://image"),
        ("README.md", "Run `API_URL=http://readme python -m shop` first.\n", "http://readme"),
        ("noxfile.py", 'session.run("pytest", env={"API_URL": "http://nox"})\n', "http://nox"),
    ],
)
def test_a_value_is_found_where_projects_write_it(tmp_path: Path, path: str, text: str, value: str) -> None:
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text(text, encoding="utf-8")
    found = Settings(ProjectFiles(tmp_path)).values("API_URL")
    assert [s.value for s in found] == [value]
    assert found[0].where.startswith(f"{path}:")


@pytest.mark.parametrize(
    "text",
    [
        "API_URL=\n",
        "API_URL=<your url>\n",
        "API_URL: ${{ secrets.API_URL }}\n",
        "OTHER_API_URL=http://x\n",
        "API_URL_OLD=http://x\n",
        "API_URL=$URL\n",
    ],
)
def test_a_placeholder_or_another_name_is_no_value(tmp_path: Path, text: str) -> None:
    (tmp_path / ".env.example").write_text(text, encoding="utf-8")
    assert Settings(ProjectFiles(tmp_path)).values("API_URL") == ()


def test_an_example_file_says_more_than_prose(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("`PORT=1`\n", encoding="utf-8")
    (tmp_path / ".env.example").write_text("PORT=2\n", encoding="utf-8")
    assert [s.value for s in Settings(ProjectFiles(tmp_path)).values("PORT")] == ["2", "1"]


def read(text: str) -> list[tuple[str, bool, str, bool, str]]:
    return [(r.name, r.required, r.default, r.at_import, r.converter) for r in reads(ast.parse(text), "m.py")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import os\nX = os.environ['A']\n", ("A", True, "", True, "")),
        ("import os\ndef f():\n    return int(os.environ['A'])\n", ("A", True, "", False, "int")),
        ("import os\ndef f():\n    return os.getenv('A', 'b')\n", ("A", False, "'b'", False, "")),
        ("from os import environ\ndef f():\n    return 'A' in environ\n", ("A", False, "", False, "")),
        ("import os\nNAME = 'A'\ndef f():\n    return os.environ.get(NAME)\n", ("A", False, "", False, "")),
        ("import os\ndef f(env=os.environ):\n    return env['A']\n", ("A", True, "", False, "")),
    ],
)
def test_reads_of_variables(text: str, expected: tuple[str, bool, str, bool, str]) -> None:
    assert read(text) == [expected]


def test_writes_are_no_reads() -> None:
    assert read("import os\nos.environ['A'] = 'b'\ndel os.environ['C']\n") == []


def test_only_what_the_test_reaches_counts(tmp_path: Path) -> None:
    for path, text in {
        "test_a.py": "import a\n",
        "a.py": "from b import f\n",
        "b.py": "import os\n\ndef f():\n    return os.environ['IN_B']\n",
        "other.py": "import os\nX = os.environ['ELSEWHERE']\n",
    }.items():
        (tmp_path / path).write_text(text, encoding="utf-8")
    variables = Variables(SymbolIndex(ProjectFiles(tmp_path)))
    assert list(variables.reachable("test_a.py")) == ["test_a.py", "a.py", "b.py"]
    assert [r.name for r in variables.read_by("test_a.py")] == ["IN_B"]


def test_what_libraries_read_is_known(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text("import argparse\nfrom pathlib import Path\n\nHOME = Path.home()\n", encoding="utf-8")
    implied = Variables(SymbolIndex(ProjectFiles(tmp_path))).implied("test_a.py")
    assert {"COLUMNS", "HOME"} <= set(implied)
    assert "TZ" not in implied
