"""Applies table rows to one import: every use of the imported name is rewritten as its row says, or nothing is."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Callable, Sequence

from pytest_maestro_healer.errors import EditError
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.strategies.dependency_fix import blocks
from pytest_maestro_healer.strategies.dependency_fix.editor import FileEditor
from pytest_maestro_healer.strategies.dependency_fix.rules import Rule
from pytest_maestro_healer.strategies.dependency_fix.sites import Site, bound_at_module_level, chain_of, parents, uses

Lookup = Callable[[str], "tuple[Rule, str] | None"]
Use = ast.Name | ast.Attribute
_ATOMS = (ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp, ast.JoinedStr)


def table_lookup(table: dict[str, Rule]) -> Lookup:
    """(row, rest) for the longest prefix of a dotted name that has a row; a rest is allowed for moves only."""

    def look(dotted: str) -> tuple[Rule, str] | None:
        parts = dotted.split(".")
        for cut in range(len(parts), 0, -1):
            rule = table.get(".".join(parts[:cut]))
            if rule is not None and (cut == len(parts) or rule.kind == "move"):
                return rule, ".".join(parts[cut:])
        return None

    return look


def resolve_uses(site: Site, look: Lookup) -> list[tuple[Use, Rule, str]] | None:
    """(node, row, rest) for every use of what ``site`` binds, by the longest attribute chain that has a row; ``None`` if one has none.

    A name that a ``from`` import binds and that has a row itself counts as used through the row.
    """
    up = parents(site.src.tree) if site.src.tree is not None else {}
    out: list[tuple[Use, Rule, str]] = []
    for name in uses(site.scope, site.bound):
        chain = chain_of(name, up)
        dotted = site.dotted
        names = [dotted]
        for link in chain[1:]:
            assert isinstance(link, ast.Attribute)
            names.append(f"{names[-1]}.{link.attr}")
        best: tuple[Use, Rule, str] | None = None
        for node, full in zip(chain, names, strict=True):
            found = look(full)
            if found is not None and not (found[1] and best is not None):
                best = (node, found[0], found[1])
        if best is None:
            return None
        out.append(best)
    return out


def apply_rules(site: Site, look: Lookup, ctx: Context, editor: FileEditor, *, keep_import: bool = False) -> None:
    """Rewrite all uses of ``site`` and its import statement; raises EditError where one use does not fit its row."""
    resolved = resolve_uses(site, look)
    if resolved is None:
        raise EditError(f"a use of {site.bound} has no known successor")
    own = look(site.dotted)
    if own is not None and own[0].kind == "move" and (site.name or site.alias.asname or site.dotted == site.module):
        target = join(own[0].to, own[1])
        if not site.name and "." in site.module and not site.alias.asname and site.dotted != site.module:
            raise EditError("a plain import of a submodule")
        move_import(site, target, ctx, editor, resolved)
        return
    for node, rule, rest in resolved:
        rewrite(node, rule, rest, ctx, editor)
    if not keep_import:
        editor.drop(site)


def join(to: str, rest: str) -> str:
    """Dotted names joined."""
    return f"{to}.{rest}" if rest else to


def import_line(target: str, bound: str, ctx: Context) -> str:
    """The statement that binds ``bound`` to the module or name ``target``."""
    module, _, last = target.rpartition(".")
    if not module:
        return f"import {target}" if bound == target else f"import {target} as {bound}"
    if module == "builtins":
        return f"from builtins import {last}" + (f" as {bound}" if bound != last else "")
    return f"from {module} import {last}" + (f" as {bound}" if bound != last else "")


def move_import(site: Site, target: str, ctx: Context, editor: FileEditor, resolved: Sequence[tuple[Use, Rule, str]] = ()) -> None:
    """Import ``target`` in place of what ``site`` imports; uses are renamed where the name changes and the new one is free."""
    last = target.rpartition(".")[2]
    bound = site.bound
    if site.alias.asname is None and bound != last and site.src.tree is not None:
        deeper = [n for n, _, _ in resolved if isinstance(n, ast.Attribute)]
        if last not in bound_at_module_level(site.src.tree) and not deeper and not _shadowed(site, last) and not _is_builtin(last):
            for name in uses(site.scope, bound):
                editor.replace_node(name, last)
            bound = last
    editor.instead(site, import_line(target, bound, ctx))


def _is_builtin(name: str) -> bool:
    import builtins

    return hasattr(builtins, name)


def _shadowed(site: Site, name: str) -> bool:
    """Whether any function of the file binds ``name`` itself: renaming uses to it could change their meaning."""
    assert site.src.tree is not None
    return any((isinstance(n, ast.arg) and n.arg == name) or (isinstance(n, ast.Name) and n.id == name) for n in ast.walk(site.src.tree))


def rewrite(node: Use, rule: Rule, rest: str, ctx: Context, editor: FileEditor) -> None:
    """Rewrite one use by its row; raises EditError where the use has another shape."""
    for line in rule.imports:
        editor.need(line)
    if rule.kind == "move":
        target = join(rule.to, rest)
        if target.startswith("builtins."):
            editor.replace_node(node, target.partition(".")[2])
            return
        module = _module_part(target, ctx)
        editor.need(f"import {module}")
        editor.replace_node(node, target)
        return
    handler = {
        "expr": _expr,
        "constant": blocks.constant,
        "call": _call,
        "assert": _assert,
        "text": _text,
        "decorator": blocks.drop_decorator,
        "base": _base,
        "raises": blocks.wrap_raises,
        "raises-call": _raises_call,
    }.get(rule.kind)
    if handler is None:
        raise EditError("this row has no automatic successor")
    handler(node, rule, editor)


def _module_part(target: str, ctx: Context) -> str:
    parts = target.split(".")
    for cut in range(len(parts), 0, -1):
        module = ".".join(parts[:cut])
        if ctx.live.importable(module):
            return module
    raise EditError(f"{target} is not importable here")


def _expr(node: Use, rule: Rule, editor: FileEditor) -> None:
    text = rule.to
    if text == "str" and isinstance(editor.up.get(node), (ast.BinOp, ast.Starred)):
        text = "(str,)"  # string_types is a tuple where tuples are joined
    editor.replace_node(node, text)


def call_of(node: Use, editor: FileEditor) -> ast.Call:
    """The call whose function is ``node``, without star arguments."""
    call = editor.up.get(node)
    if (
        not isinstance(call, ast.Call)
        or call.func is not node
        or any(isinstance(a, ast.Starred) for a in call.args)
        or any(k.arg is None for k in call.keywords)
    ):
        raise EditError(f"line {node.lineno}: not a plain call")
    return call


def _call(node: Use, rule: Rule, editor: FileEditor) -> None:
    call = call_of(node, editor)
    fill(call, rule.to, editor, [])


def fill(call: ast.Call, template: str, editor: FileEditor, message: Sequence[ast.expr], end: str = "") -> None:
    """Replace the text around a call's arguments so that ``template`` results; the arguments' own text is not touched."""
    src = editor.src
    fields = [(lit, name) for lit, name, _, _ in string.Formatter().parse(template)]
    wanted = sorted({int(n) for _, n in fields if n is not None and n.isdigit()})
    has_rest = any(n == "rest" for _, n in fields)
    if (not has_rest and (len(call.args) != len(wanted) + len(message) or call.keywords)) or len(call.args) < len(wanted):
        raise EditError(f"line {call.lineno}: other arguments than expected")
    at, close = src.span(call)
    spans = [blocks.full_span(src, call, a) for a in call.args]
    tail: list[tuple[int, int]] = []
    if has_rest:
        pieces = [*call.args[len(wanted) :], *call.keywords]
        if pieces:
            first = spans[len(wanted)][0] if len(call.args) > len(wanted) else src.span(call.keywords[0])[0]
            tail = [(first, _args_end(src.text, close - 1))]
    text = ""
    for lit, name in fields:
        text += lit
        if name is None:
            continue
        if name == "msg":
            if message:
                start, stop = spans[-1]
                editor.replace(at, start, text + ", ")
                at, text = stop, ""
            continue
        if name == "rest":
            if not tail:
                continue
            start, stop = tail[0]
        else:
            start, stop = spans[int(name)]
        if start < at:
            raise EditError("the template reorders arguments")
        arg = call.args[int(name)] if name.isdigit() else None
        paren = arg is not None and needs_parens(arg, template, int(name)) and src.text[start] != "("
        editor.replace(at, start, text + ("(" if paren else ""))
        at, text = stop, ")" if paren else ""
    editor.replace(at, close, text + end)


def _args_end(text: str, close: int) -> int:
    """The end of the last argument before the closing parenthesis at ``close``: a trailing comma and white space left out."""
    inner = text[:close].rstrip()
    return len(inner[:-1].rstrip()) if inner.endswith(",") else len(inner)


def needs_parens(arg: ast.expr, template: str, index: int) -> bool:
    """Whether an argument binds weaker than the place the template puts it in."""
    if isinstance(arg, (*_ATOMS, ast.Tuple)):
        return False
    if isinstance(arg, ast.Constant):
        return isinstance(arg.value, (int, float, complex)) and f"{{{index}}}." in template
    if f"{{{index}}}" == template.strip() or re.search(rf"[(,=]\s*\{{{index}\}}\s*[,)]", template):
        return False
    plain_assert = template.startswith("assert ") and template.replace("{msg}", "") == f"assert {{{index}}}"
    if plain_assert:
        return False
    arithmetic = isinstance(arg, (ast.BinOp, ast.UnaryOp)) and not (isinstance(arg, ast.UnaryOp) and isinstance(arg.op, ast.Not))
    return not (arithmetic and f"{{{index}}}." not in template and f"{{{index}}}[" not in template)


def _assert(node: Use, rule: Rule, editor: FileEditor) -> None:
    call = call_of(node, editor)
    statement = editor.up.get(call)
    if not isinstance(statement, ast.Expr):
        raise EditError(f"line {node.lineno}: the call's value is used")
    wanted = len({n for _, n, _, _ in string.Formatter().parse(rule.to) if n and n.isdigit()})
    message = call.args[wanted:]
    if len(message) > 1 or call.keywords:
        raise EditError(f"line {node.lineno}: other arguments than expected")
    multi = (call.end_lineno or call.lineno) != call.lineno
    template = rule.to
    if multi:  # an assert over several lines needs brackets of its own
        spans = [blocks.full_span(editor.src, call, a) for a in call.args]
        lines = [editor.src.position(s[0])[0] for s in spans] + [editor.src.position(s[1])[0] for s in spans[:-1]]
        if len(set(lines)) > 1 and not _between_brackets(call):
            if message:
                raise EditError(f"line {node.lineno}: a message over several lines")
            template = re.sub(r"^assert (.*)\{msg\}$", r"assert (\1)", rule.to)
    fill(call, template, editor, message)


def _between_brackets(call: ast.Call) -> bool:
    """Whether line breaks occur only inside arguments (which have brackets of their own)."""
    ends = [a.end_lineno for a in call.args]
    starts = [a.lineno for a in call.args]
    return all(s == e for s, e in zip(starts[1:], ends[:-1], strict=False)) and starts[0] == call.func.end_lineno


def _text(node: Use, rule: Rule, editor: FileEditor) -> None:
    """A converter's call: its argument alone where that is of the wanted type already, else the conversion written out."""
    call = call_of(node, editor)
    if not call.args or call.keywords or len(call.args) > 2:
        raise EditError(f"line {node.lineno}: not a plain conversion")
    arg, start_end = call.args[0], editor.src.span(call)
    constant = arg.value if isinstance(arg, ast.Constant) else None
    inner = blocks.full_span(editor.src, call, arg)

    def bare() -> None:
        editor.replace(start_end[0], inner[0], "")
        editor.replace(inner[1], start_end[1], "")

    if rule.to.startswith("str"):
        if isinstance(constant, str) or _is_text(arg):
            bare()
        elif rule.to == "str" and isinstance(constant, bytes):
            editor.replace(start_end[0], inner[0], "")
            editor.replace(inner[1], start_end[1], ".decode()")
        elif rule.to == "str" and isinstance(arg, ast.Name):
            editor.replace_node(call, f"({arg.id}.decode() if isinstance({arg.id}, bytes) else {arg.id})")
        else:
            raise EditError(f"line {node.lineno}: the argument's type is not known")
        return
    if isinstance(constant, bytes):
        bare()
    elif isinstance(constant, str) and constant.isascii() and re.match(r"[\"']", editor.src.segment(arg)):
        editor.replace(start_end[0], inner[0], "b")
        editor.replace(inner[1], start_end[1], "")
    elif isinstance(constant, str) or _is_text(arg):
        paren = not isinstance(arg, (*_ATOMS, ast.Constant))
        editor.replace(start_end[0], inner[0], "(" if paren else "")
        editor.replace(inner[1], start_end[1], (")" if paren else "") + ".encode()")
    elif isinstance(arg, ast.Name):
        editor.replace_node(call, f"({arg.id}.encode() if isinstance({arg.id}, str) else {arg.id})")
    else:
        raise EditError(f"line {node.lineno}: the argument's type is not known")


