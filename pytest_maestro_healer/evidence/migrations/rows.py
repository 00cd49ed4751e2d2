"""The shape of the migration tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Row:
    """``owner.old`` became ``new``: ``.name`` of the same owner, or a dotted name. ``same`` says that the meaning is identical."""

    owner: str
    old: str
    new: str
    source: str
    since: str = ""
    same: bool = True


@dataclass(frozen=True)
class Table:
    """One package's migrations by one page.

    ``names`` and ``similar`` map an owner (module or class) to ``old>new`` words: ``new`` alone is a name of the same owner, with a dot a
    dotted name; ``similar`` ones are not quite the same and are for review. ``parameters`` maps a callable to such words (nothing after ``>``: leave
    the argument out), ``signatures`` a callable to its former signature, ``former`` a callable to the arguments (``name=value`` words) that give
    what it did before ``since``.
    """

    source: str
    since: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    similar: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    signatures: Mapping[str, str] = field(default_factory=dict)
    former: Mapping[str, str] = field(default_factory=dict)

    def rows(self) -> Iterator[Row]:
        """The renamed names."""
        for same, group in ((True, self.names), (False, self.similar)):
            for owners, text in group.items():
                for owner in owners.split():
                    for old, new in _pairs(text):
                        yield Row(owner, old, new if "." in new else f".{new}", self.source, self.since, same)

    def parameter_rows(self) -> Iterator[Row]:
        """The renamed parameters."""
        for owners, text in self.parameters.items():
            for owner in owners.split():
                for old, new in _pairs(text):
                    yield Row(owner, old, new, self.source, self.since)

    def former_rows(self) -> Iterator[Row]:
        """The arguments that give the former behaviour: ``old`` is the parameter, ``new`` the value."""
        for owners, text in self.former.items():
            for owner in owners.split():
                for word in text.split():
                    name, _, value = word.partition("=")
                    yield Row(owner, name, value, self.source, self.since)


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for word in text.split():
        old, _, new = word.partition(">")
        yield old, new
