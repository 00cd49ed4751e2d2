"""dependency_fix at real places: imports lost or mistyped in the tests, modules renamed and functions moved in the product."""

from __future__ import annotations

import ast
import random
import re

from .edits import broken_test
from .model import Fault, Host
from .pysource import code_words, first_line, functions, names, parsed, renamed, replaced, span
from .registry import inject

S = "dependency_fix"


def typo(word: str, rng: random.Random) -> str:
    """Two letters exchanged, or one lost or doubled."""
    for _ in range(20):
        at = rng.randrange(1, len(word) - 1)
        kind = rng.randrange(3)
        if kind == 0:
            bad = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        else:
            bad = word[:at] + (word[at + 1 :] if kind == 1 else word[at] + word[at:])
        if bad != word:
            return bad
    return word + word[-1]


def _imports(text: str) -> list[ast.Import | ast.ImportFrom]:
    return [n for n in parsed(text).body if isinstance(n, (ast.Import, ast.ImportFrom)) and getattr(n, "module", "") != "__future__"]


@inject(S, "missing_import", 4)
def drop_import(host: Host, rng: random.Random) -> Fault | None:
    """One imported name, or a whole import line, is gone."""
    path = rng.choice(host.tests)
    text = host.text(path)
    node = rng.choice(_imports(text))
    alias = rng.choice(node.names)
    used = names(text.replace(text[slice(*span(text, node))], ""))
    if (alias.asname or alias.name.partition(".")[0]) not in used:
        return None
    rest = [a for a in node.names if a is not alias]
    if rest:
        return broken_test(host, rng, path, replaced(text, node, ast.unparse(type(node)(**{**_fields(node), "names": rest}))))
    begin, end = span(text, node)
    return broken_test(host, rng, path, text[:begin] + text[end + 1 :])


def _fields(node: ast.AST) -> dict[str, object]:
    return {f: getattr(node, f) for f in node._fields}


@inject(S, "import_typo", 2)
def import_name_typo(host: Host, rng: random.Random) -> Fault | None:
    """A mistyped name or module in an import."""
    path = rng.choice(host.tests)
    text = host.text(path)
    node = rng.choice(_imports(text))
    words = [a.name for a in node.names if len(a.name) > 4] + (
        [node.module] if isinstance(node, ast.ImportFrom) and node.module and len(node.module) > 4 else []
    )
    if not words:
        return None
    word = rng.choice(words)
    begin, end = span(text, node)
    bad = re.sub(rf"\b{re.escape(word)}\b", typo(word, rng), text[begin:end], count=1)
    return broken_test(host, rng, path, text[:begin] + bad + text[end:])


@inject(S, "name_typo", 3)
def use_typo(host: Host, rng: random.Random) -> Fault | None:
    """A mistyped name in a test's body."""
    path = rng.choice(host.tests)
    text = host.text(path)
    bodies = [n for f in functions(parsed(text)) if f.name.startswith("test") for s in f.body for n in ast.walk(s)]
    places = [n for n in bodies if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load) and len(n.id) > 4]
    if not places:
        return None
    node = rng.choice(places)
    return broken_test(host, rng, path, replaced(text, node, typo(node.id, rng)))


@inject(S, "fixture_name", 2)
def fixture_typo(host: Host, rng: random.Random) -> Fault | None:
    """A fixture requested under a mistyped name."""
    places = []
    for path in host.tests:
        text = host.text(path)
        for function in functions(parsed(text)):
            marked = any("parametrize" in ast.unparse(d) or "given" in ast.unparse(d) for d in function.decorator_list)
            if function.name.startswith("test") and not marked:
                places += [(path, function, a) for a in function.args.args if a.arg not in ("self", "cls") and len(a.arg) > 1]
    if not places:
        return None
    path, function, argument = rng.choice(places)
    text = host.text(path)
    bad = typo(argument.arg, rng) if len(argument.arg) > 3 else argument.arg + rng.choice("sx")
    if rng.random() < 0.5:
        return broken_test(host, rng, path, replaced(text, argument, bad))
    begin, end = span(text, function)
    return broken_test(host, rng, path, text[:begin] + re.sub(rf"\b{argument.arg}\b", bad, text[begin:end]) + text[end:])


