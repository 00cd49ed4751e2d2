"""The guard over limits: they may grow to what is measured, and may not go away."""

from __future__ import annotations

import pytest

from pytest_maestro_healer.edit.guards import check
from pytest_maestro_healer.edit.source import SourceFile


def reasons(before: str, after: str, head: tuple[str, str] = ("", "")) -> list[str]:
    one, two = (SourceFile("tests/test_a.py", f"import pytest\n{h}\n\n{c}".encode()) for h, c in zip(head, (before, after), strict=True))
    return check(one, two)


def case(body: str, decorator: str = "") -> str:
    return f"{decorator}def test_a():\n    {body}\n    assert f() == 1\n"


@pytest.mark.parametrize(
    ("before", "after", "word"),
    [
        (case("wait_for(x, timeout=0.5)"), case("wait_for(x, timeout=3600)"), "too far"),
        (case("wait_for(x, 0.5)"), case("wait_for(x, 1e9)"), "too far"),
        (case("wait_for(x, timeout=0.5)"), case("wait_for(x, timeout=None)"), "lost its limit"),
        (case("wait_for(x, timeout=0.5)"), case("wait_for(x)"), "lost its limit"),
        (case("thread.join(2)"), case("thread.join()"), "lost its limit"),
        (case("pass", "@pytest.mark.timeout(1)\n"), case("pass"), "marker was removed"),
        (case("pass", "@pytest.mark.timeout(1)\n"), case("pass", "@pytest.mark.timeout(9999)\n"), "too far"),
        (case("get(u, timeout_ms=100)"), case("get(u, timeout_ms=500000)"), "too far"),
    ],
)
def test_arbitrary_waits_are_refused(before: str, after: str, word: str) -> None:
    assert any(word in r for r in reasons(before, after))


def test_a_constant_that_is_a_limit_is_one() -> None:
    assert any("too far" in r for r in reasons(case("g(TIMEOUT)"), case("g(TIMEOUT)"), ("TIMEOUT = 1", "TIMEOUT = 5000")))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (case("wait_for(x, timeout=0.001)"), case("wait_for(x, timeout=5)")),
        (case("wait_for(x, timeout=300)"), case("wait_for(x, timeout=900)")),
        (case("wait_for(x, timeout=0.5)"), case("wait_for(x, timeout=LIMIT)")),
        (case("thread.join(0.1)"), case("thread.join(timeout=1)")),
        (case("', '.join(a)"), case("', '.join(b)")),
        (case("time.sleep(0.1)"), case("wait_until(lambda: f() == 1, timeout=1)")),
        (case("pass", "@pytest.mark.timeout(0.1)\n"), case("pass", "@pytest.mark.timeout(2)\n")),
    ],
)
def test_measured_limits_pass(before: str, after: str) -> None:
    assert reasons(before, after) == []


def test_a_limit_of_another_test_is_no_excuse() -> None:
    before = case("wait_for(x, timeout=0.5)") + "\n\ndef test_b():\n    wait_for(y, timeout=600)\n    assert g() == 2\n"
    after = before.replace("timeout=0.5", "timeout=3600")
    assert any("too far" in r for r in reasons(before, after))
