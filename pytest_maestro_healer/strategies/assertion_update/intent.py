"""Was the new value meant? Facts outside the failing test that say so, and facts that say the opposite."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.git import Hunk
from pytest_maestro_healer.evidence.nodeids import name_of, without_params
from pytest_maestro_healer.model import Evidence, Failure
from pytest_maestro_healer.strategies.assertion_update.strings import changes

#: How much an example counts; how many versions are looked at; words that turn a sentence round.
_OUTRIGHT, _VERSIONS = 0.9, 12
_DOUBT = re.compile(
    r"(?i)\b(?:never|must(?: not|n't)|should(?: not|n't)|do(?: not|n't)|unlike|except|while|until|temporar\w*|for now|wrong\w*|bug)\b"
)
#: What a document says of itself that a program makes, in so many of its first lines.
_GENERATED, _HEAD = re.compile(r"(?i)\b(?:auto[- ]?)?generated\b|\bdo not edit\b"), 15
_DOCS = (".md", ".rst", ".txt", ".adoc")
_WORD = re.compile(r"[^\W_]+(?:[._-][^\W_]+)*")


def fragments(old: str, new: str) -> list[str]:
    """What is new in ``new``, grown to whole words; empty where nothing of it could be recognised elsewhere."""
    out = []
    for _, _, j1, j2 in changes(old, new):
        while j1 > 0 and _joins(new[j1 - 1]):
            j1 -= 1
        while j2 < len(new) and _joins(new[j2]):
            j2 += 1
        out.append(new[j1:j2].strip("'\"\\, ()[]{}"))
    return [f for f in dict.fromkeys(out) if _WORD.search(f)]


def _joins(char: str) -> bool:
    return char.isalnum() or char in "_."


def product_hunks(ctx: Context) -> tuple[Hunk, ...]:
    """What changed outside the tests: uncommitted, or with the newest commit where nothing is uncommitted."""
    if not ctx.git.available:
        return ()
    found = tuple(h for h in ctx.git.hunks() if not ctx.is_test_code(h.path))
    return found or tuple(h for h in ctx.git.hunks("HEAD~1", "HEAD") if not ctx.is_test_code(h.path))


def stands_in(parts: Sequence[str], lines: Sequence[str]) -> bool:
    """Whether every fragment occurs, as whole words, in the lines."""
    text = "\n".join(lines)
    return bool(parts) and all(re.search(rf"(?<![\w.]){re.escape(p)}(?![\w])", text) for p in parts)


def corroboration(ctx: Context, failure: Failure, old: str, new: str, subject: Sequence[str] = (), call: str = "", value: str = "") -> list[Evidence]:
    """Independent facts (at most one of a kind) that show the new value where the product's authors wrote it.

    ``subject`` are names of the called product code: a short number counts only next to one of them. ``call`` gives ``value`` (both source).
    """
    parts = fragments(old, new)
    if not parts:
        return []
    gone = fragments(new, old)
    documents = list(shown(ctx, call, value, parts)) or list(_in_docs(ctx, parts, gone, subject))
    out = [*_in_product(ctx, parts, gone), *documents, *_in_passing_test(ctx, failure, parts, new)]
    return out[:3]


def _in_product(ctx: Context, parts: Sequence[str], gone: Sequence[str]) -> Iterator[Evidence]:
    """The product's own change brings the value in. One that it has elsewhere already may have been copied by mistake, and where the old one
    still stands the change is half done."""
    for h in product_hunks(ctx):
        if not h.path.endswith(_DOCS) and stands_in(parts, h.added) and not stands_in(parts, h.removed):
            was, now = _lines(ctx.git.bytes_at(h.path, _base(ctx))), _lines(ctx.files.read(h.path))
            if stands_in(parts, was) or (_telling(gone) and stands_in(gone, now)):
                continue
            commit = f" in {h.commit[:7]}" if h.commit and h.commit != "HEAD" else ""
            yield Evidence("git", f"the new value {_short(parts)} stands in what changed in {h.path}{commit}", f"{h.path}:{h.new_line}", 0.8)
            return


def _lines(data: bytes | None) -> list[str]:
    return (data or b"").decode("utf-8", "replace").splitlines()


def _base(ctx: Context) -> str:
    """What :func:`product_hunks` are differences to."""
    return "HEAD" if any(not ctx.is_test_code(h.path) for h in ctx.git.hunks()) else "HEAD~1"


def outright(facts: Sequence[Evidence]) -> bool:
    """Whether the product's own change brings the value in and a document of the same change shows this very call giving it."""
    return {"git", "docs"} <= {e.kind for e in facts} and any(e.kind == "docs" and e.weight >= _OUTRIGHT for e in facts)


def shown(ctx: Context, call: str, value: str, parts: Sequence[str]) -> Iterator[Evidence]:
    """A line that was added to a document together with the product's change and shows the very ``call`` (source) with ``value`` (source) as its
    result: an example at a prompt, or call and value on one line as code.

    A sentence about a function, however clear, may be of another case of it. A document that a program makes of the code says what the code does,
    right or wrong; so may one whose examples came with the change: at a prompt the very call has to have stood there before.
    """
    asked, given = _called(call), _literal(value)
    if asked is None or given is None or not ctx.git.available or _had(ctx, parts):
        return
    for h in product_hunks(ctx):
        for i, line in enumerate(h.added if h.path.endswith(_DOCS) else ()):
            prompt = re.match(r"\s*>>>\s*(.+)", line)
            codes = re.findall(r"`+([^`]+)`+", line)
            said = [prompt[1]] if prompt else codes
            if not any(_called(c) == asked for c in said) or _made(ctx, h.path, asked, prompted=prompt is not None):
                continue
            results = [h.added[i + 1].strip()] if prompt and i + 1 < len(h.added) else [c for c in codes if _called(c) is None]
            if any(_literal(r) == given for r in results) and not _DOUBT.search(line):
                yield Evidence("docs", f"{h.path} now shows {call} giving {_short([value])}", f"{h.path}:{h.new_line + i}", _OUTRIGHT)
                return


