"""What a failure of the corpus is, by how it was made: the seven patterns for injectors, examples and labelled drift.

The table was written before anything was trained, and does not look at what the failure says. A renamed or removed name of an API is
``api_change`` also where the test notices it at its import; a module that moved, a name that was mistyped or never imported is ``import_error``.
"""

from __future__ import annotations

#: The seven patterns, in the order of the shipped weights.
PATTERNS = ("import_error", "assertion_failure", "timeout", "flaky_behavior", "environment_issue", "api_change", "dependency_conflict")

_BY_STRATEGY = {
    "dependency_fix": "import_error",
    "api_contract_adaptation": "api_change",
    "environment_healing": "environment_issue",
    "timing_adjustment": "timeout",
    "assertion_update": "assertion_failure",
    "flaky_test_stabilization": "flaky_behavior",
    # a product whose results changed is seen by what tests assert
    "negative": "assertion_failure",
}
#: Tactics and kinds of faults that are another thing than most of their strategy; ``""`` is none of the seven, and left out.
_BY_TACTIC = {
    # the language, the library or pytest changed what it offers
    "removed_attribute": "api_change",
    "removed_method": "api_change",
    "asyncio_coroutine": "api_change",
    "nose_setup": "api_change",
    "warns_none": "api_change",
    "pytest_config": "api_change",
    "marked_fixture": "api_change",
    "hook_arguments": "api_change",
    "tmpdir": "api_change",
    "version_conflict": "dependency_conflict",
    "product_race": "flaky_behavior",
    "product_flaky": "flaky_behavior",
    "product_import": "import_error",
    "product_syntax": "",
    "deleted": "",
    "half_rename": "",
    # a race is timing by what heals it and flaky by what is seen
    "missing_await": "",
    "missing_join": "",
    "missing_wait": "",
    "truth_value": "assertion_failure",
}


def by_tactic(strategy: str, tactic: str) -> str:
    """The pattern of a fault or example, ``""`` where it has none of the seven."""
    return _BY_TACTIC.get(tactic, _BY_STRATEGY.get(strategy, ""))


def by_drift(category: str) -> str:
    """The pattern of a drift case, by what the maintainers had to change; ``""`` for tests that they dropped."""
    return {
        "api_contract": "api_change",
        "assertion_update": "assertion_failure",
        "dependency": "import_error",
        "environment": "environment_issue",
    }.get(category, "")
