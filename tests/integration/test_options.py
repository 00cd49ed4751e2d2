"""Every option and ini key: what it accepts, what it refuses and how, and what it does to a run."""

from __future__ import annotations

import warnings

import pytest

from pytest_maestro_healer.session.options import build
from tests.integration.toys import BROKEN, HEALED, Suite

PYTEST = pytest.version_tuple[:2]
native_toml = pytest.mark.skipif(PYTEST < (9, 0), reason="[tool.pytest] came with pytest 9")

BOOLS = ("heal", "heal_auto_apply", "heal_validate_before_apply", "heal_fresh_confirm", "heal_learning", "heal_enable_cache", "heal_exit_zero",
         "heal_apply_in_ci")  # fmt: skip
WRONG_KEYS = [
    *((key, "perhaps") for key in BOOLS),
    ("heal_confidence_threshold", "1.5"),
    ("heal_confidence_threshold", "high"),
    ("heal_confidence_threshold", "nan"),
    ("heal_max_attempts", "0"),
    ("heal_max_attempts", "2.5"),
    ("heal_timeout", "-1"),
    ("heal_timeout", "soon"),
    ("heal_timeout", "inf"),
    ("heal_budget", "0"),
    ("heal_budget", "inf"),
    ("heal_strategies", "asertion_update"),
]


def usage_error(text: str) -> str:
    """The one line of pytest's usage error."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith(("usage:", "  inifile", "  rootdir"))]
    assert "Traceback" not in text
    assert "INTERNALERROR" not in text
    errors = [line for line in lines if line.startswith("ERROR")]
    assert len(errors) == 1, text
    return errors[0]


@pytest.mark.parametrize(
    ("option", "name", "value"),
    [
        ("--heal-apply=sometimes", "--heal-apply", "sometimes"),
        ("--heal-threshold=2", "--heal-threshold", "2"),
        ("--heal-threshold=high", "--heal-threshold", "high"),
        ("--heal-strategies=asertion_update", "--heal-strategies", "asertion_update"),
        ("--heal-strategies=!nothing", "--heal-strategies", "nothing"),
    ],
)
def test_a_wrong_option_is_a_usage_error(suite: Suite, option: str, name: str, value: str) -> None:
    suite.write({"test_a.py": BROKEN})
    run = suite.heal(option)
    assert run.ret == 4
    line = usage_error(run.text)
    assert name in line
    assert value in line


@pytest.mark.parametrize(("key", "value"), WRONG_KEYS)
def test_a_wrong_ini_value_is_a_usage_error(suite: Suite, key: str, value: str) -> None:
    suite.write({"test_a.py": BROKEN, "pytest.ini": f"[pytest]\nheal = true\n{key} = {value}\n" if key != "heal" else f"[pytest]\nheal = {value}\n"})
    run = suite.bare()
    assert run.ret == 4, run.text
    line = usage_error(run.text)
    assert key in line
    assert value in line


@pytest.mark.parametrize(("key", "value"), [("heal_timeout", "soon"), ("heal_learning", "perhaps")])
def test_the_value_named_is_the_one_given_last(suite: Suite, key: str, value: str) -> None:
    suite.write({"test_a.py": BROKEN, "pytest.ini": f"[pytest]\n{key} = 1\n"})
    run = suite.heal("-o", f"{key}={value}")
    assert run.ret == 4
    assert f"{key}: {value!r}" in usage_error(run.text)


def test_a_wrong_value_in_pyproject(suite: Suite) -> None:
    suite.write({"test_a.py": BROKEN, "pyproject.toml": "[tool.pytest.ini_options]\nheal = true\nheal_confidence_threshold = '7'\n"})
    run = suite.bare()
    assert run.ret == 4
    assert "heal_confidence_threshold: 7" in usage_error(run.text)


@native_toml
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("heal_max_attempts", "'three'"),
        ("heal_confidence_threshold", "7.5"),
        ("heal_learning", "'perhaps'"),
        ("heal", "'perhaps'"),
        ("heal_paths", "3"),
    ],
)
def test_a_wrong_value_in_native_toml(suite: Suite, key: str, value: str) -> None:
    more = "" if key == "heal" else "heal = true\n"
    suite.write({"test_a.py": BROKEN, "pyproject.toml": f"[tool.pytest]\n{more}{key} = {value}\n"})
    run = suite.bare()
    assert run.ret == 4, run.text
    line = usage_error(run.text)
    assert key in line
    assert value.strip("'") in line


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pytest.ini", "[pytest]\nheal = true\nheal_timeout = soon\n"),
        ("setup.cfg", "[tool:pytest]\nheal = true\nheal_timeout = soon\n"),
        ("tox.ini", "[pytest]\nheal = true\nheal_timeout = soon\n"),
        ("pyproject.toml", "[tool.pytest.ini_options]\nheal = true\nheal_timeout = 'soon'\n"),
        pytest.param("pyproject.toml", "[tool.pytest]\nheal = true\nheal_timeout = 'soon'\n", marks=native_toml),
        pytest.param(".pytest.toml", "[pytest]\nheal = true\nheal_timeout = 'soon'\n", marks=native_toml),
    ],
)
def test_a_wrong_value_is_told_without_deprecated_ways(suite: Suite, name: str, text: str) -> None:
    suite.write({name: text})
    config = suite.pytester.parseconfig()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(pytest.UsageError, match=r"heal_timeout: 'soon' is not a number"):
            build(config)


ALL_KEYS = {
    "heal": True, "heal_auto_apply": True, "heal_confidence_threshold": 0.5, "heal_max_attempts": 2, "heal_timeout": 12.5, "heal_budget": 100,
    "heal_validate_before_apply": True, "heal_fresh_confirm": False, "heal_learning": False, "heal_enable_cache": False, "heal_exit_zero": True,
    "heal_apply_in_ci": True, "heal_strategies": ["toy"], "heal_paths": ["test_*.py"], "heal_exclude": ["old/*"], "heal_cache_dir": ".healing",
}  # fmt: skip
PROBE = """
from pytest_maestro_healer.session.options import build

