"""Settings of a small service, kept as JSON."""

from __future__ import annotations

import json

DEFAULTS = {"port": 8080, "debug": False}


def load(text: str) -> dict[str, object]:
    """The settings in ``text`` over the defaults."""
    return {**DEFAULTS, **json.loads(text)}


def dump(settings: dict[str, object]) -> str:
    """``settings`` as text, keys in order."""
    return json.dumps(settings, sort_keys=True)
