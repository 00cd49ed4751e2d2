"""api_contract_adaptation at real places: the product renames or reorders something, all its own uses follow, the tests have to."""

from __future__ import annotations

import ast
import builtins
import random
import re
from collections import Counter

from .edits import with_changelog
from .model import Fault, Host
from .pysource import code_words, first_line, functions, names, parsed, renamed, span
from .registry import inject

S = "api_contract_adaptation"


def _called(host: Host) -> list[tuple[str, ast.FunctionDef, bool]]:
    """(path, function, whether it is a method) of what the tests reach."""
    found = []
    for path in host.product:
        tree = parsed(host.text(path))
        top = {id(n) for n in tree.body}
        for node in functions(tree):
            if (path, first_line(node)) in host.called and not node.name.startswith("__"):
                found.append((path, node, id(node) not in top))
    return found


def _new_name(rng: random.Random, old: str, taken: set[str]) -> str:
    words = old.strip("_").split("_")
    tries = [f"{old}_of", f"get_{old}", f"{old}_value", "_".join(reversed(words)), f"do_{old}", f"{words[0]}ed_{'_'.join(words[1:])}".strip("_")]
    return rng.choice([t for t in tries if t not in taken])


def _rename(host: Host, rng: random.Random, old: str) -> Fault | None:
    """One word renamed everywhere: right where no other thing has that name."""
    every = {p: host.text(p) for p in [*host.product, *host.tests]}
    new = _new_name(rng, old, {w for t in every.values() for w in code_words(t)})
    changes: dict[str, bytes | None] = {}
    for path in host.product:
        text = re.sub(rf"(['\"]){old}\1", rf"\g<1>{new}\g<1>", renamed(every[path], old, new))
        if text != every[path]:
            changes[path] = text.encode()
    expected = {}
    for path in host.tests:
        if old in names(every[path]):
            expected[path] = (renamed(every[path], old, new).encode(),)
    if not expected:
        return None
    message = rng.choice(["", f"Rename {old} to {new}", "Clearer names"])
    return Fault(changes, tuple(expected), expected, message=message, what=f"{old} -> {new}")


_NAMES: dict[str, tuple[Counter[str], set[str]]] = {}


def _unique(host: Host, name: str) -> bool:
    """Whether a word names one thing only: one definition, no local variable, argument, keyword or foreign attribute of that name."""
    if host.name not in _NAMES:
        defined: Counter[str] = Counter()
        taken = set(dir(builtins)).union(*(dir(t) for t in (str, list, dict, set, bytes, int, float)))
        for node in (n for p in [*host.product, *host.tests] for n in ast.walk(parsed(host.text(p)))):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                defined[node.name] += 1
            elif isinstance(node, (ast.arg, ast.keyword)):
                taken.add(node.arg or "")
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                taken.add(node.id)
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                taken.add(node.attr)
        _NAMES[host.name] = defined, taken
    defined, taken = _NAMES[host.name]
    return defined[name] == 1 and name not in taken and len(name) > 3


@inject(S, "renamed_symbol", 4)
def rename_function(host: Host, rng: random.Random) -> Fault | None:
    """A function of the product is renamed."""
    places = [n.name for _, n, method in _called(host) if not method and _unique(host, n.name)]
    return _rename(host, rng, rng.choice(sorted(places))) if places else None


@inject(S, "renamed_symbol", 4)
def rename_method(host: Host, rng: random.Random) -> Fault | None:
    """A method of the product is renamed."""
    places = [n.name for _, n, method in _called(host) if method and _unique(host, n.name)]
    return _rename(host, rng, rng.choice(sorted(places))) if places else None