def pytest_configure(config):
    c = build(config)
    print(c)
    want = dict(apply="safe", confidence_threshold=0.5, max_attempts=2, timeout=12.5, budget=100.0, validate_before_apply=True, fresh_confirm=False,
                learning=False, enable_cache=False, exit_zero=True, apply_in_ci=True, strategies=("toy",), paths=("test_*.py",),
                exclude=("old/*",), cache_dir=str(config.rootpath / ".healing"))
    wrong = {k: getattr(c, k) for k, v in want.items() if getattr(c, k) != v}
    assert not wrong, wrong
"""


def as_toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value)


def as_ini(value: object) -> str:
    return " ".join(value) if isinstance(value, list) else str(value)


@pytest.mark.parametrize(
    "form", ["pytest.ini", "setup.cfg", "ini_options", pytest.param("pytest.toml", marks=native_toml), pytest.param("native", marks=native_toml)]
)
def test_every_key_is_read_from_every_file(suite: Suite, form: str) -> None:
    ini = "".join(f"{k} = {as_ini(v)}\n" for k, v in ALL_KEYS.items())
    toml = "".join(f"{k} = {as_toml(v)}\n" for k, v in ALL_KEYS.items())
    strings = "".join(f"{k} = {as_toml(v if isinstance(v, (bool, list)) else str(v))}\n" for k, v in ALL_KEYS.items())
    files = {
        "pytest.ini": ("pytest.ini", "[pytest]\n" + ini),
        "setup.cfg": ("setup.cfg", "[tool:pytest]\n" + ini),
        "ini_options": ("pyproject.toml", "[tool.pytest.ini_options]\n" + strings),
        "native": ("pyproject.toml", "[tool.pytest]\n" + toml),
        "pytest.toml": ("pytest.toml", "[pytest]\n" + toml),
    }
    name, text = files[form]
    suite.write({"test_a.py": "def test_a(): pass\n", name: text})
    suite.toy(extra=PROBE)
    run = suite.bare("-p", "toyheal")
    assert run.ret == 0, run.text
    assert "maestro-healer: " in run.text


def test_the_option_wins_over_the_key(suite: Suite) -> None:
    suite.write({"pytest.ini": "[pytest]\nheal_confidence_threshold = 0.1\nheal_strategies = syntax_repair\n", "test_a.py": BROKEN})
    run = suite.heal("--heal-threshold=0.9")
    assert run.report["threshold"] == 0.9
    assert run.one()["strategy_used"] == "toy"


@pytest.mark.parametrize("flags", [("--heal",), ("--heal-review",), ("--heal-apply=none",), ("-o", "heal=true")])
def test_what_switches_healing_on(suite: Suite, flags: tuple[str, ...]) -> None:
    suite.write({"test_a.py": BROKEN})
    run = suite.heal(heal=flags)
    assert run.ret == 1
    assert run.one()["decision"]["kind"] == "pending"
    assert suite.read("test_a.py") == BROKEN.encode()


def test_off_by_default(suite: Suite) -> None:
    suite.write({"test_a.py": BROKEN})
    run = suite.heal(heal=())
    assert run.ret == 1
    assert "maestro" not in run.text.partition("rootdir")[0]
    assert "healing" not in run.text
    assert not run.report


def test_switched_off_as_a_plugin(suite: Suite) -> None:
    suite.write({"test_a.py": BROKEN, "pytest.ini": "[pytest]\nheal = true\n"})
    run = suite.plain()
    assert run.ret == 1
    assert "heal" not in run.text.replace("maestro-healer-", "").partition("test session starts")[2].partition("plugins:")[0]
    assert "healing summary" not in run.text
    assert suite.plain("--heal").ret == 4  # an unknown option then


def test_the_header_is_one_line_and_only_when_active(suite: Suite) -> None:
    suite.write({"test_a.py": "def test_a(): pass\n"})
    lines = [ln for ln in suite.heal("--heal-threshold=0.8").text.splitlines() if ln.startswith("maestro-healer")]
    assert lines == ["maestro-healer: review, threshold 0.8, 1 strategy"] or lines == ["maestro-healer: review, threshold 0.80, 1 strategy"]
    assert "maestro-healer:" not in suite.heal(heal=()).text


def test_strategies_are_chosen_and_left_out(suite: Suite) -> None:
    suite.write({"test_a.py": BROKEN})
    run = suite.heal("--heal-strategies=!toy,syntax_repair")
    assert "toy" not in {r["strategy_used"] for r in run.results}
    assert run.one()["decision"]["kind"] == "rejected"


def test_strict_markers_and_strict_config(suite: Suite) -> None:
    marked = "import pytest\n\n@pytest.mark.no_heal('on purpose')\ndef test_a():\n    pass\n"
    suite.write({"test_a.py": marked, "pytest.ini": "[pytest]\nheal = true\nheal_paths = tests/*\nheal_timeout = 3\n"})
    run = suite.bare("--strict-markers", "--strict-config", "-W", "error")
    assert run.ret == 0, run.text
    assert "no_heal(reason)" in suite.bare("--markers").text


OPTED_OUT = """
import warnings

