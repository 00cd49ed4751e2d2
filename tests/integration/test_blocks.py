"""Every code block of README.md and docs/ is executed: here, or by the test that its page's table below names.

Shell blocks run line by line, in the page's order, in a project with two failing tests. A new block runs here by itself; one of a kind that nobody
executes fails :func:`test_every_block_is_executed_by_somebody`.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration import test_ci
from tests.integration.pages import ALL, ROOT, Block

pytestmark = pytest.mark.timeout(300)

SHELL = ("sh", "bash", "console", "")
#: Pages whose named examples a test module runs by their names.
BY_NAME = {"docs/api.md": "test_seed.py", "docs/adapters.md": "test_adapters.py", "docs/ci.md": "test_ci.py"}
#: Pages that are made, or compared, as a whole: page -> (module, test).
AS_A_WHOLE = {
    "docs/catalogue.md": ("tests/unit/test_catalogue.py", "test_the_page_is_up_to_date"),
    "docs/custom-strategies.md": ("tests/integration/test_examples.py", "test_the_page_about_own_strategies_shows_the_examples_as_they_are"),
}
#: Blocks that are run elsewhere, and why not here: (page, beginning of the block) -> (where, words that it has there).
ELSEWHERE = {
    ("README.md", "python -m venv"): (".ci/run", "readme_command 1"),  # installs from a package index
    ("README.md", '.venv/bin/pip install ".[test]"'): (".ci/run", "readme_command 2"),  # is this very test suite
}
FILES = {
    "pytest.ini": "[pytest]\npythonpath = .\nheal_timeout = 200\n",
    ".gitignore": "__pycache__/\n",
    "shop.py": "def total(items):\n    return sum(items)\n",
    "tests/test_orders.py": "import shop\n\n\ndef test_total():\n    assert json.dumps(shop.total([1])) == '1'\n",
    "tests/unit/test_names.py": "import shop\n\n\ndef test_name():\n    assert re.escape(shop.total.__name__) == 'total'\n",
    "acme/__init__.py": "",
    "acme/repairs.py": "from pytest_maestro_healer.adapters import RepairService as Service\n",
    "acme/runs.py": "from pytest_maestro_healer.adapters import TestRunner as Runner\n",
}
#: Plugins of this environment that would only cost time; of the conformance tests a few, as all run in test_adapters.py.
QUIET = "-p no:asyncio -p no:hypothesispytest -p no:cacheprovider"
FEW = "-k 'updates_tell or overridden'"
#: The confirmation in a fresh process takes most of the time of a run; where a page's commands write by themselves, or show it, it is there.
SLOW = ("docs/watch.md", "docs/troubleshooting.md")


def kind(block: Block) -> str:
    """Who executes a block; empty for nobody."""
    if block.page in AS_A_WHOLE:
        return "whole"
    if block.name:
        return "name" if block.page in BY_NAME else ""
    if any(block.page == page and block.text.startswith(start) for page, start in ELSEWHERE):
        return "elsewhere"
    if block.language in ("toml", "python"):
        return block.language
    if block.language not in SHELL:
        return ""
    if block.page == "docs/architecture.md":
        return "layout"
    return "bench" if block.page == "docs/benchmarks.md" else "shell"


def of(which: str) -> list[Block]:
    return [b for b in ALL if kind(b) == which]


def used(module: str) -> set[str]:
    """The names of examples that a test module runs: ``execute("name")``, ``BLOCKS["name"]``, ``PAGE["name"]``, a system of ``ENVIRON``."""
    found: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / "tests" / "integration" / module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "execute":
            found |= {a.value for a in node.args if isinstance(a, ast.Constant)}
        elif isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id in ("BLOCKS", "PAGE"):
            found |= {node.slice.value} if isinstance(node.slice, ast.Constant) else set()
    return found | (set(test_ci.ENVIRON) if module == "test_ci.py" else set())


def test_every_block_is_executed_by_somebody() -> None:
    assert [str(b) for b in ALL if not kind(b)] == []
    assert [str(b) for b in of("name") if b.name not in used(BY_NAME[b.page])] == []
    for module, test in AS_A_WHOLE.values():
        assert f"def {test}(" in (ROOT / module).read_text(encoding="utf-8")
    for (page, start), (where, words) in ELSEWHERE.items():
        assert [b for b in ALL if b.page == page and b.text.startswith(start)], f"{page} has it no more: {start}"
        assert words in (ROOT / where).read_text(encoding="utf-8")
    assert {b.page for b in of("shell")} >= {"README.md", "docs/index.md", "docs/watch.md", "docs/ci.md", "docs/learning.md"}


# -- shell -----------------------------------------------------------------------------------------------------
class Machine:
    """A project with two failing tests, under git, and a shell in it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "project"
        keep = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "GIT_", "MAESTRO_", "PYTHONPATH"))}
        home = {name: str(folder / "home") for name in ("HOME", "XDG_CACHE_HOME", "LOCALAPPDATA")}
        path = os.pathsep.join([str(Path(sys.executable).parent), keep.get("PATH", "")])
        self.environ = {**keep, **home, "PATH": path, "NO_COLOR": "1", "PYTEST_ADDOPTS": QUIET, "PYTHONDONTWRITEBYTECODE": "1"}
        for name, text in FILES.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text, encoding="utf-8")
        self.sh("git init -q && git add . && git -c user.name=S -c user.email=s@example.com commit -qm one")

    def sh(self, command: str, codes: tuple[int, ...] = (0,), **more: str) -> str:
        """Run a line, look at its exit code; what it printed."""
        bash, env = ["bash", "-c", command], {**self.environ, **more}
        done = subprocess.run(bash, cwd=self.root, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=250)
        assert done.returncode in codes, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert not done.stderr.startswith("maestro-heal: "), f"{command}: {done.stderr}"
        return done.stdout

    def pending(self) -> list[str]:
        return re.findall(r"^  (h-[0-9a-f]+)", self.sh("maestro-heal list", (0, 1)), flags=re.M)

    def fresh(self) -> None:
        """Everything as at the start, with nothing pending."""
        self.sh("git checkout -q . && git clean -qfdx && rm -rf ../home")