def _is_text(arg: ast.expr) -> bool:
    """Whether an expression is a str by its form: a str() call, an f-string, a str method on a literal, a literal joined or formatted."""
    if isinstance(arg, ast.JoinedStr) or (isinstance(arg, ast.Constant) and isinstance(arg.value, str)):
        return True
    if isinstance(arg, ast.BinOp):
        return _is_text(arg.left) and (isinstance(arg.op, ast.Mod) or _is_text(arg.right))
    if isinstance(arg, ast.Call):
        if isinstance(arg.func, ast.Name):
            return arg.func.id in ("str", "repr", "chr", "hex", "ascii", "format")
        return isinstance(arg.func, ast.Attribute) and arg.func.attr in ("format", "join", "decode", "hexdigest", "isoformat")
    return False


def _base(node: Use, rule: Rule, editor: FileEditor) -> None:
    call = call_of(node, editor)
    cls = editor.up.get(call)
    if not isinstance(cls, ast.ClassDef) or call not in cls.bases or len(cls.bases) != 1 or cls.keywords or not call.args or call.keywords:
        raise EditError(f"line {node.lineno}: not a base class")
    meta, bases = editor.src.segment(call.args[0]), [editor.src.segment(b) for b in call.args[1:] if editor.src.segment(b) != "object"]
    editor.replace_node(call, ", ".join([*bases, f"metaclass={meta}"]))


def _raises_call(node: Use, rule: Rule, editor: FileEditor) -> None:
    """``assert_raises``: pytest.raises, or unittest's own where the context's ``exception`` is read."""
    call = call_of(node, editor)
    item = editor.up.get(call)
    if isinstance(item, ast.withitem) and item.optional_vars is not None:
        editor.need("import unittest")
        editor.replace_node(node, "unittest.TestCase().assertRaises")
        return
    if not isinstance(item, (ast.withitem, ast.Expr)):
        raise EditError(f"line {node.lineno}: the context manager is kept")
    editor.need("import pytest")
    editor.replace_node(node, "pytest.raises")
