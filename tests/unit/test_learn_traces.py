"""Whether healed code was committed as it was can be told without keeping it."""

from __future__ import annotations

import pytest

from pytest_maestro_healer.learn.traces import there, traces
from pytest_maestro_healer.model import FileChange

BEFORE = b"""import lib

class TestA:
    limit = 1

    def test_one(self):
        assert lib.old(1, "a") == 2

def test_two():
    pass
"""
AFTER = BEFORE.replace(b"lib.old", b"lib.new_name")
FORMATTED = AFTER.replace(
    b'lib.new_name(1, "a") == 2',
    b"(\n            lib.new_name(\n                1,\n                'a',\n            )\n            == 2\n        )",
)


def of(path: str, before: bytes, after: bytes) -> list[str]:
    return traces([FileChange.of(path, before, after)]).get(path, [])


def test_only_what_changed_is_hashed() -> None:
    assert len(of("test_a.py", BEFORE, AFTER)) == 1
    assert len(of("test_a.py", BEFORE, AFTER.replace(b"limit = 1", b"limit = 2").replace(b"import lib", b"import lib, os"))) == 3
    assert of("test_a.py", BEFORE, BEFORE.replace(b"import lib", b"import lib  # here")) == []
    assert b"new_name" not in repr(traces([FileChange.of("test_a.py", BEFORE, AFTER)])).encode()


@pytest.mark.parametrize(
    ("committed", "same"),
    [
        (AFTER, True),
        (FORMATTED, True),
        (AFTER.replace(b"    pass", b"    assert True"), True),
        (AFTER.replace(b"== 2", b"== 3"), False),
        (AFTER.replace(b"class TestA", b"class TestB"), False),
        (BEFORE, False),
        (AFTER + b"def broken(:", False),
        (b"", False),
        (b"\xff\x00", False),
    ],
)
def test_an_edit_is_told_from_layout(committed: bytes, same: bool) -> None:
    assert there(committed, of("test_a.py", BEFORE, AFTER)) is same


@pytest.mark.parametrize("path", ["data.json", "test_a.py"])
def test_other_files_and_those_that_did_not_parse_are_compared_by_line(path: str) -> None:
    broken = AFTER.replace(b"def test_two():", b"def test_two(:")
    found = of(path, broken, AFTER)
    assert len(found) == 1
    assert there(AFTER, found)
    assert there(AFTER.replace(b"def test_two():", b"def  test_two():"), found)
    assert not there(AFTER.replace(b"def test_two():", b"def test_two(x):"), found)
