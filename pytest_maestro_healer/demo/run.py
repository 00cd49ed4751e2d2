"""The demo itself: build the broken shop, run ``pytest --heal`` in it, judge what happened, say how to go on."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from pytest_maestro_healer.commands.output import Output
from pytest_maestro_healer.demo import shop
from pytest_maestro_healer.errors import HealerError
from pytest_maestro_healer.evidence.redact import masked_record
from pytest_maestro_healer.model import Cause, DecisionKind, HealingReport, HealingResult
from pytest_maestro_healer.report import json as report_json

#: What is broken in the shop's tests, and which strategy heals it.
EXPECTED = (
    ("tests/test_shipping.py", "syntax_repair"),
    ("tests/test_cart.py", "dependency_fix"),
    ("tests/test_prices.py", "dependency_fix"),
    ("tests/test_orders.py::test_invoice_line_shows_cents", "dependency_fix"),
    ("tests/test_stock.py::test_the_sign_at_an_empty_shelf", "assertion_update"),
)

#: The test that is right to fail.
REGRESSION = "tests/test_money.py::test_members_pay_a_quarter_less"

_STORY = """\
A small shop in {folder}{without_git}
  - somebody renamed shop/prices.py to shop/pricing.py, changed a text, and forgot the tests;
  - a careless edit lost a bracket in tests/test_shipping.py, a new test in tests/test_orders.py lacks an import;
  - and shop/money.py has a real bug since a minute ago.

$ {command}
"""


def main(argv: Sequence[str] = ()) -> int:
    """See :func:`pytest_maestro_healer.demo.run_demo`."""
    options = _parser().parse_args(list(argv))
    environ = dict(os.environ)
    try:
        folder = _folder(options.keep)
        versioned = shop.build(folder, environ)
    except OSError as exc:
        print(f"maestro-heal demo: {exc}", file=sys.stderr)
        return 2
    arguments = ["--heal", "--heal-apply=safe"] if options.apply else ["--heal"]
    command = shlex.join(["python", "-m", "pytest", *arguments])
    without_git = "" if versioned else " (no git here: the evidence is what the files say)"
    if not options.json:
        print(_STORY.format(folder=folder, without_git=without_git, command=command), flush=True)

    before = _snapshot(folder)
    report = _heal(folder, arguments, environ, stdout=2 if options.json else None)
    problems = _problems(report, before, _snapshot(folder), applied=options.apply, versioned=versioned)
    if options.json:
        results = [masked_record(r) for r in report.results] if report is not None else []
        Output(json=True).document({"folder": str(folder), "git": versioned, "results": results, "problems": problems})
    else:
        _close(folder, report, problems, environ, applied=options.apply)
    return 1 if problems else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="maestro-heal demo",
        description="Heal a small broken project in a temporary folder and show how",
        epilog="exit codes: 0 it went as promised, 1 it did not, 2 error.",
    )
    parser.add_argument("--json", action="store_true", help="Print one JSON document; what pytest prints goes to stderr")
    parser.add_argument("--keep", metavar="DIR", help="Put the project into this new or empty folder (default: a temporary one)")
    parser.add_argument("--apply", action="store_true", help="Let safe heals be written (default: leave all pending)")
    return parser


def _folder(keep: str | None) -> Path:
    if keep is None:
        return Path(os.path.realpath(tempfile.mkdtemp(prefix="maestro-demo-")))
    folder = Path(os.path.realpath(keep))
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise OSError(f"{folder} is not empty")
    return folder


def _heal(folder: Path, arguments: Sequence[str], environ: Mapping[str, str], stdout: int | None = None) -> HealingReport | None:
    """Run pytest, its output straight to the user's terminal (or to the descriptor ``stdout``); the report tells what it did."""
    env = {k: v for k, v in environ.items() if not k.startswith(("PYTEST_", "GIT_"))}
    if any(a.startswith("--heal-apply") for a in arguments):
        # nothing is written in CI; but this folder is ours, and somebody asked
        env = {k: v for k, v in env.items() if k not in ("CI", "BUILD_NUMBER")}
    with tempfile.TemporaryDirectory(prefix="maestro-demo-report-") as scratch:
        target = Path(scratch, "report.json")
        command = [sys.executable, "-m", "pytest", *arguments, f"--heal-json={target}"]
        subprocess.run(command, cwd=folder, env=env, stdout=stdout, check=False)
        try:
            return report_json.read(target)
        except HealerError:
            return None


