"""Which functions and classes of a module are compiled without a look at their asserts."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pytest_maestro_healer.session.rerun import InProcess

TEXT = b"""\
class BaseTest:
    def test_a(self): ...

class TestMine(BaseTest, object):
    pass

class TestOther:
    pass

async def test_b(): ...

def test_c(): ...

def helper():
    def test_inner(): ...
"""


def plain(*nodeids: str, ran: tuple[str, ...]) -> Any:
    """What need not be rewritten for ``nodeids`` where the user's run had ``ran``."""
    root = Path("/project")
    session = SimpleNamespace(items=[SimpleNamespace(nodeid=n, path=root / "test_x.py") for n in ran])
    files = SimpleNamespace(root=root, relative=lambda p: p.name)
    runner: Any = SimpleNamespace(session=session, files=files)
    overlay = {"test_x.py": TEXT}
    found = InProcess._plain(runner, nodeids, overlay, InProcess._idle(runner, nodeids, overlay, False))
    return {Path(p).name: set(names) for p, names in found.items()}


def test_what_the_run_left_out_is_not_rewritten_but_for_bases() -> None:
    mine = "test_x.py::TestMine::test_a"
    assert plain(mine, ran=(mine,)) == {"test_x.py": {"TestOther", "test_b", "test_c"}}
    assert plain(mine, ran=(mine, "test_x.py::helper", "test_x.py::BaseTest::test_a")) == {"test_x.py": {"TestOther", "test_b", "test_c", "helper"}}


def test_a_file_that_runs_whole_is_rewritten_whole() -> None:
    assert plain("test_x.py", ran=("test_x.py::test_b",)) == {}
