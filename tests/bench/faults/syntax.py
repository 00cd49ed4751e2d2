"""syntax_repair: one place of a real test file is damaged as editors, merges and old code damage it."""

from __future__ import annotations

import random
import re

from .edits import broken_match, broken_test, compiles, replace_match
from .model import Fault, Host
from .registry import inject

S = "syntax_repair"
ASSERT = r"^( +)assert (.+)$"


@inject(S, "missing_colon", 2)
def drop_colon(host: Host, rng: random.Random) -> Fault | None:
    """A header without its colon."""
    return broken_match(host, rng, r"^( *(?:def|class|for|if|with|while)\b[^\n]*):$", r"\1")


@inject(S, "brackets", 2)
def drop_closer(host: Host, rng: random.Random) -> Fault | None:
    """A closing bracket lost at the end of a line."""
    return broken_match(host, rng, r"[)\]}](,?)$", r"\1")


@inject(S, "brackets")
def drop_opener(host: Host, rng: random.Random) -> Fault | None:
    """An opening bracket lost."""
    return broken_match(host, rng, r"(?<=\w)[(\[](?=[\w'\"])", "")


@inject(S, "brackets")
def extra_closer(host: Host, rng: random.Random) -> Fault | None:
    """A closing bracket too many."""
    return broken_match(host, rng, r"([)\]}])$", r"\1\1")


@inject(S, "brackets")
def other_closer(host: Host, rng: random.Random) -> Fault | None:
    """The wrong closing bracket."""
    return broken_match(host, rng, r"[)\]}]$", lambda m: rng.choice([c for c in ")]}" if c != m.group()]))


@inject(S, "strings", 2)
def drop_quote(host: Host, rng: random.Random) -> Fault | None:
    """A closing quote lost."""
    return broken_match(host, rng, r"(?<=\w)(?<!\\)['\"](?=[,)\]:\n ])", "")


@inject(S, "strings")
def other_quote(host: Host, rng: random.Random) -> Fault | None:
    """A string that ends with the other quote."""
    return broken_match(host, rng, r"(?<=\w)['\"](?=[,)\]\n])", lambda m: "'" if m.group() == '"' else '"')


@inject(S, "indentation", 2)
def indent_more(host: Host, rng: random.Random) -> Fault | None:
    """A line of a body too far to the right."""
    return broken_match(host, rng, r"^(    +)(?=(?:assert|self|\w+ =)\b)", r"\1" + " " * rng.choice([1, 2, 4]))


@inject(S, "indentation")
def indent_less(host: Host, rng: random.Random) -> Fault | None:
    """A line of a body too far to the left."""
    return broken_match(host, rng, r"^ (   +)(?=(?:assert|self|\w+ =)\b)", lambda m: m.group(1)[: rng.choice([1, 2, 3])])


@inject(S, "indentation")
def tabs_mixed(host: Host, rng: random.Random) -> Fault | None:
    """One line indented by a tab in a file with blanks."""
    return broken_match(host, rng, r"^    (?=\S)", "\t")


@inject(S, "indentation")
def body_not_indented(host: Host, rng: random.Random) -> Fault | None:
    """The first line of a body at the column of its header."""
    return broken_match(host, rng, r"^( *)(def [^\n]*:\n)\1    (?=\S)", r"\1\2\1")


@inject(S, "operators", 2)
def single_equals(host: Host, rng: random.Random) -> Fault | None:
    """``=`` for ``==`` in an assert."""
    return broken_match(host, rng, r"^( +assert [^\n=]+) == ", r"\1 = ")


@inject(S, "operators", 2)
def drop_comma(host: Host, rng: random.Random) -> Fault | None:
    """A comma lost between arguments or elements."""
    return broken_match(host, rng, r", (?=[\w'\"(\[])", " ")


@inject(S, "operators")
def c_operators(host: Host, rng: random.Random) -> Fault | None:
    """``&&``, ``||`` and ``!`` of another language."""
    return broken_match(host, rng, r" (and|or) |\b(not) (?!in\b)", lambda m: {"and": " && ", "or": " || ", "not": "!"}[m.group(1) or m.group(2)])


@inject(S, "keyword_typo", 3)
def keyword_typo(host: Host, rng: random.Random) -> Fault | None:
    """A keyword with two letters exchanged or one lost."""

    def spoil(match: re.Match[str]) -> str:
        word = match.group(1)
        at = rng.randrange(1, len(word) - 1)
        bad = word[:at] + word[at + 1] + word[at] + word[at + 2 :] if rng.random() < 0.5 else word[:at] + word[at + 1 :]
        return match.group().replace(word, bad, 1)

    return broken_match(host, rng, r"(?:^|(?<=\s))(assert|return|import|from|class|with|lambda|while|yield|raise)(?= [\w'\"({\[])", spoil)


@inject(S, "argument_order", 2)
def positional_after_keyword(host: Host, rng: random.Random) -> Fault | None:
    """The keyword before the positional argument."""
    return broken_match(host, rng, r"\(([\w'\".]+|'[^'\n]*'|\"[^\"\n]*\"), (\w+=[\w'\".]+)\)", r"(\2, \1)")


@inject(S, "assignment_target")
def sides_exchanged(host: Host, rng: random.Random) -> Fault | None:
    """``5 = x`` for ``x = 5``."""
    return broken_match(host, rng, r"^( +)(\w+) = (\d+|'[^'\n]*'|\"[^\"\n]*\"|\w+\([^()\n]*\))$", r"\1\3 = \2")


