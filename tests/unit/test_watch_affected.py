"""The watch's import graph: a change reaches all that may load the changed file, and no more than need be."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from pytest_maestro_healer.commands.root import loaded_names
from pytest_maestro_healer.evidence.files import ProjectFiles
from pytest_maestro_healer.watch.affected import Affected, Graph, GraphBuilder, affected
from pytest_maestro_healer.watch.mentions import mentions

PROJECT = {
    "pyproject.toml": "[tool.pytest.ini_options]\n",
    "src/shop/__init__.py": "from shop.money import Money\n",
    "src/shop/money.py": "class Money: ...\n",
    "src/shop/tax.py": "from .money import Money\n",
    "src/shop/deep/__init__.py": "",
    "src/shop/deep/rates.py": "from ..tax import Money\n",
    "lone.py": "X = 1\n",
    "tests/conftest.py": "from helpers import make\n",
    "tests/helpers.py": "def make(): ...\n",
    "tests/test_money.py": "from shop import Money\n",
    "tests/unit/conftest.py": "",
    "tests/unit/test_rates.py": "def test_late():\n    from shop.deep import rates\n",
    "tests/unit/test_patched.py": "def test(mocker):\n    mocker.patch('shop.tax.Money')\n",
    "tests/unit/test_run.py": "import subprocess, sys\nsubprocess.run([sys.executable, '-m', 'lone'])\n",
    "tests/unit/test_data.py": "from pathlib import Path\nDATA = Path('tests/data/prices.json')\n",
    "tests/unit/test_glob.py": "from pathlib import Path\nALL = list(Path('x').glob('*.csv'))\n",
    "tests/other/test_alone.py": "def test(): ...\n",
}


class World:
    """Files on the disk, and the graphs of before and now."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.builder = GraphBuilder(lambda path: (root / path).stat().st_mtime_ns if (root / path).exists() else None)
        self.before = Graph()

    def write(self, files: Mapping[str, str | None]) -> None:
        for name, text in files.items():
            path = self.root / name
            if text is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def change(self, files: Mapping[str, str | None]) -> Affected:
        self.before = self.builder.build(ProjectFiles(self.root))
        self.write(files)
        return affected(list(files), self.before, self.builder.build(ProjectFiles(self.root)), loaded_names(self.root))

    def tests(self, *files: str) -> set[str]:
        """The test modules that touching ``files`` reaches."""
        return names(self.change({f: PROJECT.get(f, "new") + "# touched\n" for f in files}))


def names(found: Affected) -> set[str]:
    return {p.rpartition("/")[2] for p in found.files if p.rpartition("/")[2].startswith("test_")}


@pytest.fixture
def world(tmp_path: Path) -> World:
    w = World(tmp_path)
    w.write(PROJECT)
    return w


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ("tests/test_money.py", {"test_money.py"}),
        ("src/shop/money.py", {"test_money.py", "test_rates.py", "test_patched.py"}),
        ("src/shop/tax.py", {"test_rates.py", "test_patched.py"}),
        ("src/shop/deep/rates.py", {"test_rates.py"}),
        ("lone.py", {"test_run.py"}),
        ("tests/unit/conftest.py", {"test_rates.py", "test_patched.py", "test_run.py", "test_data.py", "test_glob.py"}),
    ],
)
def test_a_change_reaches_what_loads_it(world: World, changed: str, expected: set[str]) -> None:
    assert world.tests(changed) == expected


def test_a_helper_of_a_conftest_reaches_the_conftests_folder(world: World) -> None:
    assert "test_alone.py" in world.tests("tests/helpers.py")


def test_a_module_of_a_package_loads_the_package(world: World) -> None:
    assert world.tests("src/shop/__init__.py") == {"test_money.py", "test_rates.py", "test_patched.py"}


def test_a_data_file_reaches_who_names_it_or_its_kind(world: World) -> None:
    assert world.tests("tests/data/prices.json") == {"test_data.py"}
    assert world.tests("tests/x/rows.csv") == {"test_glob.py"}


@pytest.mark.parametrize("path", ["pyproject.toml", "pytest.ini", "somewhere/blob.bin"])
def test_configuration_and_data_that_nobody_names_reach_everything(world: World, path: str) -> None:
    assert world.change({path: "\n"}).everything.startswith(f"{path} changed")


def test_a_file_that_no_test_loads_reaches_no_test(world: World) -> None:
    assert world.tests("script.py") == set()


def test_a_deleted_module_reaches_those_that_loaded_it(world: World) -> None:
    assert names(world.change({"src/shop/tax.py": None})) == {"test_rates.py", "test_patched.py"}


def test_a_new_module_reaches_those_that_import_its_name(world: World) -> None:
    world.write({"tests/other/test_soon.py": "import shop.soon\n"})
    assert names(world.change({"src/shop/soon.py": ""})) == {"test_soon.py"}


def test_a_file_that_does_not_parse_keeps_its_imports_and_gains_new_ones(world: World) -> None:
    found = world.change({"tests/other/test_alone.py": "import lone\n\ndef test(:\n"})
    assert names(found) == {"test_alone.py"}
    assert "test_alone.py" in world.tests("lone.py")
    world.change({"tests/test_money.py": "def test(:\n"})
    assert "test_money.py" in world.tests("src/shop/money.py")


def test_what_pytest_loads_for_every_test_reaches_everything(world: World) -> None:
    world.write({"pyproject.toml": '[project.entry-points.pytest11]\nshop = "shop.plugin"\n[tool.pytest.ini_options]\naddopts = "-p lone"\n'})
    world.write({"src/shop/plugin.py": "import shop.deep.rates\n"})
    assert world.change({"src/shop/deep/rates.py": "R = 1\n"}).everything == "src/shop/plugin.py is loaded for every test"
    assert world.change({"lone.py": "X = 3\n"}).everything == "lone.py changed"
    given = ["-x", "-p", "more.plugin", "-p", "no:cacheprovider", "-pshort", "test_money.py"]
    assert sorted(loaded_names(world.root, given)) == ["lone", "more.plugin", "shop.plugin", "short"]


def test_a_broken_configuration_names_nothing(world: World) -> None:
    world.write({"pyproject.toml": "[tool.pytest"})
    assert loaded_names(world.root, ["-p", "lone"]) == ["lone"]


def test_cycles_end(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write({"a.py": "import b\n", "b.py": "import a\n", "test_a.py": "import a\n"})
    assert names(world.change({"b.py": "import a\nX = 1\n"})) == {"test_a.py"}


def test_only_files_that_changed_are_read_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.change({"lone.py": "X = 2\n"})
    read: list[str] = []
    real = ProjectFiles.read
    monkeypatch.setattr(ProjectFiles, "read", lambda self, path: (read.append(path), real(self, path))[1])
    world.write({"lone.py": "X = 4567\n"})
    world.builder.build(ProjectFiles(world.root))
    assert read == ["lone.py"]


def test_dotted_strings_are_modules_and_sentences_are_not() -> None:
    import ast

    text = b"A = 'pkg.mod:main'\nB = 'see pkg.other for more'\nC = 'word'\nD = 'a/b/file.txt'\n"
    found = mentions(text, ast.parse(text))
    assert found.modules == {"pkg.mod"}
    assert {"a", "b", "file.txt"} <= found.texts
