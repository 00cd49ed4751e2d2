# ruff: noqa: E501 - whole files as one literal each
"""Examples of tests that depend on others: what is healed, and what is left alone."""

from __future__ import annotations

from pytest_maestro_healer.strategies.base import Example

_CONF = "DEBUG = False\nLEVELS = {}\nNAMES = []\n\n\ndef add(name, level):\n    LEVELS[name] = [level]\n    NAMES.append(name)\n"
_OTHER = "import conf\n\n\ndef test_default():\n    assert conf.DEBUG is False\n"


def _two(title: str, polluter: str, healed: str, victim: str = _OTHER, fresh: bool = False) -> Example:
    return Example(title, {"conf.py": _CONF, "test_a.py": polluter, "test_b.py": victim}, {"test_a.py": healed}, fresh=fresh)


_SHAPES = "class Shape:\n    pass\n\n\ndef make():\n    return Shape()\n"
_MADE = "import shapes\nfrom shapes import Shape\n\n\ndef test_make():\n    assert isinstance(shapes.make(), Shape)\n"
_LIMITS = "import os\n\nimport shapes\n\nMOST = int(os.environ.get('SHAPES', 5))\n\n\nclass Full(Exception):\n    pass\n\n\ndef check(n):\n    if n > MOST:\n        raise Full(n)\n"

