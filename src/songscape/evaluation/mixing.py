"""Mixing of a nuisance in neighbourhoods: LISI and kBET, as scib-metrics defines them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.evaluation.metrics import encode_labels
from songscape.evaluation.neighbors import Neighbors

__all__ = ["ilisi", "kbet", "kbet_samples", "lisi_samples"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_CHUNK_ROWS = 20_000


def ilisi(neighbors: Neighbors, nuisance: ArrayLike, *, perplexity: float | None = None) -> float:
    """Integration LISI: median LISI scaled to 0 (every neighbourhood pure) … 1 (all mixed).

    (median − 1) / (n_classes − 1), Luecken et al. 2022. Unequal class sizes keep it below 1 even
    when perfectly mixed, so compare with the value of a shuffled nuisance. NaN with one class.

    See `lisi_samples` for parameters.
    """
    codes, classes = encode_labels(nuisance)
    values = lisi_samples(neighbors, codes, perplexity=perplexity)
    if len(classes) < 2 or not np.isfinite(values).any():
        return float("nan")
    return float((np.nanmedian(values) - 1) / (len(classes) - 1))


def lisi_samples(
    neighbors: Neighbors, nuisance: ArrayLike, *, perplexity: float | None = None
) -> Floats:
    """Local inverse Simpson index of each track (Korsunsky et al. 2019).

    The effective number of nuisance classes around a track: 1 / Σ p², where neighbours weigh
    exp(−β distance) and β is found so that their weights have the perplexity given.

    Parameters
    ----------
    neighbors : Neighbors
        About 90.
    nuisance : array-like of shape (n_tracks,)
        Missing values take no part.
    perplexity : float, optional
        Effective number of neighbours, a third of them by default.

    Returns
    -------
    ndarray of shape (n_tracks,)
        1 … n_classes; NaN where the nuisance is missing.
    """
    codes, classes = encode_labels(nuisance)
    target = np.log(neighbors.n_neighbors // 3 if perplexity is None else perplexity)
    values: Floats = np.full(len(codes), np.nan)
    for start in range(0, len(codes), _CHUNK_ROWS):
        part = slice(start, start + _CHUNK_ROWS)
        around = np.where(neighbors.indices[part] >= 0, codes[neighbors.indices[part]], -1)
        distances = np.where(around >= 0, neighbors.distances[part], np.inf)
        weights = _weights(distances, float(target))
        simpson = np.zeros(len(around))
        for code in range(len(classes)):
            simpson += np.where(around == code, weights, 0.0).sum(axis=1) ** 2
        values[part] = np.divide(1.0, simpson, out=np.full(len(simpson), np.nan), where=simpson > 0)
    values[codes < 0] = np.nan
    return values


def kbet(
    neighbors: Neighbors, nuisance: ArrayLike, *, alpha: float = 0.05, include_self: bool = True
) -> float:
    """kBET acceptance rate: share of neighbourhoods whose classes look like the whole collection's.

    1 is perfect mixing (about 1 − alpha by chance), 0 none. NaN with one class.
    See `kbet_samples` for parameters.
    """
    p_values = kbet_samples(neighbors, nuisance, include_self=include_self)
    used = np.isfinite(p_values)
    return float(np.mean(p_values[used] >= alpha)) if used.any() else float("nan")


def kbet_samples(neighbors: Neighbors, nuisance: ArrayLike, *, include_self: bool = True) -> Floats:
    """p-value of Pearson's χ² test of each neighbourhood against the whole (Büttner et al. 2019).

    Parameters
    ----------
    neighbors : Neighbors
    nuisance : array-like of shape (n_tracks,)
        Missing values take no part.
    include_self : bool
        Whether the track counts in its own neighbourhood, as in scib-metrics.

    Returns
    -------
    ndarray of shape (n_tracks,)
        NaN where the nuisance is missing, has one class, or nobody around has any.
    """
    from scipy.special import chdtrc

    codes, classes = encode_labels(nuisance)
    p_values: Floats = np.full(len(codes), np.nan)
    if len(classes) < 2:
        return p_values
    share = np.bincount(codes[codes >= 0], minlength=len(classes)) / np.sum(codes >= 0)
    around = np.where(neighbors.indices >= 0, codes[neighbors.indices], -1)
    if include_self:
        around = np.column_stack([codes, around])
    size = (around >= 0).sum(axis=1)
    statistic = np.zeros(len(codes))
    with np.errstate(invalid="ignore", divide="ignore"):
        for code in range(len(classes)):
            observed = (around == code).sum(axis=1)
            statistic += (observed - share[code] * size) ** 2 / (share[code] * size)
    used = (codes >= 0) & (size > 0)
    p_values[used] = chdtrc(len(classes) - 1, statistic[used])
    return p_values


def _weights(distances: Floats, target: float, tolerance: float = 1e-5, tries: int = 50) -> Floats:
    """Weights exp(−β d), normalised, with entropy `target` (nats); bisection per row.

    Start, doubling and tolerance are those of the LISI authors' code, so that numbers agree.
    """
    nearest = np.min(distances, axis=1, initial=np.inf)
    usable = np.isfinite(nearest)
    # The shift cancels in the weights and keeps far neighbourhoods from underflowing to nothing.
    shifted = np.where(
        np.isfinite(distances), distances - np.where(usable, nearest, 0.0)[:, None], np.inf
    )
    finite = np.where(np.isfinite(shifted), shifted, 0.0)
    beta = np.ones(len(distances))
    low = np.full(len(distances), -np.inf)
    high = np.full(len(distances), np.inf)
    weights = np.zeros(distances.shape)
    active = np.flatnonzero(usable)
    for attempt in range(tries + 1):
        raw = np.exp(-shifted[active] * beta[active, None])
        total = raw.sum(axis=1)
        raw /= total[:, None]
        entropy = np.log(total) + beta[active] * np.einsum("ij,ij->i", finite[active], raw)
        weights[active] = raw
        gap = entropy - target
        going = np.abs(gap) >= tolerance
        active, gap = active[going], gap[going]
        if not len(active) or attempt == tries:
            break
        wide, narrow = active[gap > 0], active[gap <= 0]
        low[wide], high[narrow] = beta[wide], beta[narrow]
        beta[wide] = np.where(np.isinf(high[wide]), 2 * beta[wide], (beta[wide] + high[wide]) / 2)
        beta[narrow] = np.where(
            np.isinf(low[narrow]), beta[narrow] / 2, (beta[narrow] + low[narrow]) / 2
        )
    return weights
