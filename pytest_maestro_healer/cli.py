"""``maestro-heal``: decide about pending heals, undo applied ones, start a healing run.

Starts fast: neither pytest nor libcst is imported, and a command's own module only when it runs.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from pytest_maestro_healer.errors import HealerError

if TYPE_CHECKING:
    from pytest_maestro_healer.commands.output import Output
    from pytest_maestro_healer.learn.history import History

_EPILOG = "exit codes: 0 nothing left, 1 heals are pending or something failed, 2 error. An ID may be cut to any unique beginning."
_PASS_ON = ("demo", "run")
_HISTORY = ("stats", "history", "forget")


class _UsageError(Exception):
    pass


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _UsageError(f"{message}{_nearest(self, message)} (see {self.prog} --help)")


def _nearest(parser: argparse.ArgumentParser, message: str) -> str:
    """For a mistyped command or option: the one that looks most like it."""
    import difflib
    import re

    wrong = re.search(r"invalid choice: '([^']+)'|unrecognized arguments: (--?[^\s=]+)", message)
    if wrong is None:
        return ""
    known = re.findall(r"'([^']+)'", message.partition("(choose from")[2]) or re.findall(r"(?<![\w-])--[a-z][a-z-]*", parser.format_help())
    if wrong[1] and not known:  # newer Pythons quote no choices
        known = [w.strip() for w in message.partition("(choose from")[2].rstrip(")").split(",")]
    near = difflib.get_close_matches(wrong[1] or wrong[2], known, n=1)
    return f"; did you mean {near[0]}?" if near else ""


def main(argv: Sequence[str] | None = None) -> int:
    """The command line with arguments ``argv`` (default: the process's own).

    Returns the exit code: 0 nothing left, 1 heals are pending or something failed, 2 error, said in one line on stderr.
    """
    args = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _main(args)
        sys.stdout.flush()
        return code
    except SystemExit as exc:
        return exc.code if isinstance(exc.code, int) else 0 if exc.code is None else 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # the reader is gone (head, less): what is still buffered has nowhere to go
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (HealerError, _UsageError, OSError) as exc:
        from pytest_maestro_healer.evidence.redact import redact
        from pytest_maestro_healer.report.text import one_line

        print(f"maestro-heal: {one_line(redact(str(exc)))}", file=sys.stderr)
        return 2


def _main(args: list[str]) -> int:
    at = _command_at(args)
    rest: list[str] = []
    if at < len(args) and args[at] in _PASS_ON and not (args[at] == "run" and args[at + 1 : at + 2] in (["-h"], ["--help"])):
        args, rest = args[: at + 1], args[at + 1 :]
        if args[at] == "run":
            own, rest = _split_run(rest)
            args += own
    # not set_defaults: that would reach the sub-commands, whose defaults would then undo what stands before the command
    options = _parser().parse_args(args, argparse.Namespace(json=False, folder=None, root=None))
    if options.command is None:
        raise _UsageError("no command given (see maestro-heal --help)")
    return _dispatch(options, rest)


def _command_at(args: Sequence[str]) -> int:
    """Where the command stands: after the global options."""
    at = 0
    while at < len(args) and args[at].startswith("-"):
        at += 2 if args[at] in ("-C", "--root") else 1
    return at


def _split_run(rest: Sequence[str]) -> tuple[list[str], list[str]]:
    """What follows ``run``: our own options, and pytest's arguments (all, where there is no ``--``)."""
    if "--" in rest:
        at = rest.index("--")
        return list(rest[:at]), list(rest[at + 1 :])
    own = [a for a in rest[:1] if a == "--json"]
    return own, list(rest[len(own) :])


def _dispatch(options: argparse.Namespace, rest: list[str]) -> int:
    if options.command == "demo":
        from pytest_maestro_healer.demo import run_demo

        return run_demo([*rest, *(["--json"] if options.json and "--json" not in rest else [])])
    start = Path(options.folder or ".")
    given = Path(os.path.abspath(start / options.root)) if options.root else None  # noqa: PTH100 - as pytest, keeping symlinks
    for folder in (start, given):
        if folder is not None and not folder.is_dir():
            raise HealerError(f"{folder} is not a folder")
    if options.command == "run":
        from pytest_maestro_healer.commands.run import run_pytest

        return run_pytest(rest, folder=start, root=given, json=options.json)
    if options.command in ("heal", "explain", "doctor", "watch"):
        return _again(options, start, given)
    return _heals(options, start, given)


def _again(options: argparse.Namespace, start: Path, given: Path | None) -> int:
    from pytest_maestro_healer.commands.heal import explain, heal_results
    from pytest_maestro_healer.commands.output import Output, use_color
    from pytest_maestro_healer.commands.root import find_root, rootdir

    root, cache_dir = find_root(start) if given is None else (given, rootdir(given)[1])
    out = Output(json=options.json, color=use_color(sys.stdout))
    if options.command == "watch":
        from pytest_maestro_healer.commands.watch import Timing, watch_project

        timing = Timing(options.rounds, options.settle, options.patience)
        return watch_project(out, timing, folder=start, root=root, cache_dir=cache_dir, given=given, arguments=options.arguments)
    if options.command == "doctor":
        from pytest_maestro_healer.commands.doctor import doctor

        return doctor(out, root=root, cache_dir=cache_dir)
    if options.command == "explain":
        return explain(out, options.nodeid, folder=start, root=root)
    file = Path(os.path.abspath(start / options.test_results))  # noqa: PTH100
    threshold = options.confidence_threshold
    return heal_results(out, file, folder=start, root=root, auto_fix=options.auto_fix, threshold=threshold, arguments=options.arguments)


def _heals(options: argparse.Namespace, start: Path, given: Path | None) -> int:
    from pytest_maestro_healer.apply.store import Store
    from pytest_maestro_healer.commands import heals
    from pytest_maestro_healer.commands.output import Output, use_color
    from pytest_maestro_healer.commands.root import configuration, find_root, rootdir
    from pytest_maestro_healer.learning import attend, open_history

    root, cache_dir = find_root(start) if given is None else (given, rootdir(given)[1])
    config = configuration(root, cache_dir)
    store = Store(root, config)
    out = Output(json=options.json, color=use_color(sys.stdout))
    history = open_history(root, config)
    if options.command in _HISTORY:
        return _history(options, root, history, out)
    attend(store, history)
    heals.recover(store)
    command = options.command
    if command == "merge":
        from pytest_maestro_healer.commands.merge import merge

        return merge(store, out, [str(start / b) for b in options.bundles], str(start / options.output) if options.output else None)
    if command == "report":
        if not (options.html or options.sarif):
            raise _UsageError("report: give --html PATH or --sarif PATH")
        from pytest_maestro_healer.commands.report import report

        return report(store, history, out, folder=start, files=options.files, to_html=options.html, to_sarif=options.sarif)
    if command == "list":
        return heals.list_heals(store, out)
    if command == "show":
        return heals.show(store, out, options.id)
    if command == "diff":
        return heals.diff(store, out, options.ids)
    if command == "review":
        return heals.review_heals(store, out)
    _check_choice(command, options)
    if command == "accept":
        return heals.accept(store, out, options.ids, options.all)
    if command == "reject":
        return heals.reject(store, out, options.ids, options.all)
    return heals.rollback(store, out, options.ids, options.last)


def _history(options: argparse.Namespace, root: Path, history: History, out: Output) -> int:
    from pytest_maestro_healer.commands import history as commands

    if options.command == "stats":
        return commands.stats(history, root, out, options.plot)
    if options.command == "forget":
        _check_choice("forget", options)
        return commands.forget(history, out, options.ids, options.all)
    paths: list[str] = options.paths
    if options.action == "export":
        if len(paths) > 1:
            raise _UsageError("history export: give one file, or none for stdout")
        return commands.export(history, out, paths[0] if paths else None)
    if options.action == "import":
        return commands.take_in(history, out, paths)
    if options.action == "merge":
        return commands.merge(out, paths)
    if paths:
        raise _UsageError("history show takes no files")
    return commands.show(history, root, out, options.limit)


def _check_choice(command: str, options: argparse.Namespace) -> None:
    flag = "last" if command == "rollback" else "all"
    if bool(options.ids) == getattr(options, flag):
        raise _UsageError(f"{command}: give either IDs or --{flag}")


def _parser() -> argparse.ArgumentParser:
    common = _Parser(add_help=False)
    common.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="Print one JSON document")
    common.add_argument("-C", dest="folder", metavar="DIR", default=argparse.SUPPRESS, help="Work as if started in DIR (default: here)")
    common.add_argument("--root", metavar="DIR", default=argparse.SUPPRESS, help="Take DIR as pytest's rootdir (default: found as pytest does)")

    parser = _Parser(prog="maestro-heal", description="Decide about healed tests", epilog=_EPILOG, parents=[common])
    parser.add_argument("--version", action=_Version, nargs=0, help="Print the version")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)

    def add(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text, parents=[common], epilog=_EPILOG)

    def heals(name: str, text: str, flag: str, what: str) -> None:
        sub = add(name, text)
        sub.add_argument("ids", nargs="*", metavar="ID")
        sub.add_argument(f"--{flag}", action="store_true", help=what)

    add("list", "List pending and applied heals")
    add("show", "Show a heal with its evidence, proof and diff").add_argument("id", metavar="ID")
    add("diff", "Print the diff of heals (default: of all pending ones)").add_argument("ids", nargs="*", metavar="ID")
    heals("accept", "Write pending heals to the project", "all", "Accept every pending heal")
    heals("reject", "Drop pending heals and never propose them again", "all", "Reject every pending heal")
    shards = add("merge", "Put the pending heals of other machines (CI shards) beside those of this project")
    shards.epilog = "exit codes: 0 all were taken, 1 something was left out (stale, refused, rejected before, unreadable), 2 error."
    shards.add_argument("bundles", nargs="+", metavar="BUNDLE", help="pending.json, a folder with such files below, or what --heal-json wrote")
    shards.add_argument("-o", "--output", metavar="FILE", help="Write this bundle, and a patch next to it, instead of the project's own")
    page = add("report", "Write a page or a SARIF log of this project's heals, or of what --heal-json wrote")
    page.epilog = "exit codes: 0 it is written, 2 error."
    page.add_argument(
        "files", nargs="*", metavar="FILE", help="What --heal-json wrote, several are put together (default: pending and applied heals)"
    )
    page.add_argument("--html", metavar="PATH", help="Write one HTML page (needs jinja2)")
    page.add_argument("--sarif", metavar="PATH", help="Write SARIF 2.1.0, for code scanning")
    add("review", "Decide about the pending heals one by one")
    heals("rollback", "Undo applied heals", "last", "Undo all that the last command or run applied")
    results = add("heal", "Run the failed tests of a result file again, with healing on")
    results.add_argument("--test-results", required=True, metavar="FILE", help="pytest-json-report, pytest-reportlog, JUnit XML or --heal-json")
    results.add_argument("--auto-fix", action="store_true", help="Write safe proved heals, in CI too (default: none)")
    results.add_argument("--confidence-threshold", type=_share, metavar="N", help="Confidence from which a heal is written, 0..1 (default: 0.75)")
    results.add_argument("arguments", nargs="*", metavar="-- PYTEST ARGUMENTS", help="Passed on to pytest")
    add("explain", "Run a test and say why it fails, what would heal it, and what was declined").add_argument("nodeid", metavar="NODEID")
    add("stats", "Show what was learned from earlier heals").add_argument("--plot", metavar="PATH", help="Draw it, too, as SVG (default: no)")
    past = add("history", "Show, export, import or merge the records of earlier heals")
    past.add_argument("action", nargs="?", choices=("show", "export", "import", "merge"), default="show", help="What to do (default: show)")
    past.add_argument("paths", nargs="*", metavar="PATH", help="export [OUT], import IN..., merge OUT IN...")
    past.add_argument("--limit", type=int, default=20, metavar="N", help="Newest records to show, 0 for all (default: 20)")
    heals("forget", "Remove recorded heals, by healing ID or test", "all", "Remove the whole history, last green commits too")
    add("doctor", "Say what is installed, what evidence is available and what keeps heals from being written")
    add("run", "Run pytest --heal: maestro-heal run -- PYTEST ARGUMENTS")
    watch = add("watch", "Rerun what a change affects and heal at once: maestro-heal watch -- PYTEST ARGUMENTS")
    watch.add_argument("--rounds", type=_whole, default=0, metavar="N", help="End after N rounds (default: 0, at Ctrl-C)")
    watch.add_argument("--settle", type=_seconds, default=0.2, metavar="S", help="Seconds without a change after which files are read (default: 0.2)")
    watch.add_argument("--patience", type=_seconds, default=3.0, metavar="S", help="Seconds that a half-written file is waited for (default: 3)")
    watch.add_argument("arguments", nargs="*", metavar="-- PYTEST ARGUMENTS", help="Passed on to pytest in every round")
    commands.add_parser("demo", help="Heal a small broken project in a temporary folder and show how", add_help=False)
    return parser


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not 0.0 <= value <= 1.0:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return value


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not 0.0 <= value <= 3600.0:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 3600 seconds")
    return value


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from pytest_maestro_healer import __version__

        print(f"maestro-heal {__version__}")
        parser.exit()


if __name__ == "__main__":
    sys.exit(main())
