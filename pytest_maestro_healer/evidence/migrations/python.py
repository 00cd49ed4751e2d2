# ruff: noqa: E501 - tables
"""Test tools and small libraries (the standard library's own removals are dependency_fix's)."""

from __future__ import annotations

from pytest_maestro_healer.evidence.migrations.rows import Table

TABLES = (
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
