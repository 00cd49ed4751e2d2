"""What was moved, or got another name within a function or a call: is it the same thing there, and does the product still load it?"""

# ruff: noqa: E501 (texts of whole files, one a line)

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.finished.halves import unfinished
from pytest_maestro_healer.model import Failure, Follows
from tests.unit.test_git import commit, git

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")

PLAIN = "def record(what):\n    return len(what)\n"
LOG = "import logging\n\nlog = logging.getLogger(__name__)\n\n\n"
LOGS = "def record(what):\n    log.info(what)\n    return len(what)\n"
HERE = "from pathlib import Path\n\nHERE = Path(__file__).parent\n\n\n"
READS = "def record(what):\n    return (HERE / what).exists() or len(what)\n"
LAZY = "def record(what):\n    from . import tables\n    return tables.WIDTH or len(what)\n"
IMPORTS = "from {}tables import WIDTH\n\n\n"
WIDTH = "def record(what):\n    return WIDTH or len(what)\n"
NOTE = "def note(what):\n    return what\n"
REGISTER = "KNOWN = {}\n\n\ndef known(thing):\n    KNOWN[thing.__name__] = thing\n    return thing\n\n\ndef timed(thing):\n    def inner(*given):\n        return thing(*given)\n    return inner\n"
BASE = "class Base:\n    def run(self):\n        return [c.__name__ for c in Base.__subclasses__()]\n"
CLASS = "from shop.base import Base\n\n\nclass record(Base):\n    pass\n"
LOADS = "from shop import audit\n"
SETS = "import socket\n\nsocket.setdefaulttimeout(9)\n\n\n"
PLUGIN = "from shop.registry import KNOWN\n\nKNOWN['a'] = 1\n"
STATE = "SEEN = {}\n\n\ndef record(what):\n    SEEN[what] = len(what)\n    return len(what)\n"
TEST = "from shop.audit import record\n\n\ndef test_record():\n    assert record('ab') == 2\n"
START = {"shop/__init__.py": "", "shop/tables.py": "WIDTH = 2\n", "shop/base.py": BASE, "shop/registry.py": REGISTER}
KNOWN = "from shop.registry import known\n\n\n@known\n" + PLAIN
TIMED = "from shop.registry import timed\n\n\n@timed\n" + PLAIN


def asked(root: Path, follows: Follows, before: Mapping[str, str], after: Mapping[str, str | None], message: str, tests: tuple[str, str]) -> str:
    """Why a heal that rewrites the test is not for granted, after a commit that changes the product."""
    git(root, "init", "-q", "--template=", "-b", "main")
    lay(root, {**before, "test_a.py": tests[0]})
    commit(root)
    lay(root, after)
    commit(root, message)
    failure = Failure("test_a.py::test_record", "call", "test_a.py", "ImportError", "")
    return unfinished(Context(root, HealerConfig()), failure, follows, {"test_a.py": tests[0].encode()}, {"test_a.py": tests[1].encode()})


def lay(root: Path, files: Mapping[str, str | None]) -> None:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            (root / path).unlink()
        else:
            (root / path).write_text(text)