def checked_install(command: str) -> None:
    """What ``pip install`` is given is this package, with extras that it has."""
    from pytest_maestro_healer.commands.root import _toml

    project = _toml(ROOT / "pyproject.toml")["project"]
    for wanted in shlex.split(command)[2:]:
        match = re.fullmatch(r"(?P<name>[\w-]+|\.)(?:\[(?P<extras>[\w,-]+)\])?", wanted)
        assert match is not None, command
        assert match["name"] in (project["name"], "."), command
        assert set((match["extras"] or "").split(",")) - {""} <= set(project["optional-dependencies"]), command


def prepared(machine: Machine, command: str) -> str:
    """The command, with the page's stand-in ids replaced by real ones, and an end where it has none of its own."""
    names = list(dict.fromkeys(re.findall(r"\bh-[0-9a-f]{6}\b", command)))
    if names:
        command = command.replace(names[0], machine.pending()[0])
    if re.match(r"maestro-heal watch(?! .*--rounds)", command):
        command = command.replace("watch", "watch --rounds 1", 1)
    return command


def run_page(machine: Machine, page: str) -> dict[str, str]:
    """Run every shell block of a page; command -> what it printed."""
    said: dict[str, str] = {}
    for block in of("shell"):
        if block.page != page:
            continue
        for command in block.commands:
            if command.startswith("pip "):
                checked_install(command)
                continue
            if command.startswith("pytest --heal ") or command == "pytest --heal":
                machine.fresh()
            elif command.startswith("maestro-heal merge heals.json"):
                # from the other machine: the bundle that the block before it has kept
                shutil.copy(next(machine.root.glob("shards/all/*/pending.json")), machine.root / "heals.json")
            elif "--test-results junit.xml" in command:
                machine.sh("pytest --junitxml=junit.xml", (1,))
            more = {"PYTEST_ADDOPTS": f"{QUIET} {FEW}"} if "conformance" in command else {}
            said[command] = machine.sh(prepared(machine, command), (0, 1), **more)
    return said


def readme(machine: Machine, said: dict[str, str]) -> None:
    assert "2 failed" in said["pytest --heal"]
    assert "healing summary" in said["pytest --heal"]


