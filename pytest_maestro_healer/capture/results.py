"""Which tests failed, from the result file of a run: pytest-json-report, pytest-reportlog, our own report, and JUnit XML of many makers.

Formats: https://pypi.org/project/pytest-json-report/ (``tests``, ``collectors``), https://pypi.org/project/pytest-reportlog/ (a JSON object a
line with ``$report_type``), https://github.com/testmoapp/junitxml (what writers of JUnit XML have in common).
"""

from __future__ import annotations

import json
import os
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from pytest_maestro_healer.errors import BundleError
from pytest_maestro_healer.evidence.files import ProjectFiles
from pytest_maestro_healer.evidence.nodeids import file_of, tail_of

_BAD = frozenset({"failed", "error", "failure"})


@dataclass(frozen=True)
class Case:
    """One test that did not pass: its nodeid where the file says that, else what JUnit XML has instead; ``trace`` is that file's traceback."""

    nodeid: str = ""
    file: str = ""
    classname: str = ""
    name: str = ""
    message: str = ""
    trace: str = ""

    @property
    def label(self) -> str:
        """What the file calls it."""
        return self.nodeid or ".".join(p for p in (self.classname, self.name) if p) or self.file


@dataclass(frozen=True)
class Results:
    """The failed tests of one result file, in its order, each once. ``format`` names the file's format, ``total`` counts all its tests."""

    format: str
    failed: tuple[Case, ...] = ()
    total: int = 0
    notes: tuple[str, ...] = field(default=())


