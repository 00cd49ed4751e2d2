"""Planted imports of what Python, pytest or test libraries removed. The green state is the modern form."""

# ruff: noqa: E501 (texts of whole files, one a line)
from __future__ import annotations

from .templates import Template

S = "dependency_fix"
PRODUCT = """
def pairs(mapping):
    return sorted(mapping.items())
"""
HEAD = "from $pkg.$mod import pairs\n"


def _row(tactic: str, name: str, new: str, old: str, *also: str, **more: object) -> Template:
    return Template(S, tactic, name, new, product=PRODUCT, broken=old, expected=(new, *also), **more)  # type: ignore[arg-type]


TABLE = (
    _row(
        "removed_attribute",
        "collections_abc",
        "import collections\nimport collections.abc\n\n"
        + HEAD
        + "\n\ndef test_pairs():\n    assert isinstance({}, collections.abc.Mapping)\n    assert pairs({'$w': $n}) == [('$w', $n)]\n",
        "import collections\n\n"
        + HEAD
        + "\n\ndef test_pairs():\n    assert isinstance({}, collections.Mapping)\n    assert pairs({'$w': $n}) == [('$w', $n)]\n",
        "import collections.abc\n\n"
        + HEAD
        + "\n\ndef test_pairs():\n    assert isinstance({}, collections.abc.Mapping)\n    assert pairs({'$w': $n}) == [('$w', $n)]\n",
    ),
    _row(
        "removed_attribute",
        "getargspec",
        "import inspect\n\n" + HEAD + "\n\ndef test_pairs():\n    assert inspect.getfullargspec(pairs).args == ['mapping']\n",
        "import inspect\n\n" + HEAD + "\n\ndef test_pairs():\n    assert inspect.getargspec(pairs).args == ['mapping']\n",
    ),
    _row(
        "removed_attribute",
        "string_letters",
        "import string\n\n" + HEAD + "\n\ndef test_pairs():\n    one = string.ascii_lowercase[$n]\n    assert pairs({one: 1}) == [(one, 1)]\n",
        "import string\n\n" + HEAD + "\n\ndef test_pairs():\n    one = string.lowercase[$n]\n    assert pairs({one: 1}) == [(one, 1)]\n",
    ),
    _row(
        "removed_stdlib",
        "mapping_import",
        "from collections.abc import Mapping\n\n"
        + HEAD
        + "\n\nclass One(Mapping):\n    def __getitem__(self, key):\n        return $n\n\n    def __iter__(self):\n        yield '$w'\n\n    def __len__(self):\n        return 1\n\n\ndef test_pairs():\n    assert pairs(One()) == [('$w', $n)]\n",
        "from collections import Mapping\n\n"
        + HEAD
        + "\n\nclass One(Mapping):\n    def __getitem__(self, key):\n        return $n\n\n    def __iter__(self):\n        yield '$w'\n\n    def __len__(self):\n        return 1\n\n\ndef test_pairs():\n    assert pairs(One()) == [('$w', $n)]\n",
    ),
    _row(
        "removed_stdlib",
        "gcd_of_fractions",
        "from math import gcd\n\n" + HEAD + "\n\ndef test_pairs():\n    assert pairs({'$w': gcd(12, 18)}) == [('$w', 6)]\n",
        "from fractions import gcd\n\n" + HEAD + "\n\ndef test_pairs():\n    assert pairs({'$w': gcd(12, 18)}) == [('$w', 6)]\n",
        "import math\n\n" + HEAD + "\n\ndef test_pairs():\n    assert pairs({'$w': math.gcd(12, 18)}) == [('$w', 6)]\n",
    ),
    _row(
        "removed_stdlib",
        "cgi_escape",
        "import html\n\n" + HEAD + "\n\ndef test_pairs():\n    assert pairs({'$w': html.escape('<', quote=False)}) == [('$w', '&lt;')]\n",
        "from cgi import escape\n\n" + HEAD + "\n\ndef test_pairs():\n    assert pairs({'$w': escape('<')}) == [('$w', '&lt;')]\n",
        "from html import escape\n\n" + HEAD + "\n\ndef test_pairs():\n    assert pairs({'$w': escape('<', quote=False)}) == [('$w', '&lt;')]\n",
    ),
    _row(
        "py2_compat",
        "string_io",
        "from io import StringIO\n\n"
        + HEAD
        + "\n\ndef test_pairs():\n    out = StringIO()\n    print(pairs({'$w': $n}), file=out)\n    assert out.getvalue() == \"[('$w', $n)]\\n\"\n",
        "from StringIO import StringIO\n\n"
        + HEAD
        + "\n\ndef test_pairs():\n    out = StringIO()\n    print(pairs({'$w': $n}), file=out)\n    assert out.getvalue() == \"[('$w', $n)]\\n\"\n",
    ),
    _row(
        "py2_compat",
        "xrange",
        HEAD + "\n\ndef test_pairs():\n    assert pairs({k: 1 for k in range($n)}) == [(k, 1) for k in range($n)]\n",
        HEAD + "\n\ndef test_pairs():\n    assert pairs({k: 1 for k in xrange($n)}) == [(k, 1) for k in xrange($n)]\n",
    ),
    _row(
        "py2_compat",
        "iteritems",
        HEAD + "\n\ndef test_pairs():\n    given = {'$w': $n}\n    assert pairs(given) == list(given.items())\n",
        HEAD + "\n\ndef test_pairs():\n    given = {'$w': $n}\n    assert pairs(given) == list(given.iteritems())\n",
    ),
    _row(
        "py2_compat",
        "six_text",
        HEAD + "\n\ndef test_pairs():\n    assert isinstance(pairs({'$w': $n})[0][0], str)\n",
        "import six\n" + HEAD + "\n\ndef test_pairs():\n    assert isinstance(pairs({'$w': $n})[0][0], six.text_type)\n",
    ),
    _row(
        "retired_test_library",
        "nose_eq",
        HEAD + "\n\ndef test_pairs():\n    assert pairs({'$w': $n}) == [('$w', $n)]\n",
        "from nose.tools import eq_\n\n" + HEAD + "\n\ndef test_pairs():\n    eq_(pairs({'$w': $n}), [('$w', $n)])\n",
    ),
    _row(
        "retired_test_library",
        "mock_package",
        "from unittest import mock\n\n"
        + HEAD
        + "\n\ndef test_pairs():\n    given = mock.Mock()\n    given.items.return_value = [('$w', $n)]\n    assert pairs(given) == [('$w', $n)]\n",
        "import mock\n\n"
        + HEAD
        + "\n\ndef test_pairs():\n    given = mock.Mock()\n    given.items.return_value = [('$w', $n)]\n    assert pairs(given) == [('$w', $n)]\n",
    ),
    _row(
        "retired_test_library",
        "unittest2",
        "import unittest\n\n"
        + HEAD
        + "\n\nclass Pairs(unittest.TestCase):\n    def test_pairs(self):\n        self.assertEqual(pairs({'$w': $n}), [('$w', $n)])\n",
        "import unittest2\n\n"
        + HEAD
        + "\n\nclass Pairs(unittest2.TestCase):\n    def test_pairs(self):\n        self.assertEqual(pairs({'$w': $n}), [('$w', $n)])\n",
        "import unittest as unittest2\n\n"
        + HEAD
        + "\n\nclass Pairs(unittest2.TestCase):\n    def test_pairs(self):\n        self.assertEqual(pairs({'$w': $n}), [('$w', $n)])\n",
    ),
    _row(
        "removed_method",
        "thread_is_alive",
        "import threading\n\n" + HEAD + "\n\ndef test_pairs():\n    assert pairs({'$w': threading.current_thread().is_alive()}) == [('$w', True)]\n",
        "import threading\n\n" + HEAD + "\n\ndef test_pairs():\n    assert pairs({'$w': threading.current_thread().isAlive()}) == [('$w', True)]\n",
    ),
    _row(
        "asyncio_coroutine",
        "asyncio_coroutine",
        "import asyncio\n\n"
        + HEAD
        + "\n\nasync def ask():\n    await asyncio.sleep(0)\n    return pairs({'$w': $n})\n\n\ndef test_pairs():\n    assert asyncio.run(ask()) == [('$w', $n)]\n",
        "import asyncio\n\n"
        + HEAD
        + "\n\n@asyncio.coroutine\ndef ask():\n    yield from asyncio.sleep(0)\n    return pairs({'$w': $n})\n\n\ndef test_pairs():\n    assert asyncio.run(ask()) == [('$w', $n)]\n",
        weight=2,
    ),
    _row(
        "nose_setup",
        "nose_setup",
        HEAD
        + "\n\nclass TestPairs:\n    def setup_method(self):\n        self.given = {'$w': $n}\n\n    def test_pairs(self):\n        assert pairs(self.given) == [('$w', $n)]\n",
        HEAD
        + "\n\nclass TestPairs:\n    def setup(self):\n        self.given = {'$w': $n}\n\n    def test_pairs(self):\n        assert pairs(self.given) == [('$w', $n)]\n",
        weight=2,
    ),
    _row(
        "warns_none",
        "warns_none",
        "import warnings\n\nimport pytest\n\n"
        + HEAD
        + "\n\ndef test_pairs():\n    with warnings.catch_warnings(record=True) as seen:\n        warnings.simplefilter('always')\n        assert pairs({'$w': $n}) == [('$w', $n)]\n    assert not seen\n",
        "import pytest\n\n"
        + HEAD
        + "\n\ndef test_pairs():\n    with pytest.warns(None) as seen:\n        assert pairs({'$w': $n}) == [('$w', $n)]\n    assert not seen\n",
        "import warnings\n\n"
        + HEAD
        + "\n\ndef test_pairs():\n    with warnings.catch_warnings(record=True) as seen:\n        warnings.simplefilter('always')\n        assert pairs({'$w': $n}) == [('$w', $n)]\n    assert not seen\n",
        "import warnings\n\nimport pytest\n\n"
        + HEAD
        + "\n\ndef test_pairs():\n    with warnings.catch_warnings(record=True, action='always') as seen:\n        assert pairs({'$w': $n}) == [('$w', $n)]\n    assert not seen\n",
        weight=2,
    ),
    _row(
        "pytest_config",
        "pytest_config",
        "import pytest\n\n"
        + HEAD
        + "\n\ndef test_pairs(request):\n    assert pairs({'$w': request.config.getoption('verbose') * 0}) == [('$w', 0)]\n",
        "import pytest\n\n" + HEAD + "\n\ndef test_pairs():\n    assert pairs({'$w': pytest.config.getoption('verbose') * 0}) == [('$w', 0)]\n",
        HEAD + "\n\ndef test_pairs(request):\n    assert pairs({'$w': request.config.getoption('verbose') * 0}) == [('$w', 0)]\n",
        weight=2,
    ),
    _row(
        "marked_fixture",
        "marked_fixture",
        "import pytest\n\n"
        + HEAD
        + "\n\n@pytest.fixture\ndef given():\n    return {'$w': $n}\n\n\ndef test_pairs(given):\n    assert pairs(given) == [('$w', $n)]\n",
        "import pytest\n\n"
        + HEAD
        + "\n\n@pytest.mark.usefixtures('tmp_path')\n@pytest.fixture\ndef given():\n    return {'$w': $n}\n\n\ndef test_pairs(given):\n    assert pairs(given) == [('$w', $n)]\n",
        weight=2,
    ),
    _row(
        "fixture_name",
        "renamed_fixture",
        "import pytest\n\n"
        + HEAD
        + "\n\n@pytest.fixture\ndef stored_items():\n    return {'$w': $n}\n\n\ndef test_pairs(stored_items):\n    assert pairs(stored_items) == [('$w', $n)]\n\n\ndef test_len(stored_items):\n    assert len(pairs(stored_items)) == 1\n",
        "import pytest\n\n"
        + HEAD
        + "\n\n@pytest.fixture\ndef stored_items():\n    return {'$w': $n}\n\n\ndef test_pairs(store_items):\n    assert pairs(store_items) == [('$w', $n)]\n\n\ndef test_len(store_items):\n    assert len(pairs(store_items)) == 1\n",
    ),
    _row(
        "plugin_fixture",
        "mocker",
        HEAD + "\n\ndef test_pairs():\n    assert pairs({'$w': $n}) == [('$w', $n)]\n",
        HEAD
        + "\n\ndef test_pairs(mocker):\n    given = mocker.Mock()\n    given.items.return_value = [('$w', $n)]\n    assert pairs(given) == [('$w', $n)]\n",
        advice="pytest-mock",
    ),
    _row(
        "missing_distribution",
        "yaml_like",
        HEAD + "\n\ndef test_pairs():\n    assert pairs({'$w': $n}) == [('$w', $n)]\n",
        "import cv2\n\n" + HEAD + "\n\ndef test_pairs():\n    assert pairs({'$w': cv2.IMREAD_COLOR}) == [('$w', 1)]\n",
        advice="opencv-python",
    ),
    _row(
        "tmpdir",
        "tmpdir",
        HEAD
        + "\n\ndef test_pairs(tmp_path):\n    tmp_path.joinpath('a.txt').write_text(str(pairs({'$w': $n})))\n    assert tmp_path.joinpath('a.txt').read_text() == \"[('$w', $n)]\"\n",
        HEAD
        + "\n\ndef test_pairs(tmpdir):\n    tmpdir.join('a.txt').write(str(pairs({'$w': $n})))\n    assert tmpdir.join('a.txt').read() == \"[('$w', $n)]\"\n",
        red_env={"PYTEST_ADDOPTS": "-p no:legacypath"},
        weight=2,
    ),
)
