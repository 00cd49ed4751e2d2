"""The shape of a row in the knowledge tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

RuleKind = Literal["move", "expr", "call", "assert", "constant", "text", "decorator", "base", "drop", "raises", "raises-call"]


@dataclass(frozen=True)
class Rule:
    """What replaces one name.

    * ``move``: ``to`` is a dotted name; what follows the old name is kept (``six.moves.urllib`` -> ``urllib``);
    * ``expr``: every use becomes the expression ``to``;
    * ``call``: every use is a call; ``to`` is a template over its positional arguments ``{0}``, ``{1}``...;
    * ``assert``: like ``call``, for calls that stand alone as a statement; ``{msg}`` is an optional further argument;
    * ``constant``: ``to`` is ``True`` or ``False``; branches that can never run are removed where that drops no assertion;
    * ``text``: a converter that leaves text as it is (``to`` is ``str`` or ``bytes``);
    * ``decorator``: the decorator is removed;
    * ``base``: a base class call ``f(Meta, Base)`` becomes ``Base, metaclass=Meta``;
    * ``raises``: nose's ``raises`` decorator, the body is wrapped; ``raises-call`` its ``assert_raises``;
    * ``drop``: the import only, it has no use.

    ``imports`` are import statements that ``to`` needs; ``same`` says that the meaning is identical (else the heal is for review).
    ``source`` is where the equivalence is documented.
    """

    kind: RuleKind
    to: str = ""
    source: str = ""
    imports: tuple[str, ...] = ()
    same: bool = True
    note: str = ""
