"""``maestro-heal demo``: a small broken shop, healed before the user's eyes."""

from __future__ import annotations

from collections.abc import Sequence


def run_demo(argv: Sequence[str] = ()) -> int:
    """Run the demo with the command line ``argv`` (``--help`` says what it takes).

    Returns 0 when it went as expected (heals found and proved, the regression refused, no product file changed), 1 when it did
    not, 2 for a folder that cannot be used. Raises :class:`SystemExit` for ``--help`` and wrong options, as argparse does.
    """
    from pytest_maestro_healer.demo.run import main

    return main(argv)
