"""Names that are reached in another form: ``grand_total`` as ``grandTotal``, ``--grand-total``, ``SHOP_GRAND_TOTAL`` or ``clean_grand_total``.

A product that works with names as data (fields that become options, classes that become tables, members that are looked up by a text) is not followed
by renaming one of them everywhere: whoever says another form of it is left behind.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from weakref import WeakKeyDictionary

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.evidence.files import ProjectFiles

Parts = tuple[str, ...]
#: Words shorter than this stand in others by chance.
_SHORT = 3
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_NAMED = frozenset({"__name__", "__qualname__", "__dict__", "__annotations__", "__members__", "__dataclass_fields__", "__slots__", "_fields"})
_LISTED = frozenset({"fields", "asdict", "vars", "globals", "locals", "signature", "get_type_hints", "_asdict", "__subclasses__", "getmembers"})
_PARSES = frozenset({"parse_args", "parse_known_args", "parse_intermixed_args"})
_BY_TEXT = frozenset({"getattr", "setattr", "hasattr", "delattr"})


def parts_of(name: str) -> Parts:
    """The words of a name in whatever form, in small letters: ``GrandTotal``, ``grand-total`` and ``GRAND_TOTAL`` have the same."""
    return tuple(w.lower() for w in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name))


def names_as_data(tree: ast.Module, *, member: bool) -> bool:
    """Whether code works with names as data: reads them, lists them, or reaches something by a name that is not written there.

    ``member`` says that the name in question may be one of an enumeration, whose ``.name`` is read then.
    """
    return any(_by_name(node, member) for node in ast.walk(tree))


def _by_name(node: ast.AST, member: bool) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr in _NAMED or (member and node.attr == "name" and isinstance(node.ctx, ast.Load))
    if isinstance(node, ast.Subscript):
        return (
            member
            and isinstance(node.value, ast.Name)
            and node.value.id[:1].isupper()
            and isinstance(node.slice, (ast.Call, ast.BinOp, ast.JoinedStr))
        )
    if isinstance(node, ast.Call):
        called = last_name(node.func)
        if called in _BY_TEXT:
            return len(node.args) > 1 and not isinstance(node.args[1], ast.Constant)
        if called in _PARSES and any(k.arg == "namespace" for k in node.keywords):
            return True  # options become the attributes of an object by their names
        # keywords that come from somewhere: not those that a function merely hands on
        return called in _LISTED or any(k.arg is None and not isinstance(k.value, ast.Name) for k in node.keywords)
    return False


def near(ctx: Context, words: Sequence[str]) -> dict[str, ast.Module]:
    """Product modules that say one of ``words``, those that they import, and those that import them: path -> tree."""
    asked = _NEAR.setdefault(ctx.files, {})
    key = frozenset(words)
    if key not in asked:
        trees = {p: t for p in ctx.files.product_files if (t := ctx.symbols.tree(p)) is not None}
        says = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(key)))})\b".encode()) if key else re.compile(rb"(?!)")
        mine = {p for p in trees if says.search(ctx.symbols.read(p))}
        out = mine | {q for p in mine for q in ctx.variables.imported(p)} | {p for p in trees if not mine.isdisjoint(ctx.variables.imported(p))}
        asked[key] = {p: trees[p] for p in sorted(out) if p in trees}
    return asked[key]


#: What was asked of a project's product files already; one run does not change them.
_NEAR: WeakKeyDictionary[ProjectFiles, dict[frozenset[str], dict[str, ast.Module]]] = WeakKeyDictionary()


def composed(trees: dict[str, ast.Module], word: str) -> str:
    """``path:line`` where names are put together that ``word`` is one of, or by which a definition goes that is named after it."""
    own = parts_of(word)
    made: dict[Parts, str] = {}
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, _FUNCTIONS):
                made.setdefault(parts_of(node.name), f"{path}:{node.lineno}")
    for path, tree in trees.items():
        for line, piece in _pieces(tree):
            part = parts_of(piece)
            if word != piece and (word.startswith(piece) or word.endswith(piece)) and part in (own[: len(part)], own[-len(part) :]):
                return f"{path}:{line}"
            found = made.get((*part, *own)) or made.get((*own, *part))
            if found:
                return found
    return ""


def _pieces(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """(line, text) of what stands beside something else in a text that is put together, where it may be a piece of a name."""
    for node in ast.walk(tree):
        values: list[ast.expr] = []
        if isinstance(node, ast.JoinedStr):
            values = list(node.values)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Mod)):
            values = [node.left, node.right]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
            values = [node.func.value]
        for value in values:
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                for piece in re.split(r"%\w|%\(\w*\)\w|\{\w*\}", value.value):
                    if re.fullmatch(r"[A-Za-z_]\w+", piece):
                        yield value.lineno, piece


def said_as_text(trees: dict[str, ast.Module], word: str, instead: Sequence[str]) -> str:
    """``path:line`` of a text in code that is the name in another form, alone or in the plural."""
    own, heirs = parts_of(word), {parts_of(w) for w in instead}
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"[\w-]{3,60}", node.value) and node.value != word:
                said = parts_of(node.value)
                if said not in heirs and _same(said, own):
                    return f"{path}:{node.lineno}"
    return ""


def _same(said: Parts, own: Parts) -> bool:
    return bool(own) and said[:-1] == own[:-1] and bool(said) and said[-1] in (own[-1], own[-1] + "s")


def line_in(text: str, word: str, instead: Sequence[str], *, prose: bool) -> int:
    """The line of a text that says another form of ``word``, or a longer name that it is a part of; in ``prose`` only what is no plain word."""
    own = parts_of(word)
    if not own or len("".join(own)) <= _SHORT:
        return 0
    heirs = {parts_of(w) for w in instead}
    pattern = re.compile(r"(?<![\w-])[\w-]*?" + r"[_-]?".join(map(re.escape, own)) + r"[\w-]*", re.IGNORECASE)
    for number, line in enumerate(text.splitlines(), 1):
        for m in pattern.finditer(line):
            token = m[0]
            if prose and not re.search(r"\w_\w|[a-z][A-Z]|^--", token):
                continue
            said = parts_of(token)
            spans = [said[i : i + len(own)] for i in range(len(said) - len(own) + 1)]
            if any(_same(s, own) for s in spans) and not any(h and h == said[i : i + len(h)] for h in heirs for i in range(len(said))):
                return number
    return 0


def file_of(paths: Sequence[str], word: str) -> str:
    """A data file or folder that is called by the name, in whatever form."""
    own = parts_of(word)
    for path in paths:
        *folders, name = path.split("/")
        if (
            not name.endswith((".py", ".pyi"))
            and len("".join(own)) > _SHORT
            and own in (parts_of(name.partition(".")[0]), *map(parts_of, folders[-1:]))
        ):
            return path
    return ""


#: Code in whatever language that makes a plural of what it is given.
_PLURAL = re.compile(r"""\+\s*["'`]e?s(?:/[^"'`]*)?["'`]|(?<=\})e?s(?:/[^"'`]*)?["'`]|["'`]/?%se?s["'`]""")


def singular_in(text: str, said: str) -> int:
    """The line of a file that says the singular of a route's or key's last word as a text of its own, where the file makes plurals; 0 if none does.

    So does ``for (const kind of ['order']) load('/' + kind + 's')`` of ``/orders``.
    """
    one = re.fullmatch(r"(?:.*\W)?([A-Za-z]{2,}?)e?s", said)
    if one is None or not _PLURAL.search(text):
        return 0
    pattern = re.compile(rf"[\"'`]{re.escape(one[1])}e?[\"'`]")
    return next((number for number, line in enumerate(text.splitlines(), 1) if pattern.search(line)), 0)
