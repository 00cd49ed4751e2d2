"""Whether a sentence states what a definition has turned into."""

from __future__ import annotations

import ast

import pytest

from pytest_maestro_healer.evidence.finished.edited import words_of
from pytest_maestro_healer.evidence.finished.intent.turned import Turned
from pytest_maestro_healer.evidence.similarity import definitions
from pytest_maestro_healer.model import Follows

PROPERTY = "class Order:\n    @property\n    def total(self): return self.sum\n"
METHOD = PROPERTY.replace("    @property\n", "")
DISCOUNT = "def discount(price, percent): return price - percent\n"
KEYWORD = DISCOUNT.replace("price, ", "price, *, ")
PARSE = "def parse(text, strict=False): return int(text)\n"
SHORT = PARSE.replace(", strict=False", "")
PAIR = "def extremes(values): return min(values), max(values)\n"
TRIPLE = PAIR.replace("max(values)", "max(values), mean")
DEBUG = PAIR.replace("max(values)", "max(values), values")
DICT = "def extremes(values): return {'low': min(values)}\n"
OBJECT = "def extremes(values): return Range(min(values), max(values))\n"
ASYNC = "class Client:\n    async def load(self): return 1\n"
SYNC = ASYNC.replace("async ", "")
BYTES = "def export(rows): return ','.join(rows).encode()\n"
TEXT = BYTES.replace(".encode()", "")


@pytest.mark.parametrize(
    ("follows", "then", "now", "text", "found"),
    [
        (Follows.ACCESS, PROPERTY, METHOD, "Order.total is a method now", True),
        (Follows.ACCESS, PROPERTY, METHOD, "Order.total is a property now", False),
        (Follows.ACCESS, METHOD, PROPERTY, "Make total a property", True),
        (Follows.ACCESS, PROPERTY, METHOD, "Cache Order.total, it is called for each line", False),
        (Follows.ACCESS, PROPERTY, METHOD, "Split the sum off Order.total into a method of its own", False),
        (Follows.AWAITING, SYNC, ASYNC, "Make load async", True),
        (Follows.AWAITING, SYNC, ASYNC, "Client is async now", True),
        (Follows.AWAITING, ASYNC, SYNC, "Make load async", False),
        (Follows.AWAITING, ASYNC, SYNC, "load is synchronous again", True),
        (Follows.PARAMETERS, DISCOUNT, KEYWORD, "Make percent keyword-only", True),
        (Follows.PARAMETERS, DISCOUNT, KEYWORD, "discount(price, *, percent)", True),
        (Follows.PARAMETERS, DISCOUNT, KEYWORD, "discount(price, percent) is documented", False),
        (Follows.PARAMETERS, DISCOUNT, KEYWORD, "Document the arguments of discount", False),
        (Follows.PARAMETERS, DISCOUNT, KEYWORD, "Add percent to the discount texts", False),
        (Follows.PARAMETERS, PARSE, SHORT, "Drop the unused parameter strict", True),
        (Follows.PARAMETERS, PARSE, SHORT, "parse no longer takes strict", True),
        (Follows.PARAMETERS, PARSE, SHORT, "Make strict keyword-only", False),
        (Follows.PARAMETERS, SHORT, PARSE, "parse takes strict", True),
        (Follows.RESULT, PAIR, TRIPLE, "extremes() returns a tuple (low, high, mean) now", True),
        (Follows.RESULT, PAIR, TRIPLE, "extremes returns three values", True),
        (Follows.RESULT, PAIR, TRIPLE, "extremes returns a tuple", False),
        (Follows.RESULT, PAIR, DEBUG, "extremes ignores None values", False),
        (Follows.RESULT, TRIPLE, PAIR, "extremes returns a pair", True),
        (Follows.RESULT, TRIPLE, PAIR, "extremes no longer returns the mean", True),
        (Follows.RESULT, PAIR, DICT, "extremes returns a dict", True),
        (Follows.RESULT, PAIR, OBJECT, "extremes gives a Range", True),
        (Follows.RESULT, PAIR, OBJECT, "extremes returns a frozen dataclass", True),
        (Follows.RESULT, PAIR, OBJECT, "extremes checks the range", False),
        (Follows.ENCODING, BYTES, TEXT, "export returns text instead of bytes", True),
        (Follows.ENCODING, BYTES, TEXT, "export returns bytes", False),
        (Follows.ENCODING, BYTES, TEXT, "export: plain text without umlauts for the old printers", False),
    ],
)
def test_a_sentence_has_to_state_what_is_so_now(follows: Follows, then: str, now: str, text: str, found: bool) -> None:
    defs = [definitions(ast.parse(source)) for source in (then, now)]
    name = next(q for q, d in defs[1].items() if d.kind != "class")
    lost, gained = words_of([then]), words_of([now])
    assert Turned(defs[1][name].name, defs[0][name], defs[1][name], lost - gained, gained - lost).stated(text, follows) is found
