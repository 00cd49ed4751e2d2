"""The process for runs from a clean state (see :mod:`~pytest_maestro_healer.session.zygote`), from within: it forks for each request.

Somebody waits for it to start: what only some requests need is imported when one of them comes.
"""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import random
import sys
import time
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pytest_maestro_healer.evidence.experiments import Conditions
from pytest_maestro_healer.evidence.files import ProjectFiles
from pytest_maestro_healer.model import World
from pytest_maestro_healer.prove.runner import RunReport
from pytest_maestro_healer.session import forked, wire
from pytest_maestro_healer.session.capture import Capture
from pytest_maestro_healer.session.ledger import Ledger
from pytest_maestro_healer.session.rerun import InProcess


def serve(
    session: pytest.Session,
    capture: Capture,
    files: ProjectFiles,
    collectors: Mapping[str, pytest.Collector],
    job: Mapping[str, Any],
    errors: Mapping[str, str],
) -> None:
    """The serving side, in the fresh process, until the asking side closes its end; ``errors`` says which files could not be collected, and why."""
    requests, answers = job["serve"]
    runner = InProcess(session, capture, files, collectors)
    send(answers, {"files": sorted(collectors)})
    warm(capture)
    with os.fdopen(requests, "rb") as stream:
        for line in stream:
            request = json.loads(line)
            if not forked.possible():
                send(answers, {"unable": True})
                continue
            if "original" in request or "killed" in request:
                from pytest_maestro_healer.session import noticing
            if "original" in request:
                send(answers, noticing.answer(runner, request["original"], errors))
                continue
            if "killed" in request:
                send(answers, noticing.fates(runner, request["killed"]))
                continue
            runner.compile(request["nodeids"], wire.files(request["overlay"]), whole_files=request["whole"])
            send(answers, wire.dump(forked.run(lambda request=request: _work(runner, request), request["timeout"])))  # type: ignore[misc]


def warm(capture: Capture) -> None:
    """Load here, once, what each copy of this process would load for itself to look at a failed test, or at the state that one leaves.

    Nothing of the project is to be in another state by that: where a module is loaded when it is first looked at, none is looked at.
    """
    from pytest_maestro_healer.capture import value_types  # noqa: F401
    from pytest_maestro_healer.session import operands, state  # noqa: F401

    modules = [m for m in list(sys.modules.values()) if isinstance(m, types.ModuleType)]
    if not any(_lazy(m) for m in modules):
        for name in (getattr(m, "__file__", None) for m in modules):
            if isinstance(name, str):
                capture.kind(name)
        with contextlib.suppress(Exception):
            inspect.getmodule(warm.__code__)  # it remembers the files of all modules: the first traceback that is shown asks for them


def _lazy(module: types.ModuleType) -> bool:
    """Whether to ask for the module's file runs code of somebody's."""
    if type(module).__getattribute__ is not types.ModuleType.__getattribute__:
        return True
    return "__file__" not in vars(module) and ("__getattr__" in vars(module) or hasattr(type(module), "__getattr__"))


def _work(runner: InProcess, request: Mapping[str, Any]) -> RunReport:
    given = request["conditions"]
    conditions = Conditions(**{**given, "world": World.from_dict(given["world"]) if given.get("world") else None})
    reseed()
    runner.plainly()
    change_environment(conditions.env)
    overlay = wire.files(request["overlay"])
    ledger = Ledger(Path(request["ledger"])) if "ledger" in request else None
    return runner.run(request["nodeids"], overlay, whole_files=request["whole"], trace=request["trace"], conditions=conditions, ledger=ledger)


def send(fd: int, data: Mapping[str, Any]) -> None:
    """Write ``data`` as one line of JSON; raises OSError where the other side has ended."""
    view = memoryview(json.dumps(data).encode() + b"\n")
    while view:
        view = view[os.write(fd, view) :]


def change_environment(changes: Mapping[str, str | None]) -> None:
    """Apply to this (forked) process; a changed time zone takes effect at once."""
    for key, value in changes.items():
        if value is None:
            os.environ.pop(key, None)
        else:
            os.environ[key] = value
    if "TZ" in changes and hasattr(time, "tzset"):
        time.tzset()


def reseed() -> None:
    """Give a forked copy its own random state: two copies with one state would agree on a random value."""
    random.seed()
    numpy: Any = sys.modules.get("numpy")
    seed = getattr(getattr(numpy, "random", None), "seed", None)
    if seed is not None:
        seed(random.getrandbits(31))
