"""What a library gave up, and the product still uses."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.evidence.changes import changes_of
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.finished.edited import Edited
from pytest_maestro_healer.evidence.finished.names.library import library_used


@pytest.mark.parametrize(
    ("product", "found"),
    [
        ("import numpy as np\n\n\ndef f(a):\n    return np.product(a)\n", "shop.py:5 still uses numpy.product"),
        ("import numpy\n\n\ndef f(a):\n    return numpy.product(a)\n", "shop.py:5 still uses numpy.product"),
        ("from numpy import product\n", "shop.py:1 still uses numpy.product"),
        ("def f(a):\n    import numpy as n\n    return n.product(a)\n", "shop.py:3 still uses numpy.product"),
        ("import numpy as np\n\n\ndef f(a):\n    return np.prod(a)\n", ""),
        ("from itertools import product\n", ""),
        ("def f(shop):\n    return shop.product\n", ""),
    ],
)
def test_the_product_is_behind(tmp_path: Path, product: str, found: str) -> None:
    (tmp_path / "shop.py").write_text(product)
    before = b"import numpy as np\n\n\ndef test_a():\n    assert np.product([1]) == 1\n"
    ctx = Context(tmp_path, HealerConfig())
    known = changes_of(ctx.git, ctx.files, ctx.symbols)
    assert library_used(known, Edited({"test_a.py": before}, {"test_a.py": before.replace(b"product", b"prod")})) == found
