"""Is a class made as it is to be made now? Data classes, annotations, subclasses."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.evidence.changes import changes_of
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.finished.names.mentions import definitions_of, references
from pytest_maestro_healer.evidence.finished.users.bodies import parameter_used_otherwise
from pytest_maestro_healer.evidence.finished.users.classes import built_right, fields_shifted, makes_itself
from tests.integration.test_product_at_fault import git

HEAD = "from dataclasses import dataclass, field, InitVar, KW_ONLY\nimport dataclasses as dc\nfrom typing import ClassVar\n\n\n"
ITEM = HEAD + "@dataclass\nclass Item:\n    sku: str\n    count: int = 1\n"
PLAIN = "class Item:\n    def __init__(self, sku, count=1):\n        self.sku = sku\n"
IMPORT = "from dataclasses import dataclass\nimport functools\nimport typing as t\nfrom shop.m import Item\n\n\n"


def context(root: Path, product: str, user: str = "") -> Context:
    (root / "shop").mkdir(exist_ok=True)
    (root / "shop" / "__init__.py").touch()
    (root / "shop" / "m.py").write_text(product)
    (root / "shop" / "user.py").write_text(IMPORT + user)
    return Context(root, HealerConfig())


def all_fit(ctx: Context) -> bool:
    found = list(definitions_of(ctx, "Item"))
    used = list(references(ctx, "Item", {"shop/m.py"}))
    assert used
    return all(built_right(ctx, path, node, found) for path, node in used)


@pytest.mark.parametrize("product", [ITEM, PLAIN], ids=["dataclass", "plain"])
@pytest.mark.parametrize(
    ("user", "fit"),
    [
        ("x = Item('a', count=2)", True),
        ("x = Item('a', 2)", True),
        ("x = Item('a', quantity=2)", False),
        ("x = Item()", False),
        ("x = Item('a', 1, 2)", False),
        ("x = Item(**row)", False),
        ("x = Item(*row)", False),
        ("x = map(Item, rows)", False),
        ("make = functools.partial(Item, count=2)", False),
        ("make = Item", False),
        ("make = {'item': Item}", False),
        ("def f(x: Item, y: list[Item] | None = None) -> dict[str, Item]:\n    pass", True),
        ("def f(*x: Item):\n    x: Item = x[0]", True),
        ("@route('/')\ndef f(x: Item):\n    pass", False),
        ("def f(x: t.Annotated[Item, 3]):\n    pass", False),
        ("def f(x=Item):\n    pass", False),
        ("class Cart:\n    @property\n    def first(self) -> Item:\n        pass", True),
        ("x = isinstance(y, Item) or issubclass(y, (str, Item))", True),
        ("x = isinstance(Item, y)", False),
        ("try:\n    pass\nexcept (OSError, Item):\n    pass", True),
        ("match x:\n    case Item(a, b):\n        pass", False),
        ("@dataclass\nclass Cart:\n    items: list[Item]\n\n\nc = Cart([])", True),
        ("@dataclass\nclass Cart:\n    items: list[Item]\n\n\nc = load(Cart)", False),
        ("class Cart(Model):\n    items: list[Item]", False),
        ("@register\nclass Cart:\n    items: list[Item]", False),
        ("class Big(Item):\n    pass\n\n\nx = Big('a', count=3)", True),
        ("class Big(Item):\n    pass\n\n\nx = Big('a', quantity=3)", False),
        ("class Big(Item):\n    pass\n\n\nx = map(Big, rows)", False),
        ("class Big(Item):\n    def __init__(self, a):\n        super().__init__(a, 3)\n\n\nx = map(Big, rows)", True),
        ("class Big(Item):\n    def __init__(self, a):\n        super().__init__()", False),
        ("class Big(Item):\n    def __init__(self, **a):\n        super().__init__(**a)", False),
        ("class Big(Item, Mixin):\n    pass", False),
        ("class Big(Item, metaclass=Maker):\n    pass", False),
        ("class Big(Item):\n    @classmethod\n    def load(cls, row):\n        return cls(**row)", False),
        ("x = Item('a')\ny = getattr(x, name)", False),
        ("x = vars(Item('a'))", False),
    ],
)
def test_which_uses_of_a_class_fit(tmp_path: Path, product: str, user: str, fit: bool) -> None:
    assert all_fit(context(tmp_path, product, user)) is fit


BASE = "@dataclass\nclass Base:\n    sku: str\n    count: int = 1\n\n\n"


@pytest.mark.parametrize(
    ("product", "call", "fit"),
    [
        ("@dc.dataclass(frozen=True)\nclass Item:\n    sku: str", "'a'", True),
        ("@dc.dataclass(order=True)\nclass Item:\n    sku: str = dc.field(init=False)", "'a'", False),
        ("@dataclass(kw_only=True)\nclass Item:\n    sku: str", "'a'", False),
        ("@dataclass(kw_only=True)\nclass Item:\n    sku: str", "sku='a'", True),
        ("@dataclass\nclass Item:\n    a: int\n    _: KW_ONLY\n    b: int = 3\n    c: int", "1, c=2", True),
        ("@dataclass\nclass Item:\n    a: int\n    _: KW_ONLY\n    b: int = 3\n    c: int", "1, 2, 3", False),
        ("@dataclass\nclass Item:\n    a: int\n    b: int = field(kw_only=True)", "1, b=2", True),
        ("@dataclass\nclass Item:\n    a: int\n    b: int = field(kw_only=True)", "1, 2", False),
        ("@dataclass\nclass Item:\n    a: int\n    b: list = field(default_factory=list)", "1", True),
        ("@dataclass\nclass Item:\n    a: int\n    b: list = field(repr=False)", "1", False),
        ("@dataclass\nclass Item:\n    a: int\n    b: ClassVar[int] = 3", "1, 2", False),
        ("@dataclass\nclass Item:\n    a: int\n    b: 'ClassVar[int]' = 3", "1, 2", False),
        ("@dataclass\nclass Item:\n    a: int\n    b: InitVar[int]", "1, 2", True),
        ("@dataclass\nclass Item:\n    a: int\n    b: InitVar[int]", "1", False),
        (BASE + "@dataclass\nclass Item(Base):\n    size: int = 3", "'a', 1, 2", True),
        (BASE + "@dataclass\nclass Item(Base):\n    size: int = 3", "size=1", False),
        (BASE + "@dataclass\nclass Item(Base):\n    count: int = 3\n    size: int = 3", "'a', 1, 2", True),
        (BASE + "@dataclass\nclass Item(Base):\n    count: int\n    size: int = 3", "'a', 1, 2", False),
        (BASE + "class Item(Base):\n    size: int = 3", "'a', 1", True),
        (BASE + "class Item(Base):\n    size: int = 3", "'a', 1, 2", False),
        ("@dataclass\nclass Item(Model):\n    sku: str", "'a'", False),
        ("@dataclass(init=False)\nclass Item:\n    sku: str", "'a'", False),
        ("@dataclass(**options)\nclass Item:\n    sku: str", "'a'", False),
        ("@register\n@dataclass\nclass Item:\n    sku: str", "'a'", False),
        ("from attrs import dataclass\n\n\n@dataclass\nclass Item:\n    sku: str", "'a'", False),
        ("@dataclass\nclass Item:\n    sku: str = column()", "'a'", False),
        ("@dataclass\nclass Item:\n    sku: str = field(metadata={'name': 'sku'})", "'a'", False),
        ("@dataclass\nclass Item:\n    sku: str\n    def __new__(cls, a):\n        return a", "'a'", False),
        ("@dataclass\nclass Item:\n    sku: str\n    if X:\n        a: int", "'a'", False),
        ("@dataclass\nclass Item:\n    sku: str\n    def __init__(self, a, b):\n        pass", "1, 2", True),
        ("@dataclass\nclass Item:\n    sku: str\n    @classmethod\n    def load(cls, **row):\n        return cls(**row)", "'a'", False),
    ],
)
def test_what_a_data_class_takes(tmp_path: Path, product: str, call: str, fit: bool) -> None:
    head = HEAD if "attrs" not in product else ""
    assert all_fit(context(tmp_path, head + product, f"x = Item({call})")) is fit


@pytest.mark.parametrize(
    ("method", "found"),
    [("return cls('a', count=2)", 0), ("return cls(**row)", 9), ("return type(row)(**row)", 0), ("return Item('a')", 0)],
)
def test_a_class_that_makes_itself(tmp_path: Path, method: str, found: int) -> None:
    ctx = context(tmp_path, PLAIN + f"\n    # one\n    # two\n    @classmethod\n    def load(cls, row):\n        {method}\n")
    cls = next(n for _, n in definitions_of(ctx, "Item") if isinstance(n, ast.ClassDef))
    assert makes_itself(ctx, "shop/m.py", cls) == found


RULE = ITEM.replace("    count: int = 1\n", "    count: int = 1\n    size: int = 2\n\n    def fits(self):\n        return self.size > self.count\n")


@pytest.mark.parametrize(
    ("after", "shifted", "turned"),
    [
        (RULE.replace("count", "pieces"), False, ""),
        (RULE.replace("count: int = 1", "pieces: int = 2").replace("count", "pieces"), False, "count"),
        (RULE.replace("count: int = 1", "pieces: float = 1").replace("count", "pieces"), False, "count"),
        (RULE.replace("self.size > self.count", "self.size >= self.pieces").replace("count", "pieces"), False, "count"),
        (RULE.replace("    count: int = 1\n    size: int = 2\n", "    size: int = 2\n    pieces: int = 1\n").replace("count", "pieces"), True, ""),
        (RULE.replace("    count", "    weight: int = 3\n    count"), True, ""),
    ],
)
def test_a_field_under_another_name(tmp_path: Path, after: str, shifted: bool, turned: str) -> None:
    git(tmp_path, "init", "-q")
    context(tmp_path, RULE)
    git(tmp_path, "add", "-A")
    git(tmp_path, "-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-qm", "A shop")
    ctx = context(tmp_path, after)
    known = changes_of(ctx.git, ctx.files, ctx.symbols)
    assert fields_shifted(ctx, known, "HEAD", "shop/m.py", "Item") is shifted
    assert parameter_used_otherwise(known, "HEAD", ["shop/m.py"], "Item", {"count": ["pieces"]}) == turned
