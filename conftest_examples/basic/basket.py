"""A shopping basket."""

from __future__ import annotations

from decimal import Decimal


def total(prices: list[str], discount: str = "0") -> Decimal:
    """The sum of ``prices``, less a share of it."""
    whole = sum((Decimal(p) for p in prices), Decimal(0))
    return whole - whole * Decimal(discount)


def label(name: str, price: Decimal) -> str:
    """What stands on the shelf."""
    return f"{name}: {price:.2f}"
