"""A very small web shop."""

from __future__ import annotations

PAGES = {"/": "welcome", "/cart": "nothing in it yet"}
#: Old route -> new route.
MOVED = {"/basket": "/cart"}


def get(path: str) -> int:
    """The status of a page."""
    return 200 if path in PAGES else 404
