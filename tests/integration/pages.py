"""The code blocks of the documentation's pages, fenced and indented ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_FENCE = re.compile(r" *(`{3,})(\w*)")
_MARKER = re.compile(r"<!-- (?:example|file): (\S+) -->$")


@dataclass(frozen=True)
class Block:
    """A block of ``page`` (relative to the project): its first line's number, fence language (empty where indented), marker and text."""

    page: str
    line: int
    language: str
    name: str
    text: str

    @property
    def commands(self) -> list[str]:
        """The lines of a shell block, continued ones joined, without comments of their own line."""
        lines = re.sub(r" *\\\n *", " ", self.text).splitlines()
        return [row.strip() for row in lines if row.strip() and not row.lstrip().startswith("#")]

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.text.strip().splitlines()[0]}"


def blocks(page: Path) -> Iterator[Block]:
    """Every block of a page, in order."""
    where = page.relative_to(ROOT).as_posix()
    rows = page.read_text(encoding="utf-8").splitlines()
    at = 0
    while at < len(rows):
        fence = _FENCE.match(rows[at])
        start = at
        if fence is not None:
            end = next(i for i in range(at + 1, len(rows)) if rows[i].strip() == fence[1])
            marker = _MARKER.match(rows[at - 1]) if at else None
            text = "\n".join(rows[at + 1 : end]) + "\n"
            yield Block(where, start + 2, fence[2], marker[1] if marker else "", text)
            at = end + 1
        elif rows[at].startswith("    ") and (at == 0 or not rows[at - 1].strip()):
            while at < len(rows) and (rows[at].startswith("    ") or not rows[at].strip()):
                at += 1
            text = "\n".join(row[4:] for row in rows[start:at]).strip("\n") + "\n"
            yield Block(where, start + 1, "", "", text)
        else:
            at += 1


ALL = [block for page in PAGES for block in blocks(page)]
