"""The part of a text that took another one's place, and patterns that say as much as before."""

from __future__ import annotations

import re

import pytest

from pytest_maestro_healer.strategies.assertion_update.texts import nearest, prefix, repattern


@pytest.mark.parametrize(
    ("old", "text", "found"),
    [
        ("x is not valid", "Usage\nError: 'x' is not valid\nDone", "'x' is not valid"),
        ("(DEPRECATED)", "  (Deprecated) do it\n", "(Deprecated)"),
        ("invalid value", "invalid literal (got 'x')", "invalid literal"),
        ("must be a string, iterable, or None", "audience must be a string, iterable or None", "must be a string, iterable or None"),
        (" 25%  00:00:03", "\r  [--------]    0%", None),
        ("Error: x is not valid", "Summary\nDone", None),
        ("", "anything", None),
    ],
)
def test_nearest(old: str, text: str, found: str | None) -> None:
    assert nearest(old, text) == found


def test_two_equally_good_places_are_no_answer() -> None:
    assert nearest("row 1: bad", "row 2: bad\nrow 3: bad") is None


@pytest.mark.parametrize(
    ("pattern", "message", "expected"),
    [
        ("invalid value", "invalid literal (got 'x')", "invalid literal"),
        (r"line \d+: unexpected token$", "line 12: unexpected character", r"line \d+: unexpected character$"),
        (r"^file\.txt: missing$", "file.txt: not found", r"^file\.txt: not found$"),
        ("costs 5", "costs 5 (net)", None),
        ("alpha|beta", "gamma", None),
        ("entirely different", "zzz", None),
    ],
)
def test_repattern(pattern: str, message: str, expected: str | None) -> None:
    found = repattern(pattern, message)
    assert found == expected
    if found is not None:
        assert re.search(found, message)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [("takes 1 argument (2 given)", "takes 3 arguments (4 given) [x]"), ("a+b=c", "a+b=d?"), ("path C:", "paths C:\\temp")],
)
def test_what_is_new_is_escaped(pattern: str, message: str) -> None:
    found = repattern(pattern, message)
    assert found is None or (re.search(found, message) is not None and re.search(found, "") is None)


def test_prefix_up_to_its_delimiter() -> None:
    assert prefix("pbkdf2:sha256:600000$", "pbkdf2:sha256:1000000$salt$hash") == "pbkdf2:sha256:1000000$"
    assert prefix("pbkdf2:", "scrypt:32768:8:1$salt") == "scrypt:"
