"""Failures that look like surroundings, order or a new contract, and are a slip of the product: nothing is written, and the product is named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.strategies.example_project import GIT_ENV

CLOCK = "import time\n\n\ndef stamp(seconds):\n    return time.strftime('%H:%M', time.gmtime(seconds))\n"
CLOCK_TEST = "from shop import stamp\n\n\ndef test_stamp():\n    assert stamp(3600) == '01:00'\n"
LINE = "import shutil\n\n\ndef line(width=80):\n    return '-' * (width // 10)\n"
LINE_TEST = "from shop import line\n\n\ndef test_line():\n    assert line() == '-' * 8\n"
SAVE = "def save(path, text):\n    with open(path, 'w') as f:\n        f.write(text)\n    with open(path) as f:\n        return f.read()\n"
SAVE_TEST = (
    "import os\nimport tempfile\n\nfrom shop import save\n\nLOG = os.path.join(tempfile.mkdtemp(), 'log')\n\n\n"
    "def test_one():\n    assert save(LOG, 'a') == 'a'\n\n\ndef test_two():\n    assert save(LOG, 'b') == 'b'\n"
)
SUM = "def total(prices):\n    return round(sum(prices), 2)\n"
SUM_TEST = "from shop import total\n\n\ndef test_total():\n    assert total([0.1] * 3) == 0.3\n"
RATIO = "def ratio(part, whole):\n    return part / whole\n"
RATIO_TEST = "from shop import ratio\n\n\ndef test_ratio():\n    assert ratio(3, 2) == 1.5\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An empty repository."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / ".gitignore").write_text("__pycache__/\n")
    git(folder, "init", "-q", "--template=", "-b", "main")
    return folder


def git(folder: Path, *args: str) -> None:
    subprocess.run(["git", *args], cwd=folder, env={**os.environ, **GIT_ENV}, check=True, capture_output=True, timeout=60)


def heal(project: Path, env: Mapping[str, str]) -> list[dict[str, object]]:
    """The records of a run that may write what is safe."""
    report = project.parent / "heal.json"
    command = [sys.executable, "-m", "pytest", "--heal", "--heal-apply=safe", f"--heal-json={report}", "-p", "no:cacheprovider"]
    hidden = {k: v for k, v in os.environ.items() if k not in ("CI", "BUILD_NUMBER")}
    here = {"XDG_CACHE_HOME": str(project.parent / "cache"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=project, env={**hidden, **GIT_ENV, **here, **env}, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1, done.stdout + done.stderr
    found: list[dict[str, object]] = json.loads(report.read_text())["results"]
    return found


@pytest.mark.parametrize(
    ("product", "slip", "test", "env", "commits"),
    [
        pytest.param(CLOCK, ("gmtime", "localtime"), CLOCK_TEST, {"TZ": "Asia/Tokyo"}, 0, id="local-time, uncommitted"),
        pytest.param(CLOCK, ("gmtime", "localtime"), CLOCK_TEST, {"TZ": "Asia/Tokyo"}, 1, id="local-time, committed"),
        pytest.param(CLOCK, ("gmtime", "localtime"), CLOCK_TEST, {"TZ": "Asia/Tokyo"}, 3, id="local-time, other commits since"),
        pytest.param(LINE, ("width //", "shutil.get_terminal_size().columns //"), LINE_TEST, {"COLUMNS": "132"}, 1, id="terminal-width, committed"),
        pytest.param(SAVE, ("'w'", "'a'"), SAVE_TEST, {}, 3, id="appends, other commits since"),
        pytest.param(SUM, ("round(sum(prices), 2)", "sum(prices)"), SUM_TEST, {}, 0, id="rounding, uncommitted"),
        pytest.param(RATIO, ("part, whole", "whole, part"), RATIO_TEST, {}, 1, id="swapped, committed"),
    ],
)
def test_a_slip_of_the_product_is_not_healed_in_the_test(
    project: Path, product: str, slip: tuple[str, str], test: str, env: dict[str, str], commits: int
) -> None:
    (project / "shop.py").write_text(product)
    (project / "test_shop.py").write_text(test)
    git(project, "add", "-A")
    git(project, "commit", "-qm", "A shop")
    (project / "shop.py").write_text(product.replace(*slip))
    for i in range(commits):
        (project / "NOTES.txt").write_text(f"{i}\n")
        git(project, "add", "-A")
        git(project, "commit", "-qm", "Clean up" if i == 0 else "Notes")
    before = {p.name: p.read_bytes() for p in project.iterdir() if p.is_file()}

    records = heal(project, env)

    assert {p.name: p.read_bytes() for p in project.iterdir() if p.is_file()} == before
    assert records
    assert all(r["decision"]["kind"] != "applied" for r in records)  # type: ignore[index]
    suspected = [r for r in records if r["diagnosis"]["cause"] == "regression_suspected"]  # type: ignore[index]
    assert all(float(str(r["confidence_score"])) < 0.75 for r in suspected)
    assert "shop.py:" in json.dumps([(r["diagnosis"], r["advice"], r["evidence"]) for r in records])


def test_surroundings_that_the_product_always_read_are_healed(project: Path) -> None:
    product = LINE.replace("width //", "shutil.get_terminal_size().columns //")
    (project / "shop.py").write_text(product)
    (project / "test_shop.py").write_text(LINE_TEST)
    git(project, "add", "-A")
    git(project, "commit", "-qm", "A shop")
    (project / "shop.py").write_text(product + "\n\ndef other():\n    return 1\n")

    records = heal(project, {"COLUMNS": "132"})

    assert [r["decision"]["kind"] for r in records] == ["applied"], records  # type: ignore[index]
    assert "COLUMNS" in (project / "test_shop.py").read_text()


def test_a_variable_that_nobody_set_is_called_so_and_no_regression(project: Path) -> None:
    (project / "shop.py").write_text("import os\n\n\ndef user():\n    return os.environ['SHOP_USER'].lower()\n")
    (project / "test_shop.py").write_text("from shop import user\n\n\ndef test_user():\n    assert user() == 'ada'\n")
    for name in ("shop.py", "test_shop.py"):
        git(project, "add", name)
        git(project, "commit", "-qm", "Work")
    [found] = heal(project, {})
    assert found["decision"] == {**found["decision"], "kind": "rejected"}  # type: ignore[dict-item]
    assert found["diagnosis"]["cause"] == "environment"  # type: ignore[index]
    assert "shop.py:5 reads SHOP_USER, which is not set here" in json.dumps(found)
