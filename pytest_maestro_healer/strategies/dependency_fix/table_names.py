"""Names that tests use without importing them: conventional aliases and well-known standard library names.

Sources: the import conventions of NumPy, pandas, matplotlib, seaborn, networkx, TensorFlow and Polars (each project's user guide shows them), as
collected in ruff's ``ICN001`` (https://docs.astral.sh/ruff/settings/#lint_flake8-import-conventions_aliases); the standard library's own index.
"""

from __future__ import annotations

SOURCE = "https://docs.astral.sh/ruff/settings/#lint_flake8-import-conventions_aliases"

ALIASES: dict[str, str] = {
    "np": "numpy",
    "pd": "pandas",
    "plt": "matplotlib.pyplot",
    "mpl": "matplotlib",
    "sns": "seaborn",
    "tf": "tensorflow",
    "nx": "networkx",
    "pl": "polars",
    "pa": "pyarrow",
    "sp": "scipy",
    "xr": "xarray",
    "da": "dask.array",
    "dd": "dask.dataframe",
    "gpd": "geopandas",
    "jnp": "jax.numpy",
    "tk": "tkinter",
    "ET": "xml.etree.ElementTree",
    "npt": "numpy.testing",
    "sa": "sqlalchemy",
    "bs4": "bs4",
}

#: Modules whose public names are unmistakable when used bare.
STDLIB: tuple[str, ...] = (
    "collections", "contextlib", "dataclasses", "datetime", "decimal", "enum", "fractions", "functools", "io", "itertools", "pathlib",
    "textwrap", "types", "typing", "unittest.mock", "uuid", "tempfile", "threading", "concurrent.futures", "argparse", "string", "urllib.parse",
    "http", "http.client", "socket", "subprocess", "copy", "operator", "math", "random", "time", "inspect", "json", "abc", "collections.abc",
)  # fmt: skip

#: Names for which one module is meant although others have them too.
PREFERRED: dict[str, str] = {
    "Path": "pathlib", "datetime": "datetime", "timedelta": "datetime", "date": "datetime", "timezone": "datetime", "Decimal": "decimal",
    "Fraction": "fractions", "OrderedDict": "collections", "defaultdict": "collections", "namedtuple": "collections", "Counter": "collections",
    "deque": "collections", "ChainMap": "collections", "Mock": "unittest.mock", "MagicMock": "unittest.mock", "AsyncMock": "unittest.mock",
    "patch": "unittest.mock", "call": "unittest.mock", "ANY": "unittest.mock", "sentinel": "unittest.mock", "mock_open": "unittest.mock",
    "create_autospec": "unittest.mock", "PropertyMock": "unittest.mock", "TestCase": "unittest", "StringIO": "io", "BytesIO": "io",
    "partial": "functools", "reduce": "functools", "wraps": "functools", "lru_cache": "functools", "dedent": "textwrap", "uuid4": "uuid",
    "UUID": "uuid", "dataclass": "dataclasses", "field": "dataclasses", "asdict": "dataclasses", "Enum": "enum", "IntEnum": "enum",
    "SimpleNamespace": "types", "ModuleType": "types", "contextmanager": "contextlib", "suppress": "contextlib", "closing": "contextlib",
    "redirect_stdout": "contextlib", "ExitStack": "contextlib", "Any": "typing", "Optional": "typing", "Union": "typing", "List": "typing",
    "Dict": "typing", "NamedTuple": "typing", "TypedDict": "typing", "cast": "typing", "Thread": "threading", "Event": "threading",
    "Lock": "threading", "ThreadPoolExecutor": "concurrent.futures", "deepcopy": "copy", "sleep": "time", "urlparse": "urllib.parse",
    "urlencode": "urllib.parse", "urljoin": "urllib.parse", "quote": "urllib.parse", "chain": "itertools", "product": "itertools",
    "permutations": "itertools", "combinations": "itertools", "islice": "itertools", "Iterable": "collections.abc", "Mapping": "collections.abc",
    "Sequence": "collections.abc", "Callable": "collections.abc", "Namespace": "argparse", "TemporaryDirectory": "tempfile",
    "NamedTemporaryFile": "tempfile", "HTTPStatus": "http", "itemgetter": "operator", "attrgetter": "operator", "approx": "pytest",
    "raises": "pytest", "fixture": "pytest", "mark": "pytest", "param": "pytest",
}  # fmt: skip

#: Python 2 builtins -> their meaning today (https://docs.python.org/3/whatsnew/3.0.html#builtins).
PY2_BUILTINS: dict[str, str] = {
    "unicode": "str",
    "basestring": "str",
    "long": "int",
    "xrange": "range",
    "raw_input": "input",
    "unichr": "chr",
}
PY2_SOURCE = "https://docs.python.org/3/whatsnew/3.0.html#builtins"
