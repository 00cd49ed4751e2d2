"""The standard library and test tools."""

from __future__ import annotations

from pytest_maestro_healer.evidence.migrations.rows import Table

TABLES = (
    Table(
        "https://docs.python.org/3/whatsnew/3.12.html#removed",
        "Python 3.12",
        {
            "unittest.case.TestCase unittest.TestCase": "assertEquals>assertEqual assertNotEquals>assertNotEqual assert_>assertTrue failUnless>assertTrue "
            "failIf>assertFalse failUnlessEqual>assertEqual failIfEqual>assertNotEqual failUnlessAlmostEqual>assertAlmostEqual "
            "failUnlessRaises>assertRaises assertAlmostEquals>assertAlmostEqual assertNotAlmostEquals>assertNotAlmostEqual "
            "assertRegexpMatches>assertRegex assertNotRegexpMatches>assertNotRegex assertRaisesRegexp>assertRaisesRegex assertItemsEqual>assertCountEqual",
            "configparser": "SafeConfigParser>ConfigParser",
            "configparser.RawConfigParser configparser.ConfigParser": "readfp>read_file",
            "importlib": "find_loader>importlib.util.find_spec",
            "asyncio": "async>ensure_future",
        },
        {"locale": "format>format_string"},
    ),
    Table(
        "https://docs.python.org/3/whatsnew/3.11.html#removed",
        "Python 3.11",
        similar={"inspect": "getargspec>getfullargspec"},
    ),
    Table(
        "https://docs.python.org/3/whatsnew/3.9.html#removed",
        "Python 3.9",
        {
            "threading.Thread": "isAlive>is_alive",
            "array.array": "tostring>tobytes fromstring>frombytes",
            "base64": "encodestring>encodebytes decodestring>decodebytes",
            "fractions": "gcd>math.gcd",
            "html.parser.HTMLParser": "unescape>html.unescape",
            "xml.etree.ElementTree.Element xml.etree.ElementTree.ElementTree": "getiterator>iter",
            "sys": "getcheckinterval>getswitchinterval maxint>maxsize",
        },
    ),
    Table(
        "https://docs.python.org/3/whatsnew/3.10.html#removed",
        "Python 3.10",
        {
            "collections": " ".join(
                f"{n}>collections.abc.{n}"
                for n in "Awaitable Coroutine AsyncIterable AsyncIterator AsyncGenerator Hashable Iterable Iterator Generator Reversible Sized Container "
                "Callable Collection Set MutableSet Mapping MutableMapping MappingView KeysView ItemsView ValuesView Sequence MutableSequence ByteString".split()
            ),
        },
    ),
    Table("https://docs.python.org/3/whatsnew/3.8.html#api-and-feature-removals", "Python 3.8", {"cgi": "escape>html.escape"}, {"time": "clock>perf_counter"}),
    Table(
        "https://docs.python.org/3/whatsnew/3.0.html",
        "Python 3",
        {
            "dict": "iteritems>items iterkeys>keys itervalues>values viewitems>items viewkeys>keys viewvalues>values",
            "builtins.dict": "iteritems>items iterkeys>keys itervalues>values",
            "os": "getcwdu>getcwd",
            "string": "letters>ascii_letters lowercase>ascii_lowercase uppercase>ascii_uppercase maketrans>builtins.str.maketrans",
            "itertools": "izip>builtins.zip imap>builtins.map ifilter>builtins.filter izip_longest>zip_longest ifilterfalse>filterfalse",
        },
    ),
    Table(
        "https://docs.pytest.org/en/stable/deprecations.html",
        "pytest 8",
        {"pytest": "yield_fixture>fixture"},
        parameters={"pytest.skip pytest.fail pytest.exit": "msg>reason", "pytest.raises": "message>"},
    ),
    Table(
        "https://typeguard.readthedocs.io/en/latest/versionhistory.html",
        "typeguard 3",
        signatures={"typeguard.check_type": "(argname, value, expected_type, memo=None)"},
    ),
    Table(
        "https://tinydb.readthedocs.io/en/latest/upgrade.html",
        "TinyDB 4",
        {"tinydb.database.TinyDB tinydb.TinyDB": "purge_tables>drop_tables purge_table>drop_table DEFAULT_TABLE>default_table_name"},
        {
            "tinydb.database.TinyDB tinydb.TinyDB": "purge>truncate",
            "tinydb.table.Table": "purge>truncate purge_tables>drop_tables purge_table>drop_table",
        },
    ),
    Table(
        "https://pyjwt.readthedocs.io/en/latest/changelog.html",
        "PyJWT 2",
        {"jwt": "ExpiredSignature>ExpiredSignatureError InvalidAudience>InvalidAudienceError InvalidIssuer>InvalidIssuerError"},
        parameters={"jwt.decode jwt.api_jwt.PyJWT.decode": "verify>"},
    ),
    Table(
        "https://pyparsing-docs.readthedocs.io/en/latest/whats_new_in_3_0_0.html",
        "pyparsing 3",
        {
            "pyparsing.ParserElement pyparsing.core.ParserElement": "setParseAction>set_parse_action setResultsName>set_results_name parseString>parse_string "
            "parseFile>parse_file scanString>scan_string searchString>search_string transformString>transform_string setName>set_name "
            "addParseAction>add_parse_action addCondition>add_condition setFailAction>set_fail_action setDebug>set_debug "
            "leaveWhitespace>leave_whitespace enablePackrat>enable_packrat setDefaultWhitespaceChars>set_default_whitespace_chars runTests>run_tests",
            "pyparsing.results.ParseResults pyparsing.ParseResults": "asList>as_list asDict>as_dict getName>get_name",
            "pyparsing": "oneOf>one_of delimitedList>DelimitedList infixNotation>infix_notation operatorPrecedence>infix_notation nestedExpr>nested_expr "
            "originalTextFor>original_text_for matchPreviousLiteral>match_previous_literal indentedBlock>IndentedBlock",
        },
    ),
    Table(
        "https://www.attrs.org/en/stable/changelog.html",
        "attrs 19.2",
        {"attr": "assoc>evolve"},
        parameters={"attr.ib attr.attrib attr._make.attrib": "convert>converter", "attr.s attr._make.attrs": "cmp>eq"},
    ),
    Table("https://setuptools.pypa.io/en/latest/history.html", "", {}, {"setuptools": "convert_path>setuptools._distutils.util.convert_path"}),
)
