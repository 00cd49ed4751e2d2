"""``--json``: every command prints one document with a schema number, and the keys that docs/api.md lists."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from pytest_maestro_healer.cli import main
from pytest_maestro_healer.commands.output import SCHEMA
from pytest_maestro_healer.model import HealingReport, HealingResult
from tests.apply_helpers import Project, heal_number, numbered

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
ONE, TWO = (heal_number(numbered(), i) for i in (1, 2))
RESULT = set(HealingResult.__dataclass_fields__)


def listed() -> dict[str, set[str]]:
    """Command -> the keys that the page names."""
    table = PAGE[PAGE.index("| command | keys of its document") :].split("\n\n")[0]
    found: dict[str, set[str]] = {}
    for row in table.splitlines()[2:]:
        names, keys = row.strip("|").split("|")
        found |= {name: set(re.findall(r"`(\w+)`", keys)) for name in re.findall(r"`(\w+)`", names)}
    return found


CASES: list[tuple[list[str], int]] = [
    (["list"], 1),
    (["review"], 1),
    (["show", ONE.healing_id], 0),
    (["diff"], 0),
    (["merge", "empty"], 0),
    (["report", "--sarif", "heals.sarif"], 0),
    (["heal", "--test-results", "green.xml"], 0),
    (["accept", ONE.healing_id], 1),
    (["rollback", "--last"], 0),
    (["reject", TWO.healing_id], 0),
    (["stats"], 0),
    (["history"], 0),
    (["forget", "--all"], 0),
    (["doctor"], 0),
]


def test_every_document_has_the_schema_and_the_keys_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = Project(tmp_path)
    project.write({"pytest.ini": b"[pytest]\nheal_cache_dir = ../cache\n", "empty/notes.txt": b"", "green.xml": b"<testsuite/>"})
    monkeypatch.chdir(project.root)
    project.store.save_pending([ONE, TWO])
    page = listed()
    for args, code in CASES:
        assert main([*args, "--json"]) == code, args
        document = json.loads(capsys.readouterr().out)
        assert next(iter(document.items())) == ("schema", SCHEMA), args
        keys = set(document) - {"schema"} - (RESULT if args[0] == "show" else set())
        assert keys == page[args[0]], args


def test_the_page_lists_what_the_report_has() -> None:
    assert listed()["run"] == set(HealingReport.__dataclass_fields__) - {"schema"}
    assert set(listed()) >= {args[0] for args, _ in CASES} | {"run", "explain"}


def test_every_command_is_on_the_page_and_says_its_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--help"])
    names = re.findall(r"^    ([a-z]+)\s", capsys.readouterr().out, flags=re.M)
    assert {"merge", "list", "doctor"} <= set(names)
    table = PAGE[PAGE.index("| command | does | exit code |") :].split("\n\n")[0]
    assert [n for n in names if not re.search(rf"`(maestro-heal )?{n}\b", table)] == []
    assert set(names) - set(listed()) == {"watch"}, "the keys of each document are on the page; watch has a page of its own"
    for name in names:
        main([name, "--help"])
        assert "exit codes: 0 " in " ".join(capsys.readouterr().out.split()), name
