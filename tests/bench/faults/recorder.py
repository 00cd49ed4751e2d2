"""What asserts of an instrumented test file saw: ``see(number, value)`` keeps the values, at exit they are written to ``$FAULTS_FACTS``."""

from __future__ import annotations

import atexit
import json
import os
from pathlib import Path
from typing import Any

SEEN: dict[int, set[str]] = {}


def see(number: int, value: Any) -> None:
    """Remember one value by its repr."""
    SEEN.setdefault(number, set()).add(repr(value))


@atexit.register
def _write() -> None:
    Path(os.environ["FAULTS_FACTS"]).write_text(json.dumps({k: sorted(v) for k, v in SEEN.items()}), encoding="utf-8")
