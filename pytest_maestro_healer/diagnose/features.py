"""What the trained classifier looks at: a failure as a set of feature names, and their places in the table of weights; pure.

Names of projects, paths, numbers and quoted values are left out or made anonymous: a classifier that knows them has learned its corpus and
nothing else. The same names are made when it is trained and when it is asked.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator
from itertools import pairwise

from pytest_maestro_healer.model import Comparison, Failure, Frame

#: Places in the table; two names that fall into one place share its weights.
PLACES = 2048
#: Changed whenever the names change: weights of another version are not used.
VERSION = 1

_QUOTED = re.compile(r"'[^'\n]{0,200}'|\"[^\"\n]{0,200}\"|`[^`\n]{0,200}`")
_PATH = re.compile(r"(?:[A-Za-z]:)?[\w.~-]*[/\\][\w./\\~-]+")
_NUMBER = re.compile(r"\b\d[\d._]*\b")
_WORD = re.compile(r"[A-Za-z]{2,}")
_PIECE = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_LEAST_PIECE = 3
_MOST_WORDS = 40


def names(failure: Failure) -> set[str]:
    """The features that are there."""
    out = {f"phase {failure.phase}", f"type {_bare(failure.exc_type)}"}
    out.update(f"base {_bare(n)}" for n in failure.exc_mro[:-2])
    out.update(f"cause {_bare(t)}" for t, _ in failure.chain[:2])
    out.add("own type" if _of_project(failure) else "known type")
    out.update(_of_message(failure.message[:600]))
    out.update(_of_frames(failure.frames))
    out.update(f"code {p}" for p in pieces(failure.statement[:400]))
    if failure.comparison is not None:
        out.update(_of_comparison(failure.comparison))
    out.update(f"has {k}" for k in failure.exc_attrs)
    if "obj_kind" in failure.exc_attrs:
        out.add(f"lacks on {failure.exc_attrs['obj_kind']}")
    out.update(_of_statistics(failure))
    return out


def places(features: Iterable[str]) -> list[int]:
    """Where they stand in the table, each place once, in order."""
    return sorted({zlib.crc32(f.encode("utf-8", "surrogatepass")) % PLACES for f in features})


def pieces(text: str) -> Iterator[str]:
    """The words that identifiers of a piece of code are made of, small."""
    for piece in _PIECE.findall(_QUOTED.sub(" ", text))[:_MOST_WORDS]:
        if len(piece) >= _LEAST_PIECE:
            yield piece.lower()


def _bare(name: str) -> str:
    return name.rpartition(".")[2]


def _of_project(failure: Failure) -> bool:
    return "." in failure.exc_type and any(f.module.partition(".")[0] == failure.exc_type.partition(".")[0] for f in failure.frames)


def _of_message(message: str) -> Iterator[str]:
    first = message.partition("\n")[0]
    text = _NUMBER.sub(" nn ", _PATH.sub(" pp ", _QUOTED.sub(" qq ", first)))
    words = [w.lower() for w in _WORD.findall(text)][:_MOST_WORDS]
    yield from (f"word {w}" for w in words)
    yield from (f"pair {a} {b}" for a, b in pairwise(words))
    yield "no message" if not message.strip() else "one line" if first == message.strip() else "lines"
    for quoted in _QUOTED.findall(first)[:3]:
        yield f"quoted {_kind_of_text(quoted[1:-1])}"
    yield from (f"later {w.lower()}" for w in _WORD.findall(_QUOTED.sub(" ", message[len(first) :][:200]))[:15])


def _kind_of_text(text: str) -> str:
    if text.replace("_", "").isalnum() and not text[:1].isdigit():
        return "constant" if text.isupper() else "name"
    if text.replace("_", "").replace(".", "").isalnum():
        return "dotted"
    return "path" if "/" in text or "\\" in text else "text"


def _of_frames(frames: tuple[Frame, ...]) -> Iterator[str]:
    if not frames:
        yield "no frames"
        return
    last = frames[-1]
    yield f"last {last.kind}"
    own = [f for f in frames if not (f.kind == "stdlib" and f.module.startswith(("importlib", "_frozen")))]
    kinds = [f.kind for i, f in enumerate(own) if i == 0 or own[i - 1].kind != f.kind]
    yield f"kinds {' '.join(kinds[-3:])}"
    inner = next((f.kind for f in reversed(own) if f.kind != "stdlib"), "none")
    yield f"inner {inner}"
    depth = sum(f.kind != "test" for f in own)
    yield f"depth {'0' if not depth else '1' if depth == 1 else 'few' if depth < 5 else 'many'}"
    yield from (f"lib {f.module.partition('.')[0]}" for f in frames[-4:] if f.kind == "stdlib")
    first = _WORD.match(last.text)
    yield f"does {first.group().lower() if first else ''}"
    if last.function == "<module>":
        yield f"at import of {last.kind}"
    yield from (f"near {p}" for f in frames[-2:] for p in pieces(f.text[:200]))


def _of_comparison(c: Comparison) -> Iterator[str]:
    yield f"style {c.style}"
    yield f"operator {c.operator}"
    kinds = [_bare(o.value.type) for o in c.operands[:2]]
    yield f"operands {' '.join(kinds)}"
    if len(c.operands) != 2:
        return
    a, b = (o.value.repr for o in c.operands[:2])
    yield "same kind" if kinds[0] == kinds[1] else "other kind"
    if sorted(a) == sorted(b):
        yield "same letters"
    if "None" in (a, b):
        yield "none there"
    try:
        x, y = float(a), float(b)
    except ValueError:
        return
    near = abs(x - y) / max(abs(x), abs(y), 1e-300)
    yield f"apart {'tiny' if near < 1e-6 else 'small' if near < 0.2 else 'far'}"


def _of_statistics(failure: Failure) -> Iterator[str]:
    if failure.reruns:
        yield "rerun"
    if failure.params:
        yield "parameters"
    seconds = failure.duration
    yield f"took {'nothing' if seconds < 0.02 else 'little' if seconds < 0.2 else 'some' if seconds < 2 else 'long'}"
