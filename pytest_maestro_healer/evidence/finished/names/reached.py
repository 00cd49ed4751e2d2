"""Does a text reach a function or member by its name? As the name itself, a place where it is put in, or one word of a list."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from pytest_maestro_healer.evidence.expressions import last_name

#: Files of code in other languages, whose words are their own.
_CODE = re.compile(r"(?i)\.(?:[jt]sx?|s?css|less|[ch]|cc|[ch]pp|go|rs|java|rb|sh|bat|ps1|pl|php|svg|sql)$|(?:^|/)(?:Makefile|Dockerfile)$")
_TEMPLATE = re.compile(r"(?i)\.(?:html?|xml|j2|jinja2?|mustache|hbs|tmpl|tpl|mako)$")
#: What no list of names has among its words, but sentences have.
_FUNCTION_WORDS = frozenset({
    "a", "all", "an", "and", "any", "are", "as", "at", "be", "but", "by", "can", "cannot", "for", "from", "has", "if", "in", "into", "is", "it",
    "its", "must", "no", "none", "not", "of", "on", "only", "or", "out", "should", "than", "that", "the", "then", "there", "this", "to", "too",
    "until", "was", "were", "when", "which", "will", "with", "without", "you", "your",
})  # fmt: skip
#: What is given such a text as an argument tells it to somebody.
_TELLS = frozenset({"print", "debug", "info", "warning", "warn", "error", "exception", "critical", "log", "fail", "exit", "echo", "gettext", "_"})
_PROSE_KEYS = re.compile(r"(?i)(?:description|title|summary|help|label|text|message|comment|usage|epilog|doc|note)s?")
#: A format of log lines: what it puts in are members of the record.
_RECORD = re.compile(r"%\((?:asctime|levelname|message)\)")


def whole(text: str, name: str) -> bool:
    """Whether a text is the name, or a dotted path that ends with it, or puts a member of that name in."""
    n = re.escape(name)
    return re.fullmatch(rf"(?:[\w.]+[.:])?{n}", text) is not None or re.search(rf"\{{\{{?\s*[\w.]*\.{n}\b", text) is not None


def put_in(text: str, name: str) -> bool:
    """Whether a text has a place for the value of that name: ``{name}``, ``{{ name }}``, ``$name``, ``%(name)s``, ``{% if name %}``."""
    n = re.escape(name)
    if re.search(rf"%\({n}\)", text) and not _RECORD.search(text):
        return True
    return re.search(rf"\{{{n}[}}.\[!:]|\{{\{{[{{#^&]?\s*{n}\b|\$\{{?{n}\b|\{{%[^%\n]*\b{n}\b", text) is not None


def listed(text: str, name: str) -> bool:
    """Whether the name is one of several words that a text lists, and the text is no sentence: ``number total``, ``number, total``."""
    words = re.findall(r"\w+", text)
    if name not in words or len(words) < 2 or not re.fullmatch(r"\s*[\w.]+(?:\s*[,;|]\s*[\w.]+|\s+[\w.]+)*[\s,;|]*", text):
        return False
    if all(re.fullmatch(r"[\w.]+", part.strip()) for part in re.split(r"[,;|]", text.strip(" ,;|"))):
        return True
    return _FUNCTION_WORDS.isdisjoint(words) and all(w == w.lower() or "_" in w for w in words)


def line_reaching(tree: ast.Module, name: str) -> int:
    """The line of a module where a text reaches ``name``; what it documents or tells somebody is no such text. 0 if there is none."""
    documents = {id(e.value) for e in ast.walk(tree) if isinstance(e, ast.Expr) and isinstance(e.value, ast.Constant)}
    told, filled = set(_told(tree)), fills(tree, name)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documents:
            text = node.value
            if whole(text, name) or (put_in(text, name) and not filled) or (id(node) not in told and listed(text, name)):
                return node.lineno
    return 0


def fills(tree: ast.Module, name: str) -> bool:
    """Whether a call is given something by that keyword: ``'{name}'.format(name=...)`` puts that in, and no member."""
    return any(isinstance(n, ast.Call) and any(k.arg == name for k in n.keywords) for n in ast.walk(tree))


def _told(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        inner: list[ast.AST] = []
        if isinstance(node, (ast.Raise, ast.Assert, ast.JoinedStr)):
            inner = [node]
        elif isinstance(node, ast.Call):
            func = node.func
            tells = last_name(func) in _TELLS
            inner = [*(node.args if tells else ()), *(k.value for k in node.keywords if _PROSE_KEYS.fullmatch(k.arg or ""))]
        yield from (id(n) for i in inner for n in ast.walk(i) if isinstance(n, ast.Constant))


def line_of_data(path: str, text: str, name: str, *, ours: bool, filled: bool) -> int:
    """The line of a file that is no Python where ``name`` is reached without quotes: a value, an entry of a list, a place in a template. 0 if none.

    ``ours`` says that the product reads the file or ships it, ``filled`` that it gives something by that keyword.
    """
    if _CODE.search(path) or name not in text:
        return 0
    n = re.escape(name)
    word = re.compile(rf"(?<!\w){n}(?!\w)")
    template = not filled and (ours or _TEMPLATE.search(path) is not None)
    for number, line in enumerate(text.splitlines(), 1):
        if word.search(line) and ((template and put_in(line, name)) or (not _TEMPLATE.search(path) and _entry(line, name, n, ours=ours))):
            return number
    return 0


def _entry(line: str, name: str, n: str, *, ours: bool) -> bool:
    """Whether a line gives the name as a value or an entry of a list; in a file that is ``ours`` also as a key, or alone."""
    bare = re.sub(r"\s[#;].*", "", line).strip()
    item = re.fullmatch(r"-\s+(.*)", bare)
    bare = item[1] if item else bare
    pair = re.fullmatch(r"([\w.\" '-]+?)\s*[:=]\s*(.*)", bare)
    if pair is None:
        return (ours or item is not None) and (bare.strip(",\"'") == name or ("," in bare and listed(bare, name)))
    value = pair[2].strip("[]{}(),\"' ")
    if value == name or (listed(value, name) and not _PROSE_KEYS.fullmatch(pair[1].strip("\"' "))):
        return True
    return ours and pair[1].strip("\"' ") == name
