"""What a sentence about a change states: which name took the place of which, what went, came or moved, and what something became.

A name and a word of its contract in one line prove nothing (``Document the arguments of discount``): the sentence has to state the transition, with
the name as its subject or object, and in the right direction.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache

#: A sentence that speaks of something beside what changed, or of what is not done.
BESIDE = re.compile(
    r"(?i)^\s*(?:merge|revert)\b|"
    r"(?<![\w.-])(?:unlike|except|never|still|stays?|keeps?|todo|fixme|not yet|later|prepar(?:e|es|ing|ation)|revert(?:s|ed)?|undo(?:es)?)(?![\w-])"
    r"|\b(?:do not|don['’]?t|cannot|could|might|would|may)\s+(?:be\s+)?(?:renam|mak|turn|chang|mov|becom|convert|switch)\w*"
)
_ARROW = r"(?:-+>|=+>|[→⇒➜➔↦])"
_NOUN = (
    r"(?:methods?|functions?|class(?:es)?|attr(?:ibute)?s?|fields?|propert(?:y|ies)|param(?:eter)?s?|arg(?:ument)?s?|keywords?|kwargs?|options?|flags?|"
    r"modules?|packages?|constants?|variables?|keys?|columns?|members?|names?|helpers?|exceptions?|decorators?|commands?|settings?|results?)"
)
_NOUNS = rf"(?:\s+{_NOUN})*"
#: Other names in a list with the one that is asked for, after it and before it.
_AFTER = r"(?:\s*(?:,\s*and|,|and|&)\s*[\w.#-]+)*"
_BEFORE = r"(?:[\w.#-]+\s*(?:,\s*and|,|and|&)\s*)*"
_HEAD = rf"^{_NOUNS}{_AFTER}{_NOUNS}"
_TAIL = rf"\s*:?\s*(?:(?:(?:the|an?)\s+)?(?:new\s+)?(?:{_NOUN}\s+)+)?{_BEFORE}$"
_BE = r"(?:is|are|was|were|be|has been|have been|gets?|got)"

_RENAME = re.compile(r"(?i)\brenam\w*|\bnam(?:e|ing) changes?\b")
_FORWARD = (
    re.compile(rf"(?i){_HEAD}\s*{_ARROW}{_TAIL}"),
    re.compile(
        rf"(?i){_HEAD}\s*,?\s*(?:{_BE}\s+)?(?:now\s+)?(?:called|named|spell?ed|spelt|known as|superseded by|replaced (?:by|with)|"
        rf"(?:\w+\s+)?in favou?r of|becomes?|became|turne?d? into|changed (?:in)?to|renamed(?: to| as)?)\b(?:\s+now)?{_TAIL}"
    ),
)
_IS = re.compile(rf"(?i){_HEAD}\s+(?:is|are)(?:\s+now)?\s+{_BEFORE}$")
_IS_ALL = re.compile(r"(?i)^(?:\s*$|\s*[,.;:()]|\s+(?:now|everywhere|instead|since|in|from|throughout|and|too)\b)")
_WITH_RENAME = re.compile(rf"(?is)^(?:(?![.;!?]\s).)*?(?:\b(?:to|into|as|is|be|by|now)\b|{_ARROW}|[:,/]){_TAIL}")
_CHANGES = re.compile(
    rf"(?i)\b(?:chang|mov|turn|switch|migrat|convert|replac|swap|substitut|updat|exchang|deprecat|drop|remov)\w*\s+(?:from\s+|over\s+)?(?:the\s+)?"
    rf"(?:(?:use|name|uses|calls)\s+(?:of|to)\s+|all\s+)?(?:{_NOUN}\s+)*{_BEFORE}$|\bfrom\s+(?:{_NOUN}\s+)?{_BEFORE}$"
)
_CHANGED = re.compile(rf"(?i){_HEAD}\s+(?:to|into|with|by|in favou?r of){_TAIL}")
_CALL = re.compile(r"(?i)\b(?:call|name|spell)(?:s|ed|ing)?\s+$")
_GONE = re.compile(r"(?i)\b(?:gone|removed?|dropp?(?:ed)?|deprecated?|obsolete|no longer|instead|retired?|deleted?)\b")
_USE = re.compile(rf"(?i)^{_NOUNS}[^;!?]{{0,60}}?[,;:.(]?\s*(?:please\s+)?\b(?:use|call|say|prefer|see){_TAIL}")
_NOT = re.compile(r"(?i)\b(?:not|no longer|no more)\s+$")
_BUT = re.compile(r"(?i)^\s*(?:any ?more)?\s*,?\s*(?:but\s+)?$")
#: Between the new name and the old one after it.
_FORMERLY = re.compile(
    rf"(?i){_HEAD}\s*(?:(?:used\s+|everywhere\s+|now\s+)*(?:instead of|in (?:the )?place of|rather than|"
    rf"and not|,?\s*not|,?\s*no longer|replac(?:es|ed|ing)|"
    rf"supersed(?:es|ed|ing)|t(?:akes?|ook) the place of|{_BE} the (?:new )?name (?:of|for)|,?\s*formerly|,?\s*previously)|"
    rf"[(,]\s*(?:which\s+)?(?:was|were|is not|formerly|previously|once|originally|before)){_TAIL}"
)
_WAS = re.compile(rf"(?i){_HEAD}\s*[;,]?\s+(?:it\s+|which\s+)?(?:was|were|used to be)(?:\s+called)?\s+$")
_INSTEAD = re.compile(r"(?i)\b(?:use|call|say|prefer|write)(?:s|d)?\s+$")
_FOR = re.compile(rf"(?i){_HEAD}\s+(?:for|over){_TAIL}")

_REMOVES = (
    r"\b(?:remov|drop|delet|kill|eliminat|retir|strip|discard)\w*(?:\s+(?:the|an?|all|its|unused|needless|obsolete|deprecated|superfluous|dead|redundant|useless|"
    rf"old|optional|legacy|unneeded|unnecessary|ignored|{_NOUN})|\s+[\w.#-]+(?:,|\s+(?:and|&)(?=\s)))*\s+"
)
_MOVES = r"\b(?:mov|relocat|extract|split|factor|transfer|migrat|export)\w*\b"
_TAKES = r"(?:takes?|accepts?|requires?|needs?|wants?|expects?|gets?|asks for|add(?:s|ed)?|introduc\w*|pass\w*|demands?|has)"


def units(lines: Iterable[str]) -> Iterator[str]:
    """The lines of a text, and its paragraphs where a sentence may go on in the next line; what it quotes of a mail is left out."""
    block: list[str] = []
    for line in (*lines, ""):
        if line.strip().startswith(">"):
            continue
        if not line.strip() or re.match(r"\s*(?:[-*+•#|]|\d+[.)])\s", line):
            if len(block) > 1:
                yield " ".join(block)
            block = []
        if line.strip():
            yield line
            block.append(line.strip())


def clean(text: str) -> str:
    """A sentence without its markup, the arguments of calls, and what it quotes at length: another one's words."""
    text = re.sub(r"\"[^\"]*\s[^\"]*\s[^\"]*\"|“[^”]*\s[^”]*\s[^”]*”", " ", text)
    text = re.sub(r":[a-z]+(?::[a-z]+)*:(?=`)|['’]s\b|\[(?=[^\]]*\]\[)|\]\[[^\]]*\]", "", text)
    text = re.sub(r"[`*\"'“”‘’~]", "", text)
    return re.sub(r"(?<=\w)\([^()]*\)", "", text)


