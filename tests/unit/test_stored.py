"""Names that are data outside of the repository: members of enumerations, fields, columns, classes in pickles."""

# ruff: noqa: E501 (texts of whole files, one a line)

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest

from pytest_maestro_healer.evidence.finished.names.given import from_elsewhere, functions_of, lists_names, may_be, sets_by_text
from pytest_maestro_healer.model import Follows
from tests.unit.test_relocated import asked, pytestmark

__all__ = ["pytestmark"]

ENUM = "import enum\n\n\nclass Status(enum.{0}):\n    NEW = {1}\n    PAID = {1}\n    SENT = {1}\n"
MAKES = "import enum\n\n\nclass Base(enum.Enum):\n    def _generate_next_value_(name, start, count, last):\n        return name.title()\n\n\nclass Status(Base):\n    PAID = enum.auto()\n    SENT = enum.auto()\n"
LOADS = "from shop.status import Status\n\n\ndef load(row):\n    return Status[row]\n"
ALWAYS = "from shop.status import Status\n\n\ndef load():\n    return Status.NEW\n"
TABLE = "from sqlalchemy import Column, Enum\n\nfrom shop.status import Status\n\n\ndef column():\n    return Column(Enum(Status))\n"


def found_for(root: Path, before: Mapping[str, str], old: str, new: str, after: Mapping[str, str] | None = None) -> str:
    """Why a rename in ``shop/status.py`` (or in whatever says ``old``) is not followed unasked."""
    files = {"shop/__init__.py": "", **before}
    now = {p: text.replace(old, new) for p, text in files.items() if old in text} | dict(after or {})
    test = f"from shop import status\n\n\ndef test_record():\n    assert status.kept({old})\n"
    return asked(root, Follows.NAME, files, now, f"Rename {old} to {new}", (test, test.replace(old, new)))


@pytest.mark.parametrize(
    ("code", "beside", "after", "reason"),
    [
        pytest.param(ENUM.format("StrEnum", "enum.auto()"), "", "", "the value of Status.SETTLED is made of its name", id="the name in small letters"),
        pytest.param(ENUM.format("Enum", "enum.auto()"), "", "", "", id="the same place"),
        pytest.param(ENUM.format("Enum", "enum.auto()"), ALWAYS, "", "", id="the same place, and used as a member"),
        pytest.param(ENUM.format("IntFlag", "enum.auto()"), "", "", "", id="the same place among flags"),
        pytest.param(ENUM.format("Enum", "enum.auto()"), "", "class Status(enum.Enum):\n    NEW = enum.auto()\n    SENT = enum.auto()\n    SETTLED = enum.auto()\n", "made of its place", id="sorted"),
        pytest.param(ENUM.format("Enum", "enum.auto()"), "", "class Status(enum.Enum):\n    HELD = enum.auto()\n    NEW = enum.auto()\n    SETTLED = enum.auto()\n    SENT = enum.auto()\n", "made of its place", id="one more before it"),
        pytest.param(ENUM.format("Enum", "enum.auto()"), "", "class Status(enum.Enum):\n    NEW = enum.auto()\n    SETTLED = enum.auto()\n    HELD = enum.auto()\n    SENT = enum.auto()\n", "the value of Status.SENT is made of its place", id="one more behind it"),
        pytest.param(ENUM.format("Enum", "enum.auto()"), "", "class Status(enum.Enum):\n    NEW = enum.auto()\n    SETTLED = enum.auto()\n    SENT = enum.auto()\n    HELD = enum.auto()\n", "", id="one more at the end"),
        pytest.param(MAKES, "", "", "the value of Status.SETTLED is made of its name", id="a value that a method makes"),
        pytest.param("import enum\n\n\nclass Status(enum.Enum):\n    NEW = 1\n    PAID = 2\n", "", "", "", id="written values"),
        pytest.param("import enum\n\n\nclass Status(enum.Enum):\n    NEW = 1\n    PAID = 2\n", LOADS, "", "shop/store.py:5 takes members of Status by names", id="looked up"),
        pytest.param("import enum\n\n\nclass Status(enum.Enum):\n    NEW = 1\n    PAID = 2\n", TABLE, "", "takes members of Status by names", id="a column of names"),
        pytest.param("class Status:\n    NEW = 1\n    PAID = 2\n", "", "", "", id="no enumeration"),
    ],
)  # fmt: skip
def test_members(tmp_path: Path, code: str, beside: str, after: str, reason: str) -> None:
    files = {"shop/status.py": code, "shop/store.py": beside}
    found = found_for(tmp_path, files, "PAID", "SETTLED", {"shop/status.py": "import enum\n\n\n" + after} if after else None)
    assert (reason in found) if reason else not found, found


