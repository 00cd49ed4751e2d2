"""A polluter that makes one test fail may keep another one from failing: that one is no argument against healing the first."""

from __future__ import annotations

from tests.integration.toys import Suite

CONF = "DEBUG = False\nCOUNT = 0\n\n\ndef bump():\n    global COUNT\n    if DEBUG:\n        raise RuntimeError('not in debug mode')\n    COUNT += 1\n"
OPTED_OUT = "import conf\nimport pytest\n\n\n@pytest.mark.no_heal(reason='later')\n"
FILES = {
    "conf.py": CONF,
    "test_a.py": "import conf\n\n\ndef test_debug():\n    conf.DEBUG = True\n    assert conf.DEBUG\n",
    "test_b.py": OPTED_OUT + "def test_bump():\n    conf.bump()\n    assert conf.COUNT == 1\n",
    "test_c.py": "import conf\n\n\ndef test_count():\n    assert conf.COUNT == 0\n",
    "test_d.py": "import conf\n\n\ndef test_plain():\n    assert conf.DEBUG is False\n",
}


def test_what_only_the_polluter_kept_from_failing_is_no_objection(suite: Suite) -> None:
    suite.write(FILES)

    run = suite.spawn("--heal-strategies=flaky_test_stabilization", "--heal-apply=all")

    healed = [n for r in run.results if r["success"] for n in r["nodeids"]]
    assert healed == ["test_d.py::test_plain"], run.text
    assert b"monkeypatch" in suite.read("test_a.py"), "the polluter is healed, not the one who suffers"
