"""Python 2/3 compatibility helpers and what they mean on Python 3.

Source of every row: the six documentation, https://six.readthedocs.io/ (section by name), which states the Python 3 value of each helper; text
converters: ``ensure_text`` and ``ensure_binary`` there, and the like-named helpers of Django (``force_text``) and PyJWT (``force_unicode``).
"""

from __future__ import annotations

import re

from pytest_maestro_healer.strategies.dependency_fix.rules import Rule

SOURCE = "https://six.readthedocs.io/"


def _expr(to: str, *imports: str) -> Rule:
    return Rule("expr", to, SOURCE, imports)


def _call(to: str, *imports: str) -> Rule:
    return Rule("call", to, SOURCE, imports)


def _move(to: str) -> Rule:
    return Rule("move", to, SOURCE)


#: Helpers whose name says what they are, wherever they are imported from.
DISTINCT: dict[str, Rule] = {
    "text_type": _expr("str"),
    "binary_type": _expr("bytes"),
    "string_types": _expr("str"),
    "string_type": _expr("str"),
    "integer_types": _expr("int"),
    "class_types": _expr("type"),
    "basestring": _expr("str"),
    "unicode": _expr("str"),
    "unichr": _expr("chr"),
    "long": _expr("int"),
    "xrange": _expr("range"),
    "raw_input": _expr("input"),
    "int_types": _expr("int"),
    "str_types": _expr("str"),
    "unicode_type": _expr("str"),
    "bytes_type": _expr("bytes"),
    "text_types": _expr("str"),
    "ustr": _expr("str"),
    "_ustr": _expr("str"),
    "iteritems": _call("{0}.items()"),
    "itervalues": _call("{0}.values()"),
    "iterkeys": _call("{0}.keys()"),
    "iterlists": _call("{0}.lists()"),
    "viewitems": _call("{0}.items()"),
    "viewvalues": _call("{0}.values()"),
    "viewkeys": _call("{0}.keys()"),
    "listitems": _call("list({0}.items())"),
    "listvalues": _call("list({0}.values())"),
    "listkeys": _call("list({0}.keys())"),
    "izip": _expr("zip"),
    "imap": _expr("map"),
    "ifilter": _expr("filter"),
    "range_type": _expr("range"),
    "maketrans_text": _expr("str.maketrans"),
    "with_metaclass": Rule("base", "", SOURCE),
    "python_2_unicode_compatible": Rule("decorator", "", SOURCE),
    "implements_to_string": Rule("decorator", "", SOURCE),
    "implements_iterator": Rule("decorator", "", SOURCE),
    "ensure_text": Rule("text", "str", SOURCE),
    "ensure_str": Rule("text", "str", SOURCE),
    "ensure_binary": Rule("text", "bytes", SOURCE),
    "force_unicode": Rule("text", "str", SOURCE),
    "force_text": Rule("text", "str", SOURCE),
    "force_str": Rule("text", "str", SOURCE),
    "force_bytes": Rule("text", "bytes", SOURCE),
    "to_unicode": Rule("text", "str", SOURCE),
    "to_native": Rule("text", "str", SOURCE),
    "to_text": Rule("text", "str", SOURCE),
    "to_bytes": Rule("text", "bytes", SOURCE),
    "u": Rule("text", "str-literal", SOURCE),
    "importlib_metadata": _move("importlib.metadata"),
    "importlib_resources": _move("importlib.resources"),
}

