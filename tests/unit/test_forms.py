"""Names in another form, and the code that reaches them so."""

from __future__ import annotations

import ast

import pytest

from pytest_maestro_healer.evidence.finished.names.forms import composed, file_of, line_in, names_as_data, parts_of, said_as_text, singular_in


@pytest.mark.parametrize("name", ["grand_total", "grandTotal", "GrandTotal", "GRAND_TOTAL", "--grand-total", "Grand Total"])
def test_forms_of_one_name(name: str) -> None:
    assert parts_of(name) == ("grand", "total")


def test_abbreviations_are_words() -> None:
    assert parts_of("CSVExporter") == ("csv", "exporter")
    assert parts_of("HTTP2Server") == ("http", "2", "server")


@pytest.mark.parametrize(
    ("code", "member", "found"),
    [
        ("type(x).__name__", False, True),
        ("print(__name__)", False, False),
        ("getattr(self, 'on' + event)", False, True),
        ("getattr(self, 'total', 0)", False, False),
        ("[f for f in fields(cls)]", False, True),
        ("globals()[name]", False, True),
        ("view(**{k: v for k, v in query})", False, True),
        ("super().__init__(**kwargs)", False, False),
        ("parser.parse_args(argv, namespace=Options())", False, True),
        ("parser.parse_args(argv)", False, False),
        ("level.name.lower()", True, True),
        ("user.name.lower()", False, False),
        ("Status[word.upper()]", True, True),
        ("rows[0].total()", True, False),
    ],
)
def test_names_as_data(code: str, member: bool, found: bool) -> None:
    assert names_as_data(ast.parse(code), member=member) is found


@pytest.mark.parametrize(
    ("code", "word", "line"),
    [
        ("x = globals()[fmt.title() + 'Exporter']", "CsvExporter", 1),
        ("x = getattr(self, f'on{event}')", "onClick", 1),
        ("x = globals()[fmt.title() + 'Exporter']", "CsvImporter", 0),
        ("x = getattr(self, 'clean_' + f.name)\n\ndef clean_email(self):\n    pass", "email", 3),
        ("x = getattr(self, 'clean_' + f.name)\n\ndef clean_name(self):\n    pass", "email", 0),
        ("x = f'{a} in the total'", "total", 0),
    ],
)
def test_composed(code: str, word: str, line: int) -> None:
    assert composed({"m.py": ast.parse(code)}, word) == (f"m.py:{line}" if line else "")


@pytest.mark.parametrize(
    ("text", "word", "found"),
    [
        ("'paid'", "PAID", True),
        ("'orders'", "Order", True),
        ("'grandTotal'", "grand_total", True),
        ("'unpaid'", "PAID", False),
        ("'settled'", "PAID", False),
    ],
)
def test_said_as_text(text: str, word: str, found: bool) -> None:
    assert bool(said_as_text({"m.py": ast.parse(f"x = {text}")}, word, ["SETTLED"])) is found


@pytest.mark.parametrize(
    ("text", "word", "prose", "found"),
    [
        ("SHOP_TIMEOUT: 30", "timeout", False, True),
        ("SHOP_TIMEOUT tells how long", "timeout", True, True),
        ("a timeout tells how long", "timeout", True, False),
        ("CREATE TABLE orders (", "Order", False, True),
        ("0 3 * * * job --max-items 500", "max_items", False, True),
        ("order.grandTotal", "grand_total", False, True),
        ("grand totals are", "grand_total", False, False),
        ("expr: shop_checkout_seconds > 2", "checkout", False, True),
        ("subtotal", "total", False, False),
        ("MAX_WAIT and SHOP_TIMEOUT_MAX_WAIT", "timeout", False, False),
        ("ad: 1", "ad", False, False),
    ],
)
def test_said_in_another_form(text: str, word: str, prose: bool, found: bool) -> None:
    assert bool(line_in(text, word, ["max_wait"], prose=prose)) is found


def test_files_that_are_called_so() -> None:
    assert file_of(["shop/daily.py", "shop/templates/daily.txt"], "daily") == "shop/templates/daily.txt"
    assert file_of(["shop/templates/weekly.txt"], "daily") == ""
    assert file_of(["templates/OrderMail/text.j2"], "order_mail") == "templates/OrderMail/text.j2"


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        ("for (const kind of ['order', 'user']) { load('/' + kind + 's') }", "/orders", 1),
        ("kinds = ['order']\nload(f'/{kind}s')", "/orders", 1),
        ("x = 1\nkinds = ('box',)\nload('/%ses' % kind)", "/api/boxes", 2),
        ("for (const kind of ['order', 'user']) { load(`/${kind}s/all`) }", "/orders", 1),
        ("for (const kind of ['order', 'user']) { load('/' + kind) }", "/orders", 0),
        ("for (const kind of ['border', 'user']) { load('/' + kind + 's') }", "/orders", 0),
        ("for (const kind of ['order', 'user']) { load('/' + kind + 's') }", "/order", 0),
    ],
)
def test_plurals_that_are_made(text: str, said: str, line: int) -> None:
    assert singular_in(text, said) == line