def at(word: str, text: str) -> int | None:
    """Where a text says a name or option as a word of its own; ``None`` where it does not."""
    found = re.search(rf"(?<![\w-]){re.escape(word)}(?!\w)", text)
    return found.start() if found else None


@lru_cache(maxsize=256)
def _named(word: str) -> str:
    """The pattern of a name, with the class or module before it."""
    return rf"(?<![\w-])(?:\w+(?:[.#/]|::))*{re.escape(word)}(?![\w]|-\w|[.#]\w)"


def directed(text: str, old: str, new: str) -> bool:
    """Whether a sentence states that ``new`` took the place of ``old``, not the other way round and not by having both words in it."""
    if old == new or at(old, text) is None or at(new, text) is None:
        return False
    if re.search(rf"(?<!\w)s([/|]){re.escape(old)}\1{re.escape(new)}\1", text):
        return True
    text = clean(text)
    return any(
        _forward(text[: a.start()], text[a.end() : b.start()], text[b.end() :])
        if a.end() <= b.start()
        else b.end() <= a.start() and _backward(text[: b.start()], text[b.end() : a.start()], text[a.end() :])
        for a in re.finditer(_named(old), text)
        for b in re.finditer(_named(new), text)
    )


def _forward(before: str, between: str, after: str) -> bool:
    if any(p.search(between) for p in _FORWARD) or (_IS.search(between) and _IS_ALL.search(after)):
        return True
    if (_RENAME.search(before) or _RENAME.search(between)) and _WITH_RENAME.search(between):
        return True
    if _CHANGED.search(between) and (_CHANGES.search(before) or _RENAME.search(after)):
        return True
    if _USE.search(between) and (_GONE.search(before) or _GONE.search(between) or _GONE.search(after[:20])):
        return True
    return (_CALL.search(before) is not None and not between.strip()) or (_NOT.search(before) is not None and _BUT.search(between) is not None)


