"""What old releases need to be installed and imported, which their own metadata does not say: for bench_pcbench.py."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

#: Names that Python moved or dropped and that old releases read: put back when an environment starts. The APIs under test are not concerned.
AGED = """
import collections, collections.abc, fractions, inspect, math, time
for _name in collections.abc.__all__:
    if not hasattr(collections, _name):
        setattr(collections, _name, getattr(collections.abc, _name))
if not hasattr(fractions, "gcd"):
    fractions.gcd = math.gcd
if not hasattr(time, "clock"):
    time.clock = time.perf_counter
if not hasattr(inspect, "getargspec"):
    inspect.getargspec = lambda f: inspect.getfullargspec(f)[:4]
"""


@dataclass(frozen=True)
class Need:
    """A rule for the releases ``low <= release < below`` of a library.

    ``requirements`` go with the release; ``build`` is installed first, and the release is then built without isolation; ``environ`` is set
    for installing and running; ``aged`` puts names back that Python dropped, ``start`` those that what it requires dropped.
    """

    library: str
    low: str
    below: str
    requirements: tuple[str, ...] = ()
    build: tuple[str, ...] = ()
    environ: dict[str, str] = field(default_factory=dict)
    aged: bool = False
    start: str = ""


_OLD_BUILD = ("setuptools<58", "wheel<0.40")
NEEDS = (
    Need("flask", "0", "2.3", ("werkzeug<3",)),
    Need("fastapi", "0", "0.100", ("pydantic<1.10",)),
    Need("django", "0", "2.2", ("setuptools<66",), aged=True),
    Need("dask", "0", "2021", ("pandas<1.4", "numpy<1.23", "toolz", "cloudpickle", "partd", "fsspec<2022"), aged=True),
    Need("dask", "2021", "2022.7", ("pandas<1.5", "numpy<1.23", "pyarrow<9", "toolz", "cloudpickle", "partd", "fsspec<2023")),
    Need(
        "gensim", "0", "4.0", ("numpy<1.20;python_version<'3.8'", "numpy<1.23;python_version>='3.8'", "scipy<1.8", "six", "smart_open<3"), _OLD_BUILD,
        aged=True, start="import scipy.misc, scipy.special\nscipy.misc.logsumexp = scipy.special.logsumexp",
    ),
    Need("gensim", "4.0", "4.2", ("numpy<1.24", "scipy<1.10", "smart_open<6"), (*_OLD_BUILD, "cython==0.29.36", "numpy<1.23")),
    Need("jax", "0.4.12", "0.4.13", ("jaxlib>=0.4.10,<0.4.13",)),
    Need("jax", "0.4.12", "0.4.14", ("jaxlib>=0.4.10,<0.4.14", "tensorflow-cpu<2.14", "numpy<1.25", "scipy<1.12", "ml_dtypes<0.3")),
    Need(
        "keras", "0", "2.3",
        ("Theano<1.1", "numpy<1.22", "scipy<1.8", "h5py<3.8", "setuptools<60", "pyyaml", "keras_applications", "keras_preprocessing"),
        environ={"KERAS_BACKEND": "theano", "THEANO_FLAGS": "cxx="}, aged=True,
    ),
    Need("matplotlib", "0", "3.5", ("numpy<1.23", "pillow<10", "setuptools<60"), (*_OLD_BUILD, "numpy<1.23", "certifi"), aged=True),
    Need("matplotlib", "3.5", "3.8", ("numpy<1.25", "pillow<10")),
)  # fmt: skip


def numbers(release: str) -> tuple[int, ...]:
    """``"2.10.0"`` -> ``(2, 10, 0)``."""
    return tuple(int(part) for part in release.split(".") if part.isdigit())


def needs(library: str, release: str) -> Iterator[Need]:
    """The rules for a release."""
    for need in NEEDS:
        if need.library == library and numbers(need.low) <= numbers(release) < numbers(need.below):
            yield need
