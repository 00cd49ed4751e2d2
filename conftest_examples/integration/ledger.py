"""Customers and what they owe."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Customer:
    """Somebody with a balance, in whole cents."""

    name: str
    cents: int = 0


class Ledger:
    """All customers by name."""

    def __init__(self) -> None:
        self.customers: dict[str, Customer] = {}
        self.open = True

    def add(self, customer: Customer) -> None:
        """Take a customer in."""
        self.customers[customer.name] = customer

    def book(self, name: str, cents: int) -> int:
        """Change a balance; returns the new one."""
        if not self.open:
            raise RuntimeError("the ledger is closed")
        self.customers[name].cents += cents
        return self.customers[name].cents

    def close(self) -> None:
        """Nothing can be booked any more."""
        self.open = False


def euros(cents: int) -> str:
    """``1.05`` for 105 cents."""
    return f"{cents // 100}.{cents % 100:02d}"