def _modules(host: Host) -> list[str]:
    """The product's modules that can be renamed: plain files which tests import, by path."""
    found = []
    tests = " ".join(host.text(p) for p in host.tests)
    for path in host.product:
        stem = path.rpartition("/")[2].removesuffix(".py")
        dotted = _dotted(host, path)
        imported = re.search(rf"\b{re.escape(dotted)}\b", tests) or re.search(
            rf"from {re.escape(dotted.rpartition('.')[0])} import [^\n]*\b{stem}\b", tests
        )
        if not stem.startswith("__") and imported:
            found.append(path)
    return found


def _dotted(host: Host, path: str) -> str:
    inside = path.removeprefix(host.source + "/").removesuffix(".py").replace("/", ".")
    return host.package if inside == "__init__" else f"{host.package}.{inside.removesuffix('.__init__')}"


def _new_name(rng: random.Random, old: str, taken: set[str]) -> str:
    choices = [f"{old}_impl", f"_{old}", f"{old}s" if not old.endswith("s") else old[:-1], f"new_{old}", f"{old}_core"]
    return rng.choice([c for c in choices if c not in taken])


@inject(S, "renamed_module", 4)
def rename_module(host: Host, rng: random.Random) -> Fault | None:
    """A product module gets another name; the product follows, the tests do not."""
    modules = _modules(host)
    if not modules:
        return None
    path = rng.choice(modules)
    stem = path.rpartition("/")[2].removesuffix(".py")
    new = _new_name(rng, stem, {w for p in host.product for w in names(host.text(p))})
    target = f"{path.rpartition('/')[0]}/{new}.py"
    dotted, moved = _dotted(host, path), _dotted(host, target)

    def migrated(text: str) -> str:
        text = re.sub(rf"\b{re.escape(dotted)}\b(?!\s*\()", moved, text)
        text = re.sub(rf"(from \.+){stem}\b", rf"\g<1>{new}", text)
        return re.sub(rf"(from (?:\.|{re.escape(dotted.rpartition('.')[0])}) import (?:\w+, )*){stem}\b(?! as)", rf"\g<1>{new} as {stem}", text)

    changes: dict[str, bytes | None] = {p: migrated(host.text(p)).encode() for p in host.product if p != path}
    changes = {p: d for p, d in changes.items() if d != host.files[p]}
    changes[path] = None
    changes[target] = migrated(host.text(path)).encode()
    expected = {p: (migrated(host.text(p)).encode(),) for p in host.tests if migrated(host.text(p)) != host.text(p)}
    message = f"Rename {stem} to {new}" if rng.random() < 0.7 else ""
    return Fault(changes, tuple(expected), expected, message=message)


@inject(S, "moved_symbol", 4)
def move_function(host: Host, rng: random.Random) -> Fault | None:
    """A function moves to another module of the package; the tests still import it from the old one."""
    places = []
    for path in host.product:
        tree = parsed(host.text(path))
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and (path, first_line(node)) in host.called and _movable(host, path, node, tree):
                places.append((path, node))
    if not places:
        return None
    path, node = rng.choice(places)
    text = host.text(path)
    begin, end = span(text, node)
    if node.decorator_list:
        begin = text.rindex("@", 0, span(text, node.decorator_list[0])[0])
    stem = path.rpartition("/")[2].removesuffix(".py")
    new = f"{stem}_{rng.choice(['extra', 'helpers', 'ops'])}" if stem != "__init__" else "helpers"
    target = f"{path.rpartition('/')[0]}/{new}.py"
    old_module, new_module = _dotted(host, path), _dotted(host, target)
    loads = [text[slice(*span(text, n))] for n in parsed(text).body if isinstance(n, (ast.Import, ast.ImportFrom))]
    without = re.sub(rf"^ *['\"]{node.name}['\"],?\n", "", text[:begin] + text[end:].lstrip("\n"), flags=re.MULTILINE)
    changes: dict[str, bytes | None] = {
        path: without.encode(),
        target: (f'"""Moved out of {stem}."""\n\n' + "\n".join(loads) + "\n\n\n" + text[begin:end] + "\n").encode(),
    }
    expected: dict[str, tuple[bytes, ...]] = {}
    for test in host.tests:
        right = _moved_import(host.text(test), node.name, old_module, new_module)
        if right:
            expected[test] = (right.encode(),)
    message = f"Move {node.name} to {new}" if rng.random() < 0.7 else ""
    return Fault(changes, tuple(expected), expected, message=message) if expected else None


