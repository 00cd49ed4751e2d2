"""Writes down every failure that a healing run diagnoses, one JSON object a line into ``$BENCH_FAILURES``.

Confidences are evidence scores in such a run.

Put this folder on ``PYTHONPATH`` and load it with ``-p watch``. With ``$BENCH_CAPTURE_ONLY`` nothing is healed: the failures are all that is wanted.
"""

from __future__ import annotations

import json
import os
from typing import Any

from pytest_maestro_healer.decide import calibration
from pytest_maestro_healer.diagnose import verdict
from pytest_maestro_healer.model import Failure

#: Texts of a failure longer than this say no more to a classifier.
MOST = 2000
SEEN: set[str] = set()
real = verdict.classify


def classify(failure: Failure) -> Any:
    """The product's own answer; the first failure of a test is written down."""
    if failure.nodeid not in SEEN:
        SEEN.add(failure.nodeid)
        with open(os.environ["BENCH_FAILURES"], "a", encoding="utf-8") as f:
            f.write(json.dumps(lean(failure)) + "\n")
    return real(failure)


def lean(failure: Failure) -> dict[str, Any]:
    """As a dict, without what takes space and says nothing: full tracebacks, values, names to choose from."""
    data = failure.to_dict()
    data.update(longrepr="", params={}, fixtures={}, message=failure.message[:MOST], statement=failure.statement[:MOST])
    data["exc_attrs"] = {k: v for k, v in failure.exc_attrs.items() if isinstance(v, str) and len(v) < 200}
    data["frames"] = data["frames"][-12:]
    for operand in (data["comparison"] or {}).get("operands", ()):
        operand["value"].update(items=[], keys=[], repr=operand["value"]["repr"][:200], source=None)
    return data


verdict.classify = classify
# what is fitted is a curve over the evidence score: a heal's confidence is to be just that here, not what an earlier fit made of it
calibration.load = lambda: None  # type: ignore[assignment]

if os.environ.get("BENCH_CAPTURE_ONLY"):
    from pytest_maestro_healer.searching import Found, Search

    Search.search = lambda *args: Found()  # type: ignore[method-assign]
    Search._unsteady = lambda *args: ""  # type: ignore[attr-defined]
