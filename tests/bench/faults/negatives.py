"""What a healer must leave alone: the product is broken, committed or not, under a message that says nothing of it."""

from __future__ import annotations

import ast
import random
import re
import textwrap

from .model import MESSAGES, NEGATIVE, Fault, Host
from .mutate import MAKERS, parses
from .pysource import first_line, functions, parsed, span
from .registry import ROWS, Row, inject


def _functions(host: Host) -> list[tuple[str, ast.FunctionDef]]:
    found = []
    for path in host.product:
        for node in functions(parsed(host.text(path))):
            if (path, first_line(node)) in host.called and not any(getattr(d, "id", "") == "overload" for d in node.decorator_list):
                found.append((path, node))
    return found


def regression(host: Host, rng: random.Random, path: str, text: str, name: str) -> Fault:
    """The product's file with a bug: half of them committed."""
    message = rng.choice(MESSAGES).format(name=name.strip("_")) if rng.random() < 0.5 else ""
    return Fault({path: text.encode()}, (), message=message, what=f"{path}: {name}")


def _mutation(kind: str) -> Row:
    def make(host: Host, rng: random.Random) -> Fault | None:
        places = _functions(host)
        rng.shuffle(places)
        for path, node in places[:40]:
            text = host.text(path)
            found = [m for m in MAKERS[kind](text, node) if m != text and parses(m)]
            if found:
                return regression(host, rng, path, rng.choice(found), node.name)
        return None

    return Row(NEGATIVE, kind, f"regression_{kind}", make, 2)


ROWS += [_mutation(kind) for kind in MAKERS]


@inject(NEGATIVE, "product_syntax", 2)
def product_syntax(host: Host, rng: random.Random) -> Fault | None:
    """A colon or a bracket lost in the product."""
    path = rng.choice(sorted({p for p, _ in host.called if p in host.product}))
    text = host.text(path)
    found = list(re.finditer(r"(?<=\)):$|\)$", text, re.MULTILINE))
    rng.shuffle(found)
    for match in found[:20]:
        bad = text[: match.start()] + text[match.end() :]
        if not parses(bad):
            return regression(host, rng, path, bad, path)
    return None


@inject(NEGATIVE, "product_race", 2)
def product_race(host: Host, rng: random.Random) -> Fault | None:
    """A result is computed in a thread that nobody waits for."""
    wait = rng.choice(["0.01", "0.05", "random.random() / 50"])
    target = f"lambda: (time.sleep({wait}), box.append(_sync(*args, **kwargs)))"
    body = f"box = []\nthread = threading.Thread(target={target})\nthread.start()\nreturn box[0] if box else None"
    return _wrapped(host, rng, body)


@inject(NEGATIVE, "product_flaky", 2)
def product_flaky(host: Host, rng: random.Random) -> Fault | None:
    """A result that is lost now and then."""
    fault = _wrapped(host, rng, f"return _sync(*args, **kwargs) if random.random() < {rng.choice([0.2, 0.5, 0.7])} else None")
    return fault and Fault(**{**{f: getattr(fault, f) for f in fault.__dataclass_fields__}, "tries": 4})


@inject(NEGATIVE, "product_slow", 1)
def product_slow(host: Host, rng: random.Random) -> Fault | None:
    """A stale cache: the first result is given for ever."""
    return _wrapped(host, rng, "return _CACHE.setdefault('all', _sync(*args, **kwargs))")


def _wrapped(host: Host, rng: random.Random, body: str) -> Fault | None:
    """A module-level function replaced by one that calls it with a flaw."""
    places = []
    for path, node in _functions(host):
        tree = parsed(host.text(path))
        yields = any(isinstance(n, (ast.Yield, ast.YieldFrom)) for n in ast.walk(node))
        if any(n.lineno == node.lineno for n in tree.body if isinstance(n, ast.FunctionDef)) and not node.decorator_list and not yields:
            places.append((path, node))
    if not places:
        return None
    path, node = rng.choice(places)
    text = host.text(path)
    begin, end = span(text, node)
    inner = textwrap.indent(text[begin:end].replace(f"def {node.name}(", "def _sync(", 1), "    ")
    new = f"def {node.name}(*args, **kwargs):\n    import random, threading, time\n\n{inner}\n\n{textwrap.indent(body, '    ')}"
    if "_CACHE" in body:
        new = "_CACHE = {}\n\n\n" + new
    bad = text[:begin] + new + text[end:]
    return regression(host, rng, path, bad, node.name) if parses(bad) else None


@inject(NEGATIVE, "deleted", 2)
def deleted(host: Host, rng: random.Random) -> Fault | None:
    """A function that the product still uses is deleted by accident."""
    places = [
        (p, n)
        for p, n in _functions(host)
        if len(re.findall(rf"\b{n.name}\b", host.text(p))) > 1 and not n.decorator_list and not n.name.startswith("__")
    ]
    if not places:
        return None
    path, node = rng.choice(places)
    text = host.text(path)
    begin, end = span(text, node)
    bad = text[:begin].rstrip(" ") + text[end:].lstrip("\n")
    return regression(host, rng, path, bad, node.name) if parses(bad) else None


@inject(NEGATIVE, "product_import", 2)
def product_import(host: Host, rng: random.Random) -> Fault | None:
    """An import that the product needs is gone."""
    path = rng.choice(sorted({p for p, _ in host.called if p in host.product}))
    text = host.text(path)
    loads = [n for n in parsed(text).body if isinstance(n, (ast.Import, ast.ImportFrom)) and getattr(n, "module", "") not in ("__future__", "typing")]
    if not loads:
        return None
    begin, end = span(text, rng.choice(loads))
    return regression(host, rng, path, text[:begin] + text[end:].lstrip("\n"), path)


@inject(NEGATIVE, "half_rename", 2)
def half_rename(host: Host, rng: random.Random) -> Fault | None:
    """A parameter is renamed in the signature and not in the body."""
    places = [(p, n, a) for p, n in _functions(host) for a in n.args.args if a.arg not in ("self", "cls") and len(a.arg) > 2]
    if not places:
        return None
    path, node, argument = rng.choice(places)
    text = host.text(path)
    begin, _ = span(text, argument)
    return regression(host, rng, path, text[:begin] + argument.arg + "_" + text[begin + len(argument.arg) :], node.name)