def _backward(before: str, between: str, after: str) -> bool:
    if _FORMERLY.search(between) or (_WAS.search(between) and _IS_ALL.search(after)):
        return True
    if _INSTEAD.search(before) is None:
        return False
    return _FOR.search(between) is not None or (not between.strip(" ,;") and _GONE.search(after[:20]) is not None)


#: Words by which people say that an old name can still be used: of old names at large, and of one that is said beside them.
_KEPT = re.compile(
    r"(?i)\bold (?:names?|spellings?|ones?|forms?|options?|keys?)\b[^.;]*\b(?:keeps?|kept|still|works?|remains?|stays?|accepted|deprecated)\b"
    r"|\bdeprecated alias(?:es)?\b|\b(?:kept|remains?|stays?|left|available)\b[^.;]*\bas (?:an? )?(?:\w+ )?alias"
)
_WORKS = re.compile(
    r"(?i)\b(?:keeps?|continues?) (?:on |to )?work(?:ing)?\b|\bstill (?:works?|accepted)\b|\bboth (?:are|names|spellings|options|work)\b"
)
#: What is not done yet, in its author's own words.
_OPEN = re.compile(
    r"(?i)^\s*(?:wip|draft|tmp|temp|fixup!|squash!)\b|\b(?:work in progress|unfinished|half[- ]?done|does(?: not|n't) work yet"
    r"|not (?:yet )?(?:done|finished|complete)|(?:clients?|callers?|rest|others?|docs?|uses?) (?:to|will|must) follow)\b"
)


def kept(text: str, old: str) -> bool:
    """Whether a sentence promises that ``old`` can still be used, or old names at large."""
    return _KEPT.search(text) is not None or (at(old, text) is not None and _WORKS.search(text) is not None)


def unfinished(text: str) -> bool:
    """Whether a sentence says that its author is not done."""
    return _OPEN.search(text) is not None


def scope(text: str) -> str:
    """What a conventional commit says that it is about: ``admin`` of ``refactor(admin)!: ...``."""
    found = re.match(r"\s*\w+\(([\w./-]+)\)!?:", text)
    return found[1].removesuffix(".py").rpartition("/")[2] if found else ""


def removed(text: str, old: str) -> bool:
    """Whether a sentence states that ``old`` went: ``Drop the unused parameter strict``, ``load no longer takes strict``."""
    name = _named(old)
    return _any(
        text,
        rf"{_REMOVES}{name}",
        rf"{name}{_NOUNS}(?:\s+(?:of|from|in)\s+[\w.#]+)?\s+(?:{_BE}\s+)?(?:now\s+)?(?:gone|removed|dropped|deleted|no longer|retired)\b",
        rf"\b(?:no longer|no more|not)\s+(?:\w+\s+){{0,3}}?(?:the\s+)?(?:{_NOUN}\s+)*{_BEFORE}{name}{_NOUNS}(?:\s+any ?more|\s*$|[,.;])",
        rf"\b(?:get|got|gets) rid of (?:the\s+)?(?:{_NOUN}\s+)*{name}",
    )