DATA = "from dataclasses import asdict, dataclass\n\n\n@dataclass\nclass Settings:\n    theme: str = 'light'\n    font_size: int = 12\n"
PLAIN = "class Settings:\n    def __init__(self):\n        self.font_size = 12\n"
SAVES = "\n    def save(self):\n        return json.dumps({})\n"
STORE = "import json\nfrom dataclasses import asdict, replace\n\nfrom shop.status import Settings\n\n\n"
MODEL = "from pydantic import BaseModel\n\n\nclass Settings(BaseModel):\n    font_size: int = 12\n"
UNRELATED = "import json\n\n\nclass Other:\n    def save(self):\n        return json.dumps(vars(self))\n\n    @classmethod\n    def load(cls, data):\n        return cls(**data)\n"


@pytest.mark.parametrize(
    ("code", "beside", "reason"),
    [
        pytest.param(DATA, "", "", id="a field that nobody stores"),
        pytest.param(DATA, UNRELATED, "", id="another class is stored"),
        pytest.param("import json\n" + DATA + SAVES.format("asdict(self)"), "", "takes the names of Settings's fields", id="stored by itself"),
        pytest.param(DATA + "\n    def record(self):\n        return asdict(self)\n", STORE + "def save(s):\n    return json.dumps(s.record())\n", "takes the names of Settings's fields", id="stored by somebody else"),
        pytest.param(DATA + "\n    def record(self):\n        return asdict(self)\n", "", "", id="listed and not given away"),
        pytest.param("import json\n" + DATA + "\n    def __repr__(self):\n        return str(vars(self))\n", "", "", id="shown"),
        pytest.param("import json\n" + DATA + "\n    def save(self):\n        return json.dumps({'font': self.theme})\n", "", "", id="stored under written keys"),
        pytest.param(DATA, STORE + "def save(s: Settings):\n    return json.dumps(asdict(s))\n", "takes the names of Settings's fields", id="stored by a function"),
        pytest.param(DATA, STORE + "def save(s: Other):\n    return json.dumps(asdict(s))\n", "", id="a function that stores another class"),
        pytest.param(DATA, STORE + "def save(s):\n    return json.dumps(s, default=vars)\n", "takes the names of Settings's fields", id="stored by a hook"),
        pytest.param(DATA, STORE + "def load(path):\n    data = json.load(path)\n    return Settings(**data)\n", "takes the names of Settings's fields", id="loaded by its name"),
        pytest.param(DATA + "\n    @classmethod\n    def load(cls, data):\n        return cls(**data)\n", "", "takes the names of Settings's fields", id="loaded by itself"),
        pytest.param(DATA, STORE + "def made():\n    data = {'theme': 'dark'}\n    return Settings(**data)\n", "", id="keys that are written there"),
        pytest.param(DATA, STORE + "def made(**data):\n    return Settings(**data)\n", "", id="keywords that are handed on"),
        pytest.param(DATA, STORE + "def made(other):\n    return Settings(**asdict(other))\n", "takes the names of Settings's fields", id="a copy near json"),
        pytest.param(DATA, "from dataclasses import asdict\n\nfrom shop.status import Settings\n\n\ndef made(other):\n    return Settings(**asdict(other))\n", "", id="a copy"),
        pytest.param(PLAIN + "\n    def update(self, **given):\n        for key, value in given.items():\n            setattr(self, key, value)\n", "", "", id="set by keywords"),
        pytest.param(PLAIN + "\n    def update(self, rows):\n        for key, value in rows:\n            setattr(self, key, value)\n", "", "takes the names of Settings's fields", id="set by what is loaded"),
        pytest.param(PLAIN, "import pickle\n\nfrom shop.status import Settings\n\n\ndef save(s: Settings):\n    return pickle.dumps(s)\n", "stores objects under the names", id="in pickles"),
        pytest.param(PLAIN, "import pickle\n\nfrom shop.status import Settings\n\n\ndef copy(s: Settings):\n    return pickle.loads(pickle.dumps(s))\n", "", id="copied by a pickle"),
        pytest.param(PLAIN, "import pickle\n\n\ndef save(s):\n    return pickle.dumps(s)\n", "", id="pickles of something else"),
        pytest.param(PLAIN, "import requests\n\nfrom shop.status import Settings\n\n\ndef ask(s):\n    return requests.get('x').json()\n", "", id="an answer of a server"),
        pytest.param("from sqlalchemy.orm import mapped_column\n\n\nclass Settings:\n    font_size = mapped_column()\n", "", "stored under its name", id="a column"),
        pytest.param("from sqlalchemy.orm import mapped_column\n\n\nclass Settings:\n    font_size = mapped_column('size')\n", "", "", id="a column with a name of its own"),
        pytest.param("from sqlalchemy.orm import relationship\n\n\nclass Settings:\n    font_size = relationship()\n", "", "", id="a relationship"),
        pytest.param("from django.db import models\n\n\nclass Settings:\n    font_size = models.IntegerField('size')\n", "", "stored under its name", id="a field of Django"),
        pytest.param(MODEL, STORE + "def load(text):\n    return Settings.model_validate_json(text)\n", "stored under its name", id="a model that is read"),
        pytest.param(MODEL, "", "", id="a model of nothing"),
        pytest.param(MODEL.replace("BaseModel", "BaseSettings"), "", "stored under its name", id="variables of the environment"),
    ],
)  # fmt: skip
def test_fields(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, beside: str, reason: str) -> None:
    library = ModuleType("pydantic")
    vars(library).update(BaseModel=type("BaseModel", (), {}), BaseSettings=type("BaseSettings", (), {}))
    monkeypatch.setitem(sys.modules, "pydantic", library)
    found = found_for(
        tmp_path, {"shop/status.py": code.replace("json.dumps({})", "json.dumps(asdict(self))"), "shop/store.py": beside}, "font_size", "text_size"
    )
    assert (reason in found) if reason else not found, found


