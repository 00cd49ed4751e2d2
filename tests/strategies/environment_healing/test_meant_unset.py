"""A variable that is not set may be one that the code has to do without, or one that is set by its former name."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Failure
from pytest_maestro_healer.strategies.environment_healing.meant_unset import meant_unset
from tests.unit.test_git import commit, git, write

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
CODE = "import os\n\n\ndef url():\n    return os.environ['{}']\n"
COMPOSE = "services:\n  web:\n    environment:\n      {}: postgres://db/shop\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "--template=", "-b", "main")
    write(tmp_path, {"README.md": b"# shop\n"})
    commit(tmp_path)
    return tmp_path


def told(root: Path, *states: dict[str, str], name: str = "SHOP_REGION", value: str = "de", exc: str = "KeyError") -> str:
    for files in states:
        write(root, {path: text.encode() for path, text in files.items()})
        commit(root)
    failure = Failure("test_a.py::test_a", "call", "test_a.py", exc, "", exc_mro=(exc,))
    return meant_unset(name, value, "shop.py", failure, Context(root, HealerConfig()))


@pytest.mark.parametrize(
    ("said", "exc", "found"),
    [
        ("`SHOP_REGION` is optional, the default is de.", "KeyError", True),
        ("`SHOP_REGION` is optional.", "KeyError", True),
        ("- `SHOP_REGION` (default: `de`)", "AssertionError", True),
        ("| SHOP_REGION | the country, defaults to de |", "AssertionError", True),
        ("If `SHOP_REGION` is not set, prices have no tax.", "KeyError", True),
        ("Set `SHOP_REGION` to your country.", "KeyError", False),
        ("`SHOP_REGION` is no longer optional.", "KeyError", False),
        ("`SHOP_REGION` is required.", "KeyError", False),
        ("`SHOP_REGION` is optional.", "AssertionError", False),
        ("`SHOP_REGION` (default: `ch`)", "AssertionError", False),
        ("`SHOP_REGION_NAME` is optional.", "KeyError", False),
    ],
)
def test_what_documents_say(root: Path, said: str, exc: str, found: bool) -> None:
    reason = told(root, {"README.md": f"# shop\n\n{said}\n", "shop.py": CODE.format("SHOP_REGION")}, exc=exc)
    assert ("README.md:3" in reason) is found


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"compose.yml": COMPOSE.format("OLD_URL")}, "compose.yml:4 still sets OLD_URL"),
        ({"Dockerfile": "FROM python\nENV OLD_URL=x\n"}, "Dockerfile:2 still sets OLD_URL"),
        ({"k8s/web.yaml": "env:\n  - name: OLD_URL\n    value: x\n"}, "k8s/web.yaml:2 still sets OLD_URL"),
        ({"compose.yml": COMPOSE.format("OLD_URL") + "      SHOP_URL: x\n"}, ""),
        ({"compose.yml": COMPOSE.format("MY_OLD_URL")}, ""),
        ({"CHANGELOG.md": "OLD_URL: gone\n"}, ""),
        ({}, ""),
    ],
)
@pytest.mark.parametrize("later", [[], [{"README.md": "# more\n"}, {"README.md": "# still more\n"}]])
def test_a_file_with_the_former_name(root: Path, files: dict[str, str], found: str, later: list[dict[str, str]]) -> None:
    reason = told(root, {"shop.py": CODE.format("OLD_URL"), **files}, {"shop.py": CODE.format("SHOP_URL")}, *later, name="SHOP_URL", value="x")
    assert found in reason
    assert bool(reason) is bool(found)


def test_code_that_reads_both(root: Path) -> None:
    both = "import os\n\n\ndef url():\n    return os.environ.get('SHOP_URL') or os.environ['OLD_URL']\n"
    assert told(root, {"shop.py": CODE.format("OLD_URL"), "compose.yml": COMPOSE.format("OLD_URL")}, {"shop.py": both}, name="SHOP_URL") == ""
