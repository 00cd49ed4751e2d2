"""How well broken files are repaired: real student programs with I/O examples, and real test files with one token corrupted.

    python tests/bench/bench_syntax.py [--pydex FOLDER] [--corrupt FOLDER] [--count N] [--verbose]

``--pydex`` (default: $PYDEX) is a folder of PyDex JSON files: reported are the share that parses, that parses with at most 4 token
edits, and that parses and passes the I/O examples (top candidate, best of the top 3). ``--corrupt`` takes a folder of Python files,
damages one token in each of N copies and reports how often the original syntax tree comes back first, among the first 3, or not.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import re
import statistics
import subprocess
import sys
import time
import warnings
from collections import Counter
from pathlib import Path

from pytest_maestro_healer.strategies.syntax_repair.lexer import CLOSERS, OPENERS, Code
from pytest_maestro_healer.strategies.syntax_repair.solve import solve


def tokens(text: str) -> list[str]:
    """The tokens with line ends and indentation changes as tokens; blank lines and comments left out.

    A quote is a token and so is each word of a string, and line ends count inside brackets too: else one quote or bracket put in
    would count as many edits.
    """
    out: list[str] = []
    levels = [0]
    for line in text.splitlines():
        body = line.strip()
        if not body or body.startswith("#"):
            continue
        width = len(line.expandtabs()) - len(line.expandtabs().lstrip())
        if width > levels[-1]:
            levels.append(width)
            out.append("INDENT")
        while width < levels[-1]:
            levels.pop()
            out.append("DEDENT")
        out += re.findall(r"\w+|[-+*/%<>=!&|]+|[^\w\s]", body)
        out.append("NEWLINE")
    return out


def distance(a: list[str], b: list[str]) -> int:
    """Levenshtein's over tokens."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        prev, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            prev, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, prev + (x != y))
    return row[-1]


def passes(program: str, examples: list[dict[str, str]]) -> bool:
    """Whether the program prints what each example says (trailing blanks of lines aside)."""
    for e in examples:
        try:
            done = subprocess.run([sys.executable, "-I", "-c", program], input=e["input"], capture_output=True, text=True, timeout=5, check=False)
        except subprocess.TimeoutExpired:
            return False
        if [x.rstrip() for x in done.stdout.rstrip().splitlines()] != [x.rstrip() for x in e["output"].rstrip().splitlines()]:
            return False
    return True


def pydex(folder: Path, verbose: bool) -> None:
    """The three figures over the student programs, and what the students' own later versions reach under the same examples."""
    total = parsed = close = top = best = own = 0
    times: list[float] = []
    for path in sorted(folder.glob("*.json")):
        data = json.loads(path.read_text(encoding="utf-8"))
        for k, sub in enumerate(data["submission"]):
            source = sub["syntax_incorrect"]
            begin = time.perf_counter()
            found = [s.text for s in solve(source)]
            times.append(time.perf_counter() - begin)
            total += 1
            parsed += bool(found)
            edits = distance(tokens(source), tokens(found[0])) if found else -1
            close += bool(found) and edits <= 4
            results = [passes(f, data["IO_example"]) for f in found[:3]]
            top += bool(results) and results[0]
            best += any(results)
            own += passes(sub["semantics_correct"], data["IO_example"])
            if verbose:
                print(f"{path.stem} {k}: {'parses' if found else 'FAILS'}, {edits} token edits, I/O {results}, {times[-1] * 1000:.0f} ms")
    pct = 100 / max(total, 1)
    print(f"programs                        {total}")
    print(f"parses                          {parsed} ({parsed * pct:.1f} %)")
    print(f"parses, at most 4 token edits   {close} ({close * pct:.1f} %)")
    print(f"parses and passes I/O, top 1    {top} ({top * pct:.1f} %)")
    print(f"parses and passes I/O, top 3    {best} ({best * pct:.1f} %)")
    print(f"(students' later version        {own} ({own * pct:.1f} %))")
    print(f"ms per program                  median {statistics.median(times) * 1000:.1f}, max {max(times) * 1000:.0f}")


