"""Does a new name say another quantity than the old one: another unit, another currency, the opposite?

Such a rename with the same code behind it is no mere rename: what is measured in another unit, counts the other way round or is of another kind has
to have another value too. Whether the conversion was forgotten or the old name was wrong, no test can tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

#: Words that exclude each other, line by line: what is divided by ``|`` means different things, what stands together means the same.
_TABLE = """
ns nanos nanosecond nanoseconds | us micros microsecond microseconds | ms msec millis millisecond milliseconds | s sec secs second seconds
    | m min mins minute minutes | h hr hrs hour hours hourly | d day days daily | week weeks weekly | month months monthly | year years yearly annual
mm millimeter millimetre millimeters millimetres | cm centimeter centimetre centimeters centimetres | m meter metre meters metres
    | km kilometer kilometre kilometers kilometres | inch inches | ft foot feet | yard yards | mi mile miles
mg | g gram grams | kg kilo kilos kilogram kilograms | t ton tons tonne tonnes | lb lbs pound pounds | oz ounce ounces
ml milliliter millilitre | l liter litre liters litres | gallon gallons | pint pints
cent cents | euro euros eur | dollar dollars usd | gbp pound pounds sterling | pence penny | chf franken francs | yen jpy
bit bits | byte bytes | kb kilobyte kilobytes | kib | mb megabyte megabytes | mib | gb gigabyte gigabytes | gib | tb terabyte terabytes
celsius centigrade | fahrenheit | kelvin
deg degree degrees | rad radian radians
percent percentage pct | ratio fraction share | permille | bps
hz hertz | khz | mhz | ghz
px pixel pixels | pt point points | em rem | mm
kmh kph | mph | mps | knots
w watt watts | kw kilowatt kilowatts | mw megawatt megawatts
rgb | bgr | rgba | hsv | hsl | cmyk
lat latitude | lon lng long longitude
local | utc gmt zulu
local | remote
local | global
net netto nett | gross brutto
min minimum least lowest smallest | max maximum most highest largest biggest | mean average avg | median | sum
std stddev stdev | variance var
first earliest begin beginning start | last latest end
newest latest newer new | oldest older old
asc ascending | desc descending
before pre | after post
enable enabled on | disable disabled off
active | inactive
visible shown show | hidden hide
allow allowed permitted whitelist allowlist | deny denied forbidden blocked block blacklist denylist
include included including inclusive | exclude excluded excluding exclusive
with | without
any | all every | none
true yes | false no
valid | invalid
left | right
top | bottom
up upper | down lower
high | low
above over | below under
in input incoming inbound | out output outgoing outbound
read reader | write writer
open opened | close closed
start started | stop stopped end
add insert append | remove delete drop
increase increment | decrease decrement
encode encoded | decode decoded
encrypt encrypted | decrypt decrypted
lock locked | unlock unlocked
push | pop
send sent sender | receive received receiver
source src origin | target dest destination dst
row rows | column columns col cols
width | height
horizontal | vertical
x | y | z
parent parents | child children
success succeeded passed | failure failed error
debit | credit
buy bought | sell sold
positive | negative
even | odd
public | private
sync synchronous | async asynchronous
absolute abs | relative rel
required mandatory | optional
"""
_CLASSES = [
    {word: number for number, words in enumerate(line.split("|")) for word in words.split()}
    for line in re.sub(r"\n\s+\|", " |", _TABLE).strip().splitlines()
]
_NOT = frozenset({"not", "no", "non", "never", "without", "un", "dis"})


def another_quantity(old: str, new: str) -> str:
    """What the one name says and the other name says otherwise, as ``"ms and s"``; ``""`` where the names do not differ so.

    Parameters:
        old: the name that was given up, as a name of code or an option
        new: the name in its place
    """
    was, now = (list(_parts(name)) for name in (old, new))
    gone, came = [w for w in was if w not in now], [w for w in now if w not in was]
    for a in gone:
        for b in came:
            places = [(words[a], words[b]) for words in _CLASSES if a in words and b in words]
            if (places and all(x != y for x, y in places)) or _negated(a, b) or _negated(b, a):
                return f"{a} and {b}"
    return f"{old} and {new}" if sorted((gone, came), key=len) in ([[], [word]] for word in _NOT) else ""


def _negated(word: str, other: str) -> bool:
    """Whether ``other`` is ``word`` with a syllable that denies it: ``invalid``, ``unused``."""
    return len(word) > 3 and any(other == f"{syllable}{word}" for syllable in ("un", "in", "im", "ir", "il", "dis", "non"))


def _parts(name: str) -> Iterator[str]:
    """The words of a name, in small letters: ``max_age-days``, ``isDisabled``, ``OLDEST_FIRST``."""
    for part in re.split(r"[\W_]+", name):
        yield from (w.lower() for w in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", part))