def index(machine: Machine, said: dict[str, str]) -> None:
    shown = said["pytest --heal"]
    assert shown.rstrip().splitlines()[-1].startswith("="), "pytest's own last line"
    assert re.findall("^.*(?=\n=+ short test summary)", shown, flags=re.M)[0].split(": ")[-1].strip().startswith(("maestro-heal ", "pytest "))
    assert "+import json" in said["pytest --heal-review"]
    assert machine.pending() == [], "one accepted and taken back, one rejected"
    assert said["maestro-heal list"].startswith("2 heals pending")
    assert said["maestro-heal diff h-3f9a1c"].startswith("--- a/tests/test_orders.py")
    assert said["maestro-heal accept h-3f9a1c"].startswith("applied")
    assert said["maestro-heal reject h-77b0e2"].startswith("rejected")
    assert said["maestro-heal rollback --last"].startswith("rolled back")
    assert machine.sh("git status --porcelain") == ""
    machine.sh("rm -rf ../home; pytest --heal", (1,))
    page = (ROOT / "docs" / "index.md").read_text(encoding="utf-8").replace("\n", " ")
    for command in ("maestro-heal diff > heals.patch", "git apply heals.patch"):
        assert f"`{command}`" in page
        machine.sh(command)
    assert machine.sh("git diff --stat").count("| 2 ++") == 2


def watch(machine: Machine, said: dict[str, str]) -> None:
    assert "import re" in (machine.root / "tests/unit/test_names.py").read_text(), "allowed, so written"
    assert '"status": "finished"' in said["maestro-heal watch --rounds 1 --json"]


def ci(machine: Machine, said: dict[str, str]) -> None:
    assert "left" in said["maestro-heal heal --test-results junit.xml"]
    assert said["maestro-heal merge heals.json"].count("dependency_fix") == 2
    assert "maestro-heal accept" in said["maestro-heal review"]


def learning(machine: Machine, said: dict[str, str]) -> None:
    assert (machine.root / "shard-1.jsonl").exists()


def troubleshooting(machine: Machine, said: dict[str, str]) -> None:
    assert "proof: fresh passed" in next(iter(said.values()))


def adapters(machine: Machine, said: dict[str, str]) -> None:
    (shown,) = said.values()
    assert re.search(r"^=+ \d+ passed, \d+ deselected", shown, flags=re.M), shown


CHECKS: dict[str, Callable[[Machine, dict[str, str]], None]] = {
    "README.md": readme, "docs/index.md": index, "docs/watch.md": watch, "docs/ci.md": ci,
    "docs/learning.md": learning, "docs/troubleshooting.md": troubleshooting, "docs/adapters.md": adapters,
}  # fmt: skip


@pytest.mark.skipif(shutil.which("bash") is None, reason="the commands are for bash")
@pytest.mark.parametrize("page", sorted({b.page for b in of("shell")}))
def test_the_commands_of_a_page_do_what_it_says(page: str, tmp_path: Path) -> None:
    if any("watch" in b.text for b in of("shell") if b.page == page):
        pytest.importorskip("watchfiles")
    machine = Machine(tmp_path)
    if page not in SLOW:
        machine.environ["PYTEST_ADDOPTS"] += " -o heal_fresh_confirm=false"
    said = run_page(machine, page)
    CHECKS.get(page, lambda *_: None)(machine, said)


# -- configuration -------------------------------------------------------------------------------------------
#: First key of a toml block -> the fields of the configuration that it must give.
LOADED: dict[str, dict[str, object]] = {
    "[tool.pytest.ini_options]": {"apply": "safe", "confidence_threshold": 0.9, "exclude": ("tests/golden/*",)},
    "[tool.pytest]": {"confidence_threshold": 0.9, "max_attempts": 5},
}


@pytest.mark.parametrize("block", of("toml"), ids=str)
def test_a_configuration_is_loaded_by_pytest(block: Block, pytester: pytest.Pytester, request: pytest.FixtureRequest) -> None:
    from pytest_maestro_healer.session.options import build, switched_on

    table = block.text.splitlines()[0]
    if table == "[tool.pytest]" and int(pytest.__version__.partition(".")[0]) < 9:
        pytest.skip("from pytest 9 on")
    pytester.makepyprojecttoml(block.text)
    config = pytester.parseconfigure("--strict-config", *shlex.split(QUIET))
    assert config.inipath == pytester.path / "pyproject.toml"
    found = build(config)
    assert switched_on(config)
    assert {field: getattr(found, field) for field in LOADED[table]} == LOADED[table]
    assert block.text.count(" = ") == len(LOADED[table]) + 1, "every key is compared"


