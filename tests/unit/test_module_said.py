"""Who still takes something from a module that it left, or says the module's name."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.evidence.changes import changes_of
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.finished.edited import Edited
from pytest_maestro_healer.evidence.finished.places.modules import module_said, still_taken
from tests.unit.test_git import commit, git

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


def project(root: Path, files: Mapping[str, str]) -> Context:
    for path, text in {"shop/__init__.py": "", "shop/core/__init__.py": "", "shop/core/text.py": "def slug(s):\n    return s\n", **files}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    git(root, "init", "-q", "--template=")
    commit(root)
    return Context(root, HealerConfig())


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("shop/a.py", "from shop.text import slug\n", "shop/a.py:1"),
        ("shop/a.py", "from .text import slug\n", "shop/a.py:1"),
        ("shop/a.py", "from shop import text\n\n\ndef f(s):\n    return text.slug(s)\n", "shop/a.py:5"),
        ("shop/a.py", "import shop.text as t\n\n\ndef f(s):\n    return t.slug(s)\n", "shop/a.py:5"),
        ("shop/a.py", "import shop.text as t\n\n\ndef f():\n    t.slug = len\n", "shop/a.py:5"),
        ("shop/a.py", "def f(s):\n    from . import text as t\n    return t.slug(s)\n", "shop/a.py:3"),
        ("shop/a.py", "import shop as s\n\n\ndef f(x):\n    return s.text.slug(x)\n", "shop/a.py:5"),
        ("shop/a.py", "from shop import text\n\nALL = [text]\n\n\ndef f(s):\n    return [m.words(s) for m in ALL]\n", "shop/a.py:3"),
        ("shop/a.py", "from shop import text\n\n\ndef f(s):\n    return text.words(s), s.slug\n", "shop/a.py:5"),
        ("shop/a.py", "from shop import text\n\n\ndef f(s):\n    return text.words(s)\n", ""),
        ("shop/a.py", "from shop.core.text import slug\n", ""),
        ("shop/a.py", "from shop.core import text\n\n\ndef f(s):\n    return text.slug(s)\n", ""),
        ("shop/a.py", "import shop.core.text\n\n\ndef f(s):\n    return shop.core.text.slug(s)\n", ""),
        ("shop/a.py", "from shop.core.text import other\n", ""),
        ("setup.cfg", "[options.entry_points]\nx =\n    slug = shop.text:slug\n", "setup.cfg:3"),
        ("setup.cfg", "[options.entry_points]\nx =\n    slug = shop.core.text:slug\n", ""),
        ("README.md", "Call `text.slug`.\n", "README.md:1"),
    ],
)
def test_still_taken_from_where_it_was(tmp_path: Path, name: str, text: str, found: str) -> None:
    ctx = project(tmp_path, {name: text})
    assert still_taken(ctx, changes_of(ctx.git, ctx.files, ctx.symbols), "slug", "shop.text", "shop.core.text") == found


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("shop/a.py", "class A:\n    def __init__(self, text):\n        self.text = text\n", ""),
        ("shop/a.py", "from shop import text\n", "shop/a.py:1"),
        ("shop/a.py", "from . import text\n", "shop/a.py:1"),
        ("shop/a.py", "from shop.text import slug\n", "shop/a.py:1"),
        ("shop/a.py", "from shop.core import text\n", ""),
        ("shop/a.py", "import shop\n\n\ndef f():\n    return shop.text\n", "shop/a.py:5"),
        ("shop/a.py", "NAME = 'shop.text'\n", "shop/a.py:1"),
        ("tox.ini", "commands = python -m shop.text\n", "tox.ini:1"),
        ("docs/index.md", "Open shop/text.py and text.py\n", "docs/index.md:1"),
        ("docs/index.md", "The text of a shop\n", ""),
        ("shop/a.py", "from importlib import import_module\n\n\ndef f(name):\n    return import_module(f'shop.{name}')\n", None),
    ],
)
def test_what_says_the_name_of_a_module(tmp_path: Path, name: str, text: str, found: str | None) -> None:
    ctx = project(tmp_path, {name: text})
    assert module_said(ctx, changes_of(ctx.git, ctx.files, ctx.symbols), "shop.text") == found


def test_edits_of_imports_alone() -> None:
    before = b"from shop.text import slug, words\n\n\ndef test_slug():\n    assert slug('a') == words('a')\n"
    after = before.replace(b"slug, words\n", b"words\nfrom shop.core.text import slug\n")
    assert Edited({"t.py": before}, {"t.py": after}).only_imports
    assert not Edited({"t.py": before}, {"t.py": after.replace(b"'a') ==", b"'b') ==")}).only_imports
    assert not Edited({"t.py": before}, {"t.py": after + b"("}).only_imports


@pytest.mark.parametrize(
    ("before", "after", "word", "module"),
    [
        ("from shop.text import slug\n", "from shop.words import slug\n", "text", "shop.text"),
        ("from shop.text import slug\n", "from shop.words import slug\n", "slug", ""),
        ("from shop.text import text\n", "from shop.words import words\n", "text", ""),
        ("from shop.text import slug\n\nslug(text=1)\n", "from shop.words import slug\n\nslug(words=1)\n", "text", ""),
        ("import shop.text\n", "import shop.words\n", "text", ""),
    ],
)
def test_a_word_that_was_a_module_only(before: str, after: str, word: str, module: str) -> None:
    assert Edited({"t.py": before.encode()}, {"t.py": after.encode()}).module_of(word) == module
