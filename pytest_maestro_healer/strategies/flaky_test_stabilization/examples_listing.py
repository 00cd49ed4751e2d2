"""Examples of tests that take the order of a directory for granted."""

from __future__ import annotations

from pytest_maestro_healer.strategies.base import Example

#: Made in an order that no file system turns into the alphabetical one by keeping or reversing it.
_PARTS = """
    NAMES = ["delta", "alpha", "golf", "bravo", "hotel", "charlie", "foxtrot", "echo"]


    def write(folder):
        for name in NAMES:
            (folder / name).touch()
"""
_LISTED = _PARTS + "\n\n    def written(folder):\n        return [p.name for p in folder.iterdir()]\n"
_WANTED = '["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel"]'
_OWN = f"""
    import os

    from parts import write


    def test_write(tmp_path):
        write(tmp_path)
        assert os.listdir(tmp_path) == {_WANTED}
"""
_THEIRS = f"""
    from parts import write, written


    def test_written(tmp_path):
        write(tmp_path)
        assert written(tmp_path) == {_WANTED}
"""
_POSIX = ("fcntl",)

LISTING = (
    Example(
        "The test lists the folder itself",
        {"parts.py": _PARTS, "test_parts.py": _OWN},
        {"test_parts.py": _OWN.replace("os.listdir(tmp_path)", "sorted(os.listdir(tmp_path))")},
        needs=_POSIX,
    ),
    Example(
        "The product lists it, and no order is promised",
        {"parts.py": _LISTED, "test_parts.py": _THEIRS},
        {"test_parts.py": _THEIRS.replace("written(tmp_path) ==", "sorted(written(tmp_path)) ==").replace(_WANTED, f"sorted({_WANTED})")},
        needs=_POSIX,
    ),
)
LISTING_DECLINES = (
    Example(
        "The product no longer sorts",
        {"parts.py": _LISTED, "test_parts.py": _THEIRS},
        head={
            "parts.py": _LISTED.replace("[p.name for p in folder.iterdir()]", "sorted(p.name for p in folder.iterdir())"),
            "test_parts.py": _THEIRS,
        },
        advice="the order was lost by a change of the product: parts.py:",
        why="as it was before, the product gave an order on every file system",
        needs=_POSIX,
    ),
    Example(
        "The product promises an order",
        {"parts.py": _LISTED.replace("        return [p", '        """The names, sorted."""\n        return [p'), "test_parts.py": _THEIRS},
        advice="the product promises an order (parts.py:",
        why="what it says of itself is what the test expects",
        needs=_POSIX,
    ),
    Example(
        "A file is missing",
        {"parts.py": _LISTED.replace("touch()", "touch() if name != 'echo' else None"), "test_parts.py": _THEIRS},
        why="in no order are the names those that are expected",
        needs=_POSIX,
    ),
)
