"""An edit must not make a coroutine or a generator of a test that nothing would run."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.edit.guards import Limits, check, check_proposal
from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Applicability, Edit, Proposal

SEND = "        self.assertTrue(await send('ann'))\n"
PLAIN = "    assert await send('ann')\n"


def guard(before: str, after: str, **kwargs: bool) -> list[str]:
    return check(SourceFile("tests/test_m.py", before.encode()), SourceFile("tests/test_m.py", after.encode()), limits=Limits(**kwargs))  # type: ignore[arg-type]


def case(base: str, head: str = "import unittest\n", between: str = "", deco: str = "", name: str = "test_send") -> tuple[str, str]:
    """A method that awaits in a class, plain and made async."""
    text = f"{head}\nfrom shop.mail import send\n\n{between}\nclass MailTest({base}):\n{deco}    {{}}def {name}(self):\n{SEND}"
    return text.format(""), text.format("async ")


MIXED = "class Base(unittest.TestCase):\n    pass\n\n"
ISOLATED = "class Base(unittest.IsolatedAsyncioTestCase):\n    pass\n\n"
REFUSED = {
    "a plain TestCase": case("unittest.TestCase"),
    "by its imported name": case("Case", "from unittest import TestCase as Case\n"),
    "by a base of the file": case("Base", between=MIXED),
    "a base from elsewhere": case("BaseTest", "from tests.base import BaseTest\n"),
    "a marker does not help there": case("unittest.TestCase", "import unittest\nimport pytest\n", deco="    @pytest.mark.asyncio\n"),
    "set-up": case("unittest.IsolatedAsyncioTestCase", name="setUp"),
    "a function without a marker": ("def test_a():\n" + PLAIN, "async def test_a():\n" + PLAIN),
    "a method without a marker": (f"class TestA:\n    def test_a(self):\n    {PLAIN}", f"class TestA:\n    async def test_a(self):\n    {PLAIN}"),
    "a marker goes": (
        "import pytest\n@pytest.mark.asyncio\nasync def test_a():\n" + PLAIN,
        "import pytest\nasync def test_a():\n" + PLAIN,
    ),
    "the case that awaits goes": (case("unittest.IsolatedAsyncioTestCase")[1], case("unittest.TestCase")[1]),
    "a test becomes a generator": (
        "def test_a():\n    def rows():\n        assert f() == 1\n      yield 2\n",
        "def test_a():\n    def rows():\n        assert f() == 1\n    yield 2\n",
    ),
    "a helper is called as before": (
        "def check():\n" + PLAIN + "\n\ndef test_a():\n    check()\n",
        "async def check():\n" + PLAIN + "\n\ndef test_a():\n    check()\n",
    ),
    "the coroutine is asserted": (
        "def sent():\n    return await send('ann')\n\n\ndef test_a():\n    assert sent()\n",
        "async def sent():\n    return await send('ann')\n\n\ndef test_a():\n    assert sent()\n",
    ),
}
MARKED = "import pytest\n\n\n@pytest.mark.{}\n"
HONEST = {
    "a case that awaits": case("unittest.IsolatedAsyncioTestCase"),
    "by its imported name": case("Case", "from unittest import IsolatedAsyncioTestCase as Case\n"),
    "by a base of the file": case("Base", between=ISOLATED),
    "with a mixin": case("Mixin, unittest.IsolatedAsyncioTestCase", "import unittest\nfrom tests.base import Mixin\n"),
    "Django awaits": case("TestCase", "from django.test import TestCase\n"),
    "aiohttp awaits": case("AioHTTPTestCase", "from aiohttp.test_utils import AioHTTPTestCase\n"),
    "a decorator awaits": case("unittest.TestCase", deco="    @run_async\n"),
    "a marker": (MARKED.format("asyncio") + "def test_a():\n" + PLAIN, MARKED.format("asyncio") + "async def test_a():\n" + PLAIN),
    "anyio": (MARKED.format("anyio") + "def test_a():\n" + PLAIN, MARKED.format("anyio") + "async def test_a():\n" + PLAIN),
    "a marker comes along": ("import pytest\n\n\ndef test_a():\n" + PLAIN, MARKED.format("asyncio") + "async def test_a():\n" + PLAIN),
    "a marker of the module": (
        "import pytest\npytestmark = pytest.mark.asyncio\ndef test_a():\n" + PLAIN,
        "import pytest\npytestmark = pytest.mark.asyncio\nasync def test_a():\n" + PLAIN,
    ),
    "a marker of the class": (
        f"import pytest\n@pytest.mark.trio\nclass TestA:\n    def test_a(self):\n    {PLAIN}",
        f"import pytest\n@pytest.mark.trio\nclass TestA:\n    async def test_a(self):\n    {PLAIN}",
    ),
    "the backend is asked for": ("def test_a(anyio_backend):\n" + PLAIN, "async def test_a(anyio_backend):\n" + PLAIN),
    "others have no marker either": (
        f"async def test_b():\n{PLAIN}\n\ndef test_a():\n{PLAIN}",
        f"async def test_b():\n{PLAIN}\n\nasync def test_a():\n{PLAIN}",
    ),
    "a helper that is run": (
        "import asyncio\n\n\ndef work():\n    return await send('ann')\n\n\ndef test_a():\n    assert asyncio.run(work())\n",
        "import asyncio\n\n\nasync def work():\n    return await send('ann')\n\n\ndef test_a():\n    assert asyncio.run(work())\n",
    ),
    "a helper that is awaited": (
        MARKED.format("asyncio") + "async def test_a():\n    await check()\n\n\ndef check():\n" + PLAIN,
        MARKED.format("asyncio") + "async def test_a():\n    await check()\n\n\nasync def check():\n" + PLAIN,
    ),
    "one that nothing ran is repaired elsewhere": (
        case("unittest.TestCase")[1] + "\n    def test_b(self)\n        pass\n",
        case("unittest.TestCase")[1] + "\n    def test_b(self):\n        pass\n",
    ),
    "a value in a generator that it was": (
        "import x\n@x.inlineCallbacks\ndef test_a():\n    r = yield f()\n    assert r == 1\n",
        "import x\n@x.inlineCallbacks\ndef test_a():\n    r = yield f()\n    assert r == 2\n",
    ),
    "a fixture gives by yield": (
        "import pytest\n@pytest.fixture\ndef test_db()\n    yield 1\n",
        "import pytest\n@pytest.fixture\ndef test_db():\n    yield 1\n",
    ),
}


@pytest.mark.parametrize(("before", "after"), REFUSED.values(), ids=REFUSED)
def test_what_nobody_would_run_is_refused(before: str, after: str) -> None:
    reasons = " | ".join(guard(before, after))
    assert "would not be run" in reasons or "without awaiting" in reasons


@pytest.mark.parametrize(("before", "after"), HONEST.values(), ids=HONEST)
def test_what_is_run_is_let_through(before: str, after: str) -> None:
    assert guard(before, after) == []


def test_a_project_that_runs_all() -> None:
    before, after = REFUSED["a function without a marker"]
    assert guard(before, after, runs_coroutines=True) == []
    assert guard(*REFUSED["a plain TestCase"], runs_coroutines=True)


@pytest.mark.parametrize(
    ("name", "text", "free"),
    [
        ("pytest.ini", "[pytest]\nasyncio_mode = auto\n", True),
        ("pyproject.toml", "[tool.pytest.ini_options]\nasyncio_mode = 'auto'\n", True),
        ("tox.ini", "[pytest]\naddopts = --asyncio-mode=auto\n", True),
        ("pytest.ini", "[pytest]\ntrio_mode = true\n", True),
        ("tests/conftest.py", "import pytest\n\ndef pytest_itemcollected(item):\n    item.add_marker(pytest.mark.asyncio)\n", True),
        ("pytest.ini", "[pytest]\nasyncio_mode = strict\n", False),
    ],
)
def test_settings_of_the_project(tmp_path: Path, name: str, text: str, free: bool) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / name).write_text(text)
    (tmp_path / "tests" / "test_m.py").write_text("def test_a():\n" + PLAIN)
    src = SourceFile("tests/test_m.py", (tmp_path / "tests" / "test_m.py").read_bytes())
    edit = Edit(src.path, src.sha256, 0, 0, "async ")
    proposal = Proposal("s", "t", (edit,), (), Applicability.REVIEW, "", ("tests/test_m.py::test_a",))
    reasons = check_proposal(proposal, Context(tmp_path, HealerConfig()))
    assert (reasons == []) is free