def arrived(text: str, new: str) -> bool:
    """Whether a sentence states that something takes ``new``, or needs it: ``discount takes a currency``, ``percent is required now``."""
    name = _named(new)
    filler = rf"(?:\s+(?:the|an?|now|also|new|required|mandatory|optional|{_NOUN})|\s+[\w.#-]+(?:,|\s+(?:and|&)(?=\s)))*"
    return _any(
        text,
        rf"\b{_TAKES}{filler}\s+{name}",
        rf"{name}{_NOUNS}\s+(?:is|are|becomes?|became|has become)\s+(?:now\s+)?(?:required|mandatory|obligatory|needed|no longer optional)\b",
        rf"{name}{_NOUNS}\s+(?:has no default|without (?:a )?default)\b",
    )


def moved(text: str, name: str) -> bool:
    """Whether a sentence states that ``name`` is elsewhere now."""
    n = _named(name)
    return _any(
        text,
        rf"{_MOVES}\s+(?:out\s+|off\s+)?(?:the\s+)?(?:{_NOUN}\s+)*{_BEFORE}{n}",
        rf"{n}{_NOUNS}{_AFTER}\s+(?:(?:is|are|was|were|has been|have been)\s+)?(?:now\s+)?(?:{_MOVES}|lives?|belongs?|comes?|"
        rf"sits?|goes|(?:is|are)\s+(?:now\s+)?in|(?:is|are)\s+(?:now\s+)?(?:imported|part))\b",
        rf"\bimport(?:ed|s)?\s+{_BEFORE}{n}{_AFTER}\s+from\b",
    )


def module_moved(text: str, was: str, now: str) -> bool:
    """Whether a sentence states that the module ``was`` is ``now``: by their dotted names, or by what is new (``Move stats to analysis``)."""
    if directed(text, was, now):
        return True
    last, new = was.rpartition(".")[2], [w for w in now.split(".") if w not in was.split(".")]
    here = at(last, text)
    return bool(new) and here is not None and moved(text, last) and all((there := at(w, text)) is not None and here < there for w in new)


def _any(text: str, *patterns: str) -> bool:
    text = clean(text)
    return any(re.search(f"(?i:{p})", text) for p in patterns)


# -- what something became ---------------------------------------------------------------------------------
#: What something can become, its words, and what it was before then.
_KINDS = {
    "property": (r"@?(?:cached[\s_])?propert(?:y|ies)|attributes?", "method"),
    "method": (r"(?:class|static)?methods?|functions?|callables?", "property"),
    "function": (r"functions?", "method"),
    "async": (r"async(?:hronous(?:ly)?|io)?(?: (?:functions?|methods?|generators?))?|coroutines?(?: functions?)?|awaitables?|awaited", "sync"),
    "sync": (r"sync(?:hronous(?:ly)?)?(?: (?:functions?|methods?))?|(?:plain|normal|ordinary|regular) (?:functions?|methods?)|blocking", "async"),
    "lazy": (r"laz(?:y|ily)|(?:lazy )?(?:iterators?|generators?|iterables?)(?: functions?| expressions?)?", "list"),
    "list": (r"lists?|eager(?:ly)?|tuples?|sequences?", "lazy"),
    "text": (r"(?:plain |unicode )?(?:text|str(?:ings?)?|unicode)|decoded", "bytes"),
    "bytes": (r"(?:raw )?(?:bytes|bytestrings?)|encoded|binary", "text"),
}
_GIVES = r"(?:returns?|gives?|yields?|hands? (?:back|out)|produces?|emits?)"
_RESULTS = frozenset({"async", "lazy", "list", "text", "bytes"})
_BECOMES = r"(?:is|are|becomes?|became|was made|were made|has become|have become|turned into|turns into|goes|went|works|runs)"
_MAKES = r"(?:mak|turn|chang|convert|transform|refactor|rewrit|port|migrat|expos|declar|defin|mark|switch|let)(?:e|es|ed|ing|s)?"
_SMALL = r"(?:\s+(?:now|an?|the|all|again|only|simply|just|always|fully|read-only|to|be|in|into|as|return|give|yield|become))*"


