"""Dates for people."""

from __future__ import annotations

import datetime


def weekday(day: datetime.date) -> str:
    """The English name of the day of the week."""
    return ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")[day.weekday()]