@inject(S, "assignment_target")
def walrus_statement(host: Host, rng: random.Random) -> Fault | None:
    """``:=`` where ``=`` belongs."""
    return broken_match(host, rng, r"^( +\w+) = (?=[\w'\"(\[{])", r"\1 := ")


@inject(S, "invisible_characters", 2)
def smart_quotes(host: Host, rng: random.Random) -> Fault | None:
    """Quotes as a word processor writes them."""
    return broken_match(host, rng, r"(?<=[(\s,\[])(['\"])([\w ]+)\1", lambda m: f"‘{m.group(2)}’" if m.group(1) == "'" else f"“{m.group(2)}”")


@inject(S, "invisible_characters")
def no_break_space(host: Host, rng: random.Random) -> Fault | None:
    """A no-break space or a zero-width one among the blanks."""
    return broken_match(host, rng, r" (?===|=|in\b)", rng.choice(["\u00a0", " \u200b", "\u2009"]))


@inject(S, "encoding_line")
def latin1_bytes(host: Host, rng: random.Random) -> Fault | None:
    """A comment in Latin-1 without a declaration: the heal may declare it or keep the file as it was."""
    path = rng.choice(host.tests)
    text = host.text(path)
    comment = f"# Prüfung für {host.name}: naïve Fälle\n"
    data = text.encode().replace(b"\n\n\n", b"\n\n\n" + comment.encode("latin-1"), 1)
    if not text.isascii() or data == text.encode():
        return None
    return broken_test(host, rng, path, data, committed=True)


@inject(S, "encoding_line")
def unknown_encoding(host: Host, rng: random.Random) -> Fault | None:
    """A declaration of an encoding that does not exist."""
    path = rng.choice(host.tests)
    text = host.text(path)
    if "coding" in text[:100]:
        return None
    return broken_test(host, rng, path, f"# -*- coding: {rng.choice(['utf8x', 'utf-88', 'latni-1', 'UFT-8'])} -*-\n" + text)


@inject(S, "merge_conflict", 3)
def merge_markers(host: Host, rng: random.Random) -> Fault | None:
    """A conflict left in the file; the other side expects something that the product never gave."""

    def conflict(match: re.Match[str]) -> str:
        mine, pad = match.group(), match.group(1)
        theirs = pad + "assert " + re.sub(r"== .*", "== object()", match.group(2))
        sides = [mine, theirs] if rng.random() < 0.5 else [theirs, mine]
        return f"<<<<<<< HEAD\n{sides[0]}\n=======\n{sides[1]}\n>>>>>>> feature/{rng.choice(['speed', 'cleanup', 'api-2'])}"

    return broken_match(host, rng, r"^( +)assert ([^\n=]+ == [\w'\".]+)$", conflict)


@inject(S, "restore_from_head", 2)
def lost_lines(host: Host, rng: random.Random) -> Fault | None:
    """A header or a line in the middle of a statement was deleted and not committed."""
    return broken_match(host, rng, r"^ +[^\n]*[(\[{,]\n|^(?:class|def) [^\n]*\n", "", committed=False)


@inject(S, "truncated", 2)
def cut_off(host: Host, rng: random.Random) -> Fault | None:
    """The end of the file is missing, in the middle of a statement."""
    path = rng.choice(host.tests)
    text = host.text(path)
    for _ in range(20):
        cut = rng.randrange(len(text) // 2, len(text) - 2)
        if not compiles(text[:cut]):
            return broken_test(host, rng, path, text[:cut], committed=False)
    return None


@inject(S, "python2", 2)
def print_statement(host: Host, rng: random.Random) -> Fault | None:
    """A print statement from Python 2."""
    found = replace_match(host, rng, ASSERT, r'\1print "checked", 1\n\1assert \2')
    return _with_also(host, rng, found, 'print "checked", 1', 'print("checked", 1)')


@inject(S, "python2")
def old_not_equal(host: Host, rng: random.Random) -> Fault | None:
    """``<>``."""
    return broken_match(host, rng, r"^( +assert [^\n=]+) != ", r"\1 <> ")


@inject(S, "python2")
def long_and_octal(host: Host, rng: random.Random) -> Fault | None:
    """``10L``."""
    return broken_match(host, rng, r"(?<=[ (,\[])(\d+)(?=[,)\]])", r"\1L")


@inject(S, "python2")
def exec_statement(host: Host, rng: random.Random) -> Fault | None:
    """An exec statement from Python 2."""
    found = replace_match(host, rng, ASSERT, r'\1exec "checked = 1"\n\1assert \2')
    return _with_also(host, rng, found, 'exec "checked = 1"', 'exec("checked = 1")')


@inject(S, "foreign_literals")
def yaml_yes(host: Host, rng: random.Random) -> Fault | None:
    """``null``, ``true`` and ``false`` of JSON: names that do not exist."""
    found = replace_match(host, rng, r"\b(None|True|False)\b", lambda m: {"None": "null", "True": "true", "False": "false"}[m.group()])
    return broken_test(host, rng, *found) if found else None


def _with_also(host: Host, rng: random.Random, found: tuple[str, str] | None, old: str, new: str) -> Fault | None:
    """A line that never was there in Python 3: right is the line in Python 3, or the file as it was."""
    if found is None:
        return None
    return broken_test(host, rng, *found, also=(found[1].replace(old, new),))
