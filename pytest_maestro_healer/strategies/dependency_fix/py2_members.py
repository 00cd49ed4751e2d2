"""Members that objects had in Python 2: methods of dictionaries, iterators and functions, the message of an exception."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Sequence

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Applicability, Diagnosis, Evidence, Failure, FailurePattern, Follows, Proposal
from pytest_maestro_healer.strategies.base import Example, Tactic
from pytest_maestro_healer.strategies.dependency_fix.build import edit_files, group_of
from pytest_maestro_healer.strategies.dependency_fix.cause import missing, raised_in_tests, same_cause
from pytest_maestro_healer.strategies.dependency_fix.editor import FileEditor

_DICTS = ("dict", "OrderedDict", "defaultdict", "Counter", "ChainMap", "UserDict", "mappingproxy", "WeakKeyDictionary", "WeakValueDictionary")
_ITERATORS = ("generator", "map", "filter", "zip", "enumerate", "reversed", "_reader", "TextIOWrapper", "BufferedReader", "StringIO", "BytesIO")
_FUNCTIONS = ("function", "method", "builtin_function_or_method")
_WHATSNEW = "https://docs.python.org/3/whatsnew/3.0.html"
_PEP3106, _PEP3114 = "https://peps.python.org/pep-3106/", "https://peps.python.org/pep-3114/"
_SIX = "https://docs.python.org/3/howto/pyporting.html"

#: name -> (types that had it, what stands for it today, where that is documented). ``{0}`` is the object; ``{1}`` the one argument of the
#: call that is replaced with it; without ``{0}`` it is the member's new name.
MEMBERS: dict[str, tuple[tuple[str, ...], str, str]] = {
    **{f"{kind}{word}": (_DICTS, word, _PEP3106) for kind in ("iter", "view") for word in ("items", "keys", "values")},
    "has_key": (_DICTS, "{1} in {0}", _WHATSNEW),
    "next": (_ITERATORS, "next({0})", _PEP3114),
    **{f"func_{word}": (_FUNCTIONS, f"__{word}__", _WHATSNEW) for word in ("name", "doc", "code", "defaults", "globals", "dict", "closure")},
    "im_func": (_FUNCTIONS, "__func__", _WHATSNEW),
    "im_self": (_FUNCTIONS, "__self__", _WHATSNEW),
    "message": (("Error", "Exception", "Warning", "Exit", "Interrupt"), "str({0})", _SIX),
}
#: Calls of these are replaced together with their brackets.
_CALLED = frozenset({"has_key", "next"})


class Python2Members(Tactic):
    name = "python2_members"
    summary = (
        "A member that an object had in Python 2 (iteritems of a dictionary, next of an iterator, func_name, an exception's message) "
        "gets its form of today."
    )
    patterns = frozenset({FailurePattern.API_CHANGE, FailurePattern.IMPORT_ERROR})
    applicability = Applicability.SAFE
    follows = Follows.LIBRARY | Follows.RESULT
    evidence = ("docs", "value")
    sources = (_WHATSNEW, _PEP3106, _PEP3114)
    heals = (
        Example(
            "iteritems of a dictionary, has_key in the same test",
            {
                "test_d.py": "def test_d():\n    given = {'a': 1}\n    assert sorted(given.iteritems()) == [('a', 1)]\n"
                "    assert [v for v in given.itervalues()] == [1]\n    assert given.has_key('a')\n"
            },
            {
                "test_d.py": "def test_d():\n    given = {'a': 1}\n    assert sorted(given.items()) == [('a', 1)]\n"
                "    assert [v for v in given.values()] == [1]\n    assert 'a' in given\n"
            },
        ),
        Example(
            "a class of the product has iteritems to this day",
            {
                "shop.py": "class Cart:\n    def iteritems(self):\n        return iter([('a', 1)])\n",
                "test_d.py": "from shop import Cart\n\n\ndef test_d():\n    assert list({'a': 1}.iteritems()) == [('a', 1)]\n"
                "    assert list(Cart().iteritems()) == [('a', 1)]\n",
            },
            {
                "test_d.py": "from shop import Cart\n\n\ndef test_d():\n    assert list({'a': 1}.items()) == [('a', 1)]\n"
                "    assert list(Cart().iteritems()) == [('a', 1)]\n",
            },
        ),
        Example(
            "next of a generator",
            {
                "shop.py": "def numbers():\n    yield 1\n    yield 2\n",
                "test_n.py": "import shop\n\n\ndef test_n():\n    assert shop.numbers().next() == 1\n",
            },
            {"test_n.py": "import shop\n\n\ndef test_n():\n    assert next(shop.numbers()) == 1\n"},
        ),
        Example(
            "the message of an exception",
            {
                "shop.py": "def pay():\n    raise ValueError('no money')\n",
                "test_e.py": "import pytest\n\nimport shop\n\n\ndef test_e():\n    with pytest.raises(ValueError) as caught:\n        shop.pay()\n"
                "    assert caught.value.message == 'no money'\n",
            },
            {
                "test_e.py": "import pytest\n\nimport shop\n\n\ndef test_e():\n    with pytest.raises(ValueError) as caught:\n        shop.pay()\n"
                "    assert str(caught.value) == 'no money'\n",
            },
        ),
    )
    declines = (
        Example(
            "the product's own code asks for it",
            {
                "shop.py": "def pairs(given):\n    return list(given.iteritems())\n",
                "test_d.py": "import shop\n\n\ndef test_d():\n    assert shop.pairs({'a': 1}) == [('a', 1)]\n",
            },
            why="product code is the user's to mend",
        ),
        Example(
            "the product's exception lost its message",
            {
                "shop.py": "class PayError(Exception):\n    pass\n\n\ndef pay():\n    raise PayError()\n",
                "test_e.py": "import pytest\n\nimport shop\n\n\ndef test_e():\n    with pytest.raises(shop.PayError) as caught:\n        shop.pay()\n"
                "    assert caught.value.message == 'no money'\n",
            },
            why="str of the exception is not what was expected",
        ),
    )

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """AttributeErrors of objects of Python's own types, and of exceptions."""
        found = missing(failure)
        return found is not None and found.kind == "attribute" and found.of_object and _had(found.module, found.name)

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """All such members in the failing files; where the product has a member of that name, only in the lines that failed."""
        found = missing(failure)
        if found is None or not found.of_object or not _had(found.module, found.name) or not raised_in_tests(failure, found, ctx):
            return
        lines: dict[str, set[int]] = {}
        for _, other in same_cause(found, ctx, failure):
            lines.setdefault(other.path, set()).add(other.line)
        paths, nodeids = group_of(found, ctx, failure)
        family = [n for n, row in MEMBERS.items() if row[0] == MEMBERS[found.name][0]]
        free = [n for n in family if n != "message" and not _defined(n, paths, ctx)]
        new, source = MEMBERS[found.name][1:]
        told = new.replace("{0}", "object").replace("{1}", "key") if "{0}" in new else new
        fact = Evidence("docs", f"Python 2's {found.name} of {found.module} is {told} in Python 3", source, 0.9)
        text = f"{found.module}.{found.name} is {told}"
        made = edit_files(
            self.name, _rewrite(found.name, free, lines), paths, ctx, nodeids=nodeids, evidence=[fact], meaning=text,
            explanation=f"{text} in Python 3", cause_key=f"python2:{found.module}:{found.name}", safe=True, score=0.9,
        )  # fmt: skip
        if made is not None:
            yield made