def read_results(path: str | os.PathLike[str]) -> Results:
    """Read a result file, whatever its format.

    Raises :class:`~pytest_maestro_healer.errors.BundleError` in one line for what cannot be read or is no result file.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as exc:
        raise BundleError(f"{path} cannot be read: {exc.strerror or exc}") from exc
    return parse_results(data, str(path))


def parse_results(data: bytes, name: str = "the file") -> Results:
    """The results in ``data``; ``name`` is what error messages call it. Raises as :func:`read_results`."""
    text = _decoded(data, name)
    start = text.lstrip()[:1]
    if not start:
        raise BundleError(f"{name} is empty")
    if start == "<":
        return _junit(data if not text.startswith("\ufeff") else text.lstrip("\ufeff").encode(), name)
    if start in "{[":
        return _json(text, name)
    raise BundleError(f"{name} is neither JSON nor XML: expected pytest-json-report, pytest-reportlog, JUnit XML or --heal-json")


def _decoded(data: bytes, name: str) -> str:
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as exc:
        if data.lstrip()[:1] == b"<":
            return data.decode("latin-1")  # the XML declaration may name another encoding
        raise BundleError(f"{name} is not UTF-8 text (byte {exc.start})") from exc


# -- JSON ------------------------------------------------------------------------------------------------------
def _json(text: str, name: str) -> Results:
    try:
        data: Any = json.loads(text)
    except (ValueError, RecursionError) as exc:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) > 1 and '"$report_type"' in lines[0]:
            return _reportlog(lines, name)
        raise BundleError(f"{name} is not valid JSON: {exc}") from exc
    if isinstance(data, dict) and "$report_type" in data:
        return _reportlog([text], name)
    if isinstance(data, dict) and isinstance(data.get("tests"), list):
        return _json_report(data)
    if isinstance(data, dict) and isinstance(data.get("collectors"), list):
        return _json_report({**data, "tests": []})
    if isinstance(data, dict) and isinstance(data.get("results"), list) and "schema" in data:
        return _heal_json(data)
    if isinstance(data, dict) and isinstance(data.get("summary"), dict) and "exitcode" in data:
        raise BundleError(f"{name} has a summary only; run pytest with --json-report and without --json-report-summary")
    raise BundleError(f"{name} is JSON, but no test results: expected pytest-json-report, pytest-reportlog or --heal-json")


def _json_report(data: Mapping[str, Any]) -> Results:
    cases: list[Case] = []
    tests, collectors = _dicts(data["tests"]), _dicts(data.get("collectors"))
    for c in collectors:
        if str(c.get("outcome")) in _BAD and c.get("nodeid"):
            cases.append(Case(nodeid=str(c["nodeid"]), message=_first_line(c.get("longrepr"))))
    for t in tests:
        if str(t.get("outcome")) in _BAD and t.get("nodeid"):
            stages = (t.get(s) for s in ("setup", "call", "teardown"))
            crash: Mapping[str, Any] = next((s["crash"] for s in stages if isinstance(s, dict) and isinstance(s.get("crash"), dict)), {})
            cases.append(Case(nodeid=str(t["nodeid"]), message=_first_line(crash.get("message"))))
    return Results("pytest-json-report", _once(cases), len(tests))


def _dicts(value: object) -> list[dict[str, Any]]:
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def _heal_json(data: Mapping[str, Any]) -> Results:
    cases = [Case(nodeid=str(r["test_id"])) for r in _dicts(data["results"]) if r.get("test_id")]
    return Results("--heal-json", _once(cases), len(cases))


def _reportlog(lines: Sequence[str], name: str) -> Results:
    """The last word on a test counts: an attempt that pytest-rerunfailures repeated has another outcome."""
    worst: dict[str, Case | None] = {}
    notes = []
    for n, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as exc:
            if n == len(lines):
                notes.append(f"{name} ends in the middle of a line: the run was cut off")
                break
            raise BundleError(f"{name}, line {n}: not valid JSON: {exc}") from exc
        kind = row.get("$report_type") if isinstance(row, dict) else None
        nodeid = str(row.get("nodeid") or "") if kind in ("TestReport", "CollectReport") else ""
        if not nodeid:
            continue
        if row.get("outcome") == "rerun":
            worst[nodeid] = None
        elif row.get("outcome") == "failed":
            worst[nodeid] = Case(nodeid=nodeid, message=_crash(row.get("longrepr")))
        elif kind == "TestReport":
            worst.setdefault(nodeid, None)
    return Results("pytest-reportlog", _once(c for c in worst.values() if c is not None), len(worst), tuple(notes))


def _crash(longrepr: object) -> str:
    if isinstance(longrepr, dict) and isinstance(longrepr.get("reprcrash"), dict):
        return _first_line(longrepr["reprcrash"].get("message"))
    return _first_line(longrepr)


def _first_line(text: object) -> str:
    return next((line.strip()[:300] for line in str(text or "").splitlines() if line.strip()), "")


def _once(cases: Iterable[Case]) -> tuple[Case, ...]:
    seen: dict[tuple[str, str, str, str], Case] = {}
    for c in cases:
        seen.setdefault((c.nodeid, c.file, c.classname, c.name), c)
    return tuple(seen.values())


# -- JUnit XML -------------------------------------------------------------------------------------------------
def _junit(data: bytes, name: str) -> Results:
    head = data[:2000].lower()
    if b"<!doctype" in head or b"<!entity" in data.lower():
        raise BundleError(f"{name} declares a document type or entities, which no test result needs; it was not read")
    try:
        root = ET.fromstring(data)
    except (ET.ParseError, ValueError, LookupError) as exc:
        raise BundleError(f"{name} is not valid XML: {exc}") from exc
    if _tag(root) not in ("testsuites", "testsuite", "testrun"):
        raise BundleError(f"{name} is XML, but no JUnit report: its root is <{_tag(root)}>")
    cases: list[Case] = []
    total = 0
    for suite_file, case in _cases(root, ""):
        total += 1
        bad = _bad_child(case)
        status = (case.get("status") or case.get("result") or "").lower()
        if bad is None and status not in _BAD:
            continue
        file = case.get("file") or suite_file or case.get("filepath") or case.get("filename") or ""
        message = _first_line((bad.get("message") or bad.text) if bad is not None else "")
        trace = (bad.text or "") if bad is not None else ""
        cases.append(Case("", file, case.get("classname") or case.get("class") or "", case.get("name") or "", message, trace))
    return Results("JUnit XML", _once(cases), total)


def _tag(node: ET.Element) -> str:
    return node.tag.rpartition("}")[2].lower() if isinstance(node.tag, str) else ""


def _cases(node: ET.Element, file: str) -> Iterator[tuple[str, ET.Element]]:
    """Every test case, at any depth, with the file that its nearest suite names."""
    for child in node:
        if _tag(child) == "testcase":
            yield file, child
        elif _tag(child) in ("testsuite", "testsuites"):
            yield from _cases(child, child.get("file") or child.get("filepath") or file)


def _bad_child(case: ET.Element) -> ET.Element | None:
    """The failure or error of a case; one that passed in the end (Surefire's ``flakyFailure``) has none."""
    return next((c for c in case if _tag(c) in ("failure", "error")), None)


# -- from names to nodeids -------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Found:
    """What became of the failed tests: ``selects``, pairs of (root-relative file, what follows it in the nodeid), and the ``missing`` ones."""

    selects: tuple[tuple[str, str], ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """The files, each once."""
        return tuple(dict.fromkeys(f for f, _ in self.selects))


def resolve(cases: Iterable[Case], root: Path, base: Path | None = None) -> Found:
    """Find the tests below ``root``; ``base`` (default: the same) is the folder to which the result file's paths are relative.

    A test whose file is gone is missing; whether a file still has it only pytest can tell.
    """
    bases = list(dict.fromkeys([root, base or root]))
    selects: list[tuple[str, str]] = []
    missing: list[str] = []
    for case in cases:
        found = next((f for b in bases for f in [_select(case, b, root)] if f is not None), None)
        if found is None:
            missing.append(case.label)
        else:
            selects.append(found)
    return Found(tuple(dict.fromkeys(selects)), tuple(dict.fromkeys(missing)))


def _select(case: Case, base: Path, root: Path) -> tuple[str, str] | None:
    if case.nodeid:
        file = _inside(base / file_of(case.nodeid), root)
        return None if file is None else (file, tail_of(case.nodeid))
    parts = [p for p in case.classname.split(".") if p]
    if case.file:
        file = _inside(base / case.file.replace("\\", "/"), root)
        if file is not None:
            return file, _tail(parts, case.name, file)
    if not parts:  # pytest's own collection errors: the file is in the name
        parts, name = [p for p in re.split(r"[./]", case.name.removesuffix(".py")) if p], ""
    else:
        name = case.name
    # the longest beginning that is a file; a prefix that the writer was told to add may stand before it
    for skip in range(len(parts)):
        for end in range(len(parts), skip, -1):
            file = _inside(base / PurePosixPath(*parts[skip:end]).with_suffix(".py"), root)
            if file is not None:
                return file, "::".join([*parts[end:], *([name] if name else [])])
    return _dotted(parts, name, root)


def _dotted(parts: Sequence[str], name: str, root: Path) -> tuple[str, str] | None:
    """A folder's name may have dots in it, or the writer stood in another folder: the one file whose dotted path is in the class name."""
    hits = []
    for path in ProjectFiles(root).test_files:
        module = re.split(r"[./]", path.removesuffix(".py"))
        # the longest beginning of the class name that ends the module's name
        n = next((n for n in range(len(parts), 0, -1) if module[-n:] == list(parts[:n])), 0)
        if n:
            hits.append((path, "::".join([*parts[n:], *([name] if name else [])])))
    return hits[0] if len(hits) == 1 else None


def _tail(parts: Sequence[str], name: str, file: str) -> str:
    """The classes and the test: what of the class name is not the module's; empty for the whole file."""
    module = list(PurePosixPath(file).with_suffix("").parts)
    said = [p for p in re.split(r"[./]", name.removesuffix(".py")) if p]
    if not parts and said == module[-len(said) :]:
        return ""  # pytest's own collection error: the test's name is the file's
    for n in range(len(module), 0, -1):
        for at in range(len(parts) - n + 1):
            if list(parts[at : at + n]) == module[-n:]:
                return "::".join([*parts[at + n :], name])
    return "::".join([*[p for p in parts if p[:1].isupper()], name])


def _inside(path: Path, root: Path) -> str | None:
    """The root-relative path of an existing file below ``root``."""
    try:
        if not path.is_file():
            return None
        return Path(os.path.realpath(path)).relative_to(os.path.realpath(root)).as_posix()
    except (OSError, ValueError):
        return None
