"""Distributions that do not fit together: real pairs from the package index, and made-up ones in every way in which that is noticed.

A real pair is installed without its dependencies' bounds (``pip install --no-deps --target``) and counts where its import then fails. A made-up pair
is a provider of which a newer release lost something, and a consumer, installed beside it, that still uses that.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_FLASK3 = "flask==3.0.3 jinja2==3.1.4 markupsafe==2.1.5 werkzeug==3.0.4 itsdangerous==2.2.0 click==8.1.7 blinker==1.8.2"
_FLASK2 = "flask==2.2.5 jinja2==3.1.4 markupsafe==2.1.5 itsdangerous==2.2.0 click==8.1.7 blinker==1.8.2"
_HTTP = "idna==3.7 certifi==2024.7.4 charset-normalizer==3.3.2"
#: What is installed, and what a test then does.
REAL: tuple[tuple[str, str], ...] = (
    ("flask==1.1.4 jinja2==3.1.4 markupsafe==2.1.5 werkzeug==1.0.1 itsdangerous==1.1.0 click==7.1.2", "import flask"),
    (f"{_FLASK2} werkzeug==3.0.4", "import flask"),
    ("jinja2==2.11.3 markupsafe==2.1.5", "import jinja2"),
    (f"flask-login==0.5.0 {_FLASK3}", "import flask_login"),
    (f"flask-wtf==0.14.3 wtforms==3.1.2 {_FLASK3}", "import flask_wtf"),
    (f"requests-toolbelt==0.9.1 requests==2.31.0 urllib3==2.2.2 {_HTTP}", "import requests_toolbelt"),
    ("graphene==2.1.9 graphql-core==3.2.3 graphql-relay==3.2.0 aniso8601==7.0.0 six==1.16.0", "import graphene"),
    ("m2r==0.2.1 mistune==2.0.5 docutils==0.21.2", "import m2r"),
    ("typer==0.3.2 click==8.2.1", "import typer\n    typer.main.get_command(typer.Typer(callback=lambda x=1: None))"),
    ("bottleneck==1.3.7 numpy==2.1.1", "import bottleneck"),
    ("numexpr==2.8.4 numpy==2.1.1", "import numexpr"),
)

#: Names for made-up distributions.
NAMES = (
    *("anvil", "brook", "cedar", "delta", "ember", "fjord", "grove", "heron", "inlet", "jasper", "knoll", "larch", "maple", "nectar", "orchid"),
    *("pebble", "quartz", "raven", "sable", "thistle", "umber", "violet", "willow", "xenon", "yarrow", "zephyr", "almond", "basil", "clover"),
)
WORDS = ("encode", "parse", "load", "dump", "open_session", "build_url", "make_client", "as_text", "Registry", "Session", "Token", "Field")

_VERSION = "import importlib.metadata as m\n\nv = m.version('{p}')\nif int(v.split('.')[0]) < {n}:\n"
_BINARY = "{p}.array size changed, may indicate binary incompatibility. Expected 96 from C header, got 88 from PyObject"
_RESOURCE = "class VersionConflict(Exception):\n    pass\n\n\n"
#: How a consumer notices: (kind, code of the provider, code of the consumer, whether the test has to call it).
WAYS: dict[str, tuple[str, str, bool]] = {
    "name": ("", "from {p} import {w}\n", False),
    "submodule": ("", "from {p}.compat import {w}\n", False),
    "attribute": ("", "import {p}\nVALUE = {p}.{w}\n", False),
    "attribute_called": ("", "import {p}\n\n\ndef use(x=1):\n    return {p}.{w}(x)\n", True),
    "keyword": ("def {w}(value):\n    return value\n", "import {p}\n\n\ndef use(x=1):\n    return {p}.{w}(value=x, strict=True)\n", True),
    "base_class": ("class Base:\n    def __init_subclass__(cls): ...\n", "import {p}\n\n\nclass Mine({p}.Base, name='x'):\n    a = 1\n", False),
    "stated": ("", _VERSION + "    raise RuntimeError(f'{c} requires {p}>={n}.0, but {{v}} is installed')\n", False),
    "stated_import": ("", _VERSION + "    raise ImportError(f'{p} version >= {n} is required by {c}; found {{v}}')\n", False),
    "incompatible": ("", "import {p}\n\nif {p}.__version__.startswith('1.'):\n"
                         "    raise ImportError('{p} ' + {p}.__version__ + ' is incompatible with {c} {n}.2')\n", False),
    "binary": ("", f"raise ValueError('{_BINARY}')\n", False),
    "resource": ("", _RESOURCE + "raise VersionConflict('({p} 1.4 (/site), Requirement.parse(\"{p}>={n}\"))')\n", False),
}  # fmt: skip

Healing = Callable[..., tuple[list[dict[str, Any]], dict[str, Any]]]


def conflicts(healing: Healing) -> Iterator[dict[str, Any]]:
    """One line for each failure; the environment variable ``$BENCH_CAPTURE_ONLY`` keeps them from being healed."""
    for requirements, code in REAL:
        group = requirements.partition("==")[0]
        with tempfile.TemporaryDirectory() as name:
            site = place(Path(name))
            command = [
                sys.executable,
                "-m",
                "pip",
                "install",
                "-q",
                "--no-deps",
                "--disable-pip-version-check",
                "--target",
                str(site),
                *requirements.split(),
            ]
            if subprocess.run(command, capture_output=True, timeout=300).returncode:
                print(f"{group} cannot be installed here", file=sys.stderr)
                continue
            yield from shown(healing, Path(name), code, f"conflict/{group}", group)
    rng = random.Random(1)
    for number in range(4):
        for kind, (provider, consumer, called) in WAYS.items():
            p, c = rng.sample(NAMES, 2)
            values = {"p": p, "c": c, "w": rng.choice(WORDS), "n": 2 + number}
            with tempfile.TemporaryDirectory() as name:
                site = place(Path(name))
                lay(site, p, "__version__ = '1.4'\n" + provider.format(**values), "1.4")
                lay(site, c, consumer.format(**values), f"{values['n']}.2")
                code = f"import {c}" + (f"\n    assert {c}.use() is not None" if called else "")
                yield from shown(healing, Path(name), code, f"made-up/{kind}", f"{kind} {number}")


def place(work: Path) -> Path:
    """Where distributions are installed."""
    site = work / "env" / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    site.mkdir(parents=True)
    return site


def lay(site: Path, name: str, code: str, version: str) -> None:
    """A distribution of one module."""
    (site / name).mkdir()
    (site / name / "__init__.py").write_text(code)
    info = site / f"{name}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "INSTALLER").write_text("pip\n")


def shown(healing: Healing, work: Path, code: str, group: str, title: str) -> Iterator[dict[str, Any]]:
    """The failure of a test module that uses the pair, at its top or in a test; every other is in a test."""
    site = next((work / "env").glob("lib/*/site-packages"))
    root = work / "project"
    root.mkdir()
    top = "\n    " not in code and len(title) % 2 == 0
    test = f"{code}\n\n\ndef test_it():\n    assert True\n" if top else f"def test_it():\n    {code}\n"
    (root / "test_it.py").write_text(test)
    failures, _ = healing(root, work, "none", {"PYTHONPATH": f"{Path(__file__).parent}:{site}"}, (), root)
    if not failures:
        print(f"{title}: nothing fails", file=sys.stderr)
    yield from (
        {"source": "conflicts", "group": group, "kind": "conflict", "title": title, "label": "dependency_conflict", "failure": f} for f in failures
    )