_HIDDEN = {
    "shop/__init__.py": "from .node import *\n",
    "shop/node.py": "class Node:\n    pass\n\n\ndef node(name):\n    return name.upper()\n\n\ndef see(name):\n    Node.seen = name\n    return Node.seen\n",
}
_STAR = "from shop.node import *\n\n\ndef test_see():\n    assert see('a') == 'a'\n"
_SEE = _STAR.replace("*", "see")
POLLUTED = (
    _two(
        "An assignment becomes monkeypatch.setattr",
        "import conf\n\n\ndef test_debug():\n    conf.DEBUG = True\n    assert conf.DEBUG\n",
        'import conf\n\n\ndef test_debug(monkeypatch):\n    monkeypatch.setattr(conf, "DEBUG", True)\n    assert conf.DEBUG\n',
    ),
    _two(
        "An environment variable",
        'import os\n\n\ndef test_mode(tmp_path):\n    os.environ["CONF_MODE"] = "fast"\n    assert os.getenv("CONF_MODE") == "fast"\n',
        'import os\n\n\ndef test_mode(tmp_path, monkeypatch):\n    monkeypatch.setenv("CONF_MODE", "fast")\n    assert os.getenv("CONF_MODE") == "fast"\n',
        "import os\n\n\ndef test_no_mode():\n    assert os.getenv('CONF_MODE', 'slow') == 'slow'\n",
        fresh=True,
    ),
    _two(
        "The working directory",
        "import os\n\n\ndef test_in_folder(tmp_path):\n    os.chdir(tmp_path)\n    assert os.listdir() == []\n",
        "import os\n\n\ndef test_in_folder(tmp_path, monkeypatch):\n    monkeypatch.chdir(tmp_path)\n    assert os.listdir() == []\n",
        "from pathlib import Path\n\n\ndef test_here():\n    assert Path('conf.py').exists()\n",
    ),
    _two(
        "A registry that the product fills: the test works on its own copy",
        'import conf\n\n\ndef test_add():\n    """Names are kept."""\n    conf.add("x", 1)\n    assert "x" in conf.LEVELS\n',
        'import copy\n\nimport conf\n\n\ndef test_add(monkeypatch):\n    """Names are kept."""\n    monkeypatch.setattr(conf, "LEVELS", copy.deepcopy(conf.LEVELS))\n    conf.add("x", 1)\n    assert "x" in conf.LEVELS\n',
        "import conf\n\n\ndef test_empty():\n    assert not conf.LEVELS\n",
    ),
    _two(
        "A TestCase gives it back by cleanup",
        "import unittest\n\nimport conf\n\n\nclass TestDebug(unittest.TestCase):\n    def test_debug(self):\n        conf.DEBUG = True\n        self.assertTrue(conf.DEBUG)\n",
        'import unittest\n\nimport conf\n\n\nclass TestDebug(unittest.TestCase):\n    def test_debug(self):\n        self.addCleanup(setattr, conf, "DEBUG", conf.DEBUG)\n        conf.DEBUG = True\n        self.assertTrue(conf.DEBUG)\n',
    ),
    _two(
        "Several tests of one file: a fixture of the file",
        'from conf import LEVELS, add\n\n\ndef test_one():\n    add("one", 1)\n    assert "one" in LEVELS\n\n\ndef test_two():\n    add("two", 2)\n    assert "two" in LEVELS\n',
        'import copy\n\nimport conf\nimport pytest\nfrom conf import LEVELS, add\n\n\n@pytest.fixture(autouse=True)\ndef _restored_levels():\n    """Give conf.LEVELS back: test_two changes it."""\n    before = copy.deepcopy(conf.LEVELS)\n    yield\n    conf.LEVELS.clear()\n    conf.LEVELS.update(before)\n\n\n'
        'def test_one():\n    add("one", 1)\n    assert "one" in LEVELS\n\n\ndef test_two():\n    add("two", 2)\n    assert "two" in LEVELS\n',
        "from conf import LEVELS\n\n\ndef test_empty():\n    assert LEVELS == {}\n",
    ),
    Example(
        "State of a class that is there by a star import, in a module that its package hides behind a function",
        {**_HIDDEN, "test_a.py": _STAR, "test_b.py": "from shop import Node\n\n\ndef test_none():\n    assert not hasattr(Node, 'seen')\n"},
        {
            "test_a.py": _STAR.replace(
                "from shop.node import *\n\n\n",
                "import pytest\nfrom shop.node import *\n\n\n@pytest.fixture(autouse=True)\ndef _restored_node_seen():\n"
                '    """Give shop.node.Node.seen back: test_see changes it."""\n    yield\n    if "seen" in vars(Node):\n        del Node.seen\n\n\n',
            )
        },
    ),
    Example(
        "The same where only a function of the module was imported",
        {**_HIDDEN, "test_a.py": _SEE, "test_b.py": "from shop import Node\n\n\ndef test_none():\n    assert not hasattr(Node, 'seen')\n"},
        {
            "test_a.py": _SEE.replace(
                "from shop.node import see\n\n\n",
                "import pytest\nfrom shop.node import Node, see\n\n\n@pytest.fixture(autouse=True)\ndef _restored_node_seen():\n"
                '    """Give shop.node.Node.seen back: test_see changes it."""\n    yield\n    if "seen" in vars(Node):\n        del Node.seen\n\n\n',
            )
        },
    ),
    Example(
        "An attribute of an object that its class has too: only the object's own is taken back",
        {
            "shop.py": "class Node:\n    level = 1\n\n\nROOT = Node()\n\n\ndef deepen():\n    ROOT.level = 2\n",
            "test_a.py": "import shop\n\n\ndef test_flat():\n    assert shop.Node.level == 1\n\n\ndef test_deep():\n    shop.deepen()\n    assert shop.ROOT.level == 2\n",
            "test_b.py": "import shop\n\n\ndef test_level():\n    assert shop.ROOT.level == 1\n",
        },
        {
            "test_a.py": "import pytest\nimport shop\n\n\n@pytest.fixture(autouse=True)\ndef _restored_root_level():\n"
            '    """Give shop.ROOT.level back: test_deep changes it."""\n    yield\n    if "level" in vars(shop.ROOT):\n        del shop.ROOT.level\n\n\n'
            "def test_flat():\n    assert shop.Node.level == 1\n\n\ndef test_deep():\n    shop.deepen()\n    assert shop.ROOT.level == 2\n",
        },
    ),
    Example(
        "The module is imported by another function only: that name is none for the rest of the file",
        {
            "conf.py": "LEVELS = {}\n\n\ndef add(name, level):\n    LEVELS[name] = level\n",
            "test_a.py": "from conf import add\n\n\ndef test_two():\n    add('two', 2)\n\n\ndef test_levels():\n    import conf as c\n\n    assert c.LEVELS is not None\n",
            "test_b.py": "import conf\n\n\ndef test_empty():\n    assert conf.LEVELS == {}\n",
        },
        {
            "test_a.py": 'import conf\nfrom conf import add\n\n\ndef test_two(monkeypatch):\n    monkeypatch.setattr(conf, "LEVELS", conf.LEVELS.copy())\n'
            "    add('two', 2)\n\n\ndef test_levels():\n    import conf as c\n\n    assert c.LEVELS is not None\n",
        },
    ),
    Example(
        "setUpClass of a TestCase leaves a variable behind: a fixture around the class",
        {
            "test_a.py": 'import os\nimport unittest\n\n\nclass TestFast(unittest.TestCase):\n    @classmethod\n    def setUpClass(cls):\n        os.environ["CONF_MODE"] = "fast"\n\n    def test_mode(self):\n        self.assertEqual(os.environ["CONF_MODE"], "fast")\n',
            "test_b.py": 'import os\n\n\ndef test_no_mode():\n    assert "CONF_MODE" not in os.environ\n',
        },
        {
            "test_a.py": 'import os\nimport unittest\nfrom unittest import mock\n\nimport pytest\n\n\n@pytest.fixture(scope="class", autouse=True)\ndef _restored_environ():\n    """Give os.environ back: TestFast.test_mode changes it."""\n    with mock.patch.dict(os.environ):\n        yield\n\n\n'
            'class TestFast(unittest.TestCase):\n    @classmethod\n    def setUpClass(cls):\n        os.environ["CONF_MODE"] = "fast"\n\n    def test_mode(self):\n        self.assertEqual(os.environ["CONF_MODE"], "fast")\n'
        },
        fresh=True,
    ),
    Example(
        "A class configured by another test: several attributes at once",
        {
            "node.py": "class Node:\n    tag = None\n    kind = None\n\n    @classmethod\n    def configure(cls, tag, kind):\n        cls.tag, cls.kind = tag, kind\n\n    @classmethod\n    def plain(cls):\n        return cls.tag is None and cls.kind is None\n",
            "test_a.py": 'from node import Node\n\n\ndef test_configure():\n    Node.configure("b", "inline")\n    assert not Node.plain()\n',
            "test_b.py": "from node import Node\n\n\ndef test_plain():\n    assert Node.plain()\n",
        },
        {
            "test_a.py": 'from unittest import mock\n\nimport pytest\nfrom node import Node\n\n\n@pytest.fixture(autouse=True)\ndef _restored_attributes():\n    """Give the attributes of Node back: test_configure changes them."""\n    with mock.patch.object(Node, "tag", Node.tag):\n        with mock.patch.object(Node, "kind", Node.kind):\n            yield\n\n\n'
            'def test_configure():\n    Node.configure("b", "inline")\n    assert not Node.plain()\n'
        },
    ),
    Example(
        "A test reloads a module: another holds the class that was in it before",
        {
            "shapes.py": _SHAPES,
            "test_a.py": "import importlib\n\nimport shapes\n\n\ndef test_reload():\n    again = importlib.reload(shapes)\n    assert again.make()\n",
            "test_b.py": _MADE,
        },
        {
            "test_a.py": "import importlib\nfrom unittest import mock\n\nimport shapes\n\n\n@mock.patch.dict(vars(shapes))\ndef test_reload():\n    again = importlib.reload(shapes)\n    assert again.make()\n"
        },
    ),
    Example(
        "Two modules, reloaded by several tests with arguments of their own: a fixture gives both back",
        {
            "shapes.py": _SHAPES,
            "limits.py": _LIMITS,
            "test_a.py": "import unittest\nfrom importlib import reload\nfrom unittest import mock\n\nimport limits\nimport shapes\n\n\nclass TestMost(unittest.TestCase):\n"
            "    @mock.patch('os.getenv')\n    def test_few(self, _):\n        with mock.patch.dict('os.environ', SHAPES='2'):\n            reload(limits)\n        self.assertEqual(limits.MOST, 2)\n\n"
            "    @mock.patch('os.getenv')\n    def test_many(self, _):\n        reload(shapes)\n        with mock.patch.dict('os.environ', SHAPES='9'):\n            reload(limits)\n        self.assertEqual(limits.MOST, 9)\n",
            "test_b.py": "import limits\nimport pytest\nimport shapes\nfrom limits import Full\nfrom shapes import Shape\n\n\ndef test_full():\n    assert isinstance(shapes.make(), Shape)\n    with pytest.raises(Full):\n        limits.check(6)\n",
        },
        {
            "test_a.py": 'import unittest\nfrom importlib import reload\nfrom unittest import mock\n\nimport limits\nimport pytest\nimport shapes\n\n\n@pytest.fixture(autouse=True)\ndef _restored_modules():\n    """Give shapes and limits back: TestMost.test_many executes them anew."""\n    with mock.patch.dict(vars(shapes)):\n        with mock.patch.dict(vars(limits)):\n            yield\n\n\n'
            "class TestMost(unittest.TestCase):\n    @mock.patch('os.getenv')\n    def test_few(self, _):\n        with mock.patch.dict('os.environ', SHAPES='2'):\n            reload(limits)\n        self.assertEqual(limits.MOST, 2)\n\n"
            "    @mock.patch('os.getenv')\n    def test_many(self, _):\n        reload(shapes)\n        with mock.patch.dict('os.environ', SHAPES='9'):\n            reload(limits)\n        self.assertEqual(limits.MOST, 9)\n"
        },
    ),
    Example(
        "A module of a package is imported anew after it was taken out of sys.modules",
        {
            "forms/__init__.py": "",
            "forms/shapes.py": _SHAPES,
            "test_a.py": "import sys\n\nfrom forms import shapes\n\n\ndef test_anew():\n    old = sys.modules.pop('forms.shapes')\n    import forms.shapes\n\n    assert forms.shapes is not old\n    assert old is shapes\n",
            "test_b.py": "from forms.shapes import Shape\n\n\ndef test_make():\n    from forms import shapes\n\n    assert isinstance(shapes.make(), Shape)\n",
        },
        {
            "test_a.py": 'import sys\n\nimport forms\nimport pytest\nfrom forms import shapes\n\n\n@pytest.fixture(autouse=True)\ndef _restored_modules(monkeypatch):\n    """Give forms.shapes back: test_anew executes it anew."""\n    monkeypatch.setitem(sys.modules, "forms.shapes", sys.modules["forms.shapes"])\n    monkeypatch.setattr(forms, "shapes", forms.shapes)\n\n\n'
            "def test_anew():\n    old = sys.modules.pop('forms.shapes')\n    import forms.shapes\n\n    assert forms.shapes is not old\n    assert old is shapes\n"
        },
    ),
    Example(
        "A cache of the product that another test filled",
        {
            "rates.py": "import functools\n\nTABLE = {'eur': 1}\n\n\n@functools.lru_cache\ndef rate(name):\n    return TABLE[name]\n",
            "test_a.py": 'import rates\n\n\ndef test_other_rate(monkeypatch):\n    monkeypatch.setitem(rates.TABLE, "eur", 2)\n    assert rates.rate("eur") == 2\n',
            "test_b.py": 'import rates\n\n\ndef test_rate():\n    assert rates.rate("eur") == 1\n',
        },
        {
            "test_a.py": 'import pytest\nimport rates\n\n\n@pytest.fixture(autouse=True)\ndef _restored_cache():\n    """Give the cache of rates.rate back: test_other_rate changes it."""\n    yield\n    rates.rate.cache_clear()\n\n\n'
            'def test_other_rate(monkeypatch):\n    monkeypatch.setitem(rates.TABLE, "eur", 2)\n    assert rates.rate("eur") == 2\n'
        },
    ),
)