@pytest.mark.parametrize(
    ("old", "home", "new", "more", "reason"),
    [
        pytest.param(PLAIN, "trail", PLAIN, {}, "", id="plain"),
        pytest.param(LOG + PLAIN, "trail", LOG + PLAIN, {}, "", id="beside a logger that it does not use"),
        pytest.param(LOG + LOGS, "trail", LOG + LOGS, {}, "", id="the logger of its module"),
        pytest.param(LOG + LOGS, "core.trail", LOG + LOGS, {"shop/core/__init__.py": ""}, "", id="the same, one package deeper"),
        pytest.param(LOG + LOGS, "trail", LOG + LOGS, {"logging.ini": "qualname=shop.audit\n"}, "log is another thing", id="a logger that is configured"),
        pytest.param(LOG + LOGS, "trail", LOG + LOGS, {"logging.ini": "qualname=shop.auditors\n"}, "", id="another logger that is configured"),
        pytest.param(LOG + LOGS, "trail", LOG + LOGS, {"shop/setup.py": "LEVELS = {'shop.audit': 30}\n"}, "log is another thing", id="a logger with a level by its name"),
        pytest.param(LOG + LOGS, "trail", LOG + LOGS, {"shop/setup.py": "import logging\nlogging.getLogger('shop').setLevel(30)\n"}, "", id="a level for both"),
        pytest.param(LOG + LOGS, "trail", LOG + LOGS, {"shop/setup.py": "import logging\nlogging.getLogger('shop.' + 'au' + 'dit').setLevel(30)\n"}, "log is another thing", id="a logger by a name that is put together"),
        pytest.param(LOG + "log.setLevel(30)\n" + LOGS, "trail", LOG + LOGS, {}, "log is another thing", id="a logger with a level of its own"),
        pytest.param(LOG + LOGS, "trail", LOG + "log.addFilter(len)\n" + LOGS, {}, "log is another thing", id="a logger with a filter there"),
        pytest.param(LOG + LOGS, "trail", LOG + LOGS, {"shop/setup.py": "from shop import trail\ntrail.log.disabled = True\n"}, "log is another thing", id="a logger that another module turns off"),
        pytest.param(LOG + LOGS, "trail", LOG + LOGS, {"shop/setup.py": "import math\nHALF = math.log(2)\n"}, "", id="a function of that name"),
        pytest.param(HERE + READS, "core.trail", HERE + READS, {"shop/core/__init__.py": ""}, "HERE is another thing", id="beside its module, in another folder"),
        pytest.param(HERE + READS, "trail", HERE + READS, {}, "", id="beside its module, in the same folder"),
        pytest.param(LAZY, "core.trail", LAZY, {"shop/core/__init__.py": ""}, "record in shop.core.trail is not what", id="a relative import within it"),
        pytest.param(LAZY, "core.trail", LAZY.replace("from .", "from .."), {"shop/core/__init__.py": ""}, "", id="a relative import that was adapted"),
        pytest.param(IMPORTS.format(".") + WIDTH, "core.trail", IMPORTS.format(".") + WIDTH, {"shop/core/__init__.py": "", "shop/core/tables.py": "WIDTH = 3\n"}, "WIDTH is another", id="a global from a relative import"),
        pytest.param(IMPORTS.format(".") + WIDTH, "core.trail", IMPORTS.format("shop.") + WIDTH, {"shop/core/__init__.py": ""}, "", id="the same import, absolute"),
        pytest.param(IMPORTS.format(".") + WIDTH, "trail", WIDTH, {}, "WIDTH is another thing", id="a global that was left behind"),
        pytest.param(STATE, "trail", STATE, {"shop/audit.py": "SEEN = {}\n\n\n" + NOTE}, "SEEN is another thing", id="two of what it keeps"),
        pytest.param(STATE, "trail", STATE, {}, "", id="what it keeps was moved with it"),
        pytest.param(KNOWN, "trail", KNOWN, {"shop/__init__.py": LOADS}, "shop/__init__.py loaded record", id="registered, and not loaded any more"),
        pytest.param(KNOWN, "trail", KNOWN, {"shop/__init__.py": LOADS + "from shop import trail\n"}, "", id="registered, and loaded where it is"),
        pytest.param(TIMED, "trail", TIMED, {"shop/__init__.py": LOADS}, "", id="a decorator that keeps nothing"),
        pytest.param(SETS + PLAIN, "trail", PLAIN, {}, "shop/audit.py:3 did socket.setdefaulttimeout(9) when it was loaded", id="a setting that was left out"),
        pytest.param(SETS + PLAIN, "trail", SETS + PLAIN, {}, "", id="a setting that was moved along"),
        pytest.param(SETS + PLAIN, "trail", PLAIN, {"shop/audit.py": SETS + NOTE}, "", id="a setting that was not the caller's"),
        pytest.param("TABLE = {}\nTABLE['a'] = 1\n\n\n" + PLAIN, "trail", PLAIN, {}, "", id="its own table, which nobody took along"),
        pytest.param("import shop.tables\n\n\n" + PLAIN, "trail", PLAIN, {}, "", id="an import without an effect"),
        pytest.param("import shop.plugins\n\n\n" + PLAIN, "trail", PLAIN, {"shop/plugins.py": PLUGIN}, "loaded shop/plugins.py, which acts", id="an import for its effect"),
        pytest.param("import shop.plugins\n\n\n" + PLAIN, "trail", "import shop.plugins\n\n\n" + PLAIN, {"shop/plugins.py": PLUGIN}, "", id="an import for its effect, moved along"),
        pytest.param(CLASS, "trail", CLASS, {"shop/__init__.py": LOADS}, "shop/__init__.py loaded record", id="a subclass that is looked up"),
        pytest.param(CLASS, "trail", CLASS, {"shop/base.py": BASE.replace("[c.__name__ for c in Base.__subclasses__()]", "type(self).__module__")}, "asks for the module", id="a class that is asked for its module"),
    ],
)  # fmt: skip
def test_a_definition_in_another_module(tmp_path: Path, old: str, home: str, new: str, more: Mapping[str, str], reason: str) -> None:
    path = f"shop/{home.replace('.', '/')}.py"
    kept = {p: text for p, text in more.items() if p in ("shop/base.py", "shop/plugins.py")}
    imports = "from shop import audit\n" if "import audit" in more.get("shop/__init__.py", "") else ""
    before = {**START, **kept, "shop/__init__.py": imports, "shop/audit.py": old + "\n\n" + NOTE, path: NOTE, "shop/core/__init__.py": ""}
    after = {"shop/audit.py": NOTE, **more, path: new + "\n\n" + NOTE}
    tests = (TEST, TEST.replace("shop.audit", f"shop.{home}"))
    found = asked(tmp_path, Follows.NAME, before, after, f"record moved from shop.audit to shop.{home}", tests)
    assert (reason in found) if reason else not found, found


