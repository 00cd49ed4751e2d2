"""``python -m pytest_maestro_healer``: the command line."""

from __future__ import annotations

import sys

from pytest_maestro_healer.cli import main

if __name__ == "__main__":
    sys.exit(main())
