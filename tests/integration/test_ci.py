"""docs/ci.md runs as written: its very commands, in clean clones, with the variables of each CI system set."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

pytestmark = [pytest.mark.timeout(300), pytest.mark.skipif(shutil.which("bash") is None, reason="the commands are for bash")]

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
BLOCKS = {m[1]: m[2] for m in re.finditer(r"<!-- example: (\w+) -->\n```\w+\n(.*?)^```$", PAGE, flags=re.S | re.M)}
ENVIRON: dict[str, dict[str, str]] = {
    "github": {"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_RUN_ID": "7", "GITHUB_REF_NAME": "main"},
    "gitlab": {"CI": "true", "GITLAB_CI": "true"},
    "jenkins": {"BUILD_NUMBER": "7", "JENKINS_URL": "http://localhost/"},
}
FILES = {
    "pytest.ini": "[pytest]\npythonpath = .\nheal_timeout = 200\n",
    "shop.py": "def total(items):\n    return sum(items)\n",
    ".gitignore": "__pycache__/\n",
    "tests/unit/test_unit.py": "import shop\n\n\ndef test_dumps():\n    assert json.dumps(shop.total([1])) == '1'\n",
    "tests/integration/test_whole.py": "import shop\n\n\ndef test_escape():\n    assert re.escape(str(shop.total([1]))) == '1'\n",
}


def commands(text: str) -> list[str]:
    """The shell commands of a workflow or pipeline, in order."""
    found: list[str] = []
    lines = text.splitlines()
    for i, line in enumerate(lines):
        one = re.match(r"( *)(?:- )?(?:run: |- |sh ')(.*)$", line)
        if one is None or re.match(r"\s*- (?:uses|name|SHARD): ", line):
            continue
        if one[2] == "|":
            depth = len(line) - len(line.lstrip()) + (2 if line.lstrip().startswith("- ") else 0)
            block = []
            for row in lines[i + 1 :]:
                if row.strip() and len(row) - len(row.lstrip()) <= depth:
                    break
                block.append(row)
            found.append("\n".join(row.strip() for row in block))
        elif one[2].startswith(("pip", "pytest", "maestro-heal")):
            found.append(one[2].removesuffix("'") if "sh '" in line else one[2])
    return found


class Machine:
    """Where the jobs of one CI system run: a clean clone for each."""

    def __init__(self, folder: Path, system: str) -> None:
        self.folder = folder
        self.origin = folder / "origin"
        self.summary = folder / "summary.md"
        keep = {
            k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "GIT_", "GITHUB_", "MAESTRO_")) and k not in ("CI", "BUILD_NUMBER")
        }
        quiet = {"PYTEST_ADDOPTS": "-p no:asyncio -p no:hypothesispytest -p no:cacheprovider", "XDG_CACHE_HOME": str(folder / "cache")}
        path = os.pathsep.join([str(Path(sys.executable).parent), keep.get("PATH", "")])
        self.environ = {**keep, **quiet, **ENVIRON[system], "PATH": path, "PYTHONDONTWRITEBYTECODE": "1", "GITHUB_STEP_SUMMARY": str(self.summary)}
        for name, text in FILES.items():
            (self.origin / name).parent.mkdir(parents=True, exist_ok=True)
            (self.origin / name).write_text(text)
        for args in (["init", "-q", "-b", "main"], ["config", "user.name", "S"], ["config", "user.email", "s@example.com"], ["add", "."]):
            self.sh("git " + " ".join(args), self.origin)
        self.sh("git commit -qm one", self.origin)

    def clone(self, name: str) -> Path:
        """A clean clone."""
        self.sh(f"git clone -q origin {name}", self.folder)
        return self.folder / name

    def words(self, program: str, command: str, cwd: Path) -> list[str]:
        """The arguments that a command gives to a program, which is not run."""
        stub = self.folder / "bin" / program
        stub.parent.mkdir()
        stub.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
        stub.chmod(0o755)
        return self.sh(command, cwd, PATH=os.pathsep.join([str(stub.parent), self.environ["PATH"]])).splitlines()

    def sh(self, command: str, cwd: Path, status: int = 0, **more: str) -> str:
        """Run a command as a CI system does, and look at its exit code; what it printed."""
        env = {**self.environ, "GITHUB_WORKSPACE": str(cwd), **more}
        bash = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", command]
        done = subprocess.run(bash, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=250)
        assert done.returncode == status, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout


def jobs(system: str) -> tuple[str, list[str]]:
    """(the command of a shard, the commands of the job behind them); both jobs install first."""
    found = commands(BLOCKS[system])
    assert found[0] == "pip install . pytest-maestro-healer"
    rest = [c for c in found[2:] if c != "pip install pytest-maestro-healer"]
    return found[1], rest


@pytest.mark.parametrize("system", list(ENVIRON))
def test_the_shards_are_healed_and_merged_as_written(system: str, tmp_path: Path) -> None:
    machine = Machine(tmp_path, system)
    shard, merge = jobs(system)
    names = ("unit", "integration")
    last = machine.clone("heals")
    for name in names:
        here = machine.clone(name)
        out = machine.sh(shard, here, 1, SHARD=name)
        assert machine.sh("git status --porcelain -uno", here) == "", "in CI nothing is written"
        assert (f"::warning file=tests/{name}/" in out) == (system == "github")
        if system != "github":
            assert (here / f"junit-{name}.xml").read_text().count("maestro_healing_id") == 1
        # what upload and download do with the folder that the example names
        assert "shards/" in BLOCKS[system]
        shutil.copytree(here / "shards", last / "shards", dirs_exist_ok=True)
        assert json.loads((last / "shards" / name / "heal.json").read_text())["schema"] == 1
    for command in merge:
        machine.sh(command, last)
    results = json.loads((last / "heals" / "heals.json").read_text())["results"]
    assert sorted(r["test_id"].split("/")[1] for r in results) == sorted(names)
    if system == "github":
        summary = machine.summary.read_text()
        assert "### Healing summary" in summary
        assert summary.count("+import json") == 2, "the shard's own, and the one of all"
        branch, request = commands(BLOCKS["branch"])
        machine.sh(branch, last)
        asked = machine.words("gh", request, last)
        assert asked[:6] == ["pr", "create", "--base", "main", "--head", "heals/7"]
        assert (last / asked[asked.index("--body-file") + 1]).read_text().count("+import ") == 2
        assert machine.sh("git branch --list 'heals/*'", machine.origin).strip() == "heals/7"
        machine.sh("git checkout -q heals/7", machine.origin)
        assert machine.sh("git diff --stat main heals/7", machine.origin).count("|") == 2
        machine.sh("pytest -q", machine.origin)
        # a developer's machine, where the project has another path
        machine.sh("git checkout -q main", machine.origin)
        mine = machine.clone("mine")
        shutil.copy(last / "heals" / "heals.json", mine)
        assert "    maestro-heal merge heals.json\n    maestro-heal review\n" in PAGE
        machine.sh("maestro-heal merge heals.json", mine)
        machine.sh("maestro-heal accept --all", mine)
        assert (mine / "tests" / "unit" / "test_unit.py").read_text().startswith("import json\n")


def test_the_projects_own_workflow_is_the_pages() -> None:
    own = commands((ROOT / ".github" / "workflows" / "heal.yml").read_text(encoding="utf-8"))
    assert [c for c in own if not c.startswith("pip ")] == [c for c in commands(BLOCKS["github"]) if not c.startswith("pip ")]
    shards = re.search(r"shard: \[(.*)\]", (ROOT / ".github" / "workflows" / "heal.yml").read_text(encoding="utf-8"))
    assert shards is not None
    assert all((ROOT / "tests" / name.strip()).is_dir() for name in shards[1].split(","))


def test_every_system_runs_the_same_commands() -> None:
    plain: Mapping[str, tuple[str, str]] = {s: (jobs(s)[0].partition(" --junitxml")[0], jobs(s)[1][0]) for s in ENVIRON}
    assert len(set(plain.values())) == 1
