"""The generated catalogue: up to date, complete, and valid Markdown whatever the examples contain."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from pytest_maestro_healer.model import Applicability
from pytest_maestro_healer.strategies import load
from pytest_maestro_healer.strategies.base import Example, Strategy, Tactic
from pytest_maestro_healer.strategies.catalogue import catalogue

PAGE = Path(__file__).parents[2] / "docs" / "catalogue.md"


def test_the_page_is_up_to_date() -> None:
    now = catalogue()
    assert PAGE.read_text(encoding="utf-8") == now, "run: python -m pytest_maestro_healer.strategies.catalogue > docs/catalogue.md"


def test_every_tactic_and_decline_is_there() -> None:
    page = catalogue()
    for strategy in load():
        for tactic in strategy.tactics:
            assert f"### {tactic.name} ({tactic.applicability})" in page
    anchors, links = set(re.findall(r'<a id="([^"]+)">', page)), set(re.findall(r"\]\(#([^)]+)\)", page))
    assert anchors == links


def test_it_prints_the_same_from_the_command_line() -> None:
    done = subprocess.run([sys.executable, "-m", "pytest_maestro_healer.strategies.catalogue"], capture_output=True, check=True, timeout=60)
    assert done.stdout.decode() == catalogue()


class Odd(Tactic):
    """A tactic whose example would break careless Markdown."""

    name = "odd"
    summary = "Heals `a|b` and <tags>, snake_case"
    applicability = Applicability.SAFE
    heals = (
        Example("back`ticks", {"t.py": "x = '```'\n"}, {"t.py": "x = '````'\n"}),
        Example("bytes", {"t.py": b"\xef\xbb\xbfx\xa0= 1\r\n"}, {"t.py": b"\xef\xbb\xbfx = 1\r\n"}),
        Example("third", {"t.py": "1"}, {"t.py": "2"}),
    )
    declines = (Example("left", {"t.py": "1"}, why="a regression"),)


class OddStrategy(Strategy):
    """A strategy of one."""

    name = "odd_ones"
    summary = "Odd"
    tactics = (Odd(),)


def test_odd_examples_stay_inside_their_fences() -> None:
    page = catalogue([OddStrategy()])
    assert "`````diff\n# t.py\n-x = '```'\n+x = '````'\n`````\n" in page
    assert "\\xa0" in page
    assert "\\<tags\\>, snake\\_case" in page
    assert "`a\\|b`" in page
    assert "Also: third." in page
    assert "Left alone: *left*: a regression." in page
