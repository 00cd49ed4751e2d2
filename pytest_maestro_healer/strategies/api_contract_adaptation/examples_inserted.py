"""Examples of the tactic for parameters that were put between others."""

from __future__ import annotations

from pytest_maestro_healer.strategies.base import Example

_GRID = '''class Grid:
    """A grid.

    Parameters
    ----------
    rows, columns : int
    title : str, optional
    left, right : float, optional
    """

    def __init__(self, rows, columns, title=None, left=None, right=None):
        self.title = title.strip() if title is not None else ""
        self.width = (right or 1.0) - (left or 0.0)
'''
_VENDOR = {"pytest.ini": "[pytest]\npythonpath = vendor\ntestpaths = tests\n", "vendor/grids/__init__.py": _GRID}
_USE = "import grids\n\n\ndef test_width():\n    assert grids.Grid(2, 3, 0.25, 0.75).width == 0.5\n"

HEALS = (
    Example(
        "a parameter that was put between others",
        {**_VENDOR, "tests/test_g.py": _USE},
        {"tests/test_g.py": _USE.replace("0.25, 0.75", "left=0.25, right=0.75")},
    ),
)
DECLINES = (
    Example(
        "a value of the wrong kind, and nothing behind its parameter that would take it",
        {**_VENDOR, "tests/test_g.py": _USE.replace("0.25, 0.75", "0.25, 'x'")},
        why="one of the values would still be of the wrong kind",
    ),
    Example(
        "a value of the wrong kind, and nobody says what the parameters are",
        {**_VENDOR, "vendor/grids/__init__.py": _GRID.replace("    left, right : float, optional\n", ""), "tests/test_g.py": _USE},
        why="left and right may be anything",
    ),
)
