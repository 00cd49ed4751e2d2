"""SARIF 2.1.0: the standard's structural rules, and that a fix, done as the standard says, gives exactly the healed file."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_maestro_healer.errors import HealerError
from pytest_maestro_healer.model import Decision, DecisionKind, FileChange, HealingReport, HealingResult
from pytest_maestro_healer.report import sarif
from tests.unit.test_report_html import ADVICE, EVIL, PENDING, REGRESSION, REPORT, evil_report

APPLIED = replace(PENDING, healing_id="h-444444", decision=Decision(DecisionKind.APPLIED, "asked for"))
REFUSED = HealingResult("", "tests/test_z.py::test_z", "", False, decision=Decision(DecisionKind.REJECTED, "no candidate was proved"))
CAREFUL = replace(PENDING, diagnosis=REGRESSION.diagnosis)


def results(*heals: HealingResult, **more: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = checked(HealingReport(heals), **more)["runs"][0]["results"]
    return found


def checked(report: HealingReport, **more: Any) -> dict[str, Any]:
    """The log, after it was held against the standard."""
    log: dict[str, Any] = json.loads(sarif.dumps(report, **more))
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-schema-2.1.0.json")
    (run,) = log["runs"]
    assert run["columnKind"] in ("utf16CodeUnits", "unicodeCodePoints")
    assert run["automationDetails"]["id"].endswith("/")
    driver = run["tool"]["driver"]
    assert driver["name"]
    ids = [r["id"] for r in driver["rules"]]
    assert len(ids) == len(set(ids))
    for rule in driver["rules"]:
        assert rule["shortDescription"]["text"]
        assert rule["fullDescription"]["text"]
        assert rule["defaultConfiguration"]["level"] in ("none", "note", "warning", "error")
        assert len(rule["properties"]["tags"]) == len(set(rule["properties"]["tags"]))
    for invocation in run["invocations"]:
        assert isinstance(invocation["executionSuccessful"], bool)
        for told in invocation.get("toolExecutionNotifications", ()):
            check_message(told["message"])
    for result in run["results"]:
        assert result["level"] in ("none", "note", "warning", "error")
        assert ids[result["ruleIndex"]] == result["ruleId"]
        check_message(result["message"])
        assert len(result["locations"]) == 1
        for place in (*result["locations"], *result.get("relatedLocations", ())):
            check_place(place["physicalLocation"], run)
        assert all(isinstance(v, str) and v for v in result["partialFingerprints"].values())
        for fix in result.get("fixes", ()):
            check_message(fix["description"])
            check_fix(fix, run)
    return log


def check_message(message: dict[str, Any]) -> None:
    text = message["text"]
    assert text
    assert text.isprintable()
    assert not re.search(r"[{}]", text.replace("{{", "").replace("}}", "")), "a brace would be a placeholder"
    assert "](" not in text, "this would be a link"


def check_place(place: dict[str, Any], run: dict[str, Any]) -> None:
    where = place["artifactLocation"]
    assert re.fullmatch(r"[A-Za-z0-9_.~%/:-]+", where["uri"]), where
    if "uriBaseId" in where:
        assert where["uriBaseId"] in run["originalUriBaseIds"]
        assert not where["uri"].startswith("/")
        assert not re.match(r"[a-z]+:", where["uri"])
    else:
        assert where["uri"].startswith("file:///")
    region = place["region"]
    assert region["startLine"] >= 1
    assert region.get("endLine", region["startLine"]) >= region["startLine"]


def check_fix(fix: dict[str, Any], run: dict[str, Any]) -> None:
    uris = [c["artifactLocation"]["uri"] for c in fix["artifactChanges"]]
    assert uris
    assert len(uris) == len(set(uris))
    for change in fix["artifactChanges"]:
        assert change["replacements"]
        for r in change["replacements"]:
            region = r["deletedRegion"]
            assert ("startLine" in region) != ("byteOffset" in region)
            if "insertedContent" in r:
                assert set(r["insertedContent"]) == ({"binary"} if "byteOffset" in region else {"text"})


def done(change: dict[str, Any], before: bytes) -> bytes:
    """``before`` with a fix's replacements made: places are those of the file as it was (3.57), a BOM counts for nothing (3.30.2)."""
    spans = []
    bom = b"\xef\xbb\xbf" if before.startswith(b"\xef\xbb\xbf") else b""
    for r in change["replacements"]:
        region, content = r["deletedRegion"], r.get("insertedContent", {})
        if "byteOffset" in region:
            start, end = region["byteOffset"], region["byteOffset"] + region["byteLength"]
            spans.append((start, end, base64.b64decode(content.get("binary", ""))))
            continue
        text = before[len(bom) :].decode()
        lines = re.split(r"(?<=\n)", text)
        start, end = (
            sum(map(len, lines[: region[f"{at}Line"] - 1])) + region[f"{at}Column"] - 1 for at in ("start", "end")
        )  # fmt: skip
        assert 0 <= start <= end <= len(text)
        assert region["endLine"] <= len(lines)
        spans.append((len(bom) + len(text[:start].encode()), len(bom) + len(text[:end].encode()), content.get("text", "").encode()))
    out = before
    for start, end, new in sorted(spans, reverse=True):
        out = out[:start] + new + out[end:]
    return out