def _snapshot(folder: Path) -> dict[str, bytes]:
    """The project's own files; what git, pytest and the healer keep for themselves is left out."""
    out = {}
    for path in folder.rglob("*"):
        inside = path.relative_to(folder)
        if path.is_file() and not any(part == "__pycache__" or part in (".git", ".pytest_cache", ".maestro") for part in inside.parts):
            out[inside.as_posix()] = path.read_bytes()
    return out


def _problems(report: HealingReport | None, before: Mapping[str, bytes], after: Mapping[str, bytes], *, applied: bool, versioned: bool) -> list[str]:
    """What did not go as this demo promises."""
    if report is None:
        return ["pytest wrote no healing report"]
    healed = [r for r in report.results if r.decision.kind in (DecisionKind.APPLIED, DecisionKind.PENDING)]
    out = [f"{place} was not healed by {strategy}" for place, strategy in EXPECTED if not any(_heals(r, place, strategy) for r in healed)]
    if applied != any(r.decision.kind is DecisionKind.APPLIED for r in healed):
        out.append("nothing was written" if applied else "something was written")
    if any(REGRESSION in r.nodeids or r.test_id == REGRESSION for r in healed):
        out.append(f"{REGRESSION} was healed, although the product is wrong")
    refused = [r for r in report.results if r.test_id == REGRESSION and r.decision.kind is DecisionKind.REJECTED]
    if not refused:
        out.append(f"{REGRESSION} was not reported")
    elif versioned and not any(r.diagnosis is not None and r.diagnosis.cause is Cause.REGRESSION_SUSPECTED for r in refused):
        out.append(f"{REGRESSION} was refused, but not named as a regression")
    changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    allowed = {name for name in changed if applied and name.startswith("tests/") and name in before and name in after}
    return out + [f"{name} was changed" for name in changed if name not in allowed]


def _heals(result: HealingResult, place: str, strategy: str) -> bool:
    """Whether ``result`` heals the test ``place``, or a test of the file ``place``, by ``strategy``."""
    return result.strategy_used == strategy and any(n == place or n.startswith(f"{place}::") for n in (result.test_id, *result.nodeids))


def _close(folder: Path, report: HealingReport | None, problems: Sequence[str], environ: Mapping[str, str], *, applied: bool) -> None:
    if problems:
        print("\nThe demo did not go as expected:")
        for problem in problems:
            print(f"  - {problem}")
        return
    assert report is not None
    healer, python = launchers(environ)
    heals = [r for r in report.results if r.decision.kind in (DecisionKind.APPLIED, DecisionKind.PENDING)]
    pending = [r for r in heals if r.decision.kind is DecisionKind.PENDING]
    print(f"\n{len(heals)} heals, each proved by running it. The failure in tests/test_money.py stays red: the bug is in shop/money.py.")
    print("Only tests are ever edited" + (", and each edit can be taken back." if applied else "; so far not a byte of the project has changed."))
    print(f"\nGo on there:\n  cd {shlex.quote(str(folder))}")
    steps = [("git diff tests", "what was written")] if applied else []
    if pending:
        steps += [
            (f"{healer} list", "what waits for you"),
            (f"{healer} diff {pending[0].healing_id}", "one of the edits"),
            (f"{healer} accept --all", "write them"),
        ]
    steps += [(f"{python} -m pytest", "only the real bug is left"), (f"{healer} rollback --last", "undo it")]
    pad = max(len(command) for command, _ in steps) + 2
    for command, what in steps:
        print(f"  {command.ljust(pad)}# {what}")


def launchers(environ: Mapping[str, str]) -> tuple[str, str]:
    """How the user starts ``maestro-heal`` and Python from another folder: by name where PATH leads to this installation, else by path."""
    here = Path(sys.executable).parent
    path = environ.get("PATH", "")

    def ours(name: str) -> bool:
        found = shutil.which(name, path=path)
        return found is not None and Path(found).parent == here

    python = "python" if ours("python") else shlex.quote(sys.executable)
    return ("maestro-heal" if ours("maestro-heal") else f"{python} -m pytest_maestro_healer"), python
