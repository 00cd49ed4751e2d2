"""Examples of the tactics that pass an argument which used to be implied."""

# ruff: noqa: E501 - projects as one string each
from __future__ import annotations

from pytest_maestro_healer.strategies.base import Example

#: A "library" is a package outside the tests that git does not know: its history is not at hand.
_TABLE = (
    'def render(rows, *, header=True):\n    """Rows as text.\n\n    Since 2.0 the names of the columns come first; pass header=False to get the old output.\n    """\n'
    "    lines = ['name;price'] if header else []\n    return '\\n'.join([*lines, *rows])\n"
)
_TABLE_USE = "import tables\n\n\ndef test_render():\n    assert tables.render(['a;1']) == 'a;1'\n"
_LIB = "vendor/tables/__init__.py"
_PATH = {"pytest.ini": "[pytest]\npythonpath = vendor\ntestpaths = tests\n", "vendor/tables-2.0.dist-info/METADATA": "Name: tables\nVersion: 2.0\n"}

FORMER = (
    Example(
        "the documentation says which argument gives the old output",
        {**_PATH, _LIB: _TABLE, "tests/test_t.py": _TABLE_USE},
        {"tests/test_t.py": _TABLE_USE.replace("['a;1'])", "['a;1'], header=False)")},
    ),
)
NOT_FORMER = (
    Example(
        "a parameter of which nothing is said",
        {**_PATH, _LIB: _TABLE.replace("; pass header=False to get the old output", ""), "tests/test_t.py": _TABLE_USE},
        why="that the value happens to fit does not show that it was meant",
    ),
    Example(
        "the argument does not bring the expected value back",
        {**_PATH, _LIB: _TABLE, "tests/test_t.py": _TABLE_USE.replace("== 'a;1'", "== 'b;1'")},
        why="the test expects something else",
    ),
)
_OPEN = "def load(text, reader=None):\n    if reader is None:\n        raise ValueError('load() needs a value for the \"reader\" argument')\n    return [reader, text]\n"
_OPEN_USE = (
    "import tables\n\n\ndef test_one():\n    assert tables.load('a')[1] == 'a'\n\n\ndef test_two():\n    assert tables.load('b', reader='csv') == ['csv', 'b']\n"
    "\n\ndef test_three():\n    assert tables.load('c', reader='csv')[1] == 'c'\n"
)
REQUIRED = (
    Example(
        "an argument that the error names and the other tests pass",
        {**_PATH, _LIB: _OPEN, "tests/test_t.py": _OPEN_USE},
        {"tests/test_t.py": _OPEN_USE.replace("load('a')", "load('a', reader='csv')")},
    ),
    Example(
        "the method of a global object under a name of its own",
        {
            **_PATH,
            _LIB: "class Tables:\n"
            + "".join(f"    {line}\n" for line in _OPEN.replace("def load(", "def load(self, ").splitlines())
            + "\n\nload = Tables().load\n",
            "tests/test_t.py": _OPEN_USE,
        },
        {"tests/test_t.py": _OPEN_USE.replace("load('a')", "load('a', reader='csv')")},
    ),
    Example(
        "a positional argument that became required",
        {**_PATH, _LIB: "def load(text, reader):\n    return [reader, text]\n", "tests/test_t.py": _OPEN_USE},
        {"tests/test_t.py": _OPEN_USE.replace("load('a')", "load('a', reader='csv')")},
    ),
)
NOT_REQUIRED = (
    Example(
        "the other tests pass one this and one that",
        {**_PATH, _LIB: _OPEN, "tests/test_t.py": _OPEN_USE.replace("load('c', reader='csv')", "load('c', reader='tsv')")},
        why="which of the two was meant is not known",
    ),
)
_PAIR = "def split(path):\n    head, _, tail = path.partition('/')\n    return head, tail\n"
_PAIR_USE = "from shop.paths import split\n\n\ndef test_split():\n    head, tail = split('a/b')\n    assert (head, tail) == ('a', 'b')\n"
_TRIPLE = "def split(path):\n    head, mark, tail = path.partition('/')\n    return head, bool(mark), tail\n"
_INIT = {"shop/__init__.py": ""}
UNPACKED = (
    Example(
        "a function gives a third value between the two",
        {**_INIT, "shop/paths.py": _TRIPLE, "test_p.py": _PAIR_USE},
        {"test_p.py": _PAIR_USE.replace("head, tail = split", "head, _, tail = split")},
        head={**_INIT, "shop/paths.py": _PAIR, "test_p.py": _PAIR_USE},
    ),
    Example(
        "a context manager of a library gives one more",
        {
            **_PATH,
            _LIB: "import contextlib\n\n\n@contextlib.contextmanager\ndef streams():\n    out, err, both = [], [], []\n    yield out, err, both\n",
            "tests/test_t.py": "import tables\n\n\ndef test_s():\n    with tables.streams() as (out, err):\n        assert out == err\n",
        },
        {"tests/test_t.py": "import tables\n\n\ndef test_s():\n    with tables.streams() as (out, err, _):\n        assert out == err\n"},
    ),
)
NOT_UNPACKED = (
    Example(
        "the values come from a list whose length nothing says",
        {
            **_INIT,
            "shop/paths.py": "def split(path):\n    return path.split('/')\n",
            "test_p.py": _PAIR_USE.replace("split('a/b')", "split('a/b/c')"),
        },
        why="the function gives as many as there are",
    ),
)
_RETRY = (
    "class Retry:\n    def __init__(self):\n        self.statistics = {}\n\n    def __call__(self, function):\n        def wrapped():\n            wrapped.statistics['calls'] = 1\n            return function()\n\n"
    "        wrapped.retry = self\n        wrapped.statistics = {}\n        return wrapped\n\n\ndef retry():\n    return Retry()\n"
)
_RETRY_USE = "import tables\n\n\n@tables.retry()\ndef work():\n    return 1\n\n\ndef test_work():\n    work()\n    assert work.retry.statistics['calls'] == 1\n"
_DB = "class Table:\n    def __init__(self):\n        self.rows = []\n\n\nclass Base:\n    def __init__(self):\n        self.table = Table()\n{}"
_DB_USE = "from shop.base import Base\n\n\ndef test_flush():\n    base = Base()\n    assert base.table.flush() is True\n"
HOISTED = (
    Example(
        "a library puts what it counts on the decorated function itself",
        {**_PATH, _LIB: _RETRY, "tests/test_t.py": _RETRY_USE},
        {"tests/test_t.py": _RETRY_USE.replace("work.retry.statistics", "work.statistics")},
    ),
    Example(
        "a method stands one object further out now",
        {**_PATH, _LIB: _DB.format("\n    def flush(self):\n        return True\n"), "tests/test_t.py": _DB_USE.replace("shop.base", "tables")},
        {"tests/test_t.py": _DB_USE.replace("shop.base", "tables").replace("base.table.flush", "base.flush")},
    ),
)
NOT_HOISTED = (
    Example(
        "the outer object has no such member either",
        {**_PATH, _LIB: _DB.format(""), "tests/test_t.py": _DB_USE.replace("shop.base", "tables")},
        why="nothing has it",
    ),
)
