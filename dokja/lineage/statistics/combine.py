"""Many p-values, one statement: which rule is valid for which dependence. All in log10, so nothing underflows.

Independent: `fisher`, `stouffer` (and `fixed_point_log10_p`, which adds the counts of layers themselves). Dependent
(gate, up and down of one layer; T1 and T2): `mean_of_e_values`. All that was asked, whatever its dependence: `holm`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from dokja.lineage.statistics.counting import log_factorials

LN10 = float(np.log(10.0))


def holm(log10_p: Sequence[float], silent: int = 0) -> NDArray[np.float64]:
    """Holm's adjusted log10 p-values, in the order given.

    H0 (each): as of the p-value. Valid under any dependence: the chance of one false rejection among all is at most
    the level. What was not assessed must not be in the list. silent: so many more hypotheses, whose p-values count as
    1: those that a look at the data put aside. Source: Holm, Scand. J. Stat. 6, 1979.
    """
    values = _logs(log10_p) / LN10
    order = np.argsort(values, kind="stable")
    factors = np.log10(silent + np.arange(len(values), 0, -1, dtype=np.float64)) if len(values) else values
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(0.0, np.maximum.accumulate(values[order] + factors))
    return adjusted


def stouffer(log10_p: Sequence[float], weights: Sequence[float] | None = None) -> float:
    """log10 p of the weighted sum of normal quantiles.

    H0: every one of the nulls. Valid for *independent*, super-uniform p-values: each quantile is then stochastically
    below a standard normal one. A single p of 1 makes it 1: bounds, which are often exactly 1, belong in `fisher`.
    Source: Stouffer et al. 1949; Whitlock, J. Evol. Biol. 18, 2005, for weights.
    """
    from scipy.special import log_ndtr, ndtri_exp  # noqa: PLC0415  (slow to import)

    logs = _logs(log10_p)
    if not len(logs):
        return 0.0
    scale = np.ones(len(logs)) if weights is None else np.asarray(weights, dtype=np.float64)
    # Quantiles of p: −Φ⁻¹(p), from ln p.
    quantiles = -ndtri_exp(np.minimum(logs, -1e-300))
    if not np.isfinite(quantiles).all():
        return 0.0
    z = float(np.dot(scale, quantiles) / np.sqrt(np.dot(scale, scale)))
    return float(log_ndtr(-z)) / LN10


def fisher(log10_p: Sequence[float]) -> float:
    """log10 p of −Σ ln p against a sum of as many unit exponentials.

    H0: every one of the nulls. Valid for *independent*, super-uniform p-values (hidden axes of different layers,
    each with a permutation of its own; never tensors on the one residual axis): −ln p is then stochastically below
    a unit exponential. Exact sum of the Erlang tail in logs. Source: Fisher 1932; Birnbaum, J. Am. Stat. Assoc. 49,
    1954.
    """
    total = -float(_logs(log10_p).sum())
    if total <= 0.0:
        return 0.0
    terms = np.arange(len(log10_p))
    return min(0.0, float(np.logaddexp.reduce(terms * np.log(total) - log_factorials(terms)) - total) / LN10)


def log10_e_value(log10_p: float) -> float:
    """log10 of the e-value ∫ κ p^{κ−1} dκ = (1 − p + p ln p)/(p ln² p) of a p-value.

    H0: as of the p-value. Valid: an average of calibrators, each of expectation at most 1 under any super-uniform p.
    Source: Vovk and Wang, "E-values: calibration, combination and applications", Ann. Stat. 49, 2021, section 2.
    """
    log_p = min(0.0, log10_p * LN10)
    if log_p > -1e-3:
        return -float(np.log10(2.0)) - log_p / (3 * LN10)  # The series of the next line about p = 1.
    return float(np.log1p(-(1.0 - log_p) * np.exp(log_p)) - log_p - 2.0 * np.log(-log_p)) / LN10


def mean_of_e_values(log10_p: Iterable[float]) -> float:
    """log10 p of the mean of the calibrated e-values: 1/mean, at most 1.

    H0: all of the nulls. Valid under *any* dependence: a mean of e-values is an e-value, and Markov turns it into a
    p-value. Source: Vovk and Wang 2021, section 3 (the mean is essentially the only admissible symmetric way).
    """
    logs = [log10_e_value(value) for value in _logs(list(log10_p)) / LN10]
    if not logs:
        return 0.0
    mean = float(np.logaddexp.reduce(np.array(logs) * LN10) - np.log(len(logs))) / LN10
    return min(0.0, -mean)


def smallest(log10_p: Sequence[float]) -> float:
    """Bonferroni: log10 p of the smallest of the p-values, valid under any dependence. H0: all of the nulls."""
    logs = _logs(log10_p)
    return min(0.0, float(logs.min()) / LN10 + float(np.log10(len(logs)))) if len(logs) else 0.0


def conformal_log10_p(value: float, controls: Sequence[float]) -> float:
    """log10 of p = (1 + #{control ≥ value})/(n + 1).

    H0: the pair and the known-independent control pairs are exchangeable. Exact under it, never below 1/(n + 1); a
    judge must know that this rests on the choice of controls. Source: Vovk, Gammerman and Shafer 2005, chapter 2.
    """
    return float(np.log10((1 + sum(other >= value for other in controls)) / (len(controls) + 1)))


def _logs(log10_p: Sequence[float]) -> NDArray[np.float64]:
    """Natural logarithms, at most 0; what is not a number is an error of the caller."""
    logs = np.asarray(log10_p, dtype=np.float64) * LN10
    if np.isnan(logs).any():
        raise ValueError("a p-value that is not a number cannot be combined")
    return np.minimum(logs, 0.0)