def fixed(before: bytes, after: bytes) -> bytes:
    heal = replace(PENDING, changes=(FileChange.of("tests/test_a.py", before, after),))
    (result,) = results(heal)
    return done(result["fixes"][0]["artifactChanges"][0], before)


def test_a_report_with_everything_in_it() -> None:
    log = checked(HealingReport((*REPORT.results, APPLIED, REFUSED, CAREFUL), notes=("budget {hit}",)))
    run = log["runs"][0]
    assert [(r["ruleId"], r["level"]) for r in run["results"]] == [
        ("assertion_update/expected_value", "warning"),
        ("dependency_fix", "warning"),
        ("suspected_regression", "error"),
        ("assertion_update/expected_value", "note"),
        ("not_healed", "note"),
        ("suspected_regression", "warning"),
        ("assertion_update/expected_value", "warning"),
    ]
    assert run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"] == "budget {{hit}}"


def test_a_pending_heal_has_its_edit_as_a_fix_and_stands_at_the_line() -> None:
    (result,) = results(PENDING)
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "tests/test_a.py", "uriBaseId": "SRCROOT"},
        "region": {"startLine": 1, "endLine": 1},
    }
    (change,) = result["fixes"][0]["artifactChanges"]
    assert done(change, PENDING.changes[0].before_bytes) == PENDING.changes[0].after_bytes
    assert "h-111111 pending, confidence 0.88" in result["message"]["text"]
    assert result["properties"]["evidence"] == ["git: the product says so since then (shop/stock.py:3)"]
    assert result["properties"]["declined"] == ["swap: guard: an assert would be lost"]


def test_what_is_written_already_has_no_fix_and_stands_where_it_is_now() -> None:
    change = FileChange.of("t.py", b"a\nb\n", b"new\na\nB\n")
    (applied,) = results(replace(APPLIED, changes=(change,)))
    assert "fixes" not in applied
    assert applied["locations"][0]["physicalLocation"]["region"] == {"startLine": 1, "endLine": 1}


def test_a_suspected_regression_stands_at_the_product_line() -> None:
    (result,) = results(REGRESSION)
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "shop/money.py", "uriBaseId": "SRCROOT"},
        "region": {"startLine": 12},
    }
    assert result["relatedLocations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "tests/test_m.py"
    assert "nothing else states the new value" in result["message"]["text"]


def test_heals_of_many_files_are_one_fix() -> None:
    files = [FileChange.of(f"tests/test {i}.py", b"old\n", b"new\n") for i in range(3)]
    (result,) = results(replace(PENDING, changes=tuple(files)))
    assert [c["artifactLocation"]["uri"] for c in result["fixes"][0]["artifactChanges"]] == [f"tests/test%20{i}.py" for i in range(3)]
    assert len(result["relatedLocations"]) == 2


def test_paths_are_those_of_the_repository() -> None:
    (result,) = results(PENDING, prefix="backend/")
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "backend/tests/test_a.py"
    outside = FileChange.of("/srv/über/t.py", b"a", b"b")
    (result,) = results(replace(PENDING, changes=(outside,)), prefix="backend/")
    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "file:///srv/%C3%BCber/t.py"}


