"""The reports as files, end to end: page, SARIF log, pytest-html's rows; and that no secret gets into any of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from pytest_maestro_healer import cli
from pytest_maestro_healer.report import html
from pytest_maestro_healer.session.rows import Rows
from tests.integration.toys import BROKEN, HEALED, Suite
from tests.unit.test_report_html import REPORT

page = pytest.mark.skipif(find_spec("jinja2") is None, reason="needs jinja2")
ID = "test_a.py::test_call"


@page
def test_page_and_sarif_of_a_run(suite: Suite) -> None:
    suite.write({"test_a.py": BROKEN})
    run = suite.heal("--heal-html=out/heal.html", "--heal-sarif=out/heal.sarif")
    assert run.ret == 1
    heal = run.one()["healing_id"]
    text = (suite.path / "out/heal.html").read_text(encoding="utf-8")
    assert heal in text
    assert "<mark>new_name</mark>" in text
    assert suite.path.name in text
    log = json.loads((suite.path / "out/heal.sarif").read_bytes())
    (result,) = log["runs"][0]["results"]
    assert result["ruleId"] == "toy/swap"
    assert result["properties"]["healingId"] == heal
    assert result["fixes"]
    assert suite.read("test_a.py") == BROKEN.encode()


@page
def test_the_page_has_the_history_where_there_is_one(suite: Suite) -> None:
    suite.write({"test_a.py": BROKEN})
    suite.heal("--heal-html=one.html")
    suite.heal("--heal-html=two.html", "-o", "heal_learning=false")
    assert "History of this project" in suite.read("one.html").decode()
    assert "History of this project" not in suite.read("two.html").decode()


@page
def test_a_green_run_has_its_reports_too(suite: Suite) -> None:
    suite.write({"test_a.py": "def test_ok():\n    pass\n"})
    assert suite.heal("--heal-html=heal.html", "--heal-sarif=heal.sarif").ret == 0
    assert "Nothing to heal" in suite.read("heal.html").decode()
    assert json.loads(suite.read("heal.sarif"))["runs"][0]["results"] == []


@page
def test_what_cannot_be_written_is_one_line_and_changes_nothing_else(suite: Suite) -> None:
    suite.write({"test_a.py": BROKEN, "file": "x"})
    run = suite.heal("--heal-html=file/heal.html", "--heal-sarif=.")
    assert run.ret == 1
    assert run.kinds() == {ID: "pending"}
    for option in ("--heal-html", "--heal-sarif"):
        assert len([line for line in run.text.splitlines() if f"{option}: cannot write" in line]) == 1, run.text
    assert "Traceback" not in run.text
    assert suite.read("file") == b"x"
    suite.write({"test_a.py": "def test_ok():\n    pass\n"})
    assert suite.heal("--heal-html=file/heal.html").ret == 0


def test_without_jinja2_the_run_does_not_even_begin(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "find_spec", lambda name: None)
    suite.write({"test_a.py": "def test_ok():\n    pass\n"})
    run = suite.heal("--heal-html=heal.html")
    assert run.ret == 4
    errors = [line for line in run.text.splitlines() if "jinja2" in line]
    assert errors == ['ERROR: maestro-healer: --heal-html needs jinja2: pip install "pytest-maestro-healer[html]"']
    assert suite.heal("--heal-sarif=heal.sarif").ret == 0


def test_without_healing_the_options_do_nothing(suite: Suite) -> None:
    suite.write({"test_a.py": BROKEN})
    suite.heal("--heal-html=heal.html", "--heal-sarif=heal.sarif", heal=())
    assert not (suite.path / "heal.html").exists()
    assert not (suite.path / "heal.sarif").exists()


# -- the command -------------------------------------------------------------------------------------------------
@page
class TestCommand:
    @pytest.fixture(autouse=True)
    def _here(self, suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(suite.path)
        suite.write({"test_a.py": BROKEN})

    def test_of_what_is_pending(self, suite: Suite, capsys: pytest.CaptureFixture[str]) -> None:
        heal = suite.heal().one()["healing_id"]
        capsys.readouterr()
        assert cli.main(["report", "--html", "p.html", "--sarif", "p.sarif"]) == 0
        assert "1 result in p.html" in capsys.readouterr().out
        assert heal in suite.read("p.html").decode()
        assert json.loads(suite.read("p.sarif"))["runs"][0]["results"][0]["fixes"]

    def test_of_what_is_applied(self, suite: Suite) -> None:
        suite.heal()
        assert cli.main(["accept", "--all"]) == 0
        assert cli.main(["report", "--html", "p.html", "--sarif", "p.sarif"]) == 0
        assert "maestro-heal rollback" in suite.read("p.html").decode()
        assert json.loads(suite.read("p.sarif"))["runs"][0]["results"][0]["level"] == "note"

    def test_of_saved_reports_of_shards(self, suite: Suite) -> None:
        suite.write({"test_b.py": BROKEN})
        suite.heal("test_a.py")
        first = (suite.outside / "heal.json").read_bytes()
        suite.heal("test_b.py")
        suite.write({"one.json": first, "two.json": (suite.outside / "heal.json").read_bytes()})
        assert cli.main(["report", "one.json", "two.json", "--html", "p.html"]) == 0
        text = suite.read("p.html").decode()
        assert "test_a.py::test_call" in text
        assert "test_b.py::test_call" in text

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["report"], "give --html PATH or --sarif PATH"),
            (["report", "none.json", "--html", "p.html"], "none.json cannot be read"),
            (["report", "test_a.py", "--html", "p.html"], "not valid JSON"),
            (["report", "--sarif", "."], "cannot be written"),
        ],
    )
    def test_errors_are_one_line(self, suite: Suite, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
        assert cli.main(arguments) == 2
        err = capsys.readouterr().err
        assert said in err
        assert len(err.splitlines()) == 1
        assert not (suite.path / "p.html").exists()

    def test_a_report_that_lies_about_its_diff_is_shown_as_it_would_be_written(self, suite: Suite) -> None:
        suite.heal()
        data = json.loads((suite.outside / "heal.json").read_bytes())
        data["results"][0]["diff"] = "+harmless\n"
        suite.write({"lie.json": json.dumps(data)})
        assert cli.main(["report", "lie.json", "--html", "p.html"]) == 0
        assert "harmless" not in suite.read("p.html").decode()
        assert "<mark>new_name</mark>" in suite.read("p.html").decode()


# -- secrets -----------------------------------------------------------------------------------------------------
SECRETS = {"value": "v4lue-of-a-secret", "url": "pa55w0rd", "header": "b64h34der==", "token": "ghp_abcdefghijklmnopqrst0123456789"}
LEAK = "GET https://bot:{url}@example.org sent Authorization: Basic {header} with {token}, DEPLOY_TOKEN is {value}".format(**SECRETS)
#: A strategy of which every sentence tells secrets; the second of its heals fails, and is told of as declined.
LEAKY = f"""
from pytest_maestro_healer.model import Applicability, Evidence, Proposal
from pytest_maestro_healer.strategies.base import Strategy, Tactic

