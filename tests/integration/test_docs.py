"""What README and docs promise is there: options, keys, defaults, links, and the commands that the check runs."""

from __future__ import annotations

import contextlib
import inspect
import io
import re
from pathlib import Path

import pytest

from pytest_maestro_healer.config import HealerConfig

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "conftest_examples").rglob("README.md")])

#: ini key -> field of the configuration that has its default.
FIELDS = {
    "heal_confidence_threshold": "confidence_threshold",
    "heal_max_attempts": "max_attempts",
    "heal_timeout": "timeout",
    "heal_budget": "budget",
    "heal_validate_before_apply": "validate_before_apply",
    "heal_fresh_confirm": "fresh_confirm",
    "heal_apply_in_ci": "apply_in_ci",
    "heal_exit_zero": "exit_zero",
    "heal_learning": "learning",
    "heal_enable_cache": "enable_cache",
}


def rows(page: str) -> list[list[str]]:
    """The cells of the page's table of options."""
    text = (ROOT / page).read_text(encoding="utf-8")
    table = text[text.index("| option | ini key") :].split("\n\n")[0]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in table.splitlines()[2:]]


class Declared:
    """Stands in for pytest's parser and notes what the plugin declares."""

    def __init__(self) -> None:
        self.options: set[str] = set()
        self.keys: set[str] = set()
        self.commands: set[str] = set()

    def getgroup(self, *_: object) -> Declared:
        return self

    def addoption(self, name: str, **_: object) -> None:
        self.options.add(name)

    def addini(self, name: str, *_: object, **__: object) -> None:
        self.keys.add(name)


@pytest.fixture(scope="module")
def declared() -> Declared:
    from pytest_maestro_healer import cli, plugin

    found = Declared()
    plugin.pytest_addoption(found)  # type: ignore[arg-type]
    with contextlib.redirect_stdout(io.StringIO()) as shown:
        assert cli.main(["--help"]) == 0
    found.commands.update(re.findall(r"^    ([a-z]+) ", shown.getvalue(), flags=re.M))
    return found


@pytest.mark.parametrize("page", ["README.md", "docs/configuration.md"])
def test_the_tables_name_exactly_what_the_plugin_declares(page: str, declared: Declared) -> None:
    table = rows(page)
    assert {re.split("[=`]", row[0].strip("`"))[0] for row in table if row[0]} == declared.options
    assert {row[1].strip("`") for row in table if row[1]} == declared.keys


@pytest.mark.parametrize("page", ["README.md", "docs/configuration.md"])
def test_the_tables_have_the_real_defaults(page: str) -> None:
    default = HealerConfig()
    found = {row[1].strip("`"): row[2].strip("`") for row in rows(page)}
    for key, field in FIELDS.items():
        value = getattr(default, field)
        assert found[key] == (str(value).lower() if isinstance(value, bool) else f"{value:g}"), key


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" not in target:
            name, _, anchor = target.partition("#")
            there = page.parent / name if name else page
            assert there.exists(), f"{page.name} links to {target}"
            if anchor:
                text_there = there.read_text(encoding="utf-8")
                slugs = {re.sub(r"[\s]+", "-", re.sub(r"[^\w\s-]", "", h).strip().lower()) for h in re.findall(r"^#+ (.*)$", text_there, flags=re.M)}
                assert anchor in slugs or f'id="{anchor}"' in text_there, f"{page.name} links to {target}"


def test_the_site_has_every_page() -> None:
    named = re.findall(r"^  - [^:]+: (\S+\.md)$", (ROOT / ".mkdocs.yml").read_text(encoding="utf-8"), flags=re.M)
    assert sorted(named) == sorted(p.name for p in (ROOT / "docs").glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_every_option_and_command_that_is_named_exists(page: Path, declared: Declared) -> None:
    text = page.read_text(encoding="utf-8")
    assert set(re.findall(r"(?<![\w-])--heal(?:-[a-z]+)*(?![\w-])", text)) <= declared.options
    for command in re.findall(r"(?:^    |`)maestro-heal ([a-z]+)(?![\w.])", text, flags=re.M):
        assert command in declared.commands, f"{page.name}: maestro-heal {command}"


def test_the_readme_has_the_two_commands_that_the_check_runs() -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```$", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.S | re.M)
    commands = [line for block in blocks for line in block.splitlines() if line.strip()]
    assert len(commands) == 2
    assert commands[0].endswith("maestro-heal demo")
    assert commands[1].endswith("python -m pytest -n auto --dist worksteal")
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "readme_command 1" in script
    assert "readme_command 2" in script


def test_the_version_has_an_entry_in_the_changelog() -> None:
    from pytest_maestro_healer import __version__

    assert f"\n## {__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_readme_names_the_strategies_that_exist() -> None:
    from pytest_maestro_healer.strategies import BUILTIN

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text[text.index("## What it heals") : text.index("## How it decides")]
    assert set(re.findall(r"^\| `(\w+)` \|", section, flags=re.M)) == set(BUILTIN)


def test_troubleshooting_quotes_what_the_product_says() -> None:
    page = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    table = page[page.index("| it says |") :].split("\n\n")[0].splitlines()[2:]
    source = "".join(p.read_text(encoding="utf-8") for p in (ROOT / "pytest_maestro_healer").rglob("*.py"))
    quoted = [part.strip() for row in table for said in re.findall(r"`([^`]+)`", row.split("|")[1]) for part in said.split("...")]
    assert len(quoted) >= len(table)
    assert [q for q in quoted if q.removesuffix(" in") not in source] == []


def test_the_adapters_page_says_what_is_awaited() -> None:
    from pytest_maestro_healer.adapters import RepairService

    page = (ROOT / "docs" / "adapters.md").read_text(encoding="utf-8")
    said = re.findall(r"`(\w+)`", page[page.index("Await what does something") :].partition(";")[0])
    public = {name: value for name, value in vars(RepairService).items() if not name.startswith("_")}
    assert sorted(said) == sorted(name for name, value in public.items() if inspect.iscoroutinefunction(value))


def test_what_the_api_takes_is_named_in_troubleshooting_as_it_is() -> None:
    from pytest_maestro_healer.config import API_NAMES

    page = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    assert set(re.findall(r'`"(\w+)"', page)) <= set(API_NAMES)
