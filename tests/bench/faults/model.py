"""The nouns of the benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

Files = Mapping[str, "bytes | None"]

NEGATIVE = "negative"
#: What a commit says that breaks something unawares.
MESSAGES = ("Refactor", "Simplify {name}", "Speed up {name}", "Clean up", "Type hints", "Make {name} easier to read", "Fix lint", "wip")


@dataclass(frozen=True)
class Host:
    """A real package, cut down to a fast part of its suite and unpacked in ``folder``.

    ``package`` is the import name, ``source`` the folder of the package below the project, ``tests`` the chosen test files. ``files`` are all
    files of the cut project, ``called`` the product functions that its tests call: (path, first line).
    """

    name: str
    version: str
    package: str
    source: str
    tests: tuple[str, ...]
    folder: Path
    files: Mapping[str, bytes] = field(repr=False, default_factory=dict)
    called: frozenset[tuple[str, int]] = field(repr=False, default=frozenset())

    def text(self, path: str) -> str:
        """One file as text."""
        return self.files[path].decode("utf-8")

    @property
    def product(self) -> list[str]:
        """The product's Python files."""
        return [p for p in self.files if p.startswith(self.source + "/") and p.endswith(".py") and not self.is_test(p)]

    def is_test(self, path: str) -> bool:
        """Whether a path is test code or test data."""
        parts = path.split("/")
        return "tests" in parts[:-1] or parts[-1].startswith("test_") or parts[-1] == "conftest.py"

    @property
    def test_folder(self) -> str:
        """The folder of the test files, with a slash unless it is the root."""
        head = self.tests[0].rpartition("/")[0]
        return head + "/" if head else ""


@dataclass(frozen=True)
class Fault:
    """What one case changes.

    ``base`` is laid over the host before the green commit, ``changes`` is the fault (``None`` deletes a file); it is committed with ``message``,
    or left in the working tree when that is empty. ``tests`` are the files that must be red then. ``expected`` names the texts that a test
    file may have after healing, any of them is exact. ``advice`` is a piece of the advice that has to be given where there is nothing to
    edit, ``still_red`` the test functions that stay red even when all is well. ``green_env`` and ``red_env`` are added to the
    environment of the green run and of all later runs; ``cwd`` is where pytest is started then. ``tries`` is how many runs may be needed to see red.
    """

    changes: Files
    tests: tuple[str, ...]
    expected: Mapping[str, tuple[bytes, ...]] = field(default_factory=dict)
    base: Files = field(default_factory=dict)
    message: str = ""
    advice: str = ""
    still_red: tuple[str, ...] = ()
    green_env: Mapping[str, str] = field(default_factory=dict)
    red_env: Mapping[str, str] = field(default_factory=dict)
    cwd: str = "."
    tries: int = 1
    what: str = ""


@dataclass(frozen=True)
class Case:
    """A fault in a host, by a name that is stable for a seed."""

    name: str
    strategy: str
    tactic: str
    host: Host
    fault: Fault

    @property
    def negative(self) -> bool:
        """Whether nothing may be healed."""
        return self.strategy == NEGATIVE
