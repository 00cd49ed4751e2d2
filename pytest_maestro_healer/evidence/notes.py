"""What installed packages say about their own changes: docstrings, shims, changelogs; and which name took the place of another."""

from __future__ import annotations

import ast
import contextlib
import importlib.metadata
import inspect
import re
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_RENAME = re.compile(
    r"(?i)renam|former|previous|used to be|alias|deprecat|instead|replac|supersed|versionchanged|versionadded|old name|new name|\bmoved\b|\bnow\b"
)
_FILES = re.compile(r"(?i)^(changes|changelog|history|news|release|migrat|upgrad|whatsnew|what_s_new).*")
_LIMIT = 400_000
#: How a warning or an error names what to use: the text after the word is the successor.
_SUCCESSOR = (
    re.compile(
        r"(?i)\b(?:please\s+)?use\s+(?:the\s+)?(?:new\s+)?(?:function|method|class|attribute|property|parameter|argument|keyword|option)?\s*[`'\"]*([A-Za-z_][\w.]*)(\(\))?[`'\"]*"
    ),
    re.compile(r"(?i)\b(?:renamed|moved|changed)\s+(?:to|as|into)\s+[`'\"]*([A-Za-z_][\w.]*)(\(\))?[`'\"]*"),
    re.compile(r"(?i)\b(?:replaced|superseded)\s+(?:by|with)\s+[`'\"]*([A-Za-z_][\w.]*)(\(\))?[`'\"]*"),
    re.compile(r"(?i)\bin\s+favou?r\s+of\s+(?:the\s+)?[`'\"]*([A-Za-z_][\w.]*)(\(\))?[`'\"]*"),
    re.compile(r"(?i)\bimport(?:ing)?\s+it\s+from\s+[`'\"]*([A-Za-z_][\w.]*)(\(\))?[`'\"]*"),
    re.compile(r"(?i)[`'\"]([A-Za-z_][\w.]*)(\(\))?[`'\"]\s+(?:should\s+be\s+used\s+)?instead\b"),
    re.compile(r"(?i)\bavailable\s+(?:in|as)\s+[`'\"]+([A-Za-z_][\w.]*)(\(\))?[`'\"]+"),
)
_NOISE = frozenset(
    [
        "the",
        "a",
        "an",
        "it",
        "this",
        "that",
        "instead",
        "of",
        "new",
        "old",
        "with",
        "for",
        "from",
        "in",
        "on",
        "to",
        "is",
        "be",
        "another",
        "different",
        "keyword",
        "argument",
        "parameter",
        "method",
        "function",
        "class",
    ]
)


@dataclass(frozen=True)
class Word:
    """A successor that a text names: ``name``, whether it is written as a call, and the sentence."""

    name: str
    is_call: bool
    text: str


def successors_in(text: str) -> Sequence[Word]:
    """The names that a deprecation text tells to use, in the order of the text's own emphasis."""
    out: list[Word] = []
    for pattern in _SUCCESSOR:
        for m in pattern.finditer(text):
            name = m[1].rstrip(".")
            if name.lower() not in _NOISE and all(w.name != name for w in out):
                out.append(Word(name, bool(m[2]), text.strip()[:200]))
    return out


def plain(name: str) -> str:
    """A name without case and underscores: spellings of one name are equal."""
    return name.replace("_", "").lower()


def documented(obj: object, old: str) -> tuple[str, str] | None:
    """(member, sentence): the one member of ``obj`` whose docstring says that it is what ``old`` was; ``None`` without exactly one."""
    word = re.compile(rf"(?<![\w.]){re.escape(old)}(?!\w)")
    found: dict[str, str] = {}
    for name in _dir(obj):
        if name == old or name.startswith("__"):
            continue
        text = _doc(obj, name)
        for sentence in re.split(r"(?<=[.;])\s|\n\s*\n|\n\s*\.\. ", text):
            if word.search(sentence) and _RENAME.search(word.sub("", sentence)):
                found.setdefault(name, " ".join(sentence.split())[:160])
    return next(iter(found.items())) if len(found) == 1 else None


#: How a text says that an argument brings back what was before, and how it writes the argument.
_FORMER = re.compile(
    r"(?i)\b(?:previous|prior|old|older|former|earlier|legacy|original)\b[\w\s`'-]{0,30}?\b(?:behaviou?rs?|values?|results?|defaults?|semantics|output|format|style)\b"
    r"|\b(?:restore|retain|keep|preserve|get back|go back|revert|return)\b.{0,40}?\b(?:previous|old|older|former|earlier|legacy)\b",
    re.S,
)
_ARGUMENT = re.compile(r"(?<![\w.])([a-z_]\w*)\s?=\s?(True|False|None|-?\d+(?:\.\d+)?(?![\w.]*\w)|\"[^\"\n]{0,40}\"|'[^'\n]{0,40}')")


