"""Distributions that are missing or in conflict, and imports that fail inside the product: said precisely, never papered over."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Applicability, Diagnosis, Evidence, Failure, FailurePattern, Proposal
from pytest_maestro_healer.strategies.base import Example, Tactic
from pytest_maestro_healer.strategies.dependency_fix import isolate, table_stdlib
from pytest_maestro_healer.strategies.dependency_fix.build import advice, edit_files, functions, group_of
from pytest_maestro_healer.strategies.dependency_fix.cause import Missing, innermost, missing, raised_in_tests
from pytest_maestro_healer.strategies.dependency_fix.editor import FileEditor
from pytest_maestro_healer.strategies.dependency_fix.plans import matches
from pytest_maestro_healer.strategies.dependency_fix.sites import Site, import_sites

_PATTERNS = frozenset({FailurePattern.IMPORT_ERROR, FailurePattern.DEPENDENCY_CONFLICT})
_PYPA = "https://packaging.python.org/en/latest/specifications/core-metadata/"
_C_API = re.compile(
    r"size changed, may indicate binary incompatibility|compiled (?:using|against) (?:NumPy|API|ABI)|_ARRAY_API not found|module compiled against"
    r"|undefined symbol|incompatible architecture|cannot open shared object file|symbol not found|numpy\.core\.multiarray failed to import|DLL load failed",  # noqa: E501
    re.I,
)
_REQUIRES = re.compile(r"\b([A-Za-z0-9][\w.-]*)\s*((?:[<>=!~]=?|===)\s*[\w.*]+(?:\s*,\s*(?:[<>=!~]=?|===)\s*[\w.*]+)*)")


def third_party(found: Missing | None, ctx: Context) -> str:
    """The import name of a missing third-party module, ``""`` if the project or the standard library should have it."""
    if found is None or found.kind != "module":
        return ""
    top = found.top
    if ctx.live.is_stdlib(top) or top in table_stdlib.GONE or ctx.symbols.is_project_module(top):
        return ""
    return "" if ctx.live.importable(top) and "." not in found.module else ("" if ctx.distributions.of_import(top) else found.module)


class MissingDistribution(Tactic):
    name = "missing_distribution"
    summary = "A module of a distribution that is not installed: which distribution, which extra or file of the project declares it, the command to install it."  # noqa: E501
    patterns = _PATTERNS
    applicability = Applicability.ADVICE
    evidence = ("distribution",)
    sources = ("https://pypi.org/project/<distribution>/", _PYPA)
    heals = (
        Example(
            "an import name that is not the distribution's",
            {"test_c.py": "import cv2\n\n\ndef test_c():\n    assert cv2.__version__\n"},
            advice="pip install opencv-python",
        ),
        Example(
            "declared in an extra of the project",
            {
                "pyproject.toml": '[project]\nname = "shop"\nversion = "1"\n\n[project.optional-dependencies]\ntest = ["zzqsnap>=1"]\n',
                "test_z.py": "import zzqsnap\n\n\ndef test_z():\n    assert zzqsnap\n",
            },
            advice="pip install -e '.[test]'",
        ),
    )
    declines = (
        Example(
            "a module of the project itself",
            {"shop/__init__.py": "", "test_s.py": "import shop.gone\n\n\ndef test_s():\n    assert shop.gone\n"},
            why="nothing to install: the project's own module is gone",
        ),
    )

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """Missing modules only."""
        return failure.is_a("ModuleNotFoundError")

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """Advice with the command."""
        found = missing(failure)
        module = third_party(found, ctx)
        if found is None or not module:
            return
        dist, where = ctx.distributions.distribution_for(module)
        declared = ctx.distributions.declared(dist)
        facts = [
            Evidence("distribution", f"{d.path} declares {d.requirement}" + (f" in {d.kind} {d.extra}" if d.extra else ""), d.path, 0.9)
            for d in declared[:3]
        ]
        if where:
            facts.append(Evidence("distribution", f"module {module} belongs to the distribution {dist}", where, 0.85))
        who = f"{found.path}:{found.line}"
        if not facts:
            text = f"module {module}, imported at {who}, is not installed and nothing in this project declares it: find the distribution that provides it"  # noqa: E501
            text += f" (often, but not surely, of the same name: python -m pip install {dist})"
            facts = [Evidence("distribution", f"no installed distribution provides {module}, no project file names it", who, 0.4)]
        else:
            text = f"module {module}, imported at {who}, is not installed; it belongs to {dist}: {ctx.distributions.install_command(dist)}"
        yield advice(self.name, failure, text, facts, found.key, f"{dist} is not installed", 0.5)


class OptionalDependency(Tactic):
    name = "optional_dependency"
    summary = "Tests of a feature whose dependency the project itself declares optional are skipped without it, by pytest.importorskip."
    patterns = _PATTERNS
    applicability = Applicability.REVIEW
    evidence = ("distribution",)
    sources = ("https://docs.pytest.org/en/stable/how-to/skipping.html#skipping-on-a-missing-import-dependency",)
    heals = (
        Example(
            "an optional dependency by the project's own word",
            {
                "pyproject.toml": '[project]\nname = "shop"\nversion = "1"\n\n[project.optional-dependencies]\nfast = ["zzqfast>=1"]\n',
                "shop.py": "def total(items):\n    return sum(items)\n",
                "test_z.py": "import pytest\nimport zzqfast\nfrom shop import total\n\n\ndef test_total():\n    assert total([1]) == 1\n\n\n"
                "def test_z():\n    assert zzqfast.sum([1]) == 1\n",
            },
            {
                "test_z.py": "import pytest\nfrom shop import total\n\n\ndef test_total():\n    assert total([1]) == 1\n\n\n"
                'def test_z():\n    zzqfast = pytest.importorskip("zzqfast")\n    assert zzqfast.sum([1]) == 1\n',
            },
        ),
    )
    declines = (
        Example(
            "a plain dependency",
            {
                "pyproject.toml": '[project]\nname = "shop"\nversion = "1"\ndependencies = ["zzqfast>=1"]\n',
                "test_z.py": "import zzqfast\n\n\ndef test_z():\n    assert zzqfast.sum([1]) == 1\n",
            },
            why="the project requires it: a skip would hide that it is not installed",
        ),
    )

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """Missing modules only."""
        return failure.is_a("ModuleNotFoundError")

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """importorskip before the import."""
        found = missing(failure)
        module = third_party(found, ctx)
        if found is None or not module or not raised_in_tests(failure, found, ctx):
            return
        dist, _ = ctx.distributions.distribution_for(module)
        declared = ctx.distributions.declared(dist)
        if not declared or not all(d.optional for d in declared):
            return
        paths, nodeids = group_of(found, ctx, failure)

        def change(editor: FileEditor) -> None:
            sites = [s for s in import_sites(editor.src, "") if matches(s, found) and not s.guarded and isinstance(s.scope, ast.Module)]
            users = [isolate.users_of(s, editor.tree) for s in sites]
            tests = [f for f in functions(editor.tree) if f.name.startswith("test")]
            if all(users) and any(f not in u for u in users for f in tests):
                for site, inside in zip(sites, users, strict=True):
                    editor.need("import pytest")
                    editor.drop(site)
                    for f in inside:
                        isolate.insert_first(editor, f, _skipping(site, found.module))
            elif sites and editor.up.get(sites[0].node) is editor.tree:
                at = editor.src.line_start(sites[0].node.lineno)
                above = [n for n in editor.tree.body if n.lineno < sites[0].node.lineno]
                have = any(isinstance(n, ast.Import) and any(a.name == "pytest" for a in n.names) for n in above)
                editor.replace(at, at, ("" if have else "import pytest\n") + f'pytest.importorskip("{found.module}")\n')

        facts = [Evidence("distribution", f"{d.path} declares {d.requirement} in extra {d.extra} only", d.path, 0.85) for d in declared[:2]]
        text = f"{dist} is an optional dependency of this project: without it the module's tests are skipped"
        p = edit_files(self.name, change, paths, ctx, nodeids=nodeids, evidence=facts, meaning=f"{dist} is optional", explanation=text,
                       cause_key=found.key, safe=False, score=0.4)  # fmt: skip
        if p is not None:
            yield p


def _skipping(site: Site, module: str) -> str:
    """The lines that import what ``site`` does, or skip."""
    if not site.name and (site.alias.asname or site.module == module == site.bound):
        return f'{site.bound} = pytest.importorskip("{site.module}")'
    return f'pytest.importorskip("{module}"); {isolate.statement_of(site)}'


class VersionConflict(Tactic):
    name = "version_conflict"
    summary = "Installed versions that contradict what another distribution requires, or a binary built against another version: what wants what, and the pin."  # noqa: E501
    patterns = _PATTERNS
    applicability = Applicability.ADVICE
    evidence = ("distribution",)
    sources = (_PYPA, "https://numpy.org/doc/stable/user/troubleshooting-importerror.html")
    heals = (
        Example(
            "the project asks for another version than the installed one",
            {
                "pyproject.toml": '[project]\nname = "shop"\nversion = "1"\ndependencies = ["pytest<5"]\n',
                "test_p.py": "from pytest import no_such_name\n\n\ndef test_p():\n    assert no_such_name\n",
            },
            advice="requires pytest<5",
        ),
    )
    declines = (
        Example(
            "no requirement is broken",
            {"test_p.py": "from pytest import no_such_name\n\n\ndef test_p():\n    assert no_such_name\n"},
            why="the installed versions agree: it is no conflict",
        ),
    )

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """Import errors, and errors that name requirements or binaries."""
        return failure.is_a("ImportError", "VersionConflict", "ContextualVersionConflict", "DistributionNotFound") or bool(
            _C_API.search(failure.message)
        )

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """One advice with every broken requirement that concerns the packages on the failing path."""
        found = missing(failure)
        about = self._packages(failure, found, ctx)
        binary = _C_API.search(failure.message)
        conflicts = list(ctx.distributions.conflicts(about)) if about else []
        if not conflicts and not binary:
            return
        facts = [Evidence("distribution", c.sentence, c.wanted_by, 0.9) for c in conflicts[:5]]
        parts = [f"{c.sentence}: python -m pip install '{c.requirement}'" for c in conflicts[:5]]
        if binary:
            names = ", ".join(f"{a} {ctx.distributions.version(a)}" for a in about if ctx.distributions.version(a)) or "a compiled module"
            parts.insert(0, f"{names}: a compiled module does not fit what is installed ({binary[0]}); reinstall it for these versions: "
                            f"python -m pip install --force-reinstall --no-cache-dir {' '.join(about) or '<distribution>'}")  # fmt: skip
            facts.append(Evidence("distribution", failure.message.splitlines()[0][:200], str(failure.location or failure.path), 0.8))
        text = "; ".join(parts)
        yield advice(self.name, failure, text, facts, f"conflict:{','.join(sorted(about))}", "installed versions contradict each other", 0.6)

    def _packages(self, failure: Failure, found: Missing | None, ctx: Context) -> list[str]:
        modules = [found.top] if found is not None and found.kind in ("module", "name") else []
        modules += [f.module.partition(".")[0] for f in failure.frames if f.kind == "third_party" and f.module]
        names = [d for m in dict.fromkeys(modules) for d in ctx.distributions.of_import(m)]
        names += [m[1] for m in _REQUIRES.finditer(failure.message) if ctx.distributions.version(m[1])]
        return [
            n
            for n in dict.fromkeys(names)
            if n.lower() not in ("pluggy",) and not (n.lower() == "pytest" and (found is None or found.top != "pytest"))
        ]


class ProductImport(Tactic):
    name = "product_import"
    summary = "An import or a name that fails inside the product or a library is named with its place and its successor; the test is left alone."
    patterns = _PATTERNS
    applicability = Applicability.ADVICE
    evidence = ("symbol", "docs")
    sources = ("https://docs.python.org/3/whatsnew/",)
    heals = (
        Example(
            "the product imports what Python removed",
            {
                "shop.py": "from collections import Mapping\n\n\ndef is_map(x):\n    return isinstance(x, Mapping)\n",
                "test_s.py": "from shop import is_map\n\n\ndef test_s():\n    assert is_map({})\n",
            },
            advice="shop.py:1",
        ),
    )
    declines = (
        Example(
            "the test's own import is at fault",
            {"shop.py": "def mean(x):\n    return 0\n", "test_s.py": "from shop import mode\n\n\ndef test_s():\n    assert mode([1]) == 1\n"},
            why="the failing line is the test's: other tactics look for mode, and this one has nothing to add",
        ),
    )

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """Import and name errors."""
        return failure.is_a("ImportError", "NameError")

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """Advice with the place."""
        found, at = missing(failure), innermost(failure)
        if found is None or at is None or at.kind not in ("product", "third_party") or raised_in_tests(failure, found, ctx):
            return
        what = f"{found.module}.{found.name}".strip(".")
        rule = table_stdlib.RULES.get(what)
        owner = "the product" if at.kind == "product" else f"the installed package {at.module.partition('.')[0]}"
        text = f"{at.location}: {owner} needs {what}, which does not exist here"
        facts = [Evidence("symbol", f"the failing line is in {owner}: {at.text or what}", str(at.location), 0.9)]
        if rule is not None and rule.to:
            text += f"; its documented successor is {rule.to}"
            facts.append(Evidence("docs", f"{what} became {rule.to}", rule.source, 0.85))
        elif (gone := table_stdlib.GONE.get(found.top)) is not None:
            text += f"; it left the standard library in Python {gone[0]}, successor: {gone[1]}"
        if found.circular:
            text += "; the module is only partially initialised: a circular import"
        yield advice(self.name, failure, text + ". The tests were left alone.", facts, found.key, f"{owner} is broken", 0.7)
