"""Changes that move whole lines: dead branches taken out, a body wrapped, a decorator removed."""

from __future__ import annotations

import ast
import re

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.errors import EditError
from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.strategies.dependency_fix.editor import FileEditor
from pytest_maestro_healer.strategies.dependency_fix.rules import Rule

Use = ast.Name | ast.Attribute


def full_span(src: SourceFile, call: ast.Call, node: ast.expr) -> tuple[int, int]:
    """The span of an argument with the parentheses written around it (the argument's own comma not included)."""
    start, end = src.span(node)
    low, high = src.span(call.func)[1] + 1, src.span(call)[1] - 1
    while True:
        before = src.text[low:start].rstrip()
        after = src.text[end:high]
        gap = len(after) - len(after.lstrip())
        if not before.endswith("(") or not after.lstrip().startswith(")"):
            return start, end
        start, end = low + len(before) - 1, end + gap + 1


def protected_lines(tree: ast.AST) -> set[int]:
    """Lines that begin inside a string literal: their leading white space is content."""
    out: set[int] = set()
    for n in ast.walk(tree):
        if isinstance(n, (ast.Constant, ast.JoinedStr)) and n.end_lineno and n.end_lineno > n.lineno:
            if isinstance(n, ast.Constant) and not isinstance(n.value, (str, bytes)):
                continue
            out.update(range(n.lineno + 1, n.end_lineno + 1))
    return out


def shift(editor: FileEditor, first: int, last: int, old: str, new: str) -> None:
    """Change the indentation ``old`` of lines ``first``..``last`` to ``new``."""
    keep = protected_lines(editor.tree)
    for line in range(first, last + 1):
        text = editor.src.lines[line - 1]
        if line in keep or not text.strip():
            continue
        if not text.startswith(old):
            if text.lstrip().startswith("#"):
                continue
            raise EditError(f"line {line}: mixed indentation")
        start = editor.src.line_start(line)
        if new.startswith(old):
            editor.replace(start + len(old), start + len(old), new[len(old) :])
        else:
            editor.replace(start, start + len(old), new)


def constant(node: Use, rule: Rule, editor: FileEditor) -> None:
    """A flag that is always true or always false: the branch that runs stays, the other goes; elsewhere the constant is written."""
    value = rule.to == "True"
    holder: ast.AST = node
    parent = editor.up.get(node)
    if isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not):
        holder, value = parent, not value
        parent = editor.up.get(parent)
    if isinstance(parent, ast.IfExp) and parent.test is holder:
        _conditional(parent, value, editor)
    elif isinstance(parent, ast.If) and parent.test is holder and _branch(parent, value, editor):
        return
    elif isinstance(parent, ast.Call) and _is_skipif(parent, holder, editor) and not value:
        _delete_decorator(parent, editor)
    else:
        editor.replace_node(holder, str(value))


def _conditional(node: ast.IfExp, value: bool, editor: FileEditor) -> None:
    src = editor.src
    start, end = src.span(node)
    if value:
        body_end = src.span(node.body)[1]
        m = re.match(r"[\s)]*?\s*(?=\bif\b)", src.text[body_end:end])
        if m is None:
            raise EditError("a conditional expression of unexpected form")
        stop = body_end + len(src.text[body_end : body_end + m.end()].rstrip())
        editor.replace(stop, end, "")
        return
    test_end, other = src.span(node.test)[1], src.span(node.orelse)[0]
    m = re.search(r"\belse\b\s*", src.text[test_end:other])
    if m is None:
        raise EditError("a conditional expression of unexpected form")
    editor.replace(start, test_end + m.end(), "")