CALLED = "def kept({0}=3, theme=''):\n    return {0}\n"


@pytest.mark.parametrize(
    ("beside", "reason"),
    [
        ("from shop.status import kept\n\n\ndef run(data):\n    return kept(**data)\n", "gives kept whatever data says"),
        ("from shop.status import kept\n\n\ndef run(**data):\n    return kept(**data)\n", ""),
        ("from shop.status import other\n\n\ndef run(data):\n    return other(**data)\n", ""),
    ],
)
def test_parameters_that_data_gives(tmp_path: Path, beside: str, reason: str) -> None:
    found = found_for(tmp_path, {"shop/status.py": CALLED.format("font_size"), "shop/store.py": beside}, "font_size", "text_size")
    assert (reason in found) if reason else not found, found


CLASS = "class Session:\n    def __init__(self, user):\n        self.user = user\n"
KEEPS = "import {0}\n\n\ndef keep(what):\n    return {0}.{1}(what)\n"
USES = "from shop import store\nfrom shop.status import Session\n\n\ndef run():\n    return store.keep(Session('a'))\n"


@pytest.mark.parametrize(
    ("code", "more", "reason"),
    [
        pytest.param(CLASS, {}, "", id="a class"),
        pytest.param(CLASS, {"shop/store.py": KEEPS.format("pickle", "dumps")}, "", id="pickles of something else"),
        pytest.param(CLASS, {"shop/store.py": KEEPS.format("json", "dumps"), "shop/app.py": USES}, "", id="given to json"),
        pytest.param(CLASS, {"shop/store.py": KEEPS.format("pickle", "dumps"), "shop/app.py": USES}, "shop/store.py:5 stores objects under the names", id="in pickles"),
        pytest.param(CLASS, {"shop/store.py": KEEPS.format("shelve", "open"), "shop/app.py": USES}, "shop/store.py:5 stores objects under the names", id="on a shelf"),
        pytest.param("import json\n\n\n" + CLASS + "\n    def save(self):\n        return json.dumps({'kind': type(self).__name__})\n", {}, "takes the names of classes for data", id="its name in json"),
        pytest.param("import json\n\n\n" + CLASS + "\n    def __repr__(self):\n        return f'{type(self).__name__}()'\n", {}, "", id="its name in what is shown"),
    ],
)  # fmt: skip
def test_classes(tmp_path: Path, code: str, more: Mapping[str, str], reason: str) -> None:
    found = found_for(tmp_path, {"shop/status.py": code, **more}, "Session", "Login")
    assert (reason in found) if reason else not found, found


