"""Seconds as text."""

from __future__ import annotations


def short(seconds: int) -> str:
    """``3:05`` for 185 seconds."""
    return f"{seconds // 60}:{seconds % 60:02d}"


def spoken(seconds: int) -> str:
    """``3 min 5 s`` for 185 seconds."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
