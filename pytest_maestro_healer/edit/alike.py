"""What two sequences have in common, quickly where a small change was made in something long."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

Opcode = tuple[str, int, int, int, int]


def ends(old: Sequence[object], new: Sequence[object]) -> tuple[int, int]:
    """How many items are the same at the start of both and, of the rest, at the end of both."""
    most = min(len(old), len(new))
    head = 0
    while head < most and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < most - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    return head, tail


def opcodes(old: Sequence[Hashable], new: Sequence[Hashable]) -> list[Opcode]:
    """As :meth:`difflib.SequenceMatcher.get_opcodes`, which looks only at what lies between the common ends."""
    import difflib

    head, tail = ends(old, new)
    middle = difflib.SequenceMatcher(None, old[head : len(old) - tail], new[head : len(new) - tail], autojunk=False)
    out: list[Opcode] = [("equal", 0, head, 0, head)] if head else []
    out += [(tag, a + head, b + head, c + head, d + head) for tag, a, b, c, d in middle.get_opcodes()]
    if tail:
        out.append(("equal", len(old) - tail, len(old), len(new) - tail, len(new)))
    return out
