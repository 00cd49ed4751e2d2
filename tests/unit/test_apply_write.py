"""Writing one file: exact, atomic, refused outside the project; and the cache folder."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from pytest_maestro_healer.apply import write
from pytest_maestro_healer.apply.paths import ensure_cache_dir, locked, project_cache_dir
from pytest_maestro_healer.apply.write import resolve, sha256, temp_name, write_file
from pytest_maestro_healer.errors import ApplyError, StaleError

OLD, NEW = b"\xef\xbb\xbfold\r\n\x00\xff no newline", b"new\r\n"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "test_a.py"
    path.write_bytes(OLD)
    return path


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_bytes_and_mode_are_exact(target: Path) -> None:
    target.chmod(0o754)
    write_file(target.parent, "test_a.py", NEW, sha256(OLD))
    assert target.read_bytes() == NEW
    assert stat.S_IMODE(target.stat().st_mode) == 0o754
    assert names(target.parent) == ["test_a.py"]


def test_changed_file_is_stale_and_left(target: Path) -> None:
    with pytest.raises(StaleError, match=r"test_a\.py changed"):
        write_file(target.parent, "test_a.py", NEW, sha256(b"other"))
    assert target.read_bytes() == OLD


def test_file_changed_while_the_new_one_is_written(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = write.write_new

    def slow(path: Path, data: bytes, mode: int = 0o600) -> None:
        real(path, data, mode)
        target.write_bytes(b"by somebody else")

    monkeypatch.setattr(write, "write_new", slow)
    with pytest.raises(StaleError):
        write_file(target.parent, "test_a.py", NEW, sha256(OLD))
    assert target.read_bytes() == b"by somebody else"
    assert names(target.parent) == ["test_a.py"]


def test_missing_file_is_stale(tmp_path: Path) -> None:
    with pytest.raises(StaleError, match="no longer exists"):
        write_file(tmp_path, "gone.py", NEW, sha256(OLD))


def test_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").mkdir()
    with pytest.raises(ApplyError, match="not a regular file"):
        write_file(tmp_path, "test_a.py", NEW, sha256(OLD))


def test_read_only_file_is_refused_even_for_root(target: Path) -> None:
    target.chmod(0o444)
    with pytest.raises(ApplyError, match="read-only"):
        write_file(target.parent, "test_a.py", NEW, sha256(OLD))
    assert target.read_bytes() == OLD


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_full_disk_leaves_the_original_and_no_temp(target: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if call == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    else:
        monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ApplyError, match="No space left"):
        write_file(target.parent, "test_a.py", NEW, sha256(OLD))
    assert target.read_bytes() == OLD
    assert names(target.parent) == ["test_a.py"]


@pytest.mark.skipif(not hasattr(os, "symlink") or os.name == "nt", reason="symlinks")
def test_symlink_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.py").write_bytes(OLD)
    (tmp_path / "test_a.py").symlink_to("real/a.py")
    write_file(tmp_path, "test_a.py", NEW, sha256(OLD))
    assert (tmp_path / "test_a.py").is_symlink()
    assert (tmp_path / "real" / "a.py").read_bytes() == NEW


@pytest.mark.skipif(os.name == "nt", reason="symlinks")
def test_symlink_out_of_the_project_is_refused(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "outside.py").write_bytes(OLD)
    (tmp_path / "root" / "test_a.py").symlink_to(tmp_path / "outside.py")
    (tmp_path / "root" / "sub").symlink_to(tmp_path)
    for path in ("test_a.py", "sub/outside.py"):
        with pytest.raises(ApplyError, match="leads out of the project"):
            write_file(tmp_path / "root", path, NEW, sha256(OLD))
    assert (tmp_path / "outside.py").read_bytes() == OLD


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../x.py", "a/../../x.py", "a/..", "x\0.py"])
def test_paths_that_are_no_paths_inside_the_project(tmp_path: Path, path: str) -> None:
    with pytest.raises(ApplyError, match="refused"):
        resolve(tmp_path, path)


@pytest.mark.parametrize("path", [".git/hooks/pre-commit", "sub/.GIT/config", "venv/lib/site-packages/requests/tests/test_a.py"])
def test_git_and_installed_packages_are_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(ApplyError, match=r"lies in a .* folder; refused"):
        resolve(tmp_path, path)


def test_sibling_with_the_same_beginning_is_outside(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root-2").mkdir()
    (tmp_path / "root" / "link").symlink_to(tmp_path / "root-2")
    with pytest.raises(ApplyError, match="leads out"):
        resolve(tmp_path / "root", "link/x.py")


def test_same_size_within_a_second_gets_another_second(target: Path) -> None:
    """Bytecode of the old file would else be taken for that of the new."""
    before = int(target.stat().st_mtime)
    write_file(target.parent, "test_a.py", OLD[::-1], sha256(OLD))
    assert int(target.stat().st_mtime) != before


def test_temp_name_is_nothing_that_pytest_collects() -> None:
    name = temp_name()
    assert name.startswith(".")
    assert not name.endswith((".py", ".txt", ".rst"))
    assert write.is_temp_name(name)
    assert not write.is_temp_name("../" + name)


# -- the cache folder ------------------------------------------------------------------------------------------
def test_cache_dir_is_by_real_path_and_created_by_the_first_write_only(tmp_path: Path) -> None:
    root = tmp_path / "my project ä"
    root.mkdir()
    (tmp_path / "link").symlink_to(root)
    folder = project_cache_dir(root, str(tmp_path / "cache"))
    assert folder == project_cache_dir(tmp_path / "link", str(tmp_path / "cache"))
    assert folder != project_cache_dir(tmp_path, str(tmp_path / "cache"))
    assert not (tmp_path / "cache").exists()
    assert project_cache_dir(root, ".maestro").parent == root / ".maestro"


def test_user_cache_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    folder = project_cache_dir(tmp_path)
    assert "pytest-maestro-healer" in folder.parts


def test_cache_is_private_and_tagged(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    ensure_cache_dir(folder)
    assert names(folder) == [".gitignore", "CACHEDIR.TAG", "README.md"]
    assert (folder / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f06886806bc55")
    if os.name == "posix":
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (folder / "README.md").unlink()
    ensure_cache_dir(folder)
    assert not (folder / "README.md").exists()


def test_unusable_cache_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ApplyError, match="cannot be used") as info, locked(tmp_path / "file" / "cache"):
        pass
    assert "\n" not in str(info.value)


@pytest.mark.skipif(os.name == "nt", reason="mode bits")
def test_cache_that_everybody_can_write_is_not_trusted(tmp_path: Path) -> None:
    ensure_cache_dir(tmp_path / "c")
    (tmp_path / "c").chmod(0o777)
    with pytest.raises(ApplyError, match="chmod 700"), locked(tmp_path / "c"):
        pass


def test_second_writer_waits_and_then_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_maestro_healer.apply.paths.LOCK_SECONDS", 0.05)
    with locked(tmp_path / "c"), pytest.raises(ApplyError, match="another pytest --heal"), locked(tmp_path / "c"):
        pass
