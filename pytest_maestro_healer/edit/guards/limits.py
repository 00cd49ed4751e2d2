"""How far an edit may go: the bounds that a caller may justify, the rest is fixed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What may be relaxed.

    ``max_rel`` is the widest relative tolerance that a new approximate comparison may have (absolute ones are taken relative to
    the expected literal where there is one). ``max_widening`` bounds the factor by which a literal bound of ``<`` may move.
    ``max_wait`` is the longest limit in seconds that a wait may be given, if that is more than ``max_widening`` times the old one.
    ``allow`` names relaxations that the evidence justified: ``importorskip``, ``skip`` (a conditional one), ``flaky``,
    ``unordered``, ``approx``, ``warnings``, ``raises`` (an exception where a value was expected), ``state`` (data of the product set to a literal),
    ``clock`` (a clock that stands still in place of one that the product looks up).
    ``stranger`` asks for the stricter rules of :mod:`~pytest_maestro_healer.edit.guards.stranger`.
    ``runs_coroutines`` says that the project runs async tests that have no marker.
    ``committed`` is the text of a file that does not parse as of the last commit: what it had then, a repair may bring back.
    """

    max_rel: float = 1e-6
    max_widening: float = 10.0
    max_wait: float = 60.0
    allow: frozenset[str] = frozenset()
    stranger: bool = False
    runs_coroutines: bool = False
    committed: str = ""
