"""Adding and removing elements of a display so that it looks as if it had always been written that way."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.strategies.assertion_update.strings import Splice


class Items:
    """The elements of a list, tuple, set, dict or call by their spans (character offsets)."""

    def __init__(self, src: SourceFile, node: ast.expr, spans: Sequence[tuple[int, int]]) -> None:
        self.src = src
        self.start, self.end = src.span(node)
        self.spans = list(spans)
        self.text = src.text

    def _comma(self, i: int) -> int:
        """Offset after the comma behind element ``i``, ``-1`` where it has none."""
        limit = self.spans[i + 1][0] if i + 1 < len(self.spans) else self.end
        at = self.spans[i][1]
        while at < limit:
            if self.text[at] == "#":
                while at < limit and self.text[at] not in "\r\n":
                    at += 1
            elif self.text[at] == ",":
                return at + 1
            else:
                at += 1
        return -1

    def _line(self, at: int) -> tuple[int, int]:
        """The line around an offset, with its line end."""
        line = self.src.position(at)[0]
        return self.src.line_start(line), self.src.line_start(line + 1)

    def _own_lines(self, i: int) -> tuple[int, int] | None:
        """The lines of element ``i`` if nothing but its comma and a comment stands on them."""
        first = self._line(self.spans[i][0])[0]
        last = self._line(max(self.spans[i][1] - 1, self.spans[i][0]))[1]
        tail = self.text[self.spans[i][1] : last].strip()
        tail = tail[1:].strip() if tail.startswith(",") else tail
        if self.text[first : self.spans[i][0]].strip() or (tail and not tail.startswith("#")):
            return None
        return first, last

    def delete(self, i1: int, i2: int) -> list[Splice]:
        """Remove elements ``i1:i2`` with their commas and lines."""
        own = [self._own_lines(i) for i in range(i1, i2)]
        lines = [x for x in own if x is not None]
        if len(lines) == len(own) and len({x[0] for x in lines}) == len(lines):
            out = [Splice(a, b, "") for a, b in lines]
            if i2 == len(self.spans) and i1 > 0 and self._comma(i2 - 1) < 0 and self._comma(i1 - 1) > 0:
                out.insert(0, Splice(self._comma(i1 - 1) - 1, self._comma(i1 - 1), ""))
            return out
        if i2 < len(self.spans):
            return [Splice(self.spans[i1][0], self.spans[i2][0], "")]
        if i1 > 0:
            return [Splice(self.spans[i1 - 1][1], self.spans[i2 - 1][1], "")]
        comma = self._comma(i2 - 1)
        return [Splice(self.spans[i1][0], comma if comma > 0 else self.spans[i2 - 1][1], "")]

    def delete_all(self, places: Sequence[int]) -> list[Splice]:
        """Remove the elements at ``places``, neighbours together."""
        out: list[Splice] = []
        run: list[int] = []
        for i in [*sorted(places), -1]:
            if run and i != run[-1] + 1:
                out += self.delete(run[0], run[-1] + 1)
                run = []
            run.append(i)
        return out

    def insert(self, place: int, texts: Sequence[str]) -> list[Splice]:
        """Insert before element ``place`` (at the end where that is their number)."""
        if not self.spans:
            at = self.end - 1
            return [Splice(at, at, ", ".join(texts))]
        neighbour = place - 1 if place > 0 else 0
        own = self._own_lines(neighbour)
        if own is None:
            if place == 0:
                return [Splice(self.spans[0][0], self.spans[0][0], "".join(f"{t}, " for t in texts))]
            at = self.spans[place - 1][1]
            lone = len(self.spans) == 1 and self._comma(0) > 0  # the comma of a tuple of one
            return [Splice(at, self._comma(0) if lone else at, "".join(f", {t}" for t in texts))]
        indent = self.src.indent_of(self.src.position(self.spans[neighbour][0])[0])
        if place == 0:
            return [Splice(own[0], own[0], "".join(f"{indent}{t},\n" for t in texts))]
        comma = self._comma(place - 1)
        if comma > 0:
            return [Splice(own[1], own[1], "".join(f"{indent}{t},\n" for t in texts))]
        at = self.spans[place - 1][1]
        return [Splice(at, at, "".join(f",\n{indent}{t}" for t in texts))]
