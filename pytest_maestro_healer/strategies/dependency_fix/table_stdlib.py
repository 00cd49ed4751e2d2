"""What left the standard library, and its documented successor.

Sources: the "Removed" sections of "What's New in Python 3.x" (https://docs.python.org/3/whatsnew/), PEP 594 (dead batteries), PEP 632
(distutils), the setuptools page on ``pkg_resources``, and for Python 2 names the library changes of "What's New in Python 3.0" (PEP 3108).
"""

from __future__ import annotations

from pytest_maestro_healer.strategies.dependency_fix.rules import Rule

WHATSNEW = "https://docs.python.org/3/whatsnew/{}.html#removed"
PEP594 = "https://peps.python.org/pep-0594/"
PEP632 = "https://peps.python.org/pep-0632/"
PEP3108 = "https://peps.python.org/pep-3108/"
PKG_RESOURCES = "https://setuptools.pypa.io/en/latest/pkg_resources.html"

_ABCS = [
    "Awaitable",
    "Coroutine",
    "AsyncIterable",
    "AsyncIterator",
    "AsyncGenerator",
    "Hashable",
    "Iterable",
    "Iterator",
    "Generator",
    "Reversible",
    "Sized",
    "Container",
    "Callable",
    "Collection",
    "Set",
    "MutableSet",
    "Mapping",
    "MutableMapping",
    "MappingView",
    "KeysView",
    "ItemsView",
    "ValuesView",
    "Sequence",
    "MutableSequence",
    "ByteString",
]


def _moves(source: str, rows: dict[str, str], *, same: bool = True, note: str = "") -> dict[str, Rule]:
    return {old: Rule("move", new, source, same=same, note=note) for old, new in rows.items()}


_NEW = {v: WHATSNEW.format(v) for v in ("3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14")}

_RESOURCES = ("import importlib.resources",)
_METADATA = ("import importlib.metadata",)