def _branch(node: ast.If, value: bool, editor: FileEditor) -> bool:
    """Take out the branch that cannot run; false where that would drop an assertion or is not a plain if/else."""
    src = editor.src
    kept, gone = (node.body, node.orelse) if value else (node.orelse, node.body)
    if src.text[src.span(node)[0] :][:4] == "elif" or any(_asserts(n) for n in gone):
        return False
    if kept and isinstance(kept[0], ast.If) and src.text[src.span(kept[0])[0] :][:4] == "elif":
        return False
    if kept and kept[0].lineno == node.lineno:
        return False
    last_line = node.end_lineno or node.lineno
    start, end = src.line_start(node.lineno), src.line_start(last_line + 1)
    if not kept:
        parent = editor.up.get(node)
        block = next((b for part in ("body", "orelse", "finalbody") if isinstance(b := getattr(parent, part, None), list) and node in b), [])
        indent = src.indent_of(node.lineno)
        editor.replace(start, end, "" if len(block) > 1 or isinstance(parent, ast.Module) else f"{indent}pass\n")
        return True
    first = _with_comments(src, kept[0].lineno, node.lineno)
    editor.replace(start, src.line_start(first), "")
    shift(editor, first, kept[-1].end_lineno or first, src.indent_of(kept[0].lineno), src.indent_of(node.lineno))
    if value and gone:
        editor.replace(src.line_start((kept[-1].end_lineno or first) + 1), end, "")
    return True


def _with_comments(src: SourceFile, line: int, above: int) -> int:
    while line - 1 > above and src.lines[line - 2].lstrip().startswith("#"):
        line -= 1
    return line


def _asserts(node: ast.AST) -> bool:
    for n in ast.walk(node):
        if isinstance(n, ast.Assert):
            return True
        if isinstance(n, ast.Call):
            name = last_name(n.func)
            if name.startswith("assert") or name in ("raises", "warns", "fail", "deprecated_call"):
                return True
    return False


def _is_skipif(call: ast.Call, holder: ast.AST, editor: FileEditor) -> bool:
    name = last_name(call.func)
    owner = editor.up.get(call)
    return name.lower() == "skipif" and bool(call.args) and call.args[0] is holder and call in getattr(owner, "decorator_list", ())


def _delete_decorator(node: ast.expr, editor: FileEditor) -> None:
    src = editor.src
    owner = editor.up.get(node)
    if node not in getattr(owner, "decorator_list", ()):
        raise EditError(f"line {node.lineno}: not a decorator")
    editor.replace(src.line_start(node.lineno), src.line_start((node.end_lineno or node.lineno) + 1), "")


def drop_decorator(node: Use, rule: Rule, editor: FileEditor) -> None:
    """Remove the decorator that ``node`` (or its call) is."""
    call = editor.up.get(node)
    _delete_decorator(call if isinstance(call, ast.Call) and call.func is node else node, editor)


def wrap_raises(node: Use, rule: Rule, editor: FileEditor) -> None:
    """nose's ``@raises(E)``: the decorator goes, the whole body runs inside ``with pytest.raises(E):``."""
    src = editor.src
    call = editor.up.get(node)
    owner = editor.up.get(call) if call is not None else None
    if not isinstance(call, ast.Call) or not isinstance(owner, (ast.FunctionDef, ast.AsyncFunctionDef)) or call not in owner.decorator_list:
        raise EditError(f"line {node.lineno}: not a decorator with arguments")
    if not call.args or call.keywords or len(owner.decorator_list) != 1:
        raise EditError(f"line {node.lineno}: other arguments or decorators than expected")
    body = owner.body
    if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant) and isinstance(body[0].value.value, str):
        body = body[1:]
    if not body or body[0].lineno == owner.lineno:
        raise EditError(f"line {node.lineno}: no body of its own")
    text = ", ".join(src.segment(a) for a in call.args)
    _delete_decorator(call, editor)
    indent = src.indent_of(body[0].lineno)
    step = indent[len(src.indent_of(owner.lineno)) :]
    start = src.line_start(body[0].lineno)
    editor.replace(start, start, f"{indent}with pytest.raises({text if len(call.args) == 1 else f'({text})'}):\n")
    shift(editor, body[0].lineno, body[-1].end_lineno or body[0].lineno, indent, indent + step)
