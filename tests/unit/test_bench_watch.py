"""The watch's long-running comparison, five edits of it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.timeout(300), pytest.mark.skipif(os.name != "posix", reason="signals")]


def test_after_five_edits_the_watch_knows_what_one_run_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "bench"))
    from bench_watch import measure

    found = measure(5, seed=4, apply="none", modules=2, every=5, limit=120.0)
    assert found["differences"] == []
    assert (found["heals made against half a file"], found["orphans"]) == (0, 0)
    assert found["failing tests compared"] > 0
    assert sum(found["kinds"].values()) == 5
    sys.modules.pop("bench_watch", None)