@pytest.mark.parametrize(
    ("text", "reason"), [(PLAIN, ""), (LOG + LOGS, ""), (LOG.replace("__name__", "str(__name__)") + LOGS, "log is another thing")]
)
def test_a_definition_under_another_name_in_another_module(tmp_path: Path, text: str, reason: str) -> None:
    before = {**START, "shop/audit.py": text + "\n\n" + NOTE, "shop/trail.py": "LIMIT = 3\n"}
    after = {"shop/audit.py": NOTE, "shop/trail.py": text.replace("record", "enter") + "\n\nLIMIT = 3\n"}
    tests = (TEST, TEST.replace("shop.audit", "shop.trail").replace(" record", " enter"))
    found = asked(tmp_path, Follows.NAME, before, after, "Rename shop.audit.record to shop.trail.enter", tests)
    assert (reason in found) if reason else not found, found


@pytest.mark.parametrize(
    ("home", "text", "reason"),
    [
        ("trail", LOG + LOGS, ""),
        ("core/audit", HERE + READS, "__file__ is another thing"),
        ("trail", LAZY, ""),
        ("trail", KNOWN, "shop/__init__.py loaded shop/audit.py"),
    ],
)
def test_a_module_in_another_place(tmp_path: Path, home: str, text: str, reason: str) -> None:
    before = {**START, "shop/__init__.py": LOADS, "shop/core/__init__.py": "", "shop/audit.py": text}
    after = {"shop/__init__.py": "", "shop/audit.py": None, f"shop/{home}.py": text}
    module = f"shop.{home.replace('/', '.')}"
    found = asked(tmp_path, Follows.PRODUCT, before, after, f"shop.audit is {module} now", (TEST, TEST.replace("shop.audit", module)))
    assert (reason in found) if reason else not found, found


DISCOUNT = 'class Rule:\n    def __init__(self, {0}=0):\n        self.least = {0}\n\n\ndef record(price, {0}=0):\n    """What to pay."""\n    if price < {0}:\n        return {0}\n    return price\n'


@pytest.mark.parametrize(
    ("turn", "reason"),
    [
        (("", ""), ""),
        (("    return price\n", "    return round(price)\n"), ""),
        (("        return limit\n", "        return 0\n"), "floor of record is not used"),
        (("if price < limit", "if price > limit"), "floor of record is not used"),
        (("limit=0):\n    \"", "limit=9):\n    \""), "floor of record is not used"),
        (("    return price\n", "    return price - len(locals())\n"), "floor of record is not used"),
    ],
)  # fmt: skip
def test_a_parameter_under_another_name(tmp_path: Path, turn: tuple[str, str], reason: str) -> None:
    before, after = DISCOUNT.format("floor"), DISCOUNT.format("limit").replace(*turn) if turn[0] else DISCOUNT.format("limit")
    if "locals" in turn[1]:
        before = before.replace(*turn)
    test = "from shop import record\n\n\ndef test_record():\n    assert record(9, floor=3) == 9\n"
    found = asked(
        tmp_path, Follows.PARAMETERS, {"shop.py": before}, {"shop.py": after}, "record: floor is limit now", (test, test.replace("floor", "limit"))
    )
    assert (reason in found) if reason else not found, found


OPTION = "import argparse\n\n\ndef record(argv):\n    parser = argparse.ArgumentParser()\n    parser.add_argument('{0}', action='store_true', help='{0} tells only')\n    given = parser.parse_args(argv)\n    if given.{1}:\n        return 'told'\n    return 'done'\n"


@pytest.mark.parametrize(
    ("turn", "reason"),
    [
        (("help", "help"), ""),
        (("'--check', a", "'--check', '--verify', a"), ""),
        (("--check', a", "--check', dest='check', a"), ""),
        (("store_true", "store_false"), "shop.py:6 is not the same"),
        (("if given", "if not given"), "shop.py:6 is not the same"),
    ],
)
def test_an_option_under_another_name(tmp_path: Path, turn: tuple[str, str], reason: str) -> None:
    before, after = OPTION.format("--dry-run", "dry_run"), OPTION.format("--check", "check").replace(*turn)
    test = "from shop import record\n\n\ndef test_record():\n    assert record(['--dry-run']) == 'told'\n"
    tests = (test, test.replace("--dry-run", "--check"))
    found = asked(tmp_path, Follows.TEXT, {"shop.py": before}, {"shop.py": after}, "Rename --dry-run to --check", tests)
    assert (reason in found) if reason else not found, found
