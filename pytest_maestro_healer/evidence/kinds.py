"""What kind of value an argument is and a parameter takes, as far as literals, defaults, annotations and documented types tell."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Mapping

from pytest_maestro_healer.evidence.signatures import Param

#: Words of an annotation or of a documented type, and the kind that they mean.
_WORDS = {
    "bool": "bool", "boolean": "bool",
    "int": "number", "integer": "number", "float": "number", "number": "number", "scalar": "number", "double": "number", "complex": "number",
    "str": "text", "string": "text", "bytes": "bytes",
    "list": "sequence", "tuple": "sequence", "sequence": "sequence", "iterable": "sequence", "array": "sequence", "ndarray": "sequence",
    "dict": "mapping", "mapping": "mapping", "set": "set", "frozenset": "set",
    "none": "none", "optional": "none", "nonetype": "none", "null": "none",
    "true": "bool", "false": "bool",
}  # fmt: skip
#: Words that say nothing of the kind.
_FILLERS = frozenset(
    ["or", "and", "of", "a", "an", "the", "if", "not", "given", "default", "defaults", "is", "in", "with", "positive", "negative", "non",
     "one", "two", "three", "pair", "length", "by", "to", "be", "must", "typing"]
)  # fmt: skip
#: A class by its place or in a reference; aliases of typing and the like may be anything.
_CLASS = re.compile(r"(?!typing|collections\.abc|numpy\.typing)(?:~[\w.]*|[\w.]*\.)(?!Any$)[A-Z]\w*(?<!Like)(?<!Type)")
_ENTRY = re.compile(r"^[ \t]*\*{0,2}([A-Za-z_][\w]*(?:[ \t]*,[ \t]*\*{0,2}[A-Za-z_]\w*)*)(?:[ \t]+:[ \t]+(.+)|[ \t]\((.+?)\)[ \t]*:.*)$", re.M)
_FIELD = re.compile(r"^[ \t]*:type\s+(\w+)\s*:\s*(.+)$|^[ \t]*:param\s+([^:\n]+?)\s+(\w+)\s*:", re.M)


def of_value(node: ast.expr) -> str:
    """The kind of a literal (none, bool, number, text, bytes, sequence, mapping, set); ``""`` for anything else."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        return "number" if of_value(node.operand) == "number" else ""
    if isinstance(node, ast.Constant):
        value = node.value
        if value is None:
            return "none"
        for kind, types in (("bool", bool), ("number", (int, float, complex)), ("text", str), ("bytes", bytes)):
            if isinstance(value, types):
                return kind
        return ""
    if isinstance(node, (ast.List, ast.Tuple, ast.ListComp)):
        return "sequence"
    if isinstance(node, (ast.Dict, ast.DictComp)):
        return "mapping"
    return "set" if isinstance(node, (ast.Set, ast.SetComp)) else "text" if isinstance(node, ast.JoinedStr) else ""


def documented_types(doc: str) -> dict[str, str]:
    """Parameter -> documented type, from the numpy, Google and Sphinx ways to write docstrings."""
    out: dict[str, str] = {}
    for m in _ENTRY.finditer(inspect.cleandoc(doc)):
        for name in re.split(r"\s*,\s*\**", m[1]):
            out.setdefault(name, (m[2] or m[3]).strip())
    for m in _FIELD.finditer(doc):
        out.setdefault(m[1] or m[4], m[2] or m[3])
    return out


def of_type(text: str) -> frozenset[str] | None:
    """The kinds that a written type admits; ``None`` where it has words that nobody here knows."""
    written = text
    if re.search(r"[{].*[}]", text):  # {'a', 'b'}: one of these
        inner = text[text.index("{") + 1 : text.rindex("}")]
        text = re.sub(r"[{].*[}]", " str " if re.search(r"['\"]", inner) else " " + inner + " ", text)
    text = re.sub(r"(?i)[,;(]?\s*default\b.*", " ", re.sub(r"(['\"`]{1,2})(?![~.\w]*\.)[\w -]*\1", _quoted, text))
    text = re.sub(r"\[[^\[\]]*\]", _inside, re.sub(r"\[[^\[\]]*\]", _inside, text))
    kinds: set[str] = {"sequence"} if re.search(r"\([^()]*,[^()]*\)", text) else set()
    for word in re.findall(r"[A-Za-z_~.][\w.]*", text):
        plain = word.lower().rpartition(".")[2]
        if plain in _FILLERS or plain == "union":
            continue
        known = _WORDS.get(plain) or _WORDS.get(plain.removesuffix("s")) or ("object" if _CLASS.fullmatch(word) else None)
        if known is None:
            return None
        kinds.add(known)
    if not re.search(r"\bor\b|[|]|Union|Optional", written) and sum(bool(_known(part)) for part in text.split(",")) > 1:
        kinds.add("sequence")  # "float, float": a pair
    return frozenset(kinds) or None


def _known(text: str) -> bool:
    return any(_WORDS.get(word.lower(), "none") != "none" for word in re.findall(r"\w+", text))


def _quoted(m: re.Match[str]) -> str:
    word = m[0].strip("`'\"")
    return f" ~{word} " if m[1].startswith("`") and word[:1].isupper() else f" {word} " if m[1].startswith("`") else " str "


def _inside(m: re.Match[str]) -> str:
    """What stands in brackets belongs to an element; of ``Optional`` and ``Union`` it is the type itself."""
    before = m.string[: m.start()].rpartition("Optional")[2] == "" or m.string[: m.start()].rpartition("Union")[2] == ""
    return " " + m[0][1:-1] + " " if before else " "


def of_parameter(param: Param, types: Mapping[str, str]) -> tuple[frozenset[str] | None, bool]:
    """(kinds, whether that is written down) that a parameter takes: by its documented type, its annotation, else its default."""
    default = _default(param)
    for text in (types.get(param.name, ""), param.annotation):
        found = of_type(text) if text else None
        if found:
            return found | ({default} if default else set()), True
    if not default or default == "none" or types.get(param.name) or param.annotation:
        return None, False
    return frozenset({default}), False


def _default(param: Param) -> str:
    if param.default is None:
        return ""
    try:
        return of_value(ast.parse(param.default, mode="eval").body)
    except SyntaxError:
        return ""


def fits(node: ast.expr, param: Param, types: Mapping[str, str]) -> bool | None:
    """Whether a value is of a kind that a parameter takes; ``None`` where one of the two is not known."""
    kind = of_value(node)
    takes, written = of_parameter(param, types)
    if not kind or takes is None:
        return None
    if kind in takes:
        return True
    if kind == "sequence" and "set" in takes:
        return None
    return None if written and kind == "none" and param.default is None else False