def _had(kind: str, name: str) -> bool:
    types = MEMBERS[name][0] if name in MEMBERS else ()
    word = kind.rpartition(".")[2]
    return word in types or (name == "message" and word.endswith(types)) or (name == "next" and word.endswith("iterator"))


def _defined(name: str, paths: Sequence[str], ctx: Context) -> bool:
    """Whether the product or the failing files define a function of that name, so that not every use can be the old member."""
    define = re.compile(rb"\bdef\s+" + name.encode() + rb"\b")
    return any(define.search(ctx.symbols.read(p)) for p in (*ctx.files.product_files, *paths))


def _rewrite(failed: str, free: Sequence[str], lines: dict[str, set[int]]) -> Callable[[FileEditor], None]:
    """A change of every use of the ``free`` names, and of the ``failed`` one in the given lines of a file."""

    def change(editor: FileEditor) -> None:
        at = lines.get(editor.src.path, set())
        for node in ast.walk(editor.tree):
            if not isinstance(node, ast.Attribute) or not isinstance(node.ctx, ast.Load):
                continue
            here = node.attr == failed and any(node.lineno <= n <= (node.end_lineno or n) for n in at)
            if here or node.attr in free:
                _one(node, editor)

    return change


def _one(node: ast.Attribute, editor: FileEditor) -> None:
    new = MEMBERS[node.attr][1]
    call = editor.up.get(node)
    called = isinstance(call, ast.Call) and call.func is node
    if "{0}" not in new:
        end = editor.src.span(node)[1]
        editor.replace(end - len(node.attr), end, new)
        return
    if called != (node.attr in _CALLED):
        return
    outer: ast.expr = node
    argument = ""
    if isinstance(call, ast.Call) and called:
        wanted = 1 if "{1}" in new else 0
        if call.keywords or len(call.args) != wanted or any(isinstance(a, ast.Starred) for a in call.args):
            return
        outer, argument = call, _operand(call.args[0], editor) if wanted else ""
    bare = "{1}" not in new
    text = new.replace("{1}", argument).replace("{0}", _text(node.value, editor) if bare else _operand(node.value, editor))
    editor.replace_node(outer, text if bare or _stands_alone(outer, editor) else f"({text})")


def _text(node: ast.expr, editor: FileEditor) -> str:
    start, end = editor.src.span(node)
    return editor.src.text[start:end]


def _operand(node: ast.expr, editor: FileEditor) -> str:
    text = _text(node, editor)
    return text if isinstance(node, (ast.Name, ast.Constant, ast.Attribute, ast.Call, ast.Subscript, ast.Dict, ast.List)) else f"({text})"


def _stands_alone(node: ast.expr, editor: FileEditor) -> bool:
    """Whether a comparison may take the node's place without brackets."""
    parent = editor.up.get(node)
    return isinstance(parent, (ast.Assert, ast.Assign, ast.Return, ast.Expr, ast.If, ast.BoolOp, ast.keyword)) or (
        isinstance(parent, ast.Call) and node in parent.args
    )
