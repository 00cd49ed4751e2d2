"""Heal an initial conftest: pytest has not even been configured then."""

from __future__ import annotations

import pytest

from pytest_maestro_healer.session import compat
from pytest_maestro_healer.session.capture import Capture
from pytest_maestro_healer.session.collecting import CollectHealer

#: The collection healer that healed an initial conftest, for the healing session to take over.
KEY: pytest.StashKey[CollectHealer] = pytest.StashKey()


def heal_initial_conftest(config: pytest.Config, exc: BaseException) -> bool:
    """Heal the conftest that ``exc`` is about and load the initial conftests again; whether that worked."""
    path = compat.broken_conftest(exc)
    if path is None:
        return False
    from pytest_maestro_healer.session.options import build_early
    from pytest_maestro_healer.session.start import project_files

    files = project_files(config)
    capture = Capture(config, files)
    healer = CollectHealer(config, build_early(config), files, capture)
    nodeid = files.relative(path)
    failure = capture.of_import(nodeid, nodeid, exc)

    def attempt() -> tuple[object, BaseException | None]:
        compat.forget_conftest(config, path)
        try:
            compat.load_initial_conftests(config)
        except Exception as again:
            return None, again
        return True, None

    _, winner = healer.heal(failure, attempt)
    if winner is None:
        return False
    reason = (failure.message.strip().splitlines() or [""])[0]
    healer.notes.append(f"{nodeid} could not be loaded ({failure.exc_type}: {reason}); this run used it healed")
    config.stash[KEY] = healer
    return True
