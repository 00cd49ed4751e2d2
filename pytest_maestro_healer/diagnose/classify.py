"""Which pattern a failure shows: rules over exception types, phases and words, and a trained model that has their answer as one of its features.

Where the rules know a syntax error it is one. Without the model's data file the rules answer alone.
"""

from __future__ import annotations

import re

from pytest_maestro_healer.diagnose import features, weights
from pytest_maestro_healer.model import Failure, FailurePattern

_TIMEOUT_WORDS = re.compile(r"\btimed? ?out\b|\btimeout\b|deadline exceeded|took too long", re.I)
_SIGNATURE_WORDS = re.compile(
    r"unexpected keyword argument|positional arguments?|required (positional|keyword)|takes \d+|takes no|missing \d+ required|got multiple values|"
    r"object is not callable|is not subscriptable|object is not iterable|has no attribute|cannot be interpreted as|must be .*, not "
)
_CONFLICT_WORDS = re.compile(
    r"VersionConflict|ContextualVersionConflict|is incompatible with|compiled using NumPy|binary incompatib|requires .*(?:<|>|==)"
)
_ENVIRONMENT_WORDS = re.compile(
    r"No such file or directory|Permission denied|Address already in use|Name or service not known|Temporary failure in name resolution|"
    r"Connection refused|Network is unreachable|unsupported locale|could not connect|ZoneInfoNotFound|codec can't (?:de|en)code"
)
#: How many features the rules' answer is: one would weigh no more than a word of the message.
_RULE_WEIGHT = 6
_CLOCK_WORDS = re.compile(r"\b(elapsed|duration|perf_counter|monotonic|time\.time)\b")


def classify(failure: Failure) -> tuple[FailurePattern, float]:
    """The pattern that a failure most likely shows, and its probability."""
    pattern, sure = by_rules(failure)
    model = weights.load()[0]
    if model is None or pattern is FailurePattern.SYNTAX_ERROR:
        return pattern, sure
    found = model.probabilities(places_of(features.places(features.names(failure)), str(pattern)))
    best = max(found, key=lambda p: found[p])
    return best, round(found[best], 3)


def problem() -> str:
    """Why the rules answer alone, in one line; ``""`` where they do not."""
    return weights.load()[1]


def places_of(places: list[int], rule: str) -> list[int]:
    """The places of a failure's features together with that of the rules' answer."""
    return sorted({*places, *features.places(f"rule {rule} {i}" for i in range(_RULE_WEIGHT))})


def by_rules(failure: Failure) -> tuple[FailurePattern, float]:
    """The pattern and how sure the rules are of it (0..1)."""
    f = failure
    if f.is_a("SyntaxError"):
        return FailurePattern.SYNTAX_ERROR, 0.99
    if f.is_a("FixtureLookupError") or ("fixture '" in f.message and "not found" in f.message):
        return FailurePattern.IMPORT_ERROR, 0.9
    if f.is_a("ImportError", "ModuleNotFoundError", "PluginValidationError"):
        return (FailurePattern.DEPENDENCY_CONFLICT, 0.8) if _CONFLICT_WORDS.search(f.message) else (FailurePattern.IMPORT_ERROR, 0.97)
    if f.is_a("NameError") and not f.is_a("UnboundLocalError"):
        return FailurePattern.IMPORT_ERROR, 0.9
    if _CONFLICT_WORDS.search(f.exc_type + " " + f.message[:2000]):
        return FailurePattern.DEPENDENCY_CONFLICT, 0.7
    if f.is_a("TimeoutError", "TimeoutExpired", "Timeout", "ReadTimeout", "ConnectTimeout", "BrokenBarrierError", "queue.Empty", "_queue.Empty") or (
        "Failed" in f.exc_type and "Timeout" in f.message[:200]
    ):
        return FailurePattern.TIMEOUT, 0.9
    if f.is_a("AttributeError", "TypeError") or f.is_a("DeprecationWarning", "PendingDeprecationWarning", "FutureWarning"):
        return FailurePattern.API_CHANGE, 0.85
    if f.is_a("OSError", "UnicodeError", "locale.Error", "ZoneInfoNotFoundError") or _ENVIRONMENT_WORDS.search(f.message[:2000]):
        return FailurePattern.ENVIRONMENT_ISSUE, 0.75
    if f.is_a("KeyError") and any("environ" in t.lower() for t in (f.statement, *(x.text + x.function for x in f.frames[-2:]))):
        return FailurePattern.ENVIRONMENT_ISSUE, 0.85
    if f.reruns and f.is_a("AssertionError"):
        return FailurePattern.FLAKY_BEHAVIOR, 0.5
    if f.is_a("AssertionError", "Failed"):
        if _TIMEOUT_WORDS.search(f.message[:500]) or (_CLOCK_WORDS.search(f.statement) and "<" in f.statement):
            return FailurePattern.TIMEOUT, 0.6
        return FailurePattern.ASSERTION_FAILURE, 0.9
    if _SIGNATURE_WORDS.search(f.message[:2000]):
        return FailurePattern.API_CHANGE, 0.6
    if f.frames and f.frames[-1].kind == "test":
        return FailurePattern.ASSERTION_FAILURE, 0.3
    return FailurePattern.UNKNOWN, 0.2