def became(text: str, name: str, kind: str) -> bool:
    """Whether a sentence states that ``name`` is used as a ``kind`` now: one of ``property``, ``method``, ``function``, ``async``, ``sync``,
    ``lazy``, ``list``, ``text`` and ``bytes``."""
    if at(name, text) is None:
        return False
    words, opposite = _KINDS[kind]
    x, o = rf"(?:{words})(?![\w-])", rf"(?:{_KINDS[opposite][0]})(?![\w-])"
    n = rf"{_named(name)}{_NOUNS}{_AFTER}"
    verb = rf"(?:{_BECOMES}|{_GIVES})" if kind in _RESULTS else _BECOMES
    forms = [
        rf"{n}\s+(?:\w+\s+)?(?:now\s+)?{verb}{_SMALL}\s+{x}",
        rf"\b{_MAKES}\s+(?:the\s+)?(?:{_NOUN}\s+)*{_BEFORE}{n}(?:\s+from\s+(?:an?\s+)?{o})?{_SMALL}\s+{x}",
        rf"{n}\s*:?\s*(?:from\s+)?(?:an?\s+)?(?:{o})?\s*(?:{_ARROW}|\bto\b|\bbecomes\b)\s*(?:an?\s+)?{x}",
        rf"{n}\s*:\s+(?:now\s+)?(?:an?\s+)?{_GIVES if kind in _RESULTS else 'now'}{_SMALL}\s+{x}",
        rf"\breplac\w*\s+(?:the\s+)?(?:{o}\s+)?{n}\s+(?:by|with)\s+(?:an?\s+)?{x}",
        rf"\b(?:us(?:e|es|ing)|switch\w* to)\s+(?:an?\s+|the\s+)?{x}\s+(?:for|in|on)\s+(?:the\s+)?{n}",
        rf"\b{_GIVES}\s+(?:an?\s+|the\s+)?{x}\s+(?:from|in|by)\s+(?:the\s+)?{_BEFORE}{n}" if kind in _RESULTS else "",
        rf"{n}\s+(?:is|are|{_GIVES})?\s*no longer\s+(?:{_GIVES[3:-1].replace('?', '')}|be\s+)?\s*(?:an?\s+)?{o}\s*(?:$|[,.;:()]|and\b|but\b)",
        rf"{n}\s[^.;]*\b(?:is not|are not|not)\s+(?:an?\s+)?{o}\s+(?:any ?more|any longer|now)\b",
        *(form.replace("NAME", n) for form in _OWN.get(kind, ())),
    ]
    either = rf"\b{x}\s+(?:instead of|in place of|rather than|,?\s*not)\s+(?:an?\s+|the\s+)?{o}"
    return _any(text, *filter(None, forms)) or (_any(text, either) and _any(text, rf"\b(?:in|for|from|of|by)\s+{_BEFORE}{n}", rf"{n}[^.;]*{either}"))


#: Forms of one kind alone.
_OWN = {
    "method": (
        r"NAME\s+(?:(?:has|have|needs?|is|are) to be|must be|is now|are now)\s+called\s*(?:$|[,.;:()]|now\b|instead\b)",
        r"NAME\s+(?:is|are)\s+called now\b",
        r"\bcall\s+NAME\s+(?:now|instead)\b",
        r"NAME\s+(?:now\s+)?needs? (?:its |the )?parenthes[ei]s",
    ),
    "property": (
        r"NAME\s+(?:is|are)\s+no longer\s+called\s*(?:$|[,.;:()])",
        r"NAME\s+(?:is|are)\s+(?:now\s+)?(?:read|accessed|used|written|asked)(?: now)? without (?:parenthes[ei]s|call\w*)",
        r"\b(?:drop|remove)\w* (?:the )?parenthes[ei]s (?:of|from|after) NAME",
    ),
    "async": (
        r"NAME\s+(?:must|has to|have to|needs? to|is to|are to)\s+be\s+awaited",
        r"\bawait NAME\b",
        r"\b(?:make|use|with|introduce|provide)s?\s+(?:an? )?async(?:hronous)?\s+NAME",
    ),
    "sync": (r"NAME\s+(?:is|are|need|needs|does|must)\s+(?:no longer|not)\s+(?:to )?(?:be )?awaited", r"NAME\s+[^.;]*\bwithout await\w*"),
    "lazy": (
        r"NAME\s+(?:now\s+)?(?:yields|streams|generates)\b[^.;]*\b(?:lazily|one by one|one at a time|item by item|on demand|now|instead)\b",
        r"NAME\s+(?:now\s+)?(?:evaluates|iterates|reads|works|computes|builds)\b[^.;,]*\blazily\b",
    ),
}


