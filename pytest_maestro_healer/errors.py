"""The exceptions a user can meet. Each message says what, where and what to do, in one line."""

from __future__ import annotations


class HealerError(Exception):
    """Base of all errors raised on purpose by pytest-maestro-healer."""


class ConfigError(HealerError):
    """A configuration value that cannot be used; the message names key, value and what is accepted."""


class StaleError(HealerError):
    """A file changed since the heal was made against it; nothing was written."""


class ApplyError(HealerError):
    """A write or a rollback could not be completed; the message says what is on the disk now."""


class BundleError(HealerError):
    """A pending bundle, journal or result file that cannot be read or must not be trusted."""


class TamperedError(HealerError):
    """Files of the project changed while somebody was asked who may only answer."""


class EditError(HealerError):
    """Edits that do not fit the bytes they were made against, or each other."""