@pytest.mark.parametrize(
    ("store", "reason"),
    [
        ("", ""),
        (
            "import pickle\n\nfrom shop.{} import Session\n\n\ndef load(data):\n    return pickle.loads(data), Session\n",
            "says the module where it was",
        ),
    ],
)
def test_a_class_in_another_module(tmp_path: Path, store: str, reason: str) -> None:
    before = {
        "shop/__init__.py": "",
        "shop/status.py": CLASS + "\n\nN = 1\n",
        "shop/login.py": "M = 2\n",
        "shop/store.py": store.replace("{}", "status"),
    }
    after = {"shop/status.py": "N = 1\n", "shop/login.py": "M = 2\n\n\n" + CLASS, "shop/store.py": store.replace("{}", "login")}
    test = "from shop.status import Session\n\n\ndef test_record():\n    assert Session('a').user == 'a'\n"
    found = asked(tmp_path, Follows.NAME, before, after, "Session moved from shop.status to shop.login", (test, test.replace("status", "login")))
    assert (reason in found) if reason else not found, found


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("def f(data):\n    g(**data)", True),
        ("def f(**data):\n    g(**data)", False),
        ("def f():\n    data = {'a': 1}\n    g(**data)", False),
        ("def f(k):\n    data = {k: 1}\n    g(**data)", True),
        ("def f(x):\n    g(**{'a': 1, **x})", True),
        ("def f(x):\n    g(**vars(x))", False),
        ("def f(x):\n    data = dict(a=1)\n    g(**data)", False),
        ("def f(x):\n    data = dict(x)\n    g(**data)", True),
        ("def f(x):\n    data = {'a': 1}\n    data = data | load()\n    g(**data)", True),
        ("def f(x):\n    for row in x:\n        g(**row)", True),
    ],
)
def test_keywords_from_elsewhere(code: str, found: bool) -> None:
    unpacked = [from_elsewhere(k.value, f) for f, n in functions_of(ast.parse(code)) if isinstance(n, ast.Call) for k in n.keywords if k.arg is None]
    assert unpacked == [found]


@pytest.mark.parametrize(
    ("code", "listed", "possible"),
    [
        ("def f(x):\n    return vars(x)", "x", True),
        ("def f(x: Cart):\n    return vars(x)", "x", False),
        ("def f(x: 'Order'):\n    return vars(x)", "x", True),
        ("def f():\n    x = Cart()\n    return x.__dict__", "x", False),
        ("def f():\n    x = load()\n    return x.__dict__", "x", True),
        ("def f(x):\n    return Cart.__slots__", "Cart", False),
    ],
)
def test_what_is_listed(code: str, listed: str, possible: bool) -> None:
    found = [(ast.unparse(what), may_be(what, f, {"Order"})) for f, n in functions_of(ast.parse(code)) if (what := lists_names(n)) is not None]
    assert found == [(listed, possible)]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("setattr(self, 'a', 1)", False),
        ("setattr(self, rows, 1)", True),
        ("for k in self.__slots__:\n        setattr(self, k, 1)", False),
        ("self.__dict__.update(rows)", True),
        ("self.__dict__.update(given)", False),
    ],
)
def test_attributes_by_text(body: str, found: bool) -> None:
    code = f"def f(self, rows, **given):\n    {body}"
    assert any(sets_by_text(n, f) for f, n in functions_of(ast.parse(code))) is found