@inject(S, "renamed_symbol", 2)
def rename_class(host: Host, rng: random.Random) -> Fault | None:
    """A class of the product is renamed."""
    used = {w for p in host.tests for w in names(host.text(p))}
    found = {n.name for p in host.product for n in ast.walk(parsed(host.text(p))) if isinstance(n, ast.ClassDef)}
    places = sorted(n for n in found & used if _unique(host, n))
    if not places:
        return None
    old = rng.choice(places)
    fault = _rename(host, random.Random(0), old)
    if fault is None:
        return None
    middle = fault.what.rpartition(" ")[2]
    new = f"{rng.choice(['Base', 'Simple', 'Py'])}{old}"

    def swap(data: bytes | None) -> bytes:
        return re.sub(rf"\b{middle}\b".encode(), new.encode(), data or b"")

    changes: dict[str, bytes | None] = {p: swap(d) for p, d in fault.changes.items()}
    expected = {p: tuple(swap(e) for e in es) for p, es in fault.expected.items()}
    return Fault(changes, fault.tests, expected, message=rng.choice(["", f"Rename {old} to {new}", "Clearer names"]), what=f"{old} -> {new}")


def _calls(tree: ast.AST, name: str) -> list[ast.Call]:
    return [
        n
        for n in ast.walk(tree)
        if isinstance(n, ast.Call) and name == (n.func.attr if isinstance(n.func, ast.Attribute) else getattr(n.func, "id", ""))
    ]


@inject(S, "changed_parameters", 6)
def rename_parameter(host: Host, rng: random.Random) -> Fault | None:
    """A parameter that tests pass by keyword is renamed."""
    places = []
    tests = {p: parsed(host.text(p)) for p in host.tests}
    for path, node, _ in _called(host):
        mine = [a.arg for a in [*node.args.args, *node.args.kwonlyargs]]
        used = {k.arg for t in tests.values() for c in _calls(t, node.name) for k in c.keywords}
        twins = [n for p in host.product for n in functions(parsed(host.text(p))) if n.name == node.name]
        if len(twins) == 1 and not any(isinstance(n, (ast.FunctionDef, ast.Lambda)) and n is not node for n in ast.walk(node)):
            places += [(path, node, a) for a in mine if a in used]
    if not places:
        return None
    path, node, old = rng.choice(places)
    new = _new_name(rng, old, {w for p in [*host.product, *host.tests] for w in code_words(host.text(p))})
    changes: dict[str, bytes | None] = {}
    for product in host.product:
        text = _keyword_renamed(host.text(product), node.name, old, new)
        if product == path:
            text = _argument_renamed(text, node.name, old, new)
        if text != host.text(product):
            changes[product] = text.encode()
    expected = {}
    for test in host.tests:
        text = _keyword_renamed(host.text(test), node.name, old, new)
        if text != host.text(test):
            expected[test] = (text.encode(),)
    return Fault(
        changes,
        tuple(expected),
        expected,
        message=rng.choice(["", f"{node.name}: {old} is now {new}", "Clearer names"]),
        what=f"{node.name}({old} -> {new})",
    )


def _keyword_renamed(text: str, function: str, old: str, new: str) -> str:
    found = [k for c in _calls(parsed(text), function) for k in c.keywords if k.arg == old]
    for keyword in sorted(found, key=lambda k: (k.lineno, k.col_offset), reverse=True):
        begin, _ = span(text, keyword)
        text = text[:begin] + new + text[begin + len(old) :]
    return text


def _argument_renamed(text: str, function: str, old: str, new: str) -> str:
    node = next(n for n in functions(parsed(text)) if n.name == function)
    found = [n for n in ast.walk(node) if (isinstance(n, ast.Name) and n.id == old) or (isinstance(n, ast.arg) and n.arg == old)]
    for use in sorted(found, key=lambda n: (n.lineno, n.col_offset), reverse=True):  # type: ignore[attr-defined]
        begin, _ = span(text, use)
        text = text[:begin] + new + text[begin + len(old) :]
    return text


@inject(S, "changed_parameters", 3)
def keyword_only(host: Host, rng: random.Random) -> Fault | None:
    """The last parameter becomes keyword-only; the product's own calls follow."""
    return _signature(host, rng, only=True)


@inject(S, "reordered_parameters", 3)
def reorder(host: Host, rng: random.Random) -> Fault | None:
    """The first two parameters change places; the product's own calls follow."""
    return _signature(host, rng, only=False)


