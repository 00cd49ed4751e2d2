"""Values of environment variables as the project itself documents them: example files, CI, containers, task runners, prose."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from pytest_maestro_healer.evidence.files import ProjectFiles

#: (glob of the root-relative path, what it is, how much a value in it says), most telling first.
_PLACES = (
    ("*.env.test*", "test settings", 0.9), ("*.env.ci*", "CI settings", 0.9), ("*.env.testing", "test settings", 0.9),
    ("*.env.example", "example settings", 0.85),
    ("*.env.sample", "example settings", 0.85), ("*.env.template", "example settings", 0.8), ("*.env.dist", "example settings", 0.85),
    ("*env.example", "example settings", 0.85), ("*example.env", "example settings", 0.85), ("*sample.env", "example settings", 0.85),
    ("*test.env", "test settings", 0.9), ("tox.ini", "tox configuration", 0.85), ("noxfile.py", "nox configuration", 0.8),
    ("pyproject.toml", "project configuration", 0.85), ("setup.cfg", "project configuration", 0.8), ("pytest.ini", "pytest configuration", 0.85),
    (".github/workflows/*.y*ml", "CI configuration", 0.85), (".gitlab-ci.y*ml", "CI configuration", 0.85), (".travis.y*ml", "CI configuration", 0.8),
    ("appveyor.y*ml", "CI configuration", 0.8), (".circleci/*.y*ml", "CI configuration", 0.8), ("azure-pipelines.y*ml", "CI configuration", 0.8),
    ("*compose*.y*ml", "compose file", 0.75), ("*Dockerfile*", "container file", 0.75), ("Makefile", "make file", 0.75),
    ("justfile", "just file", 0.75),
    ("*.envrc", "direnv file", 0.75), ("README*", "documentation", 0.65), ("CONTRIBUTING*", "documentation", 0.65), ("docs/*", "documentation", 0.65),
)  # fmt: skip
_TEXT = (".md", ".rst", ".txt", ".adoc", "")
_SKIP = {".git", ".tox", ".nox", ".venv", "venv", "node_modules", "__pycache__", "build", "dist", "site-packages", ".maestro"}
#: What stands for a value that everybody has to fill in.
_BLANK = re.compile(r"^$|\$\{\{|^\$|^<.*>$|^\.\.\.$|^x{3,}$|^\*+$|secrets\.", re.I)
_QUOTED = re.compile(r"""^(["'])(.*?)\1""")
_LIMIT = 400_000


@dataclass(frozen=True)
class Setting:
    """One documented value: where it stands, what kind of place that is and how much it says (0..1)."""

    name: str
    value: str
    where: str
    place: str
    weight: float


class Settings:
    """Looks values up; the files are found once and read when a name is asked for."""

    def __init__(self, files: ProjectFiles) -> None:
        self._files = files
        self._texts: list[tuple[str, str, float, str]] | None = None
        self._found: dict[str, tuple[Setting, ...]] = {}

    def values(self, name: str) -> Sequence[Setting]:
        """All documented values of the variable ``name``, most telling first; each value once."""
        if name not in self._found:
            out: dict[str, Setting] = {}
            pattern = re.compile(r"(?:^|[\s\"'`{(,\[-])" + re.escape(name) + r"[\"'`]?[\])]?[ \t]*(=|:|,|[ \t])[ \t]*(.*)$", re.M)
            for path, place, weight, text in self._documents():
                if name not in text:
                    continue
                for m in pattern.finditer(text):
                    if (value := _value(m[1], m[2], path, place)) is not None:
                        line = text.count("\n", 0, m.start(2)) + 1
                        out.setdefault(value, Setting(name, value, f"{path}:{line}", place, weight))
            self._found[name] = tuple(sorted(out.values(), key=lambda s: -s.weight))
        return self._found[name]

    def _documents(self) -> list[tuple[str, str, float, str]]:
        if self._texts is None:
            self._texts = []
            for path in self._paths():
                hit = next(((p, w) for g, p, w in _PLACES if fnmatch.fnmatch(path, g)), None)
                if hit is None or (hit[0] == "documentation" and PurePath(path).suffix.lower() not in _TEXT):
                    continue
                data = self._files.read(path) or b""
                if len(data) <= _LIMIT and b"\0" not in data:
                    self._texts.append((path, *hit, data.decode("utf-8", "replace")))
        return self._texts

    def _paths(self) -> list[str]:
        out: list[str] = []
        for folder, dirs, names in os.walk(self._files.root):
            here = os.path.relpath(folder, self._files.root).replace(os.sep, "/")
            depth = 0 if here == "." else here.count("/") + 1
            dirs[:] = sorted(d for d in dirs if d not in _SKIP and (depth < 2 or here.startswith(("docs", ".github"))) and depth < 4)
            out += [n if here == "." else f"{here}/{n}" for n in sorted(names)]
            if len(out) > 5_000:
                break
        return out


def _value(sign: str, rest: str, path: str, place: str) -> str | None:
    """The value in what follows the name, ``None`` where it is none."""
    if (sign in (" ", "\t") and place != "container file") or (sign == "," and not path.endswith("noxfile.py")):
        return None
    text = rest.strip()
    default = re.fullmatch(r"[\"']?\$\{\w+:?-([^}]*)\}[\"']?", text)
    quoted = _QUOTED.match(text)
    if default:
        value = default[1]
    elif quoted:
        value = quoted[2]
    elif place in ("documentation", "make file", "just file", "nox configuration", "container file"):
        value = re.split(r"[\s`,)}\]]", text, maxsplit=1)[0]  # a command or prose goes on
    else:
        value = re.split(r"\s+#", text, maxsplit=1)[0].strip()
    return None if _BLANK.search(value) or len(value) > 300 else value
