"""What is installed, what wants what, and what this project declares; from metadata and project files, nothing is imported or fetched."""

from __future__ import annotations

import ast
import configparser
import contextlib
import importlib.metadata
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_maestro_healer.evidence.import_names import DISTRIBUTIONS

if TYPE_CHECKING:
    from packaging.requirements import Requirement

_NAME = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_REQUIREMENT_FILES = (
    "requirements*.txt",
    "requirements*.in",
    "*requirements.txt",
    "requirements/*.txt",
    "requirements/*.in",
    "ci/*.txt",
    "constraints*.txt",
)


@dataclass(frozen=True)
class Declaration:
    """One place where the project asks for a distribution.

    ``extra`` is the extra or dependency group it belongs to (``""`` for plain dependencies and requirement files); ``kind`` is
    ``dependency``, ``extra``, ``group`` or ``file``; ``requirement`` the text as written.
    """

    distribution: str
    requirement: str
    path: str
    kind: str
    extra: str = ""

    @property
    def optional(self) -> bool:
        """Whether the product is meant to work without it: it stands in an extra that is no test or development extra."""
        return self.kind == "extra" and not re.fullmatch(
            r"(?i)(tests?|testing|dev|develop(ment)?|all|ci|lint|docs?|checks?|typing|qa)([-_].*)?", self.extra
        )


@dataclass(frozen=True)
class Conflict:
    """``wanted_by`` requires ``requirement`` of ``distribution``, but ``installed`` is there."""

    wanted_by: str
    distribution: str
    requirement: str
    installed: str
    specifier: str = ""

    @property
    def sentence(self) -> str:
        """The fact in one sentence."""
        return f"{self.wanted_by} requires {self.requirement}, but {self.distribution} {self.installed} is installed"