def keyword_only(text: str, name: str, parameters: Collection[str]) -> bool:
    """Whether a sentence states that some ``parameters`` of ``name`` are given by their names only."""
    said = [_named(w) for w in (name, *parameters) if at(w, text) is not None]
    if not said:
        return False
    them = rf"(?:{'|'.join(said)})"
    by = r"(?:by|as|with)\s+(?:an?\s+|its\s+|their\s+)?(?:keywords?|names?|kwargs)"
    by += r"(?:\s+(?:arguments?|parameters?|only))*\s*(?:$|[,.;)]|now\b|from now\b|only\b)"
    verb = r"\b(?:takes?|accepts?|wants?|needs?|requires?|expects?|must|has|have|is|are|given|passed)\b"
    return _any(
        text,
        rf"{them}[^.;]*\b(?:keyword|kw|kwarg)[\s_-]?only\b",
        rf"\b(?:keyword|kw|kwarg)[\s_-]?only\b[^.;]*{them}",
        rf"{them}[^.;:]*{verb}[^.;:]*\b{by}",
        rf"{them}\s+{by}",
        rf"\b(?:requir|forc|enforc|demand)\w*\s+(?:the\s+)?keywords?(?:\s+arguments?)?(?:\s+only)?\s+(?:for|in|of|to|with)\s+"
        rf"(?:calls (?:of|to)\s+)?{them}",
        rf"{them}[^.;]*\b(?:no longer|not)\s+(?:be\s+)?(?:given\s+|passed\s+)?(?:by\s+)?position",
    )


_NUMBERS = {"two": 2, "pair": 2, "three": 3, "triple": 3, "four": 4, "five": 5, "six": 6, "seven": 7}


def gives(text: str, name: str, *, count: int, new: Collection[str], types: Iterable[str]) -> bool:
    """Whether a sentence states what ``name`` gives now: as many as ``count`` values (0: not asked), one of the ``new`` elements besides, or one of
    some ``types``."""
    if at(name, text) is None:
        return False
    for statement in _given(clean(text), name):
        numbers = {
            int(w) if w.isdigit() else _NUMBERS[w.rstrip("s")]
            for w in re.findall(r"\b(?:\d|two|pair|three|triple|four|five|six|seven)\b", statement.lower())
        }
        if count and count in numbers:
            return True
        if any(at(w, statement) is not None for w in new) and re.search(
            r"(?i)\b(?:also|too|as well|besides|in addition|additional(?:ly)?|extra|and|plus|together|third|fourth|now)\b|,", statement
        ):
            return True
        if any(re.search(rf"(?i)\b(?:{t})\b", statement) for t in types):
            return True
    return False


def _given(text: str, name: str) -> Iterator[str]:
    """What a sentence says that ``name`` gives."""
    n = rf"{_named(name)}{_NOUNS}{_AFTER}"
    verb = r"(?:returns?|gives?|yields?|hands? (?:back|out)|produces?|becomes?|became|is now|are now)"
    for form in (
        rf"(?i){n}\s*:?\s+(?:(?:now|also|let|to|will)\s+)*{verb}\b((?:(?![.;]\s).)*)",
        rf"(?i)(\balso\s+)?\b(?:return|giv|yield|hand)\w*\b((?:(?![.;]\s).)*?)\b(?:from|in|by)\s+(?:the\s+)?{_BEFORE}{n}((?:(?![.;]\s).)*)",
        rf"(?i)\b(?:mak\w*|let\w*)\s+{n}\s+(?:return|give|yield|hand)\b((?:(?![.;]\s).)*)",
        rf"(?i){n}\s*:?\s*[^.;]*?{_ARROW}((?:(?![.;]\s).)*)",
    ):
        yield from (" ".join(g for g in m.groups() if g) for m in re.finditer(form, text))
