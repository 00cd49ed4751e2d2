"""Parcel labels."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Address:
    """Where a parcel goes."""

    name: str
    street: str
    city: str


def label(address: Address) -> str:
    """The lines printed on a parcel."""
    return "\n".join((address.name.upper(), address.street, address.city))