_NAMES = "def label(name):\n    return name.title()\n"
_STALE = "_CACHE = {}\n\n\ndef label(name):\n    return _CACHE.setdefault('all', name.title())\n"
_LABELS = (
    "import pytest\n\nimport names\n\n\n@pytest.mark.parametrize('name, text', [('ann', 'Ann'), ('bo', 'Bo')])\n"
    "def test_label(name, text):\n    assert names.label(name) == text\n"
)

_KEEPS = "import shapes\n\n\ndef refresh():\n    return shapes\n"
_RELOADS = "import importlib\n\nimport shapes\n\n\ndef refresh():\n    return importlib.reload(shapes)\n"
_REFRESHED = "import shop\n\n\ndef test_refresh():\n    assert shop.refresh().make()\n"

POLLUTED_DECLINES = (
    Example(
        "A change of the product that keeps the first result for ever",
        {"names.py": _STALE, "test_a.py": _LABELS},
        head={"names.py": _NAMES, "test_a.py": _LABELS},
        why="giving the product's cache back after each test would hide that the product is wrong",
        advice="since the product was changed: names.py:1 (changed uncommitted)",
    ),
    Example(
        "A change of the product after which it loads a module anew",
        {
            "shapes.py": _SHAPES,
            "shop.py": _RELOADS,
            "test_a.py": _REFRESHED,
            "test_b.py": _MADE,
        },
        head={"shapes.py": _SHAPES, "shop.py": _KEEPS, "test_a.py": _REFRESHED, "test_b.py": _MADE},
        why="what users of the product hold is lost too: giving the module back in the test would hide it",
        advice="since the product was changed: shop.py:1 (changed uncommitted)",
    ),
    Example(
        "A true regression that fails alone too",
        {
            "conf.py": "LIMIT = 9\n\n\ndef double(n):\n    return n + 2\n",
            "test_a.py": "import conf\n\n\ndef test_limit(monkeypatch):\n    monkeypatch.setattr(conf, 'LIMIT', 5)\n    assert conf.LIMIT == 5\n",
            "test_b.py": "import conf\n\n\ndef test_double():\n    assert conf.double(4) == 8\n",
        },
        why="it fails whatever runs before it",
    ),
    Example(
        "State that no test code can give back: the command that shows it is named",
        {
            "store.py": "def _make():\n    seen = []\n\n    def add(x):\n        seen.append(x)\n        return len(seen)\n\n    return add\n\n\nadd = _make()\n",
            "test_a.py": "import store\n\n\ndef test_first():\n    assert store.add('a') == 1\n",
            "test_b.py": "import store\n\n\ndef test_other():\n    assert store.add('b') == 1\n",
        },
        why="the list lives in a closure, and changing the expected number would pin the order",
        advice="Reproduce: pytest test_a.py::test_first test_b.py::test_other",
    ),
)

