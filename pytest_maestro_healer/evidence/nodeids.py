"""What a pytest nodeid is made of, told in one place: ``tests/a[1]b/test_x.py::TestX::test_y[a::b-[c]]``.

The file goes up to the first ``::`` (a file's name may hold brackets), the function from there to the next ``[``, and the rest is the parameter
set, in which anything may stand. A nodeid without ``::`` is that of a file or folder. All functions are pure and take any text.
"""

from __future__ import annotations


def file_of(nodeid: str) -> str:
    """The file: ``tests/a[1]b/test_x.py``."""
    return nodeid.partition("::")[0]


def tail_of(nodeid: str) -> str:
    """What follows the file: ``TestX::test_y[a::b-[c]]``; ``""`` for a file."""
    return nodeid.partition("::")[2]


def function_of(nodeid: str) -> str:
    """The function with its classes: ``TestX::test_y``."""
    return tail_of(nodeid).partition("[")[0]


def path_to(nodeid: str) -> list[str]:
    """The names that lead to the function in its file: ``["TestX", "test_y"]``."""
    return function_of(nodeid).split("::")


def name_of(nodeid: str) -> str:
    """The function alone: ``test_y``."""
    return function_of(nodeid).rpartition("::")[2]


def scope_of(nodeid: str) -> str:
    """The file with the classes, without the function: ``tests/a[1]b/test_x.py::TestX``."""
    return without_params(nodeid).rpartition("::")[0]


def params_of(nodeid: str) -> str:
    """The parameter set's id without its brackets: ``a::b-[c]``; ``""`` where there is none."""
    return tail_of(nodeid).partition("[")[2].removesuffix("]")


def without_params(nodeid: str) -> str:
    """The nodeid of the function, all its parameter sets together: ``tests/a[1]b/test_x.py::TestX::test_y``."""
    file, sep, rest = nodeid.partition("::")
    return file + sep + rest.partition("[")[0]


def has_params(nodeid: str) -> bool:
    """Whether it names one parameter set."""
    return "[" in tail_of(nodeid)


def is_test(nodeid: str) -> bool:
    """Whether it names more than a file or folder."""
    return "::" in nodeid


def stands_for(nodeid: str, wanted: str) -> bool:
    """Whether ``nodeid`` is ``wanted``, one of its parameter sets, or a test of the class, file or folder that it names."""
    if nodeid == wanted:
        return True
    ends = ("::", "[") if is_test(wanted) else ("::", "/")
    return not has_params(wanted) and nodeid.startswith(wanted) and nodeid[len(wanted) :].startswith(ends)


def joined(file: str, rest: str) -> str:
    """The nodeid of ``rest`` (see :func:`tail_of`) in ``file``."""
    return f"{file}::{rest}" if rest else file
