"""The command line's two voices: lines for people, one JSON document for programs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

from pytest_maestro_healer.evidence.redact import redact
from pytest_maestro_healer.report.text import Line, line, one_line, paint

#: Of every document: counts up when a key changes its meaning or goes; a new key alone does not change it.
SCHEMA = 1


def use_color(stream: TextIO) -> bool:
    """pytest's rules: PY_COLORS, then NO_COLOR, then FORCE_COLOR, then whether ``stream`` is a capable terminal."""
    environ = os.environ
    if environ.get("PY_COLORS") in ("0", "1"):
        return environ["PY_COLORS"] == "1"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return is_tty(stream) and environ.get("TERM") != "dumb"


def is_tty(stream: TextIO | None) -> bool:
    """Whether ``stream`` is an open terminal."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        return False


@dataclass(frozen=True)
class Output:
    """Where a command writes; with ``json`` only :meth:`document` and errors are heard."""

    json: bool = False
    color: bool = False

    def lines(self, rows: Iterable[Line | str]) -> None:
        """Print lines for a person."""
        if not self.json:
            for row in rows:
                print(row if isinstance(row, str) else paint(row, self.color))

    def problem(self, text: str) -> None:
        """Print one line to stderr, where programs expect it, too."""
        if not self.json:
            print(one_line(redact(text)), file=sys.stderr)

    def notes(self, notes: Sequence[str]) -> None:
        """Print what a store noted."""
        for note in notes:
            self.problem(f"note: {note}")

    def document(self, data: dict[str, Any]) -> None:
        """Print the JSON document, with the schema's number first."""
        if self.json:
            print(json.dumps({"schema": SCHEMA, **data}, indent=1, default=str))


def raw(data: bytes) -> None:
    """Write exact bytes to stdout."""
    sys.stdout.flush()
    buffer = getattr(sys.stdout, "buffer", None)
    if buffer is None:
        sys.stdout.write(data.decode("utf-8", "replace"))
    else:
        buffer.write(data)
        buffer.flush()


def titled(text: str) -> Line:
    """A bold line."""
    return line((text, {"bold": True}))