RULES: dict[str, Rule] = {
    **_moves(_NEW["3.10"], {f"collections.{n}": f"collections.abc.{n}" for n in _ABCS}),
    **_moves(_NEW["3.10"], {"fractions.gcd": "math.gcd", "typing.io": "typing", "typing.re": "typing"}),
    **_moves(
        _NEW["3.9"],
        {
            "base64.encodestring": "base64.encodebytes",
            "base64.decodestring": "base64.decodebytes",
            "xml.etree.cElementTree": "xml.etree.ElementTree",
            "asyncio.Task.all_tasks": "asyncio.all_tasks",
            "asyncio.Task.current_task": "asyncio.current_task",
            "dummy_threading": "threading",
            "_dummy_thread": "_thread",
        },
    ),
    **_moves(_NEW["3.8"], {"time.clock": "time.perf_counter"}, same=False, note="perf_counter counts wall time, process_time CPU time"),
    **_moves(_NEW["3.8"], {"cgi.parse_qs": "urllib.parse.parse_qs", "cgi.parse_qsl": "urllib.parse.parse_qsl", "tarfile.filemode": "stat.filemode"}),
    "cgi.escape": Rule("call", "html.escape({0}, quote=False)", _NEW["3.8"], ("import html",)),
    "cgi.parse_multipart": Rule("drop", "", PEP594, note="the email package or the multipart distribution takes its place"),
    **_moves(_NEW["3.11"], {"inspect.getargspec": "inspect.getfullargspec"}, same=False, note="getfullargspec returns three more fields"),
    **_moves(
        _NEW["3.12"],
        {
            "imp.reload": "importlib.reload",
            "imp.new_module": "types.ModuleType",
            "imp.cache_from_source": "importlib.util.cache_from_source",
            "imp.source_from_cache": "importlib.util.source_from_cache",
            "configparser.SafeConfigParser": "configparser.ConfigParser",
            "unittest._TextTestResult": "unittest.TextTestResult",
            "sqlite3.OptimizedUnicode": "builtins.str",
            "locale.format": "locale.format_string",
            "ssl.RAND_pseudo_bytes": "ssl.RAND_bytes",
        },
    ),
    "imp.get_magic": Rule("call", "importlib.util.MAGIC_NUMBER", _NEW["3.12"], ("import importlib.util",)),
    "imp.get_tag": Rule("call", "sys.implementation.cache_tag", _NEW["3.12"], ("import sys",)),
    "imp.acquire_lock": Rule("drop", "", _NEW["3.12"]),
    **_moves(_NEW["3.12"], {"pkgutil.ImpImporter": "zipimport.zipimporter"}, same=False),
    "unittest.makeSuite": Rule("call", "unittest.defaultTestLoader.loadTestsFromTestCase({0})", _NEW["3.13"], ("import unittest",)),
    "unittest.findTestCases": Rule("call", "unittest.defaultTestLoader.loadTestsFromModule({0})", _NEW["3.13"], ("import unittest",)),
    "unittest.getTestCaseNames": Rule("call", "unittest.defaultTestLoader.getTestCaseNames({0})", _NEW["3.13"], ("import unittest",)),
    **_moves(PEP594, {"pipes.quote": "shlex.quote"}),
    **_moves(
        _NEW["3.14"],
        {
            "importlib.abc.Traversable": "importlib.resources.abc.Traversable",
            "importlib.abc.TraversableResources": "importlib.resources.abc.TraversableResources",
            "importlib.abc.ResourceReader": "importlib.resources.abc.ResourceReader",
            "ast.Str": "ast.Constant",
            "ast.Num": "ast.Constant",
            "ast.Bytes": "ast.Constant",
            "ast.NameConstant": "ast.Constant",
        },
        same=False,
    ),
    **_moves(_NEW["3.12"], {"importlib.find_loader": "importlib.util.find_spec", "pkgutil.find_loader": "importlib.util.find_spec"}, same=False),
    # distutils, PEP 632's migration advice
    **_moves(
        PEP632,
        {
            "distutils.spawn.find_executable": "shutil.which",
            "distutils.sysconfig.get_config_var": "sysconfig.get_config_var",
            "distutils.sysconfig.get_config_vars": "sysconfig.get_config_vars",
            "distutils.util.get_platform": "sysconfig.get_platform",
            "distutils.dir_util.remove_tree": "shutil.rmtree",
            "distutils.file_util.move_file": "shutil.move",
        },
    ),
    "distutils.dir_util.copy_tree": Rule("call", "shutil.copytree({0}, {1}, dirs_exist_ok=True)", PEP632, ("import shutil",), same=False),
    "distutils.dir_util.mkpath": Rule("call", "os.makedirs({0}, exist_ok=True)", PEP632, ("import os",), same=False),
    "distutils.sysconfig.get_python_lib": Rule("call", 'sysconfig.get_path("purelib")', PEP632, ("import sysconfig",), same=False),
    "distutils.sysconfig.get_python_inc": Rule("call", 'sysconfig.get_path("include")', PEP632, ("import sysconfig",), same=False),
    **_moves(
        PEP632,
        {
            "distutils.version.LooseVersion": "packaging.version.Version",
            "distutils.version.StrictVersion": "packaging.version.Version",
            "distutils.file_util.copy_file": "shutil.copy2",
            "distutils.core.setup": "setuptools.setup",
            "distutils.core.Extension": "setuptools.Extension",
            "distutils.core.Command": "setuptools.Command",
            "distutils.core.Distribution": "setuptools.Distribution",
            "distutils.cmd.Command": "setuptools.Command",
            "distutils.dist.Distribution": "setuptools.Distribution",
            "distutils.extension.Extension": "setuptools.Extension",
            "distutils.errors": "setuptools.errors",
            "distutils.command": "setuptools.command",
        },
        same=False,
        note="the successor is stricter or belongs to setuptools",
    ),
    # pkg_resources
    **_moves(PKG_RESOURCES, {"pkg_resources.parse_version": "packaging.version.parse", "pkg_resources.extern.packaging": "packaging"}, same=False),
    **_moves(PKG_RESOURCES, {"pkg_resources.DistributionNotFound": "importlib.metadata.PackageNotFoundError"}),
    "pkg_resources.get_distribution": Rule("call", "importlib.metadata.distribution({0})", PKG_RESOURCES, _METADATA, same=False),
    "pkg_resources.iter_entry_points": Rule("call", "importlib.metadata.entry_points(group={0})", PKG_RESOURCES, _METADATA, same=False),
    "pkg_resources.resource_filename": Rule("call", "str(importlib.resources.files({0}) / {1})", PKG_RESOURCES, _RESOURCES, same=False),
    "pkg_resources.resource_string": Rule("call", "importlib.resources.files({0}).joinpath({1}).read_bytes()", PKG_RESOURCES, _RESOURCES),
    "pkg_resources.resource_stream": Rule("call", 'importlib.resources.files({0}).joinpath({1}).open("rb")', PKG_RESOURCES, _RESOURCES),
    "pkg_resources.resource_isdir": Rule("call", "importlib.resources.files({0}).joinpath({1}).is_dir()", PKG_RESOURCES, _RESOURCES),
    "pkg_resources.resource_listdir": Rule(
        "call", "[p.name for p in importlib.resources.files({0}).joinpath({1}).iterdir()]", PKG_RESOURCES, _RESOURCES, same=False
    ),
    # Python 2 modules and names, PEP 3108
    **_moves(
        PEP3108,
        {
            "Queue": "queue",
            "ConfigParser": "configparser",
            "StringIO.StringIO": "io.StringIO",
            "cStringIO.StringIO": "io.StringIO",
            "cPickle": "pickle",
            "httplib": "http.client",
            "Cookie": "http.cookies",
            "cookielib": "http.cookiejar",
            "HTMLParser": "html.parser",
            "htmlentitydefs": "html.entities",
            "SocketServer": "socketserver",
            "BaseHTTPServer": "http.server",
            "SimpleHTTPServer": "http.server",
            "CGIHTTPServer": "http.server",
            "__builtin__": "builtins",
            "thread": "_thread",
            "Tkinter": "tkinter",
            "tkMessageBox": "tkinter.messagebox",
            "xmlrpclib": "xmlrpc.client",
            "SimpleXMLRPCServer": "xmlrpc.server",
            "copy_reg": "copyreg",
            "anydbm": "dbm",
            "UserDict.UserDict": "collections.UserDict",
            "UserList.UserList": "collections.UserList",
            "UserString.UserString": "collections.UserString",
            "urlparse": "urllib.parse",
            "urllib.quote": "urllib.parse.quote",
            "urllib.quote_plus": "urllib.parse.quote_plus",
            "urllib.unquote": "urllib.parse.unquote",
            "urllib.unquote_plus": "urllib.parse.unquote_plus",
            "urllib.urlencode": "urllib.parse.urlencode",
            "urllib.urlopen": "urllib.request.urlopen",
            "urllib.urlretrieve": "urllib.request.urlretrieve",
            "urllib2.urlopen": "urllib.request.urlopen",
            "urllib2.Request": "urllib.request.Request",
            "urllib2.build_opener": "urllib.request.build_opener",
            "urllib2.URLError": "urllib.error.URLError",
            "urllib2.HTTPError": "urllib.error.HTTPError",
            "urllib2.quote": "urllib.parse.quote",
            "commands.getoutput": "subprocess.getoutput",
            "commands.getstatusoutput": "subprocess.getstatusoutput",
            "itertools.izip_longest": "itertools.zip_longest",
            "itertools.ifilterfalse": "itertools.filterfalse",
            "string.letters": "string.ascii_letters",
            "string.lowercase": "string.ascii_lowercase",
            "string.uppercase": "string.ascii_uppercase",
            "os.getcwdu": "os.getcwd",
            "os.errno": "errno",
            "sys.maxint": "sys.maxsize",
        },
    ),
    "itertools.izip": Rule("expr", "zip", PEP3108),
    "itertools.imap": Rule("expr", "map", PEP3108),
    "itertools.ifilter": Rule("expr", "filter", PEP3108),
    "sets.Set": Rule("expr", "set", PEP3108),
    "sets.ImmutableSet": Rule("expr", "frozenset", PEP3108),
    **{
        f"types.{old}": Rule("expr", new, PEP3108)
        for old, new in {
            "StringType": "str",
            "UnicodeType": "str",
            "IntType": "int",
            "LongType": "int",
            "FloatType": "float",
            "ListType": "list",
            "TupleType": "tuple",
            "DictType": "dict",
            "BooleanType": "bool",
            "ClassType": "type",
            "TypeType": "type",
            "ObjectType": "object",
        }.items()
    },
}

