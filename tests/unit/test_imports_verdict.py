"""Is it the product that cannot be loaded? A table over plain failures."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_maestro_healer.diagnose.imports import judge_import
from pytest_maestro_healer.diagnose.verdict import preliminary
from pytest_maestro_healer.model import Cause, Failure, Frame, Location

TEST = Frame(Location("tests/test_a.py", 1), "<module>", "test", "import shop", "tests.test_a")
PRODUCT = Frame(Location("shop/money.py", 3), "<module>", "product", "RATES = TABLE['x']", "shop.money")
THIRD = Frame(Location("/lib/numpy/__init__.py", 9), "__getattr__", "third_party", "raise AttributeError", "numpy")
STDLIB = Frame(Location("/usr/lib/importlib/__init__.py", 9), "import_module", "stdlib", "", "importlib")


def failed(exc: str, *frames: Frame, message: str = "boom", bases: tuple[str, ...] = (), **attrs: Any) -> Failure:
    return Failure("tests/test_a.py", "collect", "tests/test_a.py", exc, message, exc_mro=(exc, *bases, "Exception"), frames=frames, exc_attrs=attrs)


IMPORT, MISSING = ("ImportError",), ("ModuleNotFoundError", "ImportError")


@pytest.mark.parametrize(
    ("failure", "suspect"),
    [
        (failed("SyntaxError", TEST, filename="shop/money.py", lineno=4, msg="bad", kind="product"), "shop/money.py:4 (SyntaxError: bad)"),
        (
            failed("IndentationError", bases=("SyntaxError",), filename="shop/money.py", msg="bad", kind="product"),
            "shop/money.py:1 (IndentationError: bad)",
        ),
        (failed("SyntaxError", TEST, filename="tests/test_a.py", lineno=4, msg="bad", kind="test"), ""),
        (failed("SyntaxError", TEST, filename="/lib/dep.py", lineno=4, msg="bad", kind="third_party"), ""),
        (failed("SyntaxError", TEST, PRODUCT, filename="", lineno=1, msg="compiled by the product", kind=""), ""),
        (failed("KeyError", STDLIB, TEST, PRODUCT), "shop/money.py:3 (KeyError: boom)"),
        (failed("AttributeError", TEST, PRODUCT, THIRD), "shop/money.py:3 (AttributeError: boom)"),
        (failed("shop.errors.Broken", TEST, PRODUCT, message="no table\nmore"), "shop/money.py:3 (Broken: no table)"),
        (failed("KeyError", PRODUCT, TEST), ""),
        (failed("NameError", TEST), ""),
        (failed("ModuleNotFoundError", TEST, PRODUCT, bases=IMPORT, name="yaml"), ""),
        (failed("ModuleNotFoundError", TEST, PRODUCT, bases=IMPORT, name="shop.gone"), "shop/money.py:3 (ModuleNotFoundError: boom)"),
        (failed("ImportError", TEST, PRODUCT, name="shop.rates"), "shop/money.py:3 (ImportError: boom)"),
        (failed("ImportError", TEST, PRODUCT, name="numpy"), ""),
        (failed("ImportError", TEST, name="shop.money"), ""),
    ],
)
def test_who_cannot_be_loaded(failure: Failure, suspect: str) -> None:
    verdict = judge_import(failure, preliminary(failure))
    assert verdict.suspect == suspect
    assert (verdict.cause is Cause.REGRESSION_SUSPECTED) == bool(suspect)


def test_what_the_machine_lacks_is_no_regression() -> None:
    failure = failed("FileNotFoundError", TEST, PRODUCT, bases=("OSError",), message="[Errno 2] No such file or directory: '/etc/shop.toml'")
    first = preliminary(failure)
    assert first.cause is Cause.ENVIRONMENT
    assert judge_import(failure, first) == first