#: Names with other meanings too: only from a module that is a compatibility layer by its name.
LAYER: dict[str, Rule] = {
    "b": Rule("text", "bytes-literal", SOURCE),
    "StringIO": _move("io.StringIO"),
    "BytesIO": _move("io.BytesIO"),
    "cStringIO": _move("io.StringIO"),
    "NativeStringIO": _move("io.StringIO"),
    "OrderedDict": _move("collections.OrderedDict"),
    "Counter": _move("collections.Counter"),
    "Mapping": _move("collections.abc.Mapping"),
    "MutableMapping": _move("collections.abc.MutableMapping"),
    "Iterable": _move("collections.abc.Iterable"),
    "Callable": _move("collections.abc.Callable"),
    "Sequence": _move("collections.abc.Sequence"),
    "abc": _move("collections.abc"),
    "collections_abc": _move("collections.abc"),
    "reduce": _move("functools.reduce"),
    "lru_cache": _move("functools.lru_cache"),
    "wraps": _move("functools.wraps"),
    "reload": _move("importlib.reload"),
    "reload_module": _move("importlib.reload"),
    "intern": _move("sys.intern"),
    "MAXSIZE": _move("sys.maxsize"),
    "maxsize": _move("sys.maxsize"),
    "zip_longest": _move("itertools.zip_longest"),
    "izip_longest": _move("itertools.zip_longest"),
    "filterfalse": _move("itertools.filterfalse"),
    "timezone": _move("datetime.timezone"),
    "urlparse": _move("urllib.parse.urlparse"),
    "urlunparse": _move("urllib.parse.urlunparse"),
    "urlsplit": _move("urllib.parse.urlsplit"),
    "urlunsplit": _move("urllib.parse.urlunsplit"),
    "urljoin": _move("urllib.parse.urljoin"),
    "urlencode": _move("urllib.parse.urlencode"),
    "quote": _move("urllib.parse.quote"),
    "unquote": _move("urllib.parse.unquote"),
    "quote_plus": _move("urllib.parse.quote_plus"),
    "unquote_plus": _move("urllib.parse.unquote_plus"),
    "parse_qs": _move("urllib.parse.parse_qs"),
    "parse_qsl": _move("urllib.parse.parse_qsl"),
    "urlopen": _move("urllib.request.urlopen"),
    "URLError": _move("urllib.error.URLError"),
    "HTTPError": _move("urllib.error.HTTPError"),
    "SimpleNamespace": _move("types.SimpleNamespace"),
    "TemporaryDirectory": _move("tempfile.TemporaryDirectory"),
    "Path": _move("pathlib.Path"),
    "mock": _move("unittest.mock"),
    "unittest": _move("unittest"),
    "json": _move("json"),
    "pickle": _move("pickle"),
    "configparser": _move("configparser"),
    "builtins": _move("builtins"),
    "queue": _move("queue"),
    "range": _expr("range"),
    "zip": _expr("zip"),
    "map": _expr("map"),
    "filter": _expr("filter"),
    "input": _expr("input"),
    "str": _expr("str"),
    "bytes": _expr("bytes"),
    "chr": _expr("chr"),
    "int": _expr("int"),
    "open": _expr("open"),
    "next": _expr("next"),
    "callable": _expr("callable"),
    "FileNotFoundError": _expr("FileNotFoundError"),
    "ModuleNotFoundError": _expr("ModuleNotFoundError"),
    "FileExistsError": _expr("FileExistsError"),
    "PermissionError": _expr("PermissionError"),
    "ConnectionError": _expr("ConnectionError"),
    "TimeoutError": _expr("TimeoutError"),
    "RecursionError": _expr("RecursionError"),
    "JSONDecodeError": _move("json.JSONDecodeError"),
}

#: What only six itself has.
SIX: dict[str, Rule] = {
    "advance_iterator": _expr("next"),
    "print_": _expr("print"),
    "exec_": _expr("exec"),
    "int2byte": _call("bytes(({0},))"),
    "byte2int": _call("{0}[0]"),
    "indexbytes": _call("{0}[{1}]"),
    "iterbytes": _expr("iter"),
    "get_method_function": _call("{0}.__func__"),
    "get_method_self": _call("{0}.__self__"),
    "get_function_code": _call("{0}.__code__"),
    "get_function_defaults": _call("{0}.__defaults__"),
    "get_function_globals": _call("{0}.__globals__"),
    "assertCountEqual": _call("{0}.assertCountEqual({rest})"),
    "assertRaisesRegex": _call("{0}.assertRaisesRegex({rest})"),
    "assertRegex": _call("{0}.assertRegex({rest})"),
    "assertNotRegex": _call("{0}.assertNotRegex({rest})"),
    "raise_from": Rule("assert", "raise {0} from {1}", SOURCE),
}

