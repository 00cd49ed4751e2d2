"""Mail, without sending any."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Message:
    """A text for somebody."""

    to: str
    text: str

    def send(self) -> str:
        """What went out."""
        if "@" not in self.to:
            raise ValueError(f"no address: {self.to}")
        return f"to {self.to}: {self.text.strip()}"
