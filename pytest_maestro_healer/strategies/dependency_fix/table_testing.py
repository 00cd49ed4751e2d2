"""Retired test libraries and test idioms with their successors.

Sources: nose's own tools are generated from unittest's assert methods (https://nose.readthedocs.io/en/latest/testing_tools.html), so each row
gives the documented equivalent of that method (https://docs.python.org/3/library/unittest.html) as a plain assert; ``mock`` and ``unittest2`` are
backports of ``unittest.mock`` and ``unittest``; the rest is pytest's page "Deprecations and Removals"
(https://docs.pytest.org/en/stable/deprecations.html).
"""

from __future__ import annotations

from pytest_maestro_healer.strategies.dependency_fix.rules import Rule

NOSE = "https://nose.readthedocs.io/en/latest/testing_tools.html"
UNITTEST = "https://docs.python.org/3/library/unittest.html"
MOCK = "https://docs.python.org/3/library/unittest.mock.html"
PYTEST = "https://docs.pytest.org/en/stable/deprecations.html"

_BINARY = {
    "eq_": "==", "assert_equal": "==", "assert_equals": "==", "assert_not_equal": "!=", "assert_not_equals": "!=",
    "assert_in": "in", "assert_not_in": "not in", "assert_is": "is", "assert_is_not": "is not",
    "assert_greater": ">", "assert_greater_equal": ">=", "assert_less": "<", "assert_less_equal": "<=",
    "assert_dict_equal": "==", "assert_list_equal": "==", "assert_tuple_equal": "==", "assert_set_equal": "==",
    "assert_sequence_equal": "==", "assert_multi_line_equal": "==",
}  # fmt: skip
_UNARY = {
    "ok_": "{0}", "assert_true": "{0}", "assert_": "{0}", "assert_false": "not {0}", "assert_is_none": "{0} is None",
    "assert_is_not_none": "{0} is not None",
}  # fmt: skip
#: What has a tolerance, a diff or a context of its own keeps unittest's implementation.
_METHODS = {
    "assert_almost_equal": "assertAlmostEqual", "assert_almost_equals": "assertAlmostEqual", "assert_not_almost_equal": "assertNotAlmostEqual",
    "assert_count_equal": "assertCountEqual", "assert_items_equal": "assertCountEqual", "assert_regex": "assertRegex",
    "assert_regexp_matches": "assertRegex", "assert_not_regex": "assertNotRegex", "assert_not_regexp_matches": "assertNotRegex",
    "assert_raises_regex": "assertRaisesRegex", "assert_raises_regexp": "assertRaisesRegex", "assert_warns": "assertWarns",
    "assert_warns_regex": "assertWarnsRegex", "assert_logs": "assertLogs",
}  # fmt: skip


def _nose_tools() -> dict[str, Rule]:
    out = {n: Rule("assert", f"assert {{0}} {op} {{1}}{{msg}}", NOSE) for n, op in _BINARY.items()}
    out |= {n: Rule("assert", f"assert {text}{{msg}}", NOSE) for n, text in _UNARY.items()}
    out["assert_is_instance"] = Rule("assert", "assert isinstance({0}, {1}){msg}", NOSE)
    out["assert_not_is_instance"] = Rule("assert", "assert not isinstance({0}, {1}){msg}", NOSE)
    out |= {n: Rule("call", f"unittest.TestCase().{m}({{rest}})", UNITTEST, ("import unittest",)) for n, m in _METHODS.items()}
    out["assert_raises"] = Rule("raises-call", "", NOSE, ("import pytest",))
    out["raises"] = Rule("raises", "", NOSE, ("import pytest",))
    return out


RULES: dict[str, Rule] = {
    **{f"nose.tools.{n}": r for n, r in _nose_tools().items()},
    "nose.SkipTest": Rule("move", "unittest.SkipTest", UNITTEST),
    "nose.plugins.skip.SkipTest": Rule("move", "unittest.SkipTest", UNITTEST),
    "nose.main": Rule("call", "pytest.main([__file__])", PYTEST, ("import pytest",), same=False),
    "nose.run": Rule("call", "pytest.main([__file__])", PYTEST, ("import pytest",), same=False),
    "nose.runmodule": Rule("call", "pytest.main([__file__])", PYTEST, ("import pytest",), same=False),
    "mock": Rule("move", "unittest.mock", MOCK),
    "mock.mock": Rule("move", "unittest.mock", MOCK),
    "unittest2": Rule("move", "unittest", UNITTEST),
    "py.test": Rule("move", "pytest", PYTEST),
    "pytest.yield_fixture": Rule("move", "pytest.fixture", PYTEST),
    "pytest.collect.File": Rule("move", "pytest.File", PYTEST),
    "pytest.collect.Item": Rule("move", "pytest.Item", PYTEST),
    "pytest.Instance": Rule("drop", "", PYTEST),
}

#: Removed or never existing TestCase methods and their successors (What's New in Python 3.12 and 3.2).
TESTCASE_METHODS: dict[str, str] = {
    "failUnless": "assertTrue",
    "failIf": "assertFalse",
    "failUnlessEqual": "assertEqual",
    "failIfEqual": "assertNotEqual",
    "failUnlessRaises": "assertRaises",
    "failUnlessAlmostEqual": "assertAlmostEqual",
    "failIfAlmostEqual": "assertNotAlmostEqual",
    "assertEquals": "assertEqual",
    "assertNotEquals": "assertNotEqual",
    "assertAlmostEquals": "assertAlmostEqual",
    "assertNotAlmostEquals": "assertNotAlmostEqual",
    "assert_": "assertTrue",
    "assertRegexpMatches": "assertRegex",
    "assertNotRegexpMatches": "assertNotRegex",
    "assertRaisesRegexp": "assertRaisesRegex",
    "assertItemsEqual": "assertCountEqual",
}
TESTCASE_SOURCE = "https://docs.python.org/3/whatsnew/3.12.html#id3"

#: Hook arguments that were py.path objects and are gone in pytest 9: (hook, old) -> new, a pathlib.Path.
HOOK_ARGUMENTS: dict[tuple[str, str], str] = {
    ("pytest_ignore_collect", "path"): "collection_path",
    ("pytest_collect_file", "path"): "file_path",
    ("pytest_pycollect_makemodule", "path"): "module_path",
    ("pytest_report_header", "startdir"): "start_path",
    ("pytest_report_collectionfinish", "startdir"): "start_path",
}
HOOK_SOURCE = PYTEST + "#py-path-local-arguments-for-hooks-replaced-with-pathlib-path"

#: py.path.local -> pathlib (https://py.readthedocs.io/en/latest/path.html): attribute -> text after the object.
PYPATH_ATTRIBUTES: dict[str, str] = {"basename": ".name", "purebasename": ".stem", "ext": ".suffix"}
#: Methods: name -> (arguments wanted or -1, template; {0} is the object).
PYPATH_METHODS: dict[str, tuple[int, str]] = {
    "isfile": (0, "{0}.is_file()"),
    "isdir": (0, "{0}.is_dir()"),
    "exists": (0, "{0}.exists()"),
    "check": (0, "{0}.exists()"),
    "dirpath": (0, "{0}.parent"),
    "join": (-1, "{0}.joinpath({rest})"),
    "fnmatch": (1, "{0}.match({rest})"),
    "read": (0, "{0}.read_text()"),
    "read_text": (1, "{0}.read_text({rest})"),
    "read_binary": (0, "{0}.read_bytes()"),
    "write": (1, "{0}.write_text({rest})"),
    "write_text": (2, "{0}.write_text({rest})"),
    "write_binary": (1, "{0}.write_bytes({rest})"),
}