def damage(text: str, rng: random.Random) -> tuple[str, str]:
    """``text`` with one token damaged, and the kind of damage."""
    code = Code(text)
    kinds = [
        "drop_closer",
        "drop_opener",
        "drop_colon",
        "drop_comma",
        "drop_quote",
        "swap_closer",
        "double_closer",
        "assign",
        "typo",
        "dedent",
        "indent",
        "drop_triple",
    ]
    for _ in range(50):
        kind = rng.choice(kinds)
        wanted = {
            "drop_closer": lambda t: t.kind == "op" and t.text in CLOSERS,
            "drop_opener": lambda t: t.kind == "op" and t.text in OPENERS,
            "drop_colon": lambda t: t.text == ":",
            "drop_comma": lambda t: t.text == ",",
            "drop_quote": lambda t: t.kind == "str" and t.text[:1] in "'\"" and t.text[:3] not in ('"""', "'''"),
            "swap_closer": lambda t: t.kind == "op" and t.text in CLOSERS,
            "double_closer": lambda t: t.kind == "op" and t.text in CLOSERS,
            "assign": lambda t: t.text == "==",
            "typo": lambda t: t.is_kw and len(t.text) > 3,
            "drop_triple": lambda t: t.kind == "str" and t.text[:3] == '"""',
        }.get(kind)
        if wanted is None:
            lines = [n for n in range(2, len(code.lines)) if code.indent(n) and not code.is_blank(n) and n not in code.inside_string]
            if not lines:
                continue
            at = code.offset(rng.choice(lines))
            return (text[:at] + "  " + text[at:] if kind == "indent" else text[:at] + text[at:].lstrip(" ")), kind
        pool = [t for t in code.sig if wanted(t)]
        if not pool:
            continue
        t = rng.choice(pool)
        new = {
            "drop_quote": t.text[:-1] if rng.random() < 0.5 else t.text[1:],
            "swap_closer": rng.choice([c for c in ")]}" if c != t.text]),
            "double_closer": t.text * 2,
            "assign": "=",
            "typo": t.text[:1] + t.text[2:],
            "drop_triple": t.text[:-3],
        }.get(kind, "")
        return text[: t.start] + new + text[t.end :], kind
    return text, "none"


def corrupt(folder: Path, count: int, seed: int, verbose: bool) -> None:
    """One damaged token in each of ``count`` real files: how often the original tree comes back."""
    rng = random.Random(seed)
    files = [p for p in sorted(folder.rglob("*.py")) if 1_000 < p.stat().st_size < 200_000]
    rng.shuffle(files)
    first: Counter[str] = Counter()
    third: Counter[str] = Counter()
    parsed: Counter[str] = Counter()
    total: Counter[str] = Counter()
    times = []
    warnings.simplefilter("ignore")
    for path in (files * (count // max(len(files), 1) + 1))[: count * 2]:
        try:
            text = path.read_text(encoding="utf-8")
            want = ast.dump(ast.parse(text))
        except (SyntaxError, UnicodeDecodeError):
            continue
        broken, kind = damage(text, rng)
        try:
            ast.parse(broken)
            continue
        except SyntaxError:
            pass
        begin = time.perf_counter()
        found = [s.text for s in solve(broken)]
        times.append(time.perf_counter() - begin)
        same = [ast.dump(ast.parse(f)) == want for f in found[:3]]
        total[kind] += 1
        parsed[kind] += bool(found)
        first[kind] += bool(same) and same[0]
        third[kind] += any(same)
        if verbose and not (same and same[0]):
            import difflib

            print(f"--- {path} {kind} {same} {times[-1] * 1000:.0f} ms")
            for label, other in [("damage", text), *[(f"repair {i}", f) for i, f in enumerate(found[:2])]]:
                diff = [x for x in difflib.unified_diff(other.splitlines(), broken.splitlines(), n=0, lineterm="") if x[:3] not in ("---", "+++")]
                print(label, *diff[:8], sep="\n   ")
        if sum(total.values()) >= count:
            break
    print(f"{'damage':14} {'files':>5} {'parses':>7} {'first':>7} {'top 3':>7}")
    for kind in sorted(total):
        n = total[kind]
        print(f"{kind:14} {n:5} {100 * parsed[kind] / n:6.1f}% {100 * first[kind] / n:6.1f}% {100 * third[kind] / n:6.1f}%")
    n = sum(total.values())
    print(f"{'all':14} {n:5} {100 * sum(parsed.values()) / n:6.1f}% {100 * sum(first.values()) / n:6.1f}% {100 * sum(third.values()) / n:6.1f}%")
    late = sorted(times)[int(0.95 * len(times))]
    print(f"ms per file: median {statistics.median(times) * 1000:.0f}, p95 {late * 1000:.0f}, max {max(times) * 1000:.0f}")


def main() -> int:
    """Parse the options and run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pydex", type=Path, default=Path(os.environ["PYDEX"]) if "PYDEX" in os.environ else None)
    parser.add_argument("--corrupt", type=Path)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verbose", "-v", action="store_true")
    options = parser.parse_args()
    if not options.pydex and not options.corrupt:
        parser.error("give --pydex FOLDER (or $PYDEX) or --corrupt FOLDER")
    if options.pydex:
        pydex(options.pydex, options.verbose)
    if options.corrupt:
        corrupt(options.corrupt, options.count, options.seed, options.verbose)
    return 0


if __name__ == "__main__":
    sys.exit(main())