import pytest
import lib

@pytest.mark.no_heal("golden")
def test_one():
    assert lib.old_name(1) == 2

@pytest.mark.no_heal(reason="the class")
class TestAll:
    def test_two(self):
        assert lib.old_name(1) == 2

def test_three():
    assert lib.old_name(1) == 2
"""


def test_no_heal_on_a_test_and_a_class(suite: Suite) -> None:
    suite.write({"test_a.py": OPTED_OUT})
    run = suite.heal()
    rules = {r["test_id"]: (r["decision"]["kind"], r["decision"]["rule"]) for r in run.results}
    assert rules["test_a.py::test_one"] == ("rejected", "opted out: golden")
    assert rules["test_a.py::TestAll::test_two"] == ("rejected", "opted out: the class")
    assert rules["test_a.py::test_three"][0] == "pending"
    assert "golden" in run.text
    assert [r["nodeids"] for r in run.results if r["decision"]["kind"] == "pending"] == [["test_a.py::test_three"]]


def test_no_heal_on_a_module(suite: Suite) -> None:
    suite.write({"test_a.py": "import pytest\npytestmark = pytest.mark.no_heal\n" + BROKEN})
    run = suite.heal()
    assert run.one()["decision"]["rule"] == "opted out: marked no_heal"


@pytest.mark.parametrize(
    ("ini", "healed"),
    [
        ("heal_paths = unit/*", {"unit/test_u.py", "unit/deep/test_d.py"}),
        ("heal_exclude = unit/*", {"test_top.py"}),
        ("heal_paths = unit\nheal_exclude = unit/deep", {"unit/test_u.py"}),
        ("heal_paths = ./test_*.py", {"test_top.py"}),
    ],
)
def test_paths_and_exclude(suite: Suite, ini: str, healed: set[str]) -> None:
    names = ["test_top.py", "unit/test_u.py", "unit/deep/test_d.py"]
    suite.write({**dict.fromkeys(names, BROKEN), "pytest.ini": f"[pytest]\npythonpath = .\n{ini}\n"})
    run = suite.heal()
    assert {n.partition("::")[0] for r in run.results if r["decision"]["kind"] == "pending" for n in r["nodeids"]} == healed
    left = {r["test_id"].partition("::")[0]: r["decision"]["rule"] for r in run.results if r["decision"]["kind"] == "rejected"}
    assert set(left) == set(names) - healed
    assert all("heal_" in rule for rule in left.values())


def test_collection_errors_obey_the_paths_too(suite: Suite) -> None:
    suite.toy(("def test_a(:", "def test_a():"))
    suite.write({"old/test_a.py": "def test_a(:\n    pass\n", "pytest.ini": "[pytest]\nheal_exclude = old/*\n"})
    run = suite.heal()
    assert run.ret == 2
    assert run.one()["decision"]["rule"] == "opted out: in heal_exclude"


def test_unproved_heals_are_never_applied(suite: Suite) -> None:
    suite.write({"test_a.py": BROKEN})
    run = suite.heal("-o", "heal_validate_before_apply=false", heal=("--heal-apply=all",), fresh=True)
    assert run.ret == 1
    assert suite.read("test_a.py") == BROKEN.encode()
    assert "heal_validate_before_apply is off" in run.text
    assert "applied" not in set(run.kinds().values())


def test_heals_that_are_not_confirmed_are_never_applied(suite: Suite) -> None:
    suite.write({"test_a.py": BROKEN})
    run = suite.heal(heal=("--heal-apply=all",))
    assert run.kinds() == {"test_a.py::test_call": "pending"}
    assert suite.read("test_a.py") == BROKEN.encode()
    assert "heal_fresh_confirm is off" in run.text


def test_nothing_is_written_in_ci_unless_told(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    suite.write({"test_a.py": BROKEN})
    run = suite.heal(heal=("--heal-apply=all",), fresh=True)
    assert run.one()["decision"]["rule"] == "in CI nothing is written unless told"
    assert suite.read("test_a.py") == BROKEN.encode()
    run = suite.heal("-o", "heal_apply_in_ci=true", heal=("--heal-apply=all",), fresh=True)
    assert run.one()["decision"]["kind"] == "applied"
    assert suite.read("test_a.py") == HEALED.encode()


def test_a_report_that_cannot_be_written_is_said(suite: Suite) -> None:
    suite.write({"test_a.py": BROKEN})
    run = suite.heal("--heal-json=lib.py/report.json")
    assert run.ret == 1
    assert "--heal-json: cannot write lib.py/report.json" in run.text


def test_the_budget_is_said_when_it_is_used_up(suite: Suite) -> None:
    suite.write({"test_a.py": BROKEN, "test_b.py": BROKEN.replace("test_call", "test_other")})
    run = suite.heal("-o", "heal_budget=0.000001")
    assert run.ret == 1
    assert "budget" in run.notes


def test_attempts_are_limited(suite: Suite) -> None:
    suite.toy(*((OLD_CALL, f"lib.wrong_{i}(") for i in range(5)))
    suite.write({"test_a.py": BROKEN})
    run = suite.heal("-o", "heal_max_attempts=2")
    tried = [line for line in run.one()["refused"] if "still fails" in line]
    assert len(tried) == 2
    assert any("not tried, 2 attempts were made" in line for line in run.one()["refused"])


OLD_CALL = "lib.old_name("
