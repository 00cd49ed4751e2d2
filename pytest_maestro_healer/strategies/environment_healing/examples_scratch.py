"""Examples of the tactics about places outside the project."""

from __future__ import annotations

from pytest_maestro_healer.strategies.base import Example

_STORE = "from pathlib import Path\n\n\ndef save(path, text):\n    Path(path).write_text(text, encoding='utf-8')\n    return Path(path)\n"

SCRATCH_HEALS = (
    Example(
        "a hard-coded folder that is not there",
        {
            "store.py": _STORE,
            "test_store.py": """
                import os

                from store import save


                def test_save():
                    path = save("/opt/maestro-example/out/tea.txt", "green")
                    assert path.read_text(encoding="utf-8") == "green"
                    assert os.path.exists("/opt/maestro-example/out/tea.txt")
            """,
        },
        {
            "test_store.py": """
                import os

                from store import save


                def test_save(tmp_path):
                    path = save(str(tmp_path / "tea.txt"), "green")
                    assert path.read_text(encoding="utf-8") == "green"
                    assert os.path.exists(tmp_path / "tea.txt")
            """,
        },
    ),
    Example(
        "a folder that an earlier run left behind",
        {
            "test_folders.py": """
                import os
                from pathlib import Path


                def test_tree():
                    os.mkdir("/mnt")
                    Path("/mnt/tree").mkdir()
                    assert Path("/mnt/tree").is_dir()
            """,
        },
        {
            "test_folders.py": """
                import os
                from pathlib import Path


                def test_tree(tmp_path):
                    os.mkdir(tmp_path / "mnt")
                    (tmp_path / "mnt/tree").mkdir()
                    assert (tmp_path / "mnt/tree").is_dir()
            """,
        },
    ),
    Example(
        "a constant of the module",
        {
            "test_out.py": """
                import os

                OUT = "/nonexistent-root/out"


                def store(name):
                    with open(os.path.join(OUT, name), "w", encoding="utf-8") as f:
                        f.write("tea")


                def test_store():
                    store("a.txt")
                    assert os.listdir(OUT) == ["a.txt"]
            """,
        },
        {
            "test_out.py": """
                import os

                OUT = "/nonexistent-root/out"


                def store(name):
                    with open(os.path.join(OUT, name), "w", encoding="utf-8") as f:
                        f.write("tea")


                def test_store(monkeypatch, tmp_path):
                    monkeypatch.setitem(globals(), "OUT", str(tmp_path))
                    store("a.txt")
                    assert os.listdir(OUT) == ["a.txt"]
            """,
        },
    ),
    Example(
        "written relative to the working directory, into a folder that is not there",
        {
            "reports.py": "def report(text):\n    with open('build/report.txt', 'w', encoding='utf-8') as f:\n        return f.write(text)\n",
            "test_reports.py": "from reports import report\n\n\ndef test_report():\n    assert report('tea') == 3\n",
        },
        {
            "test_reports.py": """
                from reports import report


                def test_report(monkeypatch, tmp_path):
                    (tmp_path / "build").mkdir(parents=True)
                    monkeypatch.chdir(tmp_path)
                    assert report('tea') == 3
            """,
        },
    ),
)
SCRATCH_DECLINES = (
    Example(
        "the product writes to the wrong name",
        {
            "store.py": _STORE.replace("Path(path).write_text", "Path(path + '.bak').write_text"),
            "test_store.py": """
                from store import save


                def test_save(tmp_path):
                    assert save(str(tmp_path / "tea.txt"), "green").read_text(encoding="utf-8") == "green"
            """,
        },
        why="the folder is the test's own already; the product is wrong",
    ),
)

_CONFIG = """
    from pathlib import Path


    def remember(name):
        path = Path.home() / ".shop-example"
        with path.open("a", encoding="utf-8") as f:
            f.write(name + "\\n")
        return path.read_text(encoding="utf-8").split()
"""
HOME_HEALS = (
    Example(
        "a home folder that cannot be used",
        {"config.py": _CONFIG, "test_config.py": "from config import remember\n\n\ndef test_remember():\n    assert remember('tea') == ['tea']\n"},
        {
            "test_config.py": """
                from config import remember


                def test_remember(monkeypatch, tmp_path):
                    monkeypatch.setenv("HOME", str(tmp_path))
                    assert remember('tea') == ['tea']
            """,
        },
        env={"HOME": "/nonexistent/home"},
    ),
)
HOME_DECLINES = (
    Example(
        "the product remembers it twice",
        {
            "config.py": _CONFIG.replace('f.write(name + "\\n")', 'f.write(2 * (name + "\\n"))'),
            "test_config.py": """
                from config import remember


                def test_remember(monkeypatch, tmp_path):
                    monkeypatch.setenv("HOME", str(tmp_path))
                    assert remember('tea') == ['tea']
            """,
        },
        why="an empty home folder does not help: the product is wrong",
    ),
)
ROOT_HEALS = (
    Example(
        "a permission that root ignores",
        {
            "store.py": _STORE,
            "test_store.py": """
                import pytest

                from store import save


                def test_denied(tmp_path):
                    path = tmp_path / "tea.txt"
                    path.touch(mode=0o444)
                    with pytest.raises(PermissionError):
                        save(path, "green")
            """,
        },
        advice="os.geteuid() == 0",
        needs=("pwd",),
    ),
)
ROOT_DECLINES = (
    Example(
        "an exception that has nothing to do with permissions",
        {
            "store.py": _STORE,
            "test_store.py": """
                import pytest

                from store import save


                def test_refused(tmp_path):
                    with pytest.raises(ValueError):
                        save(tmp_path / "tea.txt", "green")
            """,
        },
        why="the product no longer refuses: that has nothing to do with the user",
    ),
)
