"""Known migrations of widely used packages as data: names, parameters and old signatures, each with the page that documents it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from pytest_maestro_healer.evidence.migrations.rows import Row, Table

if TYPE_CHECKING:
    from pytest_maestro_healer.evidence.live import Live

__all__ = ["Row", "Table", "former", "old_signature", "parameter", "renamed"]


@lru_cache(maxsize=1)
def tables() -> tuple[Table, ...]:
    """All tables; imported on first use."""
    from pytest_maestro_healer.evidence.migrations import arguments, data, python, web

    return (*python.TABLES, *data.TABLES, *web.TABLES, *arguments.TABLES)


@lru_cache(maxsize=1)
def _names() -> dict[str, list[Row]]:
    out: dict[str, list[Row]] = {}
    for table in tables():
        for row in table.rows():
            out.setdefault(row.old, []).append(row)
    return out


@lru_cache(maxsize=1)
def _parameters() -> dict[str, list[Row]]:
    out: dict[str, list[Row]] = {}
    for table in tables():
        for row in table.parameter_rows():
            out.setdefault(row.old, []).append(row)
    return out


def renamed(owner: str, name: str, live: Live) -> Iterator[Row]:
    """Rows for ``owner.name``; the owner may be known under a public name and given by its canonical one."""
    for row in _names().get(name, ()):
        if _same(row.owner, owner, live) and _exists(row, owner, live):
            yield row


def parameter(function: str, name: str, live: Live) -> Iterator[Row]:
    """Rows for a keyword of a function or class; ``new`` is empty where the parameter has no successor and is to be left out."""
    for row in _parameters().get(name, ()):
        if _same(row.owner, function, live):
            yield row


def former(function: str, live: Live) -> Iterator[Row]:
    """Rows for the arguments that give a callable's former behaviour (``old`` is the parameter, ``new`` the value as source text)."""
    last = function.rpartition(".")[2]
    for table in tables():
        if any(last == owner.rpartition(".")[2] for owners in table.former for owner in owners.split()):
            for row in table.former_rows():
                if _same(row.owner, function, live):
                    yield row


def old_signature(function: str, live: Live) -> tuple[str, str] | None:
    """(signature text, source) of the former signature of a function or class."""
    for table in tables():
        for name, text in table.signatures.items():
            if _same(name, function, live):
                return text, table.source
    return None


def _same(known: str, given: str, live: Live) -> bool:
    if known == given:
        return True
    if known.rpartition(".")[2] != given.rpartition(".")[2] or known.partition(".")[0] != given.partition(".")[0]:
        return False
    one, two = live.get(known), live.get(given)
    return one[0] and two[0] and one[1] is two[1]


def _exists(row: Row, owner: str, live: Live) -> bool:
    """Whether the successor is there: what this interpreter has not got is no successor."""
    target = owner + row.new if row.new.startswith(".") else row.new
    if live.get(target)[0]:
        return True
    return live.get(owner)[0] is False and not live.is_stdlib(owner)
