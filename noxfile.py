"""Sessions for developers: ``nox`` runs the tests, the linter and the type checker; ``nox -l`` lists all."""

from __future__ import annotations

import nox

nox.needs_version = ">=2024.10"
nox.options.sessions = ["tests", "lint", "typing"]
nox.options.error_on_missing_interpreters = False

PYTHONS = ["3.10", "3.11", "3.12", "3.13"]


@nox.session(python=PYTHONS)
@nox.parametrize("pytest", ["8", "9"])
def tests(session: nox.Session, pytest: str) -> None:
    """The test suite on every supported Python and pytest; arguments go to pytest."""
    session.install(".[test]", f"pytest=={pytest}.*")
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session
def off(session: nox.Session) -> None:
    """The test suite with the plugin switched off from outside: what it does must not depend on being loaded there."""
    session.install(".[test]")
    session.run("python", "-m", "pytest", "-p", "no:maestro_healer", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Style and format."""
    session.install("ruff")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def typing(session: nox.Session) -> None:
    """Types, strictly."""
    session.install(".[test]", "mypy")
    session.run("mypy")


@nox.session
def bench(session: nox.Session) -> None:
    """A smoke run of the benchmarks: that they work, not what they measure."""
    session.install(".[test]")
    session.run("python", "tests/bench/bench_overhead.py", "--tests", "200", "--rounds", "1")
    session.run("python", "tests/bench/bench_kill.py", "--trials", "6")
    session.run("python", "tests/bench/bench_heals.py", "--limit", "1", "--failures", "5")
    session.run("python", "tests/bench/bench_learning.py")
    session.run("python", "tests/bench/bench_regressions.py", "--work", session.create_tmp(), "--only", "api-3/g01,env-3/a01")
    session.run("python", "tests/bench/bench_green.py", "--tests", "200", "--rounds", "1")


@nox.session
def docs(session: nox.Session) -> None:
    """The documentation as a site; every warning is an error."""
    session.install("mkdocs-material>=9.5,<10")
    session.run("mkdocs", "build", "--strict", "-f", ".mkdocs.yml", *session.posargs)


@nox.session
def demo(session: nox.Session) -> None:
    """The demo from an installed package; fails when it did not go as it promises."""
    session.install(".")
    session.run("maestro-heal", "demo", *session.posargs)
