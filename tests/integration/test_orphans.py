"""Whatever ends pytest while it proves a heal, no proof process of ours outlives it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.toys import BROKEN, Suite

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="finds processes through /proc")

#: The healed call says that it was reached, and then can be ended by nothing but a kill.
HANGS = """import pathlib, signal, time


def new_name(x=1):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    pathlib.Path({at!r}).touch()
    while True:
        time.sleep(600)
"""


def marked(mark: str) -> list[int]:
    """The living processes whose environment has ``mark``."""
    out = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and mark.encode() in (entry / "environ").read_bytes():
                out.append(int(entry.name))
        except OSError:
            continue
    return out


@contextmanager
def mourned(parent: subprocess.Popen[bytes], mark: str) -> Iterator[None]:
    """Inside, the parent is ended; all that it started must end by itself. Whatever happens, nothing stays behind."""
    try:
        yield
        parent.wait(30)
        wait(f"still alive: {marked(mark)}", lambda: not marked(mark))
    finally:
        for pid in marked(mark):
            os.kill(pid, signal.SIGKILL)
        parent.wait(30)


def wait(what: str, condition: object, seconds: float = 60.0) -> None:
    """Until ``condition`` holds; fails with ``what`` otherwise."""
    assert callable(condition)
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, what
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("arguments", "number"),
    [((), signal.SIGKILL), ((), signal.SIGTERM), (("--heal-isolate",), signal.SIGKILL), (("-n1",), signal.SIGKILL)],
    ids=["forked-kill", "forked-term", "fresh-kill", "xdist-kill"],
)
def test_proofs_die_with_pytest(suite: Suite, arguments: Sequence[str], number: signal.Signals) -> None:
    if "-n1" in arguments:
        pytest.importorskip("xdist")
    at, mark = suite.outside / "hangs", uuid.uuid4().hex
    suite.write({"lib.py": HANGS.format(at=str(at)), "test_a.py": BROKEN})
    run = subprocess.Popen(
        [sys.executable, "-m", "pytest", *suite.arguments, "--heal", *arguments],
        cwd=suite.path, env={**os.environ, "ORPHANS_OF": mark}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with mourned(run, mark):
        wait("the proof never came to the healed call", at.exists)
        assert len(marked(mark)) >= 2  # pytest and a proof process
        run.send_signal(number)


def test_watched_where_the_system_does_not(tmp_path: Path) -> None:
    """Without prctl a thread notices that the parent is gone."""
    mark = uuid.uuid4().hex
    script = tmp_path / "child.py"
    script.write_text(
        "import os, sys, time\nfrom pytest_maestro_healer.session import lifeline\n"
        "lifeline.prepare = lambda: lambda: False\nos.setsid()\nlifeline.tie(int(sys.argv[1]))\nopen(sys.argv[2], 'w').close()\ntime.sleep(600)\n"
    )
    starter = "import os, subprocess, sys, time\nsubprocess.Popen([sys.executable, sys.argv[1], str(os.getpid()), sys.argv[2]])\ntime.sleep(600)\n"
    parent = subprocess.Popen([sys.executable, "-c", starter, str(script), str(tmp_path / "up")], env={**os.environ, "ORPHANS_OF": mark})
    with mourned(parent, mark):
        wait("the child never came up", (tmp_path / "up").exists)
        parent.kill()


def test_ended_parent_is_noticed_at_once() -> None:
    code = "import os\nfrom pytest_maestro_healer.session import lifeline\nlifeline.tie(os.getppid() + 1)\nos._exit(7)\n"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 1


def test_busy_processes_end_too() -> None:
    """The processes that keep the processors busy are started by pytest itself."""
    mark = uuid.uuid4().hex
    starter = "import subprocess, time\nfrom pytest_maestro_healer.session import lifeline\nsubprocess.Popen(lifeline.busy())\ntime.sleep(600)\n"
    parent = subprocess.Popen([sys.executable, "-c", starter], env={**os.environ, "ORPHANS_OF": mark})
    with mourned(parent, mark):
        wait("the busy process never came up", lambda: len(marked(mark)) == 2)
        parent.kill()