def normalise(name: str) -> str:
    """The normalised form of a distribution name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


class Distributions:
    """Facts about distributions for the interpreter that runs and the project at ``root``."""

    def __init__(self, root: Path) -> None:
        self.root = root

    # -- installed -----------------------------------------------------------------------------------------
    @cached_property
    def _installed(self) -> dict[str, importlib.metadata.Distribution]:
        out: dict[str, importlib.metadata.Distribution] = {}
        for dist in importlib.metadata.distributions():
            if "Name" in dist.metadata:  # a damaged installation may lack it
                out.setdefault(normalise(dist.metadata["Name"]), dist)
        return out

    @cached_property
    def _imports(self) -> Mapping[str, list[str]]:
        try:
            return importlib.metadata.packages_distributions()
        except Exception:
            return {}

    def version(self, distribution: str) -> str | None:
        """The installed version, or ``None``."""
        dist = self._installed.get(normalise(distribution))
        return dist.version if dist is not None else None

    def installed_names(self) -> Sequence[str]:
        """Names of all installed distributions, normalised and sorted."""
        return sorted(self._installed)

    def import_names(self) -> Sequence[str]:
        """All top-level names that installed distributions provide, sorted."""
        return sorted(n for n in self._imports if n.isidentifier())

    def of_import(self, module: str) -> Sequence[str]:
        """The installed distributions that provide a module, by their names."""
        return tuple(dict.fromkeys(self._imports.get(module.partition(".")[0], ())))

    # -- what to install -----------------------------------------------------------------------------------
    def distribution_for(self, module: str) -> tuple[str, str]:
        """(distribution name, where that is known from) of an import name, installed or not.

        Known from: the metadata, this project's own declarations, the table of differing names; else the name itself, and
        the second item is ``""``: a guess to be said as such.
        """
        installed = self.of_import(module)
        if installed:
            return installed[0], "installed metadata"
        parts = module.split(".")
        for cut in range(len(parts), 0, -1):
            name = DISTRIBUTIONS.get(".".join(parts[:cut]))
            if name:
                found = self.declared(name)
                return name, found[0].path if found else f"https://pypi.org/project/{name}/"
        for spelling in (parts[0], f"python-{parts[0]}", f"py{parts[0]}"):
            found = self.declared(spelling)
            if found:
                return found[0].distribution, found[0].path
        return parts[0].replace("_", "-"), ""

    def install_command(self, distribution: str, requirement: str = "") -> str:
        """The command that installs it for this interpreter; through the project's extra or group where one declares it."""
        for d in self.declared(distribution):
            if d.kind == "extra":
                return f"python -m pip install -e '.[{d.extra}]'"
            if d.kind == "group":
                return f"python -m pip install --group {d.extra}"
            if d.kind == "file":
                return f"python -m pip install -r {d.path}"
            return "python -m pip install -e ."
        text = requirement or distribution
        return f"python -m pip install '{text}'" if re.search(r"[<>=!~ \[]", text) else f"python -m pip install {text}"

    # -- declared by this project --------------------------------------------------------------------------
    def declared(self, distribution: str) -> Sequence[Declaration]:
        """Where this project declares a distribution: dependencies, extras, groups, requirement files, in that order."""
        want = normalise(distribution)
        order = {"dependency": 0, "extra": 1, "group": 2, "file": 3}
        return sorted((d for d in self.declarations if normalise(d.distribution) == want), key=lambda d: order[d.kind])

    @cached_property
    def declarations(self) -> Sequence[Declaration]:
        """Every requirement that the project's own files declare."""
        out: list[Declaration] = []
        for reader in (self._pyproject, self._setup_cfg, self._setup_py, self._requirement_files):
            # a malformed file declares nothing we could cite
            with contextlib.suppress(OSError, ValueError, TypeError, AttributeError, SyntaxError, configparser.Error):
                out += reader()
        return out

    def _pyproject(self) -> Iterator[Declaration]:
        data = self._toml(self.root / "pyproject.toml")
        project = data.get("project", {})
        yield from _declare(project.get("dependencies", ()), "pyproject.toml", "dependency")
        for extra, reqs in project.get("optional-dependencies", {}).items():
            yield from _declare(reqs, "pyproject.toml", "extra", extra)
        for group, reqs in data.get("dependency-groups", {}).items():
            yield from _declare([r for r in reqs if isinstance(r, str)], "pyproject.toml", "group", group)
        poetry = data.get("tool", {}).get("poetry", {})
        yield from _declare([n for n in poetry.get("dependencies", {}) if n != "python"], "pyproject.toml", "dependency")
        for extra, names in poetry.get("extras", {}).items():
            yield from _declare(names, "pyproject.toml", "extra", extra)
        for group, table in {**poetry.get("group", {}), "dev": {"dependencies": poetry.get("dev-dependencies", {})}}.items():
            yield from _declare(list(table.get("dependencies", {})), "pyproject.toml", "group", group)

    def _toml(self, path: Path) -> dict[str, Any]:
        if not path.is_file():
            return {}
        if sys.version_info >= (3, 11):
            import tomllib
        else:
            import tomli as tomllib  # a requirement of pytest itself on 3.10

        return tomllib.loads(path.read_text(encoding="utf-8"))

    def _setup_cfg(self) -> Iterator[Declaration]:
        path = self.root / "setup.cfg"
        if not path.is_file():
            return
        cfg = configparser.ConfigParser(interpolation=None)
        cfg.read_string(path.read_text(encoding="utf-8"))
        for key in ("install_requires", "tests_require"):
            kind = "dependency" if key == "install_requires" else "file"
            yield from _declare(cfg.get("options", key, fallback="").splitlines(), "setup.cfg", kind)
        if cfg.has_section("options.extras_require"):
            for extra, text in cfg.items("options.extras_require"):
                yield from _declare(text.splitlines(), "setup.cfg", "extra", extra)

    def _setup_py(self) -> Iterator[Declaration]:
        path = self.root / "setup.py"
        if not path.is_file():
            return
        tree = ast.parse(path.read_bytes())
        named = {n.targets[0].id: n.value for n in ast.walk(tree) if isinstance(n, ast.Assign) and isinstance(n.targets[0], ast.Name)}
        for call in ast.walk(tree):
            if not isinstance(call, ast.Call):
                continue
            for kw in call.keywords:
                if kw.arg not in ("install_requires", "extras_require", "tests_require"):
                    continue
                value = named.get(kw.value.id, kw.value) if isinstance(kw.value, ast.Name) else kw.value
                if kw.arg == "extras_require" and isinstance(value, ast.Dict):
                    for k, v in zip(value.keys, value.values, strict=True):
                        if isinstance(k, ast.Constant):
                            yield from _declare(_strings(named.get(v.id, v) if isinstance(v, ast.Name) else v), "setup.py", "extra", str(k.value))
                elif kw.arg == "install_requires":
                    yield from _declare(_strings(value), "setup.py", "dependency")

    def _requirement_files(self) -> Iterator[Declaration]:
        seen: set[Path] = set()
        for pattern in _REQUIREMENT_FILES:
            for path in sorted(self.root.glob(pattern)):
                if path not in seen and path.is_file():
                    seen.add(path)
                    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
                    yield from _declare(lines, path.relative_to(self.root).as_posix(), "file")

    # -- conflicts -----------------------------------------------------------------------------------------
    def conflicts(self, about: Iterable[str] = ()) -> Sequence[Conflict]:
        """Requirements that the installed versions break; only those that involve one of ``about`` (distributions), if given."""
        wanted = {normalise(a) for a in about}
        out: list[Conflict] = []
        for name, dist in sorted(self._installed.items()):
            for text in dist.requires or ():
                conflict = self._check(dist.metadata["Name"] or name, text)
                if conflict and (not wanted or {name, normalise(conflict.distribution)} & wanted):
                    out.append(conflict)
        for d in self.declarations:
            if d.kind in ("dependency", "file"):
                conflict = self._check(f"this project ({d.path})", d.requirement)
                if conflict and (not wanted or normalise(conflict.distribution) in wanted):
                    out.append(conflict)
        return out

    def _check(self, wanted_by: str, text: str) -> Conflict | None:
        req = _requirement(text)
        if req is None:
            return None
        version = self.version(req.name)
        if version is None:
            return None
        try:
            if (req.marker is not None and not req.marker.evaluate({"extra": ""})) or req.specifier.contains(version, prereleases=True):
                return None
        except Exception:  # a marker or version that packaging rejects proves no conflict
            return None
        return Conflict(wanted_by, req.name, f"{req.name}{req.specifier}", version, str(req.specifier))

    def requirers(self, distribution: str) -> Sequence[tuple[str, str]]:
        """(distribution, requirement text) of everything installed that requires ``distribution`` without an extra."""
        want, out = normalise(distribution), []
        for name, dist in sorted(self._installed.items()):
            for text in dist.requires or ():
                req = _requirement(text)
                if req is not None and normalise(req.name) == want and "extra" not in str(req.marker or ""):
                    out.append((name, text))
        return out


def _requirement(text: str) -> Requirement | None:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        return Requirement(text.split(" #")[0].strip())
    except InvalidRequirement:
        return None


def _declare(lines: Iterable[str], path: str, kind: str, extra: str = "") -> Iterator[Declaration]:
    for line in lines:
        text = line.split(" #")[0].strip()
        m = _NAME.match(text)
        if m and not text.startswith(("#", "-")):
            yield Declaration(m[1], text, path, kind, extra)


def _strings(node: ast.expr) -> list[str]:
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return [e.value for e in node.elts if isinstance(e, ast.Constant) and isinstance(e.value, str)]
    return node.value.splitlines() if isinstance(node, ast.Constant) and isinstance(node.value, str) else []