#: Modules that are gone without a drop-in successor: what their removal notes name instead.
GONE: dict[str, tuple[str, str, str]] = {
    "asyncore": ("3.12", "asyncio, or the distribution pyasyncore", "pyasyncore"),
    "asynchat": ("3.12", "asyncio, or the distribution pyasynchat", "pyasynchat"),
    "smtpd": ("3.12", "the distribution aiosmtpd", "aiosmtpd"),
    "imp": ("3.12", "importlib", ""),
    "distutils": ("3.12", "setuptools (which still ships a copy), shutil, sysconfig, packaging", "setuptools"),
    "aifc": ("3.13", "the distribution standard-aifc", "standard-aifc"),
    "audioop": ("3.13", "the distribution audioop-lts", "audioop-lts"),
    "cgi": ("3.13", "html, urllib.parse, email.message, or the distribution legacy-cgi", "legacy-cgi"),
    "cgitb": ("3.13", "traceback, or the distribution legacy-cgi", "legacy-cgi"),
    "chunk": ("3.13", "the distribution standard-chunk", "standard-chunk"),
    "crypt": ("3.13", "hashlib, or the distributions legacycrypt and bcrypt", "legacycrypt"),
    "imghdr": ("3.13", "the distributions filetype, puremagic or standard-imghdr", "standard-imghdr"),
    "mailcap": ("3.13", "mimetypes, or the distribution standard-mailcap", "standard-mailcap"),
    "msilib": ("3.13", "nothing", ""),
    "nis": ("3.13", "nothing", ""),
    "nntplib": ("3.13", "the distribution standard-nntplib", "standard-nntplib"),
    "ossaudiodev": ("3.13", "the distribution pygame", "pygame"),
    "pipes": ("3.13", "subprocess and shlex, or the distribution standard-pipes", "standard-pipes"),
    "sndhdr": ("3.13", "the distributions filetype, puremagic or standard-sndhdr", "standard-sndhdr"),
    "spwd": ("3.13", "the distribution python-pam", "python-pam"),
    "sunau": ("3.13", "the distribution standard-sunau", "standard-sunau"),
    "telnetlib": ("3.13", "the distributions telnetlib3, Exscript or standard-telnetlib", "standard-telnetlib"),
    "uu": ("3.13", "base64, or the distribution standard-uu", "standard-uu"),
    "xdrlib": ("3.13", "the distribution standard-xdrlib", "standard-xdrlib"),
    "lib2to3": ("3.13", "the distributions libcst or parso", "libcst"),
    "binhex": ("3.11", "nothing", ""),
    "formatter": ("3.10", "nothing", ""),
    "parser": ("3.10", "ast", ""),
    "symbol": ("3.10", "ast", ""),
    "macpath": ("3.8", "os.path", ""),
}

#: Removed methods: name -> (type name as in the error message, successor, source); the call's arguments stay as they are.
METHODS: dict[str, tuple[tuple[str, ...], str, str]] = {
    "isAlive": (("Thread", "Process", "Timer"), "is_alive", _NEW["3.9"]),
    "tostring": (("array",), "tobytes", _NEW["3.9"]),
    "fromstring": (("array",), "frombytes", _NEW["3.9"]),
    "getiterator": (("Element", "ElementTree"), "iter", _NEW["3.9"]),
    "readfp": (("ConfigParser", "RawConfigParser"), "read_file", _NEW["3.12"]),
}