LEAK = {LEAK!r}


class Leaky(Tactic):
    name = "leaky"
    summary = "Replaces one text by another."
    applicability = Applicability.SAFE

    def propose(self, failure, ctx):
        src = ctx.source(failure.path)
        for new in ("lib.none(", "lib.new_name("):
            at = src.text.find("lib.old_name(")
            if at >= 0:
                edit = src.replace(at, at + len("lib.old_name("), new)
                yield Proposal("toy", "leaky", (edit,), (Evidence("toy", LEAK, LEAK, 0.95),), self.applicability, LEAK, nodeids=(failure.nodeid,),
                               meaning=LEAK + new, cause_key=new, score=0.9 if "none" in new else 0.5)
        if "advise" in src.text:
            facts = (Evidence("toy", LEAK, LEAK, 0.9),)
            yield Proposal("toy", "leaky", (), facts, Applicability.ADVICE, LEAK, nodeids=(failure.nodeid,), advice=LEAK)


class Toy(Strategy):
    name = "toy"
    symptom = False
    tactics = (Leaky(),)


def pytest_heal_strategies(config):
    return [Toy()]


def pytest_heal_outcome(result):
    raise RuntimeError(LEAK)
"""


def leaks(data: bytes) -> list[str]:
    return [name for name, secret in SECRETS.items() if secret.encode() in data]


def files_below(folder: Path) -> Iterator[Path]:
    return (p for p in folder.rglob("*") if p.is_file())


@page
def test_no_report_tells_a_secret(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    summary = suite.outside / "summary.md"
    for name, value in {"DEPLOY_TOKEN": SECRETS["value"], "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}.items():
        monkeypatch.setenv(name, value)
    suite.write({"toyheal.py": LEAKY, "test_a.py": BROKEN, "test_b.py": "def test_no():\n    assert 1 == 2  # advise\n"})
    reports = ("--heal-html=out/h.html", "--heal-sarif=out/h.sarif", "--junitxml=out/j.xml", "-vv", "-rH")
    run = suite.heal(*reports)
    assert run.kinds() == {ID: "pending", "test_b.py::test_no": "advised"}, run.text
    outputs = {"terminal": run.text.encode(), "json": json.dumps(run.report).encode(), "summary": summary.read_bytes()}
    outputs |= {p.name: p.read_bytes() for p in files_below(suite.path / "out")}
    outputs |= {p.name: p.read_bytes() for p in files_below(suite.outside / "cache")}
    assert {"terminal", "json", "summary", "h.html", "h.sarif", "j.xml", "pending.json", "history.jsonl"} <= outputs.keys()
    assert {name: leaks(data) for name, data in outputs.items() if leaks(data)} == {}
    told = ("terminal", "json", "summary", "h.html", "h.sarif", "pending.json")
    assert [name for name in told if b"https://***@example.org" not in outputs[name].replace(b"\\*", b"*")] == []
    assert "::warning" in run.text
    assert "https://***@example.org" in run.notes  # what the hook raised


@page
def test_what_is_applied_is_exact_where_the_source_has_a_secret(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    """The value stands in the test already: it is masked where the diff is shown, and kept where it is written."""
    secret = SECRETS["value"]
    monkeypatch.setenv("DEPLOY_TOKEN", secret)
    line = f"    token = {secret!r}\n    assert"
    suite.write({"test_a.py": BROKEN.replace("    assert", line)})
    run = suite.heal("--heal-html=h.html", "--heal-sarif=h.sarif", "-v")
    summary = run.text[run.text.index("healing summary") :]
    assert leaks(summary.encode()) == []
    assert leaks(suite.read("h.html")) == []
    assert "     token = '***'" in summary
    assert "    token = &#39;***&#39;" in suite.read("h.html").decode()
    assert [o.status for o in suite.store.accept([run.one()["healing_id"]])] == ["applied"]
    assert suite.read("test_a.py") == HEALED.replace("    assert", line).encode()


@page
def test_secrets_in_test_ids_are_masked_where_ids_are_shown(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = SECRETS["value"]
    monkeypatch.setenv("DEPLOY_TOKEN", secret)
    suite.write({"test_a.py": BROKEN.replace("def test_call():", f"import pytest\n@pytest.mark.parametrize('x', [{secret!r}])\ndef test_call(x):")})
    run = suite.heal("--heal-html=h.html", "--heal-sarif=h.sarif")
    assert run.one()["test_id"] == f"test_a.py::test_call[{secret}]", "what is run again is named as pytest names it"
    assert "test_call[***]" in suite.read("h.html").decode()
    assert leaks(suite.read("h.html")) == []
    assert "test_call[***]" in json.loads(suite.read("h.sarif"))["runs"][0]["results"][0]["message"]["text"]


# -- pytest-html -------------------------------------------------------------------------------------------------
#: What pytest-html 4 does with extras and summaries, as far as it concerns us: read when a test is over, written at the end of the run.
HTML_PLUGIN = """
import json
import pytest


