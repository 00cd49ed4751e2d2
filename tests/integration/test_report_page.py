"""The page in a real browser: it asks for nothing, runs nothing but its own script, and the keys, themes and widths do what they say.

Skipped where no Chromium is installed. ``MAESTRO_PICTURES=DIR`` keeps the pictures, to be looked at.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_maestro_healer.model import FileChange, HealingReport
from tests.integration.browser import FOUND, Browser, browser
from tests.unit.test_report_html import ADVICE, HISTORY, PENDING, REGRESSION, evil_report

pytest.importorskip("jinja2")
pytestmark = [
    pytest.mark.skipif(not FOUND, reason="no Chromium here"),
    pytest.mark.skipif(os.name != "posix", reason="speaks over inherited pipes"),
]

CALL = (
    "def test_{0}():\n    assert compute({0}, {1}='fast', retries=3, timeout_seconds=12.5, verbose=True) == {{'value': {0}, 'state': 'finished'}}\n"
)
LONG = FileChange.of(
    "tests/unit/a_rather_long_folder_name/test_a.py", *("".join(CALL.format(i, name) for i in range(9)).encode() for name in ("mode", "speed"))
)


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture
def shown(chromium: Browser, tmp_path: Path) -> Browser:
    """A page with a card of every kind, hostile texts among them."""
    from pytest_maestro_healer.report import html

    results = (PENDING, replace(PENDING, healing_id="h-long", changes=(LONG,)), ADVICE, REGRESSION, *evil_report().results)
    target = tmp_path / "heal.html"
    html.write(HealingReport(results, 9, 2.5, notes=("the budget is used up",)), target, history=HISTORY, project="corner shop")
    chromium.events.clear()
    chromium.size(1280, 900)
    chromium.open(target)
    return chromium


def picture(shown: Browser, name: str, tmp_path: Path) -> Path:
    folder = Path(os.environ.get("MAESTRO_PICTURES") or tmp_path)
    shown.picture(folder / f"{name}.png")
    return folder / f"{name}.png"


def test_nothing_is_asked_for_and_nothing_is_refused(shown: Browser) -> None:
    """The policy lets style and script run; no text of a test became an element that it had to stop."""
    assert shown.requests() == [shown.eval("location.href")]
    assert shown.complaints() == []
    assert shown.eval("document.querySelectorAll('script').length") == 1
    assert shown.eval("getComputedStyle(document.querySelector('.card')).borderLeftWidth") == "4px"
    assert shown.eval("document.querySelector('.tools').hidden") is False
    # the policy works: what is put in later does not run
    shown.eval("(function(){var s=document.createElement('script'); s.textContent='window.owned=1'; document.body.append(s); s.remove();})()")
    assert shown.eval("window.owned === undefined") is True


def test_the_keys(shown: Browser) -> None:
    current = "[...document.querySelectorAll('.card')].findIndex(c => c.classList.contains('current'))"
    opened = shown.eval("document.querySelectorAll('.card')[1].open")
    shown.key("j")
    assert shown.eval(current) == 0
    shown.key("j")
    assert shown.eval(current) == 1
    shown.key("Enter")
    assert shown.eval("document.querySelectorAll('.card')[1].open") is not opened
    shown.key("k")
    assert shown.eval(current) == 0
    shown.key("?")
    assert shown.eval("document.getElementById('keys').open") is True
    shown.key("j")
    assert shown.eval(current) == 0
    shown.key("Escape")
    assert shown.eval("document.getElementById('keys').open") is False
    shown.key("o")
    assert shown.eval("document.querySelectorAll('.card:not([open])').length") == 0
    shown.key("/")
    for letter in "pyyaml":
        shown.key(letter)
    assert shown.eval("[...document.querySelectorAll('.card')].filter(c => !c.hidden).length") == 1
    shown.key("Escape")
    assert shown.eval("document.querySelectorAll('.card[hidden]').length") == 0
    shown.eval("document.querySelector('.tile.regression').click()")
    assert shown.eval("[...new Set([...document.querySelectorAll('.card:not([hidden])')].map(c => c.dataset.kind))].join()") == "regression"
    shown.eval("document.querySelector('.tile.regression').click()")
    assert shown.complaints() == []


def test_light_dark_and_narrow(shown: Browser, tmp_path: Path) -> None:
    page = "getComputedStyle(document.body).backgroundColor"
    colors = {}
    for scheme in ("light", "dark"):
        shown.scheme(scheme)
        colors[scheme] = shown.eval(page)
        for width in (1280, 390):
            shown.size(width, 900)
            data = picture(shown, f"{scheme}-{width}", tmp_path).read_bytes()
            assert struct.unpack(">II", data[16:24])[0] == width
            assert shown.eval("document.documentElement.scrollWidth") <= width, "the page is wider than the window"
    assert colors["light"] != colors["dark"]
    theme = "document.documentElement.getAttribute('data-theme')"
    seen = []
    for _ in range(3):
        shown.key("t")
        seen.append((shown.eval(theme), shown.eval(page)))
    assert seen == [("dark", colors["dark"]), ("light", colors["light"]), (None, colors["dark"])]


def test_it_prints_with_everything_open(shown: Browser) -> None:
    shown.eval("document.querySelectorAll('.card').forEach(c => { c.open = false; })")
    pages = len(shown.call("Page.printToPDF")["data"])
    shown.eval("document.querySelectorAll('.card').forEach(c => c.remove())")
    assert pages > 1.5 * len(shown.call("Page.printToPDF")["data"])


def test_a_closed_card_says_in_one_line_what_is_in_it(shown: Browser) -> None:
    shown.eval("document.querySelectorAll('.card').forEach(c => { c.open = false; })")
    heights = "[...document.querySelectorAll('.brief')].map(b => [b.textContent.trim().length > 0, b.offsetHeight])"
    assert {(text, 10 < height < 30) for text, height in shown.eval(heights)} == {(True, True)}
    shown.key("o")
    assert {height for _, height in shown.eval(heights)} == {0}


def test_two_hundred_heals_are_one_page_of_moderate_size(chromium: Browser, tmp_path: Path) -> None:
    from pytest_maestro_healer.report import html

    source = "".join(CALL.format(i, "mode") for i in range(60))
    results = []
    for i in range(200):
        path = f"tests/unit/test_module_{i}.py"
        change = FileChange.of(path, source.encode(), source.replace(f"compute({i % 60},", f"calculate({i % 60},").encode())
        results.append(replace(PENDING, healing_id=f"h-{i:08x}", test_id=f"{path}::test_{i}", nodeids=(f"{path}::test_{i}",), changes=(change,)))
    target = tmp_path / "heal.html"
    html.write(HealingReport(tuple(results), 200, 90.0), target, history=HISTORY, project="corner shop")
    assert target.stat().st_size < 2_000_000
    chromium.events.clear()
    chromium.open(target)
    assert chromium.eval("document.querySelectorAll('.card').length") == 200
    assert chromium.eval("document.querySelectorAll('.card[open]').length") < 10, "the page opens as an overview"
    assert chromium.requests() == [chromium.eval("location.href")]
    assert chromium.complaints() == []
