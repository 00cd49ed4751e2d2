"""How many runs show what: exact (Clopper-Pearson) bounds for a failure rate, in closed form or by bisection of the binomial tail.

C. J. Clopper and E. S. Pearson, The use of confidence or fiducial limits illustrated in the case of the binomial, Biometrika 26 (1934), 404-413.
"""

from __future__ import annotations

import math

#: One-sided error of every bound that is reported.
ALPHA = 0.05


def upper(failures: int, runs: int, alpha: float = ALPHA) -> float:
    """The largest failure rate under which ``failures`` or fewer in ``runs`` still has probability ``alpha``.

    With no failure this is ``1 - alpha ** (1 / runs)``, about ``3 / runs``.
    """
    if runs <= 0 or failures >= runs:
        return 1.0
    if failures == 0:
        return float(1.0 - alpha ** (1.0 / runs))
    return _bisect(lambda p: _at_most(failures, runs, p) - alpha)


def lower(failures: int, runs: int, alpha: float = ALPHA) -> float:
    """The smallest failure rate under which ``failures`` or more in ``runs`` still has probability ``alpha``."""
    if failures <= 0 or runs <= 0:
        return 0.0
    if failures >= runs:
        return float(alpha ** (1.0 / runs))
    return _bisect(lambda p: alpha - (1.0 - _at_most(failures - 1, runs, p)))


def runs_needed(rate: float, alpha: float = ALPHA, most: int = 300) -> int:
    """How many runs without a failure would be a surprise (probability ``alpha`` or less) if the failure rate still were ``rate``."""
    if rate <= 0.0:
        return most
    if rate >= 1.0:
        return 1
    return max(1, min(most, math.ceil(math.log(alpha) / math.log(1.0 - rate))))


def reruns_for(rate: float, residual: float = 0.001, most: int = 5) -> int:
    """How many reruns bring the chance that all attempts fail under ``residual``."""
    if rate <= 0.0:
        return 1
    if rate >= 1.0:
        return most
    return max(1, min(most, math.ceil(math.log(residual) / math.log(rate)) - 1))


def _at_most(k: int, n: int, p: float) -> float:
    return math.fsum(math.comb(n, i) * p**i * (1.0 - p) ** (n - i) for i in range(k + 1))


def _bisect(falling: object) -> float:
    assert callable(falling)
    low, high = 0.0, 1.0
    for _ in range(60):
        mid = (low + high) / 2
        if falling(mid) > 0:
            low = mid
        else:
            high = mid
    return (low + high) / 2