class Specs:
    def pytest_html_results_summary(self, prefix, summary, postfix, session):
        pass


class Html:
    def __init__(self):
        self.reports, self.rows, self.path = {}, {}, None

    def pytest_configure(self, config):
        self.path = config.getoption("htmlpath")

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report):
        self.reports.setdefault(report.nodeid, []).append(report)
        if report.when == "teardown":
            self.rows[report.nodeid] = [e for r in self.reports[report.nodeid] for e in getattr(r, "extras", [])]

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session):
        summary = []
        session.config.hook.pytest_html_results_summary(prefix=[], summary=summary, postfix=[], session=session)
        if self.path:
            with open(self.path, "w") as out:
                json.dump({"rows": self.rows, "summary": summary}, out)


def pytest_addoption(parser, pluginmanager):
    parser.addoption("--html", dest="htmlpath", default=None)
    pluginmanager.add_hookspecs(Specs)
    pluginmanager.register(Html(), "html")
"""
real = find_spec("pytest_html") is not None


def html_run(suite: Suite, *more: str) -> str:
    plugin = () if real else ("-p", "stub_html")
    if not real:
        extras = "def html(content):\n    return {'name': None, 'format_type': 'html', 'content': content, 'mime_type': None, 'extension': None}\n"
        suite.write({"stub_html.py": HTML_PLUGIN, "pytest_html/__init__.py": "", "pytest_html/extras.py": extras})
    suite.write({"test_a.py": BROKEN, "test_c.py": "def test_ok():\n    pass\n"})
    run = suite.spawn(*plugin, "--html=rows.html", "-o", "heal_fresh_confirm=false", *more)
    assert "INTERNALERROR" not in run.text, run.text
    return suite.read("rows.html").decode() if (suite.path / "rows.html").exists() else run.text


def test_the_diff_stands_in_pytest_htmls_row(suite: Suite) -> None:
    raw = html_run(suite)
    data: Any = json.loads(raw) if not real else {}
    text = str(data["rows"][ID]) if data else raw
    assert "maestro-heal accept h-" in text
    assert "proposed heal h-" in text
    if data:
        assert data["rows"]["test_c.py::test_ok"] == []
        assert "maestro-heal" not in str(data["summary"])


def test_what_has_no_row_stands_in_pytest_htmls_summary() -> None:
    """A file that could not be collected has a report without extras."""
    rows = Rows()
    rows.fill(REPORT)
    summary: list[str] = []
    rows.pytest_html_results_summary(summary)
    assert len(summary) == 3
    assert "pip install PyYAML" in summary[1]


def test_without_a_page_pytest_html_is_left_alone(suite: Suite) -> None:
    code = "import sys, pytest\ncode = pytest.main(sys.argv[1:])\nassert 'pytest_maestro_healer.report.fragment' not in sys.modules\nsys.exit(code)\n"
    suite.write({"test_a.py": BROKEN, "run.py": code})
    done = subprocess.run(
        [sys.executable, "run.py", *suite.arguments, "--heal", "-o", "heal_fresh_confirm=false"],
        cwd=suite.path, env=dict(os.environ), capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