#: six.moves: the row's name -> where it stands on Python 3 (https://six.readthedocs.io/#module-six.moves).
MOVES: dict[str, str] = {
    "cPickle": "pickle",
    "cStringIO": "io.StringIO",
    "StringIO": "io.StringIO",
    "configparser": "configparser",
    "copyreg": "copyreg",
    "builtins": "builtins",
    "getcwd": "os.getcwd",
    "getcwdb": "os.getcwdb",
    "getoutput": "subprocess.getoutput",
    "html_entities": "html.entities",
    "html_parser": "html.parser",
    "http_client": "http.client",
    "http_cookiejar": "http.cookiejar",
    "http_cookies": "http.cookies",
    "BaseHTTPServer": "http.server",
    "SimpleHTTPServer": "http.server",
    "filterfalse": "itertools.filterfalse",
    "zip_longest": "itertools.zip_longest",
    "intern": "sys.intern",
    "queue": "queue",
    "reduce": "functools.reduce",
    "reload_module": "importlib.reload",
    "reprlib": "reprlib",
    "shlex_quote": "shlex.quote",
    "socketserver": "socketserver",
    "_thread": "_thread",
    "tkinter": "tkinter",
    "urllib": "urllib",
    "urllib_parse": "urllib.parse",
    "urllib_error": "urllib.error",
    "UserDict": "collections.UserDict",
    "UserList": "collections.UserList",
    "UserString": "collections.UserString",
    "winreg": "winreg",
    "xmlrpc_client": "xmlrpc.client",
    "xmlrpc_server": "xmlrpc.server",
    "email_mime_text": "email.mime.text",
    "email_mime_multipart": "email.mime.multipart",
    "email_mime_base": "email.mime.base",
    "collections_abc": "collections.abc",
}
BUILTIN_MOVES = ("range", "zip", "map", "filter", "input")


def six_rules() -> dict[str, Rule]:
    """All rows under their full names (``six.text_type``, ``six.moves.range``)."""
    out = {f"six.{n}": r for n, r in {**DISTINCT, **LAYER, **SIX}.items()}
    out |= {f"six.moves.{n}": _move(to) for n, to in MOVES.items()}
    out |= {f"six.moves.{n}": _expr(n) for n in BUILTIN_MOVES}
    out["six.moves.xrange"] = _expr("range")
    out["six.PY2"], out["six.PY3"], out["six.PY34"] = (Rule("constant", v, SOURCE) for v in ("False", "True", "True"))
    return out


_FLAG = re.compile(r"_?(?:IS_|ON_)?PY(?:THON)?_?([23])(?:_?(\d{1,2}))?(?:_?PLUS|_OR_LATER|_ONLY)?")


def version_flag(name: str) -> Rule | None:
    """``PY2``, ``PY3``, ``IS_PY27``, ``PY36``...: a constant on every Python from 3.10; a flag for 3.10 or later is none."""
    m = _FLAG.fullmatch(name.upper())
    if m is None or (name != name.upper() and not name.startswith(("py", "is_py", "_py"))):
        return None
    if m[1] == "2":
        return Rule("constant", "False", SOURCE)
    if m[2] and int(m[2]) > 9:
        return None
    return Rule("constant", "True", SOURCE, same=not m[2], note="the flag means this Python minor version or a later one" if m[2] else "")


_LAYER = re.compile(r"_?(py)?_?(compat|six|py3k|py23|py2to3|py2|py3|pycompat|moves|_compat|compatibility|backports?|future|python3?)(_?py[23]?)?\d*")


#: What a helper's name may begin with in such a module (``py23_range``), and what it then is by the name of its Python 3 builtin.
_PREFIX = re.compile(r"^(?:py23|py2|py3|compat)_")
_BUILTINS = frozenset(["str", "bytes", "int", "chr", "range", "zip", "map", "filter", "input"])


def is_layer(module: str) -> bool:
    """Whether a module's name says that it is a compatibility layer."""
    return any(_LAYER.fullmatch(part) for part in module.lower().split("."))


def compat_rule(module: str, name: str) -> Rule | None:
    """The row for ``from module import name``, ``None`` where the name says nothing."""
    known = DISTINCT.get(name) or version_flag(name)
    if known is not None or not is_layer(module):
        return known
    bare = _PREFIX.sub("", name)
    return LAYER.get(name) or LAYER.get(bare) or DISTINCT.get(bare) or (_expr(bare) if bare != name and bare in _BUILTINS else None)