@pytest.mark.parametrize("block", of("python"), ids=str)
def test_an_opted_out_test_is_left_alone(block: Block, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of Python that have no name are tests; with a failing body they run with healing on."""
    assert "no_heal(" in block.text
    assert block.text.endswith("): ...\n")
    monkeypatch.setenv("XDG_CACHE_HOME", str(pytester.path.parent / "cache"))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    pytester.makepyfile(f"import pytest\n\n\n{block.text.replace('...', 'json')}")
    shown = pytester.runpytest_inprocess("--heal", "-vv", *shlex.split(QUIET)).stdout.str()
    assert "documents the old behaviour on purpose" in shown
    assert "+import json" not in shown


# -- YAML ----------------------------------------------------------------------------------------------------
def runs(data: Any) -> list[str]:
    """What the steps of a parsed workflow or pipeline run, in order."""
    if isinstance(data, dict):
        own = [data["run"]] if "run" in data else list(data.get("script", ()))
        return own + [c for key, value in data.items() if key not in ("run", "script") for c in runs(value)]
    return [c for value in data for c in runs(value)] if isinstance(data, list) else []


@pytest.mark.parametrize("block", [b for b in ALL if b.language == "yaml"], ids=str)
def test_yaml_is_parsed_and_has_no_command_that_is_not_run(block: Block) -> None:
    yaml = pytest.importorskip("yaml")
    found = [re.sub(r"\s*\n\s*", "\n", c).strip() for c in runs(yaml.safe_load(block.text))]
    assert found
    if block.page == "docs/ci.md":
        assert found == [c.strip() for c in test_ci.commands(block.text)]
    else:
        assert [c.split()[0] for c in found] == ["pytest", "python"]


def test_the_jenkins_pipeline_has_no_command_that_is_not_run() -> None:
    (block,) = [b for b in ALL if b.language == "groovy"]
    assert re.findall(r"^ *sh '(.*)'$", block.text, flags=re.M) == test_ci.commands(block.text)
    assert len(re.findall(r"\bsh\b", block.text)) == len(test_ci.commands(block.text)), "in no other form"
    assert block.text.count("{") == block.text.count("}")


@pytest.mark.parametrize("path", sorted((ROOT / ".github" / "workflows").glob("*.yml")), ids=lambda p: p.name)
def test_the_projects_own_workflows_are_parsed(path: Path) -> None:
    yaml = pytest.importorskip("yaml")
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert set(data) >= {"name", "permissions", "jobs"}
    assert runs(data)


# -- benchmarks, layout ----------------------------------------------------------------------------------------
#: Runs the scripts that are named on stdin with --help, in one process; prints {command: what each said}. What needs the extra "train" says "".
HELP = """
import contextlib, io, json, runpy, sys
said = {}
for command in json.load(sys.stdin):
    sys.argv = [*command.split(), "--help"]
    out = io.StringIO()
    sys.path.insert(0, sys.argv[0].rpartition("/")[0])
    with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit, ModuleNotFoundError):
        runpy.run_path(sys.argv[0], run_name="__main__")
    said[command] = out.getvalue()
print(json.dumps(said))
"""


def test_the_benchmarks_take_what_the_page_gives_them() -> None:
    """They run for hours: here each that is given options is started with --help, and knows them; the rest at least compile."""
    wanted: dict[str, set[str]] = {}
    for command in (c for block in of("bench") for c in block.commands):
        words = shlex.split(command.replace(";", " ; ").replace("[", "").replace("]", ""), comments=True)
        assert words[0] == "python", command
        assert words[1].startswith("tests/bench/"), command
        compile((ROOT / words[1]).read_text(encoding="utf-8"), words[1], "exec")
        key = " ".join(words[1:3]) if words[1].endswith("/collect.py") else words[1]
        wanted.setdefault(key, set()).update(w for w in words[2:] if w.startswith("--"))
    asked = [key for key, options in wanted.items() if options]
    done = subprocess.run([sys.executable, "-c", HELP], input=json.dumps(asked), cwd=ROOT, capture_output=True, text=True, check=True, timeout=200)
    for key, said in json.loads(done.stdout).items():
        known = said or (ROOT / key.split()[0]).read_text(encoding="utf-8")
        assert wanted[key] <= set(re.findall(r"--[a-z][a-z-]*", known)), key
    assert sum(map(bool, json.loads(done.stdout).values())) > 7


def test_the_layout_is_that_of_the_package() -> None:
    (block,) = of("layout")
    names = [row.split()[0] for row in block.text.splitlines()]
    assert all((ROOT / "pytest_maestro_healer" / name / "__init__.py").exists() for name in names), names
