"""Factorials and what is made of them, in logarithms.

SciPy has all of this, but to import it takes longer than to audit a small model; so here it is from the standard
library's log-gamma.
"""

from __future__ import annotations

from functools import lru_cache
from math import erfc, lgamma, log, log1p, sqrt

import numpy as np
from numpy.typing import NDArray


@lru_cache(maxsize=32)
def _table(size: int) -> NDArray[np.float64]:
    """ln n! of all n below `size`."""
    table = np.array([lgamma(number + 1) for number in range(size)])
    table.flags.writeable = False
    return table


def log_factorial(number: int) -> float:
    """ln n!"""
    return lgamma(number + 1)


def log_factorials(numbers: NDArray[np.integer]) -> NDArray[np.float64]:
    """ln n! of each of these whole numbers, from a table."""
    most = int(numbers.max(initial=0))
    found: NDArray[np.float64] = _table(1 << (most + 1).bit_length())[numbers]
    return found


def log_falling(value: int, count: int) -> float:
    """ln of the falling factorial, value · (value − 1) · … of so many factors."""
    return lgamma(value + 1) - lgamma(value - count + 1)


def normal_below(value: float) -> float:
    """The probability that a standard normal variable is below a value."""
    return erfc(-value / sqrt(2.0)) / 2.0


def binomial_above(least: int, trials: int, chance: float) -> float:
    """The probability of at least so many successes: the terms of the shorter sum, each from its logarithm."""
    if not 0.0 < chance < 1.0 or not 0 < least <= trials:
        return 1.0 if least <= 0 or (chance >= 1.0 and least <= trials) else 0.0
    below = least <= trials - least
    counts = np.arange(least) if below else np.arange(least, trials + 1)
    ways = log_factorial(trials) - log_factorials(counts) - log_factorials(trials - counts)
    total = float(np.exp(ways + counts * log(chance) + (trials - counts) * log1p(-chance)).sum())
    return max(0.0, 1.0 - total) if below else min(1.0, total)
