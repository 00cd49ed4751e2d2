"""The page: everything is on it, nothing on it runs or is asked for, and nothing that a test says becomes markup."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from pytest_maestro_healer.errors import ConfigError, HealerError
from pytest_maestro_healer.model import (
    Cause,
    Decision,
    DecisionKind,
    Diagnosis,
    Evidence,
    FailurePattern,
    FileChange,
    HealingReport,
    HealingResult,
    ProofStep,
    Verdict,
)
from pytest_maestro_healer.report import html
from pytest_maestro_healer.report.charts import charts
from pytest_maestro_healer.report.fragment import fragment

pytest.importorskip("jinja2")

PENDING = HealingResult(
    "h-111111", "tests/test_a.py::test_a", "assertion_update", True, confidence_score=0.875, explanation="the message changed in 1a2b3c4",
    decision=Decision(DecisionKind.PENDING, "nothing is written unasked"), tactic="expected_value",
    nodeids=("tests/test_a.py::test_a", "tests/test_a.py::test_b"),
    changes=(FileChange.of("tests/test_a.py", b"assert f() == 'old'\n", b"assert f() == 'new'\n"),),
    evidence=(Evidence("git", "the product says so since then", "shop/stock.py:3", 0.9),),
    verdict=Verdict((
        ProofStep("rerun", True, "2 passed", 0.5), ProofStep("stable", None, "not repeated"),
        ProofStep("teeth", True, "1/2 noticed", 0.1, ("noticed: `a + b` -> `a - b` at m.py:3", "not noticed: x")),
    )),
    diagnosis=Diagnosis(FailurePattern.ASSERTION_FAILURE, 0.9, Cause.DRIFT, ("the text moved",)),
    alternatives=("the old text was right",), refused=("swap: guard: an assert would be lost",),
)  # fmt: skip
REGRESSION = HealingResult(
    "h-333333", "tests/test_m.py::test_m", "assertion_update", False, decision=Decision(DecisionKind.REJECTED, "looks like a regression"),
    changes=(FileChange.of("tests/test_m.py", b"assert 1 == 2\n", b"assert 1 == 1\n"),),
    diagnosis=Diagnosis(
        FailurePattern.ASSERTION_FAILURE, 0.9, Cause.REGRESSION_SUSPECTED, ("nothing else states the new value",), "shop/money.py:12",
    ),
)  # fmt: skip
ADVICE = HealingResult(
    "h-222222", "tests/test_y.py", "dependency_fix", False, advice="pip install PyYAML", decision=Decision(DecisionKind.ADVISED, "")
)
REPORT = HealingReport((PENDING, ADVICE, REGRESSION), 3, 0.5, notes=("budget hit",), version="0.1.0")
HISTORY = {
    "attempts": 9, "heals": 4, "undecided": 1, "outcomes": {"rolled_back": 1, "accepted": 2}, "attempts_per_heal": [3, 2, 1, 1],
    "rows": [{"pattern": "api_change", "strategy": "toy", "tactic": "swap", "good": 3.0, "bad": 1.0}],
}  # fmt: skip
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\x1b[31m\u202e{{7*7}}{% x %}</style>&lt;'\"\x00"


class Page(HTMLParser):
    """What a browser makes of the page: elements with their attributes, and texts."""

    VOID = ("meta", "input", "col", "img", "link", "br")

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inside: dict[str, str] = {"style": "", "script": ""}
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, tag
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        last = self.open[-1] if self.open else ""
        if last in self.inside:
            self.inside[last] += data
        else:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.texts))


def page(report: HealingReport = REPORT, **more: Any) -> Page:
    found = Page(html.render(report, **more))
    assert found.open == []
    return found


def test_everything_a_reader_needs_is_there() -> None:
    text = page(history=HISTORY, project="corner shop").text
    for wanted in (
        "Healing report", "corner shop", "budget hit", "1 suspected regression", "1 pending", "1 advice", "0 not healed",
        "tests/test_a.py::test_a", "and 1 more", "tests/test_a.py::test_b", "assertion_update/expected_value", "0.88", "h-111111",
        "the message changed in 1a2b3c4", "the product says so since then", "shop/stock.py:3", "rerun", "passed", "2 passed", "not run",
        "noticed: `a + b` -> `a - b` at m.py:3", "not noticed: x",
        "swap: guard: an assert would be lost", "the old text was right", "pending: nothing is written unasked", "maestro-heal accept h-111111",
        "Looks like a bug in the product:", "shop/money.py:12", "nothing else states the new value", "pip install PyYAML",
        "9 candidates tried, 4 heals proved, 1 rolled back, 2 accepted, 1 not decided", "toy/swap",
    ):  # fmt: skip
        assert wanted in text, wanted


def test_the_difference_is_marked_inside_the_line() -> None:
    raw = html.render(REPORT)
    assert "assert f() == &#39;<mark>old</mark>&#39;" in raw
    assert "assert f() == &#39;<mark>new</mark>&#39;" in raw
    assert "This edit would have made the test pass, and was refused" in raw


def test_suspected_regressions_come_first_and_are_open() -> None:
    cards = [a for tag, a in page().elements if tag == "details"]
    assert [c["data-kind"] for c in cards] == ["regression", "pending", "advised"]
    assert "open" in cards[0]


def test_the_policy_allows_nothing_but_the_pages_own_style_and_script() -> None:
    found = page(history=HISTORY)
    policy = next(a["content"] for tag, a in found.elements if tag == "meta" and a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    hashes = {k: base64.b64encode(hashlib.sha256(v.encode()).digest()).decode() for k, v in found.inside.items()}
    assert found.inside["script"]
    assert found.inside["style"]
    assert dict(part.strip().split(" ", 1) for part in policy.split(";")) == {
        "default-src": "'none'",
        "style-src": f"'sha256-{hashes['style']}'",
        "script-src": f"'sha256-{hashes['script']}'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def test_nothing_is_asked_for_from_anywhere() -> None:
    found = page(history=HISTORY)
    for tag, attributes in found.elements:
        assert tag not in ("link", "img", "iframe", "object", "embed", "base", "a")
        assert not {"src", "href", "srcset", "style", "action", "data", "poster", "background"} & attributes.keys()
        assert not [name for name in attributes if name.startswith("on")]
    assert "url(" not in found.inside["style"]
    assert "@import" not in found.inside["style"]
    assert not re.search(r"\b(fetch|XMLHttpRequest|WebSocket|import|eval|innerHTML)\b", found.inside["script"])
    assert "//" not in re.sub(r"(?m)^\s*//.*$", "", found.inside["script"])


def evil_report() -> HealingReport:
    step = ProofStep(EVIL, True, EVIL, 0.1)
    fields: dict[str, Any] = {
        "explanation": EVIL, "decision": Decision(DecisionKind.PENDING, EVIL), "tactic": EVIL, "nodeids": (EVIL, EVIL + "2"),
        "verdict": Verdict((step,)), "evidence": (Evidence(EVIL, EVIL, EVIL),), "alternatives": (EVIL,), "refused": (EVIL,), "advice": EVIL,
        "diagnosis": Diagnosis(FailurePattern.UNKNOWN, 0.5, Cause.REGRESSION_SUSPECTED, (EVIL,), EVIL),
    }  # fmt: skip
    change = FileChange.of("tests/" + EVIL.replace("\x00", ""), b"a\n", EVIL.replace("\x00", "").encode() + b"\n")
    healed = HealingResult(EVIL, EVIL, EVIL, True, changes=(change,), **fields)
    raw = replace(healed, changes=(), diff=f"--- a\n+++ b\n@@ -1 +1 @@\n-{EVIL}\n+{EVIL}\n")
    others = [replace(healed, decision=Decision(k, EVIL)) for k in (DecisionKind.ADVISED, DecisionKind.REJECTED, DecisionKind.APPLIED)]
    return HealingReport((healed, raw, *others), 1, 1.0, notes=(EVIL,), apply="all", version=EVIL)


def test_what_a_test_says_never_becomes_markup_or_a_control_character() -> None:
    evil = {**HISTORY, "outcomes": {EVIL: 1}, "rows": [{"pattern": EVIL, "strategy": EVIL, "tactic": EVIL, "good": 1, "bad": 1}]}
    plain = page(history=HISTORY, project="x")
    found = page(evil_report(), history=evil, project=EVIL)
    known = {tag for tag, _ in plain.elements} | {"pre", "i", "em"}
    assert {tag for tag, _ in found.elements} <= known
    assert [tag for tag, _ in found.elements].count("script") == 1
    assert found.inside == plain.inside
    assert "<script>alert(1)</script>" in found.text
    assert "{{7*7}}" in found.text
    raw = html.render(evil_report(), history=evil, project=EVIL)
    assert not set(raw) & {"\x1b", "\x00", "\u202e"}
    assert "\\x1b[31m\\u202e" in found.text


def test_a_page_without_results_says_so() -> None:
    assert "Nothing to heal" in page(HealingReport()).text
    assert "History" not in page(HealingReport()).text


def test_many_tests_are_counted() -> None:
    names = tuple(f"tests/test_a.py::test_{i}" for i in range(html.MAX_TESTS + 7))
    assert "and 7 more" in page(HealingReport((replace(PENDING, nodeids=names),))).text


def test_values_of_secret_variables_are_masked_in_the_shown_diff_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPLOY_TOKEN", "sup3r-s3cret")
    change = FileChange.of("t.py", b"assert f() == 'x'\n", b"assert f() == 'sup3r-s3cret'\n")
    raw = html.render(HealingReport((replace(PENDING, changes=(change,), nodeids=("t.py::t[sup3r-s3cret]",), explanation="is sup3r-s3cret"),)))
    assert "sup3r" not in raw
    assert raw.count("***") >= 3


class TestWriting:
    def test_whole_or_not_at_all(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        target = tmp_path / "new" / "page.html"
        html.write(REPORT, target)
        assert target.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
        assert [p.name for p in target.parent.iterdir()] == ["page.html"]

        def full(_fd: int) -> None:
            raise OSError(28, "No space left on device")

        old = target.read_bytes()
        monkeypatch.setattr("os.fsync", full)
        with pytest.raises(HealerError, match=r"page\.html cannot be written: No space left"):
            html.write(replace(REPORT, notes=("new",)), target)
        assert target.read_bytes() == old
        assert [p.name for p in target.parent.iterdir()] == ["page.html"]

    @pytest.mark.parametrize("name", ["", "with\0null"])
    def test_what_is_no_file_name_is_a_clear_error(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(HealerError, match="cannot be written"):
            html.write(REPORT, f"{tmp_path}/{name}")

    def test_lone_surrogates_are_written_as_escapes(self, tmp_path: Path) -> None:
        change = FileChange.of("t.py", b"# \xff\n", b"# \xfe\n")
        html.write(HealingReport((replace(PENDING, explanation="\udcff", changes=(change,)),)), tmp_path / "p.html")
        assert "\\udcff" in (tmp_path / "p.html").read_text(encoding="utf-8")

    def test_without_jinja2_it_says_what_to_install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(html, "find_spec", lambda name: None)
        with pytest.raises(ConfigError, match=r'needs jinja2: pip install "pytest-maestro-healer\[html\]"'):
            html.render(REPORT)
        assert importlib.util.find_spec("jinja2") is not None


class TestCharts:
    def test_nothing_to_draw(self) -> None:
        assert charts(None) is None
        assert charts({"attempts": 0}) is None

    def test_the_curve_stays_inside_and_falls_from_left_to_right(self) -> None:
        found = charts({"attempts": 99, "attempts_per_heal": [5] * 20 + [1] * 20})
        assert found is not None
        xs, ys = [p.x for p in found.points], [p.y for p in found.points]
        assert xs == sorted(xs)
        assert ys == sorted(ys)
        assert all(0 <= p.x <= 640 and 0 <= p.y <= 190 for p in found.points)
        assert found.points[0].label == "heals 1 to 3: 5.00 attempts"

    def test_bars_are_shares_of_the_longest(self) -> None:
        rows = [{"pattern": "p", "strategy": "s", "tactic": f"t{i}", "good": 3.0, "bad": 1.0 * i} for i in range(13)]
        found = charts({"attempts": 9, "rows": rows})
        assert found is not None
        assert len(found.bars) == 10
        assert found.more == 3
        assert max(b.good + b.bad for b in found.bars) == pytest.approx(100.0)
        assert found.bars[0].label == "100 % of 3"


class TestFragment:
    """For another plugin's page."""

    def test_a_heal(self) -> None:
        out = fragment(replace(PENDING, diff="--- a/t\n+++ b/t\n@@ -1 +1 @@\n-old <b>\n+new\n"))
        assert "proposed heal h-111111" in out
        assert ">-old &lt;b&gt;</span>" in out
        assert "maestro-heal accept h-111111" in out

    def test_no_heal(self) -> None:
        assert "looks like a regression" in fragment(REGRESSION)
        assert "<pre" not in fragment(REGRESSION)
        assert "pip install PyYAML" in fragment(ADVICE)

    def test_is_escaped(self) -> None:
        for result in evil_report().results:
            tags = {tag for tag, _ in Page(fragment(replace(result, diff=f"-{EVIL}\n+{EVIL}\n"))).elements}
            assert tags <= {"div", "p", "b", "pre", "span", "code"}