BRITTLE = (
    Example(
        "A test that runs only after the one that configures",
        {
            "conf.py": "MODE = None\n\n\ndef configure(mode):\n    global MODE\n    MODE = mode\n",
            "test_a.py": 'import conf\n\n\ndef test_configure():\n    conf.configure("fast")\n    assert conf.MODE == "fast"\n\n\ndef test_mode():\n    assert conf.MODE == "fast"\n',
        },
        {
            "test_a.py": 'import conf\n\n\ndef test_configure():\n    conf.configure("fast")\n    assert conf.MODE == "fast"\n\n\ndef test_mode(monkeypatch):\n    monkeypatch.setattr(conf, "MODE", "fast")\n    assert conf.MODE == "fast"\n'
        },
        args=("test_a.py::test_mode",),
    ),
    Example(
        "State outside of the process: the test does first what the other one does",
        {
            "test_a.py": 'import json\n\nimport pytest\n\n\n@pytest.fixture(scope="session")\ndef store(tmp_path_factory):\n    return tmp_path_factory.mktemp("data") / "items.json"\n\n\ndef test_write(store):\n    store.write_text(json.dumps(["a"]))\n\n\ndef test_read(store):\n    assert json.loads(store.read_text()) == ["a"]\n',
        },
        {
            "test_a.py": 'import json\n\nimport pytest\n\n\n@pytest.fixture(scope="session")\ndef store(tmp_path_factory):\n    return tmp_path_factory.mktemp("data") / "items.json"\n\n\ndef test_write(store):\n    store.write_text(json.dumps(["a"]))\n\n\ndef test_read(store):\n    test_write(store)\n    assert json.loads(store.read_text()) == ["a"]\n',
        },
        args=("-k", "read"),
    ),
)

