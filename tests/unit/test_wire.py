"""How processes of one healing session hear each other."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pytest_maestro_healer.session.forked import call
from pytest_maestro_healer.session.wire import leave, readable

resource = pytest.importorskip("resource")


@pytest.fixture
def many() -> object:
    """As many open files as a long session of a large suite may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 1200:
        pytest.skip("so many files cannot be open here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1200), hard))
    opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(1030)]
    yield opened
    for descriptor in opened:
        os.close(descriptor)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_descriptors_from_1024_on_can_be_waited_for(many: object) -> None:
    here, there = os.pipe()
    try:
        assert here >= 1024
        assert not readable(here, 0)
        assert not readable(here, -1)
        os.write(there, b"x")
        assert readable(here, 0)
        os.read(here, 1)
    finally:
        os.close(there)
    assert readable(here, 0), "the end is to be heard, too"
    os.close(here)


def test_a_copy_of_such_a_process_is_heard(many: object) -> None:
    assert call(lambda: {"answer": 42}, 30) == ({"answer": 42}, "")


def test_an_answer_is_whole_or_not_there(tmp_path: Path) -> None:
    leave(tmp_path / "out.json", {"a": {1, 2}})
    assert json.loads((tmp_path / "out.json").read_text()) == {"a": "{1, 2}"}
    assert [p.name for p in tmp_path.iterdir()] == ["out.json"]