def test_the_fingerprint_follows_the_edit_and_not_the_line() -> None:
    def print_of(before: bytes, after: bytes) -> str:
        (result,) = results(replace(PENDING, changes=(FileChange.of("t.py", before, after),)))
        return str(result["partialFingerprints"]["maestroHeal/v1"])

    assert print_of(b"old\n", b"new\n") == print_of(b"import os\n\nold\n", b"import os\n\nnew\n")
    assert print_of(b"old\n", b"new\n") != print_of(b"old\n", b"newer\n")


def test_rules_say_what_the_tactic_says() -> None:
    log = checked(REPORT, summaries={"assertion_update/expected_value": "Updates an expected value."})
    rules = {r["id"]: r for r in log["runs"][0]["tool"]["driver"]["rules"]}
    assert rules["assertion_update/expected_value"]["shortDescription"]["text"] == "Updates an expected value."
    assert rules["assertion_update/expected_value"]["name"] == "AssertionUpdateExpectedValue"
    assert rules["suspected_regression"]["defaultConfiguration"]["level"] == "error"


def test_hostile_texts_stay_texts() -> None:
    link = replace(ADVICE, advice="see [here](https://evil.example) {0}", test_id="tests/t[a](b).py::t")
    log = checked(HealingReport((*evil_report().results, link), notes=(EVIL,)))
    texts = [r["message"]["text"] for r in log["runs"][0]["results"]]
    assert "see [here] (https://evil.example) {{0}}" in texts


def test_an_empty_report_is_a_log_without_results() -> None:
    assert results() == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"a\nb\nc\n", b"a\nB\nc\n"),
        (b"a\nb\n", b"a\nb\nc\n"),
        (b"a\nb", b"a\nb\nc"),
        (b"a\nb\n", b"a\n"),
        (b"a\nb", b"a\nb\n"),
        (b"a\r\nb\r\n", b"a\r\nB\r\n"),
        (b"", b"new\n"),
        (b"old\n", b""),
        (b"\xef\xbb\xbfold = 'x'\n", b"\xef\xbb\xbfnew = 'x'\n"),
        (b"\xef\xbb\xbfold\n", b"old\n"),
        ("# ä 𝒳\nx = 'ö𝒳'\n".encode(), "# ä 𝒳\nx = 'ü𝒳'\n".encode()),
        (b"# coding: latin-1\nx = '\xe4'\n", b"# coding: latin-1\nx = '\xf6'\n"),
        (b"# \xff\nx = 1\n", b"# \xff\nx = 2\n"),
        (b"a\x0cb\x0b\rc\nd\n", b"a\x0cb\x0b\rc\nD\n"),
        ("a\u2028b\nc\n".encode(), "a\u2028b\nC\n".encode()),
    ],
)
def test_a_fix_gives_the_very_bytes(before: bytes, after: bytes) -> None:
    assert fixed(before, after) == after


PIECES = st.lists(st.sampled_from(["a", "b", "\n", "\r\n", "\r", "é", "\u2028", "\x0c", "x = 1\n"]), max_size=12)


@given(PIECES, PIECES)
def test_any_fix_gives_the_very_bytes(old: list[str], new: list[str]) -> None:
    before, after = "".join(old).encode(), "".join(new).encode()
    if before != after:
        assert fixed(before, after) == after


def test_secrets_are_masked_in_texts_and_the_edit_stays_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", "sup3r-s3cret")
    change = FileChange.of("t.py", b"x = 'sup3r-s3cret'\n", b"y = 'sup3r-s3cret'\n")
    told = replace(PENDING, changes=(change,), explanation="sup3r-s3cret", nodeids=("t.py::t[sup3r-s3cret]",), refused=("sup3r-s3cret",))
    (result,) = results(told)
    assert done(result["fixes"][0]["artifactChanges"][0], change.before_bytes) == change.after_bytes
    del result["fixes"][0]["artifactChanges"]
    assert "sup3r" not in json.dumps(result)


def test_it_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    sarif.write(REPORT, tmp_path / "new" / "heal.sarif")
    assert json.loads((tmp_path / "new" / "heal.sarif").read_bytes())["version"] == "2.1.0"
    with pytest.raises(HealerError, match="cannot be written"):
        sarif.write(REPORT, tmp_path)
