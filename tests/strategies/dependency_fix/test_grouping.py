"""One root cause is one proposal over all its files; product failures are never edited away."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Applicability, Failure, Frame, Location, Proposal
from pytest_maestro_healer.strategies.dependency_fix import STRATEGY


def failure(path: str, exc: str, message: str, *, line: int = 1, kind: str = "test", where: str = "", **attrs: object) -> Failure:
    frames = [Frame(Location(path, line), "<module>", "test", "", Path(path).stem)]
    if where:
        frames.append(Frame(Location(where, 1), "<module>", kind, "", Path(where).stem))  # type: ignore[arg-type]
    return Failure(path, "collect", path, exc, message, exc_mro=(exc, "ImportError"), frames=tuple(frames), exc_attrs=attrs)


def proposals(root: Path, files: dict[str, str], *failures: Failure) -> list[Proposal]:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    ctx = Context(root, HealerConfig(), failures=failures)
    return [p for t in STRATEGY.tactics for p in t.propose(failures[0], ctx)]


PRODUCT = {
    "zzshop/__init__.py": "",
    "zzshop/sums.py": "def total(items):\n    return sum(items)\n\n\ndef mean_of(items):\n    return 0\n",
    "zzshop/old.py": "",
}
MESSAGE = "cannot import name 'total' from 'zzshop.old' (zzshop/old.py)"


def test_forty_files_are_one_proposal(tmp_path: Path) -> None:
    tests = {f"tests/test_{n}.py": "from zzshop.old import total\n\n\ndef test_it():\n    assert total([1]) == 1\n" for n in range(40)}
    got = proposals(tmp_path, {**PRODUCT, **tests}, *(failure(p, "ImportError", MESSAGE, name="zzshop.old") for p in tests))
    assert len(got) == 1
    assert {e.path for e in got[0].edits} == set(tests)
    assert set(got[0].nodeids) == set(tests)
    assert got[0].applicability is Applicability.SAFE
    assert {e.replacement for e in got[0].edits} == {"zzshop.sums"}


def test_all_missing_names_of_a_file_are_healed_at_once(tmp_path: Path) -> None:
    text = "from zzshop.old import mean_of, total\nfrom zzshop._compat import text_type\n\n\ndef test_it():\n    assert text_type(total([mean_of([])])) == '0'\n"  # noqa: E501
    got = proposals(tmp_path, {**PRODUCT, "test_it.py": text}, failure("test_it.py", "ImportError", MESSAGE.replace("total", "mean_of")))
    ctx = Context(tmp_path, HealerConfig())
    src = ctx.source("test_it.py")
    assert src is not None
    healed = src.with_edits(got[0].edits).text
    assert healed.startswith("from zzshop.sums import mean_of, total\n\n\ndef test_it")
    assert "assert str(total(" in healed


def test_a_product_failure_is_named_only(tmp_path: Path) -> None:
    files = {"shop.py": "from collections import Mapping\n", "test_s.py": "from collections import Mapping\nimport shop\n"}
    message = "cannot import name 'Mapping' from 'collections' (collections/__init__.py)"
    got = proposals(tmp_path, files, failure("test_s.py", "ImportError", message, line=2, where="shop.py", kind="product"))
    assert [p.tactic for p in got] == ["product_import"]
    assert not got[0].edits
    assert "shop.py:1" in got[0].advice
    assert "collections.abc.Mapping" in got[0].advice


@pytest.mark.parametrize("guard", ["try:\n    {}\nexcept ImportError:\n    total = None\n", "with pytest.raises(ImportError):\n    {}\n"])
def test_guarded_imports_are_left_alone(tmp_path: Path, guard: str) -> None:
    text = guard.format("from zzshop.old import total") + "\n\ndef test_it():\n    assert total is None\n"
    assert proposals(tmp_path, {**PRODUCT, "test_it.py": text}, failure("test_it.py", "ImportError", MESSAGE, line=2)) == []


def test_two_homes_are_a_tie_for_review(tmp_path: Path) -> None:
    files = {
        **PRODUCT,
        "zzshop/other.py": "def total(items):\n    return max(items)\n",
        "test_it.py": "from zzshop.old import total\n\n\ndef test_it():\n    assert total([1])\n",
    }
    got = [p for p in proposals(tmp_path, files, failure("test_it.py", "ImportError", MESSAGE)) if p.edits]
    assert len(got) == 2
    assert {p.applicability for p in got} == {Applicability.REVIEW}
    assert len({p.meaning for p in got}) == 2


def test_a_common_name_elsewhere_proves_nothing(tmp_path: Path) -> None:
    files = {
        **PRODUCT,
        "zzshop/cli.py": "def main():\n    return 0\n",
        "test_it.py": "from zzshop.old import main\n\n\ndef test_it():\n    assert main() == 0\n",
    }
    assert [p for p in proposals(tmp_path, files, failure("test_it.py", "ImportError", MESSAGE.replace("total", "main"))) if p.edits] == []
