"""Repairs test files that do not compile: one search over small edits, many tactics that name what it found."""

from __future__ import annotations

from pytest_maestro_healer.strategies.base import Strategy
from pytest_maestro_healer.strategies.syntax_repair import tactics_origin, tactics_text, tactics_words


class SyntaxRepair(Strategy):
    """Evidence first (the committed file, the merge, the bytes), then the smallest edit that makes the file compile."""

    name = "syntax_repair"
    title = "Syntax repair"
    summary = "Makes test modules and conftest files compile again with the smallest edit that the evidence supports"
    tactics = (*tactics_origin.TACTICS, *tactics_text.TACTICS, *tactics_words.TACTICS)


STRATEGY = SyntaxRepair()