def _made(ctx: Context, path: str, asked: str, *, prompted: bool) -> bool:
    """Whether a program may have made a document: it says so, or what it shows at a prompt was not there before the change."""
    now, was = _lines(ctx.files.read(path)), _lines(ctx.git.bytes_at(path, _base(ctx)))
    if any(_GENERATED.search(line) for line in now[:_HEAD]):
        return True
    return prompted and not any(_called(m[1]) == asked for line in was if (m := re.match(r"\s*>>>\s*(.+)", line)))


def _called(source: str) -> str | None:
    """A call without the module or object that it is taken from, in one notation; ``None`` for anything else."""
    try:
        node = ast.parse(source.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return None
    if not isinstance(node, ast.Call):
        return None
    name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
    return f"{name}({', '.join(map(ast.unparse, node.args))}; {', '.join(sorted(map(ast.unparse, node.keywords)))})"


def _literal(source: str) -> str | None:
    try:
        return repr(ast.literal_eval(source.strip()))
    except (ValueError, SyntaxError, TypeError, MemoryError):
        return None


def _in_docs(ctx: Context, parts: Sequence[str], gone: Sequence[str], subject: Sequence[str]) -> Iterator[Evidence]:
    """Somebody wrote the value down as what it is now: beside the name of what gives it, or in place of the old one.

    That a word occurs in a note may have any other reason.
    """
    names = [re.compile(rf"(?<!\w){re.escape(s)}(?!\w)") for s in subject]
    for h in product_hunks(ctx):
        instead = bool(gone) and stands_in(gone, h.removed) and not stands_in(gone, h.added)
        beside = any(stands_in(parts, [line]) and any(n.search(line) for n in names) for line in h.added)
        if h.path.endswith(_DOCS) and stands_in(parts, h.added) and (beside or instead):
            yield Evidence("docs", f"{h.path} now says {_short(parts)}", f"{h.path}:{h.new_line}", 0.8)
            return
    newest = ctx.git.commits(limit=1) if ctx.git.available else ()
    for commit, message in newest:
        if stands_in(parts, [message]) and (stands_in(gone, [message]) or any(n.search(message) for n in names)):
            yield Evidence("docs", f"commit {commit[:7]} says: {message}", commit[:7], 0.7)
            return


def _had(ctx: Context, parts: Sequence[str]) -> bool:
    """Whether what changed had the new value before already, before it had the old one: an old version may have come back."""
    paths = [h.path for h in product_hunks(ctx) if not h.path.endswith(_DOCS)]
    return any(
        stands_in(parts, _lines(ctx.git.bytes_at(path, commit)))
        for path in dict.fromkeys(paths)
        for commit, _ in ctx.git.commits(path, limit=_VERSIONS)[1:]
    )


def _in_passing_test(ctx: Context, failure: Failure, parts: Sequence[str], new: str) -> Iterator[Evidence]:
    """A passing test that expects the whole new text since the product changed; what it expected before, it expects of something else."""
    if len(new) < 4 or not _telling([new]):
        return
    hunks = (*ctx.git.hunks(), *ctx.git.hunks("HEAD~1", "HEAD")) if ctx.git.available else ()
    fresh = {h.path for h in hunks if any(new in line for line in h.added) and not any(new in line for line in h.removed)}
    mine = without_params(failure.nodeid)
    passing = {without_params(n) for n in ctx.passed} - {mine}
    for src in ctx.test_files_with(parts[0]):
        line = next((n for n, text in enumerate(src.lines, 1) if new in text), 0)
        if not line or src.path not in fresh:
            continue
        name = _function_around(src.lines, line)
        for nodeid in passing:
            if nodeid.startswith(src.path + "::") and name_of(nodeid) == name:
                yield Evidence("value", f"the passing test {name} already expects {_short([new])}", f"{src.path}:{line}", 0.7)
                return


def _function_around(lines: Sequence[str], line: int) -> str:
    for text in reversed(lines[:line]):
        if m := re.match(r"\s*(?:async\s+)?def\s+(\w+)", text):
            return m[1]
    return ""


def _telling(parts: Sequence[str]) -> bool:
    return any(len(p) >= 4 for p in parts)


def _short(parts: Sequence[str]) -> str:
    text = ", ".join(repr(p) for p in parts[:3])
    return text if len(text) <= 120 else text[:117] + "..."


def contradiction(ctx: Context, subject: Sequence[str], old: str, new: str) -> Evidence | None:
    """A doctest in the product or its documents that still promises the old value for the same call."""
    names = [s for s in subject if len(s) > 2]
    if not names or not old or old == new:
        return None
    paths = [h.path for h in product_hunks(ctx)] or []
    documents = [p for p in ("README.md", "README.rst", "README.txt", "docs/index.md", "docs/index.rst") if p not in paths]
    for path in dict.fromkeys([*paths, *documents]):
        lines = src.lines if (src := ctx.source(path)) else []
        for line, text in enumerate(lines[:-1], 1):
            called = text.lstrip().startswith(">>>") and any(re.search(rf"\b{re.escape(n)}\(", text) for n in names)
            if called and lines[line].strip() in (old, old.replace('"', "'")):
                return Evidence("docs", f"{path}:{line} still promises {old}", f"{path}:{line}", 0.8)
    return None