def former_arguments(text: str) -> Sequence[tuple[str, str, str]]:
    """(parameter, value, sentence) of the arguments that a text says give the former behaviour."""
    out: list[tuple[str, str, str]] = []
    for sentence in re.split(r"(?<=[.;])\s|\n\s*\n|\n\s*[-*+] |\n\s*\.\. ", text):
        if len(sentence) < 800 and "=" in sentence and _FORMER.search(sentence):
            out += [(m[1], m[2], " ".join(sentence.split())[:200]) for m in _ARGUMENT.finditer(sentence)]
    return tuple(dict.fromkeys(out))


def documentation(obj: object) -> str:
    """The docstring of a callable; for a class its constructor's as well."""
    parts = [getattr(obj, "__doc__", "")]
    if inspect.isclass(obj):
        parts.append(getattr(obj.__init__, "__doc__", ""))
    return "\n\n".join(p for p in parts if isinstance(p, str))


def _dir(obj: object) -> list[str]:
    try:
        return [n for n in dir(obj) if isinstance(n, str)]
    except Exception:  # a foreign __dir__ may raise anything
        return []


def _doc(obj: object, name: str) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            member = inspect.getattr_static(obj, name)
            member = getattr(member, "__func__", None) or getattr(member, "fget", None) or member
            if not (callable(member) or isinstance(inspect.getattr_static(obj, name), property)):
                return ""
            return str(getattr(member, "__doc__", "") or "")
    except Exception:  # lazy members may raise on access
        return ""


def parameter_documented(doc: str, old: str, candidates: Sequence[str]) -> tuple[str, str] | None:
    """(parameter, sentence): the one candidate that a docstring names together with ``old`` where it speaks of a change."""
    word = re.compile(rf"(?<![\w.]){re.escape(old)}(?!\w)")
    found: dict[str, str] = {}
    for sentence in re.split(r"(?<=[.;])\s|\n\s*\n|\n\s*\.\. ", doc):
        if word.search(sentence) and _RENAME.search(word.sub("", sentence)):
            for c in candidates:
                if _tied(sentence, old, c):
                    found.setdefault(c, " ".join(sentence.split())[:160])
    return next(iter(found.items())) if len(found) == 1 else None


def _tied(sentence: str, old: str, new: str) -> bool:
    """Whether a word of change in a sentence is about these two names: none that is of another piece of code lies in between.

    "Alias for `show()` that prints `n` of the `rows`" speaks of neither ``n`` nor ``rows``.
    """
    places = [[m.span() for m in re.finditer(rf"(?<![\w.]){re.escape(n)}(?!\w)", sentence)] for n in (old, new)]
    other = re.compile(r"`[^`]*\w[^`]*`|\w\(\)")
    for m in _RENAME.finditer(sentence):
        for a, b in ((a, b) for a in places[0] for b in places[1]):
            if any(start <= m.start() < end for start, end in (a, b)):
                continue
            first, last = min(a, b), max(a, b)
            if first[1] <= m.start() < last[0]:
                return True
            gap = sentence[m.end() : first[0]] if m.start() < first[0] else sentence[last[1] : m.start()]
            if not other.search(gap.strip("`")):
                return True
    return False


def release_notes(top: str) -> Sequence[tuple[str, str]]:
    """(file, text) of the changelogs that ship with an installed package: beside it, in it, in its metadata."""
    return _release_notes(top, str(getattr(sys.modules.get(top), "__file__", None) or ""))


@lru_cache(maxsize=64)
def _release_notes(top: str, path: str) -> Sequence[tuple[str, str]]:
    out: list[tuple[str, str]] = []
    folders: list[Path] = []
    if path:
        folders += [Path(path).parent]
    names = importlib.metadata.packages_distributions().get(top, [])
    for name in dict.fromkeys(names):
        try:
            dist = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        out.append((f"{name} {dist.version} metadata", (dist.read_text("METADATA") or "").partition("\n\n")[2][:_LIMIT]))
        for shipped in dist.files or ():
            if _FILES.match(shipped.name) and shipped.suffix.lower() in (".rst", ".md", ".txt", ""):
                folders.append(Path(str(dist.locate_file(shipped))))
    for place in dict.fromkeys(folders):
        files = [place] if place.is_file() else sorted(p for p in place.iterdir() if _FILES.match(p.name) and p.is_file()) if place.is_dir() else []
        for file in files[:5]:
            if file.suffix.lower() in (".rst", ".md", ".txt", ""):
                try:
                    out.append((file.name, file.read_text(encoding="utf-8", errors="replace")[:_LIMIT]))
                except OSError:
                    continue
    return out


