"""The catalogue of tactics as Markdown, from what the tactics say about themselves and from their examples.

``python -m pytest_maestro_healer.strategies.catalogue`` prints it; a test keeps ``docs/catalogue.md`` up to date.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pytest_maestro_healer.edit.diff import unified
from pytest_maestro_healer.model import Applicability
from pytest_maestro_healer.strategies import load
from pytest_maestro_healer.strategies.base import Example, Strategy, Tactic

_HEAD = """# Catalogue of tactics

What each strategy heals, by tactic, and what it leaves alone. The examples are the tactics' own; each runs as a test of this project.
This page is generated: `python -m pytest_maestro_healer.strategies.catalogue > docs/catalogue.md`.

| applicability | means |
| --- | --- |
| `safe` | may be applied without asking, once proved, and where the policy allows it |
| `review` | is proved and shown, and left to a person |
| `advice` | a precise text, no edit |
"""
#: Examples shown in full; the rest are listed by title.
_SHOWN = 2
_MAX_LINES = 40


def catalogue(strategies: Sequence[Strategy] | None = None) -> str:
    """The Markdown page for ``strategies`` (all built-in ones by default)."""
    chosen = load() if strategies is None else strategies
    parts = [_HEAD, _contents(chosen)]
    for strategy in chosen:
        parts += [f"## {strategy.name}\n", f"{_sentence(strategy.summary)}\n"]
        parts += ["\n".join(_tactic(strategy, tactic)) for tactic in strategy.tactics]
    return "\n".join(parts).rstrip() + "\n"


def _contents(strategies: Iterable[Strategy]) -> str:
    rows = ["| strategy | tactic | | heals |", "| --- | --- | --- | --- |"]
    for strategy in strategies:
        for tactic in strategy.tactics:
            link = f"[{tactic.name}](#{_anchor(strategy, tactic)})"
            rows.append(f"| {strategy.name} | {link} | {tactic.applicability} | {_cell(tactic.summary)} |")
    return "\n".join(rows) + "\n"


def _anchor(strategy: Strategy, tactic: Tactic) -> str:
    return f"{strategy.name}-{tactic.name}".replace("_", "-")


def _cell(text: str) -> str:
    return _escaped(text).replace("|", "\\|")


def _sentence(text: str) -> str:
    text = _escaped(text.strip())
    return text if not text or text.endswith((".", "!", "?")) else text + "."


def _escaped(text: str) -> str:
    """Prose for Markdown: what is no code in backquotes must not start emphasis, HTML or a table cell."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(p if p.startswith("`") else re.sub(r"([*_<>])", r"\\\1", p) for p in parts)


def _tactic(strategy: Strategy, tactic: Tactic) -> Iterator[str]:
    yield f'<a id="{_anchor(strategy, tactic)}"></a>\n'
    yield f"### {tactic.name} ({tactic.applicability})\n"
    yield f"{_sentence(tactic.summary)}\n"
    if tactic.evidence:
        yield f"Evidence: {', '.join(tactic.evidence)}.\n"
    if tactic.sources:
        yield f"Sources: {', '.join(map(_source, tactic.sources))}.\n"
    for example in tactic.heals[:_SHOWN]:
        yield from _healed(example, tactic)
    if len(tactic.heals) > _SHOWN:
        yield "Also: " + "; ".join(_escaped(e.title) for e in tactic.heals[_SHOWN:]) + ".\n"
    for example in tactic.declines:
        yield f"Left alone: *{_escaped(example.title)}*: {_sentence(example.why)}\n"


def _source(text: str) -> str:
    return f"<{text}>" if text.startswith(("http://", "https://")) else _escaped(text)


def _healed(example: Example, tactic: Tactic) -> Iterator[str]:
    yield f"**{_escaped(_capital(example.title))}**\n"
    for path, after in example.healed.items():
        yield _diff(path, _bytes(example.files.get(path, b"")), _bytes(after))
    if example.advice:
        label = "Advice" if tactic.applicability is Applicability.ADVICE or not example.healed else "And says"
        yield f"{label}: `{example.advice}`\n"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _bytes(content: str | bytes) -> bytes:
    if isinstance(content, bytes):
        return content
    return (textwrap.dedent(content[1:]) if content.startswith("\n") else content).encode()


def _diff(path: str, before: bytes, after: bytes) -> str:
    lines = unified(path, before, after, context=2).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace").split("\n")
    shown = [_visible(line) for line in lines if line and not line.startswith(("diff --git", "--- ", "+++ ", "@@"))]
    if len(shown) > _MAX_LINES:
        shown = [*shown[:_MAX_LINES], "..."]
    fence = "`" * max(3, 1 + max((len(m) for line in shown for m in re.findall("`+", line)), default=0))
    return "\n".join([f"{fence}diff", f"# {path}", *shown, fence, ""])


_NAMES: Mapping[int, str] = {0xA0: "<NBSP>", 0x200B: "<ZWSP>", 0xFEFF: "<BOM>", 0x0D: "", 0x09: "\t"}


def _visible(line: str) -> str:
    """Characters that cannot be seen, spelt out."""
    return "".join(_NAMES.get(ord(c), c) if c.isprintable() or ord(c) in _NAMES else f"<U+{ord(c):04X}>" for c in line)


def main() -> int:
    """Print the page, in UTF-8 with plain newlines on every platform."""
    sys.stdout.buffer.write(catalogue().encode())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