def _movable(host: Host, path: str, node: ast.FunctionDef, tree: ast.Module) -> bool:
    """Whether a function needs only imports, and nothing else in the product or through another module uses it."""
    loads = {(a.asname or a.name).partition(".")[0] for n in tree.body if isinstance(n, (ast.Import, ast.ImportFrom)) for a in n.names}
    own = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)} | {
        n.name for n in tree.body if hasattr(n, "name")
    }
    used = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} - {a.arg for a in ast.walk(node) if isinstance(a, ast.arg)}
    inner = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    if (used - inner - loads) & own or node.name in used:
        return False
    others = [host.text(p) for p in host.product if p != path]
    text = host.text(path)
    body = text.replace(text[slice(*span(text, node))], "")
    uses = [n for n in ast.walk(parsed(body)) if isinstance(n, ast.Name) and n.id == node.name]
    return not uses and not any(node.name in code_words(o) for o in others)


def _moved_import(text: str, name: str, old: str, new: str) -> str:
    for node in _imports(text):
        if isinstance(node, ast.ImportFrom) and node.module == old and any(a.name == name for a in node.names):
            alias = next(a for a in node.names if a.name == name)
            rest = [a for a in node.names if a is not alias]
            lines = [ast.unparse(ast.ImportFrom(module=old, names=rest, level=0))] if rest else []
            return replaced(text, node, "\n".join([*lines, ast.unparse(ast.ImportFrom(module=new, names=[alias], level=0))]))
    return ""


@inject(S, "unused_import", 2)
def drop_unused(host: Host, rng: random.Random) -> Fault | None:
    """The product drops a helper that a test file imports and never uses."""
    path = rng.choice(host.product)
    test = rng.choice(host.tests)
    name = f"legacy_{rng.choice(['join', 'wrap', 'ident', 'first'])}"
    module = _dotted(host, path)
    helper = f"\n\ndef {name}(value):\n    return value\n"
    text = host.text(test)
    node = _imports(text)[-1]
    if node.lineno != node.end_lineno:
        return None
    end = span(text, node)[1]
    base = text[:end] + f"\nfrom {module} import {name}" + text[end:]
    return Fault(
        changes={path: host.files[path]},
        tests=(test,),
        expected={test: (host.files[test],)},
        base={path: host.files[path].rstrip(b"\n") + helper.encode(), test: base.encode()},
        message=f"Drop {name}" if rng.random() < 0.5 else "",
    )


@inject(S, "removed_method", 2)
def old_assert_names(host: Host, rng: random.Random) -> Fault | None:
    """unittest's old method names, in files with unittest classes: they are gone since Python 3.12, so they are red there only."""
    table = {
        "assertEqual": "assertEquals",
        "assertTrue": "failUnless",
        "assertFalse": "failIf",
        "assertRaises": "failUnlessRaises",
        "assertNotEqual": "failIfEqual",
    }
    places = [(p, old, new) for p in host.tests for old, new in table.items() if re.search(rf"self\.{old}\(", host.text(p))]
    if not places:
        return None
    path, old, new = rng.choice(places)
    text = host.text(path)
    return broken_test(host, rng, path, renamed(text, old, new))