BRITTLE_DECLINES = (
    Example(
        "A test that fails in every order",
        {
            "conf.py": "MODE = 'slow'\n",
            "test_a.py": "import conf\n\n\ndef test_other():\n    assert conf\n\n\ndef test_mode():\n    assert conf.MODE.upper() == 'FAST'\n",
        },
        why="no other test sets what it needs",
        args=("test_a.py::test_mode",),
    ),
)

FIXTURE = (
    Example(
        "A list made once per module becomes one for each test",
        {
            "test_a.py": 'import pytest\n\n\n@pytest.fixture(scope="module")\ndef items():\n    return ["a"]\n\n\ndef test_add(items):\n    items.append("b")\n    assert len(items) == 2\n\n\ndef test_first(items):\n    assert items == ["a"]\n',
        },
        {
            "test_a.py": 'import pytest\n\n\n@pytest.fixture\ndef items():\n    return ["a"]\n\n\ndef test_add(items):\n    items.append("b")\n    assert len(items) == 2\n\n\ndef test_first(items):\n    assert items == ["a"]\n',
        },
    ),
)

FIXTURE_DECLINES = (
    Example(
        "A shared fixture that is not the reason",
        {
            "shop.py": "def total(items):\n    return sum(items) - 1\n",
            "test_a.py": "import pytest\nimport shop\n\n\n@pytest.fixture(scope='module')\ndef items():\n    return [1, 2]\n\n\ndef test_len(items):\n    assert len(items) == 2\n\n\ndef test_total(items):\n    assert shop.total(items) == 3\n",
        },
        why="it fails alone: the product is wrong",
    ),
)

