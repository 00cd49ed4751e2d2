"""A member that gets a name which its class has from elsewhere already."""

# ruff: noqa: E501 (texts of whole files, one a line)

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.evidence.changes import changes_of
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.finished.names.families import Families
from pytest_maestro_healer.model import Follows
from tests.unit.test_relocated import asked, lay, pytestmark

__all__ = ["pytestmark"]

PLAIN = "class Upload:\n    def {}(self):\n        return 3\n"
THREAD = "import threading\n\n\n" + PLAIN.replace("Upload", "Upload(threading.Thread)")
BASE = "class Base:\n    def {}(self):\n        return 1\n"
OTHER = "class Other:\n    def start(self):\n        return 1\n\n\ndef go(what):\n    return what.start()\n"
MIDDLE = "from threading import Thread\n\n\nclass Middle(Thread):\n    pass\n"


def inheriting(name: str, bases: str, more: str = "") -> str:
    return f"{more}\n\n" + PLAIN.replace("Upload", f"{name}({bases})")


@pytest.mark.parametrize(
    ("code", "beside", "new", "reason"),
    [
        pytest.param(PLAIN, {}, "start", "", id="no base"),
        pytest.param(PLAIN, {"shop/other.py": OTHER}, "start", "", id="another class has it"),
        pytest.param(THREAD, {}, "begin", "", id="a base that has no such member"),
        pytest.param(THREAD, {}, "start", "start is a member of threading.Thread", id="a base of the library"),
        pytest.param(inheriting("Upload", "dict"), {}, "values", "values is a member of builtins.dict", id="a builtin base"),
        pytest.param(inheriting("Upload", "Dict[str, int]", "from typing import Dict"), {}, "values", "values is a member of typing.Dict", id="a base of typing"),
        pytest.param(inheriting("Upload", "Generic[T]", "from typing import Generic, TypeVar\n\nT = TypeVar('T')"), {}, "values", "", id="a generic class"),
        pytest.param(inheriting("Upload", "NamedTuple", "from typing import NamedTuple"), {}, "count", "count is a member of typing.NamedTuple", id="a named tuple"),
        pytest.param(inheriting("Upload", "NamedTuple", "from typing import NamedTuple"), {}, "start", "", id="a named tuple without it"),
        pytest.param(inheriting("Upload", "logging.Handler", "import logging"), {}, "formatter", "formatter is a member of logging.Handler", id="what a library's method stores"),
        pytest.param(inheriting("Upload", "Middle", "from shop.middle import Middle"), {"shop/middle.py": MIDDLE}, "start", "start is a member of threading.Thread", id="a base of a base"),
        pytest.param(inheriting("Upload", "Middle", "from .middle import Middle"), {"shop/middle.py": MIDDLE}, "begin", "", id="a base of a base without it"),
        pytest.param(inheriting("Upload", "Base", "from shop.base import Base"), {"shop/base.py": BASE.format("start")}, "start", "Base had start before", id="a base of the product"),
        pytest.param(inheriting("Upload", "Base", "from shop.base import Base"), {"shop/base.py": BASE.format("stop")}, "start", "", id="a base of the product without it"),
        pytest.param(PLAIN, {"shop/below.py": "from shop.upload import Upload\n\n\nclass Below(Upload):\n    def start(self):\n        return 4\n"}, "start", "Below had start before", id="a subclass"),
        pytest.param(PLAIN, {"shop/below.py": "import threading\nfrom shop import upload\n\n\nclass Below(upload.Upload, threading.Thread):\n    pass\n"}, "start", "Below inherits from", id="another base of a subclass"),
        pytest.param(inheriting("Upload", "made()", "from shop.made import made"), {"shop/made.py": "def made():\n    return dict\n"}, "start", "cannot be told", id="a base that is made"),
        pytest.param(PLAIN, {"shop/run.py": "def run(what):\n    return what.start() if hasattr(what, 'start') else 0\n"}, "start", "asked before whether there is start", id="asked whether it is there"),
        pytest.param(PLAIN + "\n    def __getattr__(self, name):\n        return getattr(self.inner, name)\n", {"shop/run.py": "def run(what):\n    return what.start()\n"}, "start", "answers to every name", id="a class that answers to every name"),
        pytest.param(PLAIN + "\n    def __getattr__(self, name):\n        return getattr(self.inner, name)\n", {}, "start", "", id="the same, and nobody asked"),
    ],
)  # fmt: skip
def test_a_method_that_gets_a_name_in_use(tmp_path: Path, code: str, beside: Mapping[str, str], new: str, reason: str) -> None:
    before, after = (code.replace("{}", name) for name in ("launch", new))
    test = "from shop.upload import Upload\n\n\ndef test_record():\n    assert Upload.launch(None) == 3\n"
    files = {"shop/__init__.py": "", **beside, "shop/upload.py": before}
    found = asked(tmp_path, Follows.NAME, files, {"shop/upload.py": after}, f"Rename launch to {new}", (test, test.replace("launch", new)))
    assert (reason in found) if reason else not found, found


def test_both_were_renamed(tmp_path: Path) -> None:
    own = inheriting("Upload", "Base", "from shop.base import Base")
    files = {"shop/__init__.py": "", "shop/base.py": BASE, "shop/upload.py": own}
    before, after = ({p: text.replace("{}", name) for p, text in files.items()} for name in ("launch", "start"))
    test = "from shop.upload import Upload\n\n\ndef test_record():\n    assert Upload().launch() == 3\n"
    assert not asked(tmp_path, Follows.NAME, before, after, "Rename launch to start", (test, test.replace("launch", "start")))


def test_a_library_that_is_not_loaded_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "sched", raising=False)
    lay(tmp_path, {"shop.py": "import sched\n\n\nclass Plan(sched.scheduler):\n    pass\n"})
    ctx = Context(tmp_path, HealerConfig())
    families = Families(changes_of(ctx.git, ctx.files, ctx.symbols))
    assert families.above(("shop.py", "Plan")) == ["sched.scheduler"]
    members = families.members("sched.scheduler")
    assert members is not None
    assert {"enterabs", "timefunc", "__repr__"} <= members
    assert "amount" not in members
    assert "sched" not in sys.modules
    assert families.members("sched.nothing") is None
    assert isinstance(families.node(("shop.py", "Plan")), ast.ClassDef)