def _signature(host: Host, rng: random.Random, only: bool) -> Fault | None:
    tests = {p: parsed(host.text(p)) for p in host.tests}
    products = {p: parsed(host.text(p)) for p in host.product}
    places = []
    for path, node, method in _called(host):
        twins = [n for t in products.values() for n in functions(t) if n.name == node.name]
        plain = node.args.args
        if method or len(twins) != 1 or not 2 <= len(plain) <= 4 or node.args.vararg or node.args.kwonlyargs or node.decorator_list:
            continue
        if not only and (node.args.defaults or len(plain) != 2):
            continue
        every = [c for t in (*tests.values(), *products.values()) for c in _calls(t, node.name)]
        passed = [c for t in tests.values() for c in _calls(t, node.name) if len(c.args) == len(plain)]
        uses = sum(isinstance(n, ast.Name) and n.id == node.name for t in (*tests.values(), *products.values()) for n in ast.walk(t))
        exact = all(not any(isinstance(a, ast.Starred) for a in c.args) for c in every)
        if passed and exact and uses <= len(every) and (only or all(len(c.args) == 2 for c in every)):
            places.append((path, node))
    if not places:
        return None
    path, node = rng.choice(places)
    plain = node.args.args

    def moved(text: str) -> str:
        calls = [c for c in _calls(parsed(text), node.name) if len(c.args) == len(plain)]
        for call in sorted(calls, key=lambda c: (c.lineno, c.col_offset), reverse=True):
            arguments = [text[slice(*span(text, a))] for a in call.args]
            begin, end = span(text, call.args[0])[0], span(text, call.args[-1])[1]
            arguments = [*arguments[:-1], f"{plain[-1].arg}={arguments[-1]}"] if only else [arguments[1], arguments[0]]
            text = text[:begin] + ", ".join(arguments) + text[end:]
        return text

    text = moved(host.text(path))
    now = next(n for n in functions(parsed(text)) if n.name == node.name)
    if only:
        begin, _ = span(text, now.args.args[-1])
        text = text[:begin] + "*, " + text[begin:]
    else:
        begin, end = span(text, now.args.args[0])[0], span(text, now.args.args[1])[1]
        text = text[:begin] + f"{plain[1].arg}, {plain[0].arg}" + text[end:]
    changes: dict[str, bytes | None] = {p: moved(host.text(p)).encode() for p in host.product if p != path and moved(host.text(p)) != host.text(p)}
    changes[path] = text.encode()
    expected = {p: (moved(host.text(p)).encode(),) for p in host.tests if moved(host.text(p)) != host.text(p)}
    message = rng.choice(["", f"{node.name}: {plain[-1].arg} is keyword-only" if only else f"{node.name} takes {plain[1].arg} first", "Signatures"])
    return Fault(changes, tuple(expected), expected, message=message, what=f"{node.name}")


@inject(S, "removed_without_successor", 2)
def remove_function(host: Host, rng: random.Random) -> Fault | None:
    """A function is removed, and the changelog says so: advice that names it, no edit."""
    places = []
    for path, node, method in _called(host):
        uses = sum(len(re.findall(rf"\b{node.name}\b", host.text(p))) for p in host.product)
        quoted = len(re.findall(rf"['\"]{node.name}['\"]", host.text(path)))
        tested = sum(node.name in names(host.text(p)) for p in host.tests)
        if not method and uses - quoted == 1 and tested and not node.decorator_list:
            places.append((path, node))
    if not places:
        return None
    path, node = rng.choice(places)
    text = host.text(path)
    begin, end = span(text, node)
    text = re.sub(rf"^ *['\"]{node.name}['\"],?\n", "", text[:begin] + text[end:].lstrip("\n"), flags=re.MULTILINE)
    tests = tuple(p for p in host.tests if node.name in names(host.text(p)))
    changes = with_changelog(host, {path: text.encode()}, f"Removed ``{node.name}``; there is no replacement.")
    return Fault(changes, tests, {}, message=f"Remove {node.name}", advice=node.name, what=node.name)