FILES = (
    Example(
        "A file left in the working directory",
        {
            "report.py": "from pathlib import Path\n\n\ndef save(text):\n    with open('report.txt', 'a') as f:\n        f.write(text)\n\n\ndef saved():\n    return Path('report.txt').exists()\n",
            "test_a.py": "import os\nimport report\n\n\ndef test_save():\n    report.save('x')\n    assert report.saved()\n",
            "test_b.py": "import os\nimport pytest\nimport report\n\n\n@pytest.fixture(autouse=True)\ndef clean():\n    yield\n    if os.path.exists('report.txt'):\n        os.remove('report.txt')\n\n\ndef test_none():\n    assert not report.saved()\n",
        },
        {
            "test_a.py": "import os\nimport report\n\n\ndef test_save(tmp_path, monkeypatch):\n    monkeypatch.chdir(tmp_path)\n    report.save('x')\n    assert report.saved()\n",
        },
    ),
    Example(
        "A path below the temporary folder, made once for all tests of the module",
        {
            "report.py": "import os\n\n\ndef append(path, line):\n    with open(path, 'a') as f:\n        f.write(line)\n    return os.path.getsize(path)\n",
            "test_a.py": "import os\nimport tempfile\n\nimport report\n\nLOG = os.path.join(tempfile.mkdtemp(), 'log')\n\n\ndef test_one():\n    assert report.append(LOG, 'maple') == 5\n\n\ndef test_two():\n    assert report.append(LOG, 'elm') == 3\n",
        },
        {
            "test_a.py": "import os\nimport tempfile\n\nimport pytest\nimport report\n\nLOG = os.path.join(tempfile.mkdtemp(), 'log')\n\n\n@pytest.fixture(autouse=True)\ndef _own_log(tmp_path, monkeypatch):\n    \"\"\"No test finds what another one wrote.\"\"\"\n    monkeypatch.setitem(globals(), \"LOG\", os.path.join(str(tmp_path), 'log'))\n\n\ndef test_one():\n    assert report.append(LOG, 'maple') == 5\n\n\ndef test_two():\n    assert report.append(LOG, 'elm') == 3\n",
        },
    ),
)

FILES_DECLINES = (
    Example(
        "A file that the product should have removed",
        {
            "report.py": "from pathlib import Path\n\n\ndef roundtrip(folder):\n    path = Path(folder) / 'r.txt'\n    path.write_text('x')\n    return path\n",
            "test_a.py": "import report\n\n\ndef test_removed(tmp_path):\n    assert not report.roundtrip(tmp_path).exists()\n",
        },
        why="it fails alone: nothing that another test wrote is in the way",
    ),
)