def noted(top: str, old: str, candidates: Sequence[str]) -> tuple[str, str, str] | None:
    """(candidate, sentence, file): the one candidate that a changelog of package ``top`` names beside ``old`` as its change."""
    word = re.compile(rf"(?<![\w.-]){re.escape(old)}(?!\w)")
    found: dict[str, tuple[str, str]] = {}
    for file, text in release_notes(top):
        for entry in re.split(r"\n\s*\n|\n\s*[-*+] ", text):
            if len(entry) < 1200 and word.search(entry) and _RENAME.search(word.sub("", entry)):
                for c in candidates:
                    if c != old and len(c) > 2 and re.search(rf"(?<![\w-]){re.escape(c)}(?!\w)", entry):
                        found.setdefault(c, (" ".join(entry.split())[:160], file))
    if len(found) != 1:
        return None
    name, (sentence, file) = next(iter(found.items()))
    return name, sentence, file


def parameter_removed(top: str, function: str, name: str) -> tuple[str, str] | None:
    """(sentence, file) of a changelog entry that says that a parameter of ``function`` was removed or has no effect any more."""
    words = [re.compile(rf"(?<![\w-]){re.escape(w)}(?!\w)") for w in (name, function)]
    gone = re.compile(r"(?i)\bremov|\bdrop|no longer (?:accepts?|takes?|has|supports?)|no effect")
    for file, text in release_notes(top):
        for entry in re.split(r"\n\s*\n|\n\s*[-*+] ", text):
            if len(entry) < 600 and all(w.search(entry) for w in words) and gone.search(entry):
                return " ".join(entry.split())[:160], file
    return None


def deprecation_in_code(top: str, old: str, candidates: Sequence[str]) -> tuple[str, str, str] | None:
    """(candidate, sentence, module): the one candidate that a text in the code names as what took the place of ``old``.

    The loaded modules of package ``top`` and of what it requires are read: a wrapper hands keywords on, and the wrapped package says in its
    own deprecation what they became.
    """
    word, quoted = re.compile(rf"\b{re.escape(old)}\b"), r"[`'\"]{}=?[`'\"]"
    found: dict[str, tuple[str, str]] = {}
    for module, text in _sources(top):
        if not word.search(text) or not any(c in text for c in candidates):
            continue
        for sentence in _strings(text, old):
            if re.search(quoted.format(re.escape(old)), sentence) and _RENAME.search(word.sub("", sentence)):
                for c in candidates:
                    if c != old and re.search(quoted.format(re.escape(c)), sentence) and _tied(sentence, old, c):
                        found.setdefault(c, (" ".join(sentence.split())[:160], module))
    if len(found) != 1:
        return None
    name, (sentence, module) = next(iter(found.items()))
    return name, sentence, module


def _sources(top: str) -> Iterator[tuple[str, str]]:
    tops = {top}
    for name in importlib.metadata.packages_distributions().get(top, []):
        try:
            wanted = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        tops |= {re.split(r"[^\w.-]", r, maxsplit=1)[0].lower().replace("-", "_") for r in wanted if "extra ==" not in r}
    for module, loaded in sorted(sys.modules.items()):
        path = str(getattr(loaded, "__file__", None) or "")
        if module.partition(".")[0] in tops and path.endswith(".py"):
            with contextlib.suppress(OSError):
                yield module, Path(path).read_text(encoding="utf-8", errors="replace")[:_LIMIT]


def _strings(text: str, word: str) -> Iterator[str]:
    """The messages of a module that contain a word: string literals that are used, and short; docstrings only describe."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return
    described = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or id(node) in described:
            continue
        if isinstance(node.value, str) and word in node.value and len(node.value) < 400:
            yield node.value


def removal_noted(top: str, old: str) -> tuple[str, str] | None:
    """(sentence, file) of a changelog entry that says that ``old`` was removed."""
    word = re.compile(rf"(?<![\w.-]){re.escape(old)}(?!\w)")
    for file, text in release_notes(top):
        for entry in re.split(r"\n\s*\n|\n\s*[-*+] ", text):
            if len(entry) < 1200 and word.search(entry) and re.search(r"(?i)\bremov|\bdrop|no longer", entry):
                return " ".join(entry.split())[:160], file
    return None
