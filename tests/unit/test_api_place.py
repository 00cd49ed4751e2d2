"""Where given code belongs, and what of a healed file is the given code's."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_maestro_healer.errors import HealerError
from pytest_maestro_healer.remote.place import locate, project_of

TEXT = "import shop\n\n\ndef test_a():\n    assert shop.a() == 1\n\n\nclass TestB:\n    def test_b(self):\n        assert shop.b() == 2\n"
PART = "def test_a():\n    assert shop.a() == 1\n"
METHOD = "def test_b(self):\n    assert shop.b() == 2\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "tests").mkdir(parents=True)
    (root / "pytest.ini").write_text("[pytest]\n")
    path = root / "tests" / "test_shop.py"
    path.write_bytes(TEXT.encode())
    return path


def test_the_content_of_the_file(file: Path, tmp_path: Path) -> None:
    place = locate(TEXT, str(file), tmp_path / "scratch")
    assert (place.kind, place.root, place.path, place.whole) == ("disk", file.parents[1], "tests/test_shop.py", True)
    assert place.before == TEXT.encode()


@pytest.mark.parametrize(
    ("disk", "given"),
    [
        (TEXT.replace("\n", "\r\n").encode(), TEXT),
        (b"\xef\xbb\xbf" + TEXT.encode(), TEXT),
        (TEXT.encode(), TEXT.rstrip("\n")),
        (TEXT.rstrip("\n").encode(), TEXT),
    ],
    ids=["crlf", "bom", "no last newline given", "no last newline on the disk"],
)
def test_newlines_and_bom_are_no_difference_and_the_answer_is_in_the_given_ones(file: Path, tmp_path: Path, disk: bytes, given: str) -> None:
    file.write_bytes(disk)
    place = locate(given, str(file), tmp_path)
    assert (place.kind, place.before) == ("disk", disk)
    assert place.code(disk) == given
    assert place.code(disk.replace(b"== 1", b"== 11")) == given.replace("== 1", "== 11")


def test_a_part_of_the_file(file: Path, tmp_path: Path) -> None:
    place = locate(PART, str(file), tmp_path)
    assert (place.kind, place.span) == ("disk", (3, 5))
    healed = TEXT.replace("import shop", "import json\nimport shop").replace("== 1", "== 7")
    assert place.code(healed.encode()) == PART.replace("== 1", "== 7")


def test_a_method_is_given_back_in_its_own_indentation(file: Path, tmp_path: Path) -> None:
    place = locate(METHOD, str(file), tmp_path)
    assert place.span == (8, 10)
    healed = TEXT.replace("assert shop.b() == 2", "value = shop.b()\n        assert value == 2")
    assert place.code(healed.encode()) == "def test_b(self):\n    value = shop.b()\n    assert value == 2\n"


def test_a_decorator_put_before_a_part_belongs_to_it(file: Path, tmp_path: Path) -> None:
    place = locate(PART, str(file), tmp_path)
    healed = TEXT.replace("def test_a", "@pytest.mark.timeout(9)\ndef test_a").replace("import shop", "import pytest\n\nimport shop")
    assert place.code(healed.encode()) == "@pytest.mark.timeout(9)\n" + PART


def test_a_part_that_stands_there_twice_is_no_part(file: Path, tmp_path: Path) -> None:
    file.write_text(TEXT + "\n\n" + PART)
    assert locate(PART, str(file), tmp_path).kind == "served"


def test_other_code_is_served_in_place_of_the_file(file: Path, tmp_path: Path) -> None:
    given = TEXT.replace("== 1", "== 5")
    place = locate(given, str(file), tmp_path)
    assert (place.kind, place.whole, place.before) == ("served", True, given.encode())


def test_served_code_has_the_newlines_and_the_encoding_of_the_file(file: Path, tmp_path: Path) -> None:
    file.write_bytes(f"# -*- coding: latin-1 -*-\r\n{TEXT}".replace("\n", "\r\n").encode("latin-1"))
    given = f"# -*- coding: latin-1 -*-\nNAME = 'é'\n{TEXT}"
    assert locate(given, str(file), tmp_path).before == given.replace("\n", "\r\n").encode("latin-1")


def test_another_version_of_one_function_is_put_into_the_file(file: Path, tmp_path: Path) -> None:
    given = PART.replace("== 1", "== 5")
    place = locate(given, str(file), tmp_path)
    assert place.kind == "served"
    assert place.before.decode() == TEXT.replace("== 1", "== 5")
    assert place.code(place.before) == given
    assert place.code(place.before.replace(b"== 5", b"== 6")) == PART.replace("== 1", "== 6")


def test_another_version_of_a_method_too(file: Path, tmp_path: Path) -> None:
    given = METHOD.replace("== 2", "== 3")
    place = locate(given, str(file), tmp_path)
    assert place.before.decode() == TEXT.replace("== 2", "== 3")
    assert place.code(place.before) == given


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("", "test_given.py"),
        ("tests/test_api.py", "tests/test_api.py"),
        ("checks.py", "test_checks.py"),
        ("../../etc/test_x.py", "test_given.py"),
        ("/nowhere/test_x.py", "test_given.py"),
        ("tests\\test_x.py", "tests/test_x.py"),
        ("C:\\x\\test_x.py", "test_given.py"),
        ("conftest.py", "test_given.py"),
        ("tests/; rm -rf/test_x.py", "test_given.py"),
    ],
)
def test_code_without_a_project_gets_a_scratch_one_below_the_given_folder(tmp_path: Path, name: str, path: str) -> None:
    place = locate(PART, name, tmp_path / "scratch", cwd=tmp_path)
    assert (place.kind, place.path, place.file) == ("scratch", path, tmp_path / "scratch" / path)
    assert list(tmp_path.iterdir()) == []


def test_text_that_no_encoding_has_is_an_error(file: Path, tmp_path: Path) -> None:
    with pytest.raises(HealerError, match="cannot be encoded"):
        locate("x = '\ud800'\n", "", tmp_path)


def test_the_root_is_where_a_user_would_start_pytest(tmp_path: Path) -> None:
    tests = tmp_path / "repository" / "tests" / "unit"
    tests.mkdir(parents=True)
    assert project_of(tests / "test_x.py", cwd=tmp_path / "repository") == tmp_path / "repository"
    elsewhere = tmp_path / "elsewhere"
    assert project_of(tests.parent / "test_x.py", cwd=elsewhere) == tmp_path / "repository"
    (tmp_path / "repository" / ".git").mkdir()
    assert project_of(tests / "test_x.py", cwd=elsewhere) == tmp_path / "repository"
    (tests.parent / "pytest.ini").write_text("[pytest]\n")
    assert project_of(tests / "test_x.py", cwd=tmp_path / "repository") == tests.parent
