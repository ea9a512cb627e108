"""Mixing of a nuisance in neighbourhoods: LISI and kBET, as scib-metrics defines them.

A nuisance has shape (n_tracks,) and may be missing; neighbours should be about 90.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.metrics.labels import encode_labels
from songscape.metrics.neighbours import Neighbors

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_FEWEST_NEIGHBORS = 10
_ALPHA = 0.05
_TOLERANCE, _TRIES = 1e-5, 50
_CHUNK_ROWS = 20_000
_CHUNK_CELLS = 8_000_000


def kbet_neighbors(nuisance: ArrayLike, n_neighbors: int) -> int:
    """How many neighbours kBET should test: the mean class size, at least 10, at most all known.

    Büttner et al. (2019) take the mean batch size. In a neighbourhood that holds most of a small
    collection the classes are those of the whole however far they lie apart, and kBET says
    "mixed": 90 neighbours of 120 tracks accept classes that do not touch.
    """
    codes, classes = encode_labels(nuisance)
    mean = int(np.sum(codes >= 0)) // max(1, len(classes))
    return min(n_neighbors, max(_FEWEST_NEIGHBORS, mean))


def mixing_scores(
    neighbors: Neighbors, labellings: Integers, *, k_kbet: int | None = None
) -> Floats:
    """iLISI and kBET of many labellings of the same neighbourhoods, shape (n_labellings, 2).

    iLISI is the median LISI scaled to 0 (every neighbourhood pure) … 1 (all mixed), (median − 1) /
    (n_classes − 1), Luecken et al. 2022; unequal class sizes keep it below 1 even when perfectly
    mixed. kBET is the share of neighbourhoods, of `k_kbet` tracks, whose classes look like the
    whole collection's (the χ² test accepts): about 0.95 by chance. Both are NaN with one
    class. A label of −1 is missing, in all labellings for the same tracks.
    """
    n_classes = int(labellings.max(initial=-1)) + 1
    scores = np.full((len(labellings), 2), np.nan)
    if n_classes < 2:
        return scores
    weights = neighbor_weights(neighbors, labellings[0] >= 0)
    nearest = neighbors.indices[:, :k_kbet]
    for row, labels in enumerate(labellings):
        lisi = lisi_samples(neighbors.indices, weights, labels, n_classes)
        p_values = kbet_samples(nearest, labels, n_classes)
        p_values = p_values[np.isfinite(p_values)]
        if np.isfinite(lisi).any():
            scores[row, 0] = (np.nanmedian(lisi) - 1) / (n_classes - 1)
        if len(p_values):
            scores[row, 1] = np.mean(p_values >= _ALPHA)
    return scores


def lisi_samples(indices: Integers, weights: Floats, codes: Integers, n_classes: int) -> Floats:
    """Local inverse Simpson index of each track (Korsunsky et al. 2019); NaN where it has no code.

    The effective number of classes around a track: 1 / Σ p² of `neighbor_weights`.
    """
    values: Floats = np.full(len(codes), np.nan)
    for part in _parts(len(codes), n_classes):
        sums = _class_sums(indices[part], codes, n_classes, weights[part])
        simpson = np.einsum("ij,ij->i", sums, sums)
        values[part] = np.divide(1.0, simpson, out=np.full(len(simpson), np.nan), where=simpson > 0)
    values[codes < 0] = np.nan
    return values


def kbet_samples(indices: Integers, codes: Integers, n_classes: int) -> Floats:
    """p-value of Pearson's χ² test of each neighbourhood against the whole (Büttner et al. 2019).

    As in scib-metrics a track counts in its own neighbourhood. NaN where it has no code.
    """
    from scipy.special import chdtrc

    p_values: Floats = np.full(len(codes), np.nan)
    if n_classes < 2:
        return p_values
    share = np.bincount(codes[codes >= 0], minlength=n_classes) / np.sum(codes >= 0)
    scale = np.divide(1.0, share, out=np.zeros(n_classes), where=share > 0)
    for part in _parts(len(codes), n_classes):
        counts = _class_sums(indices[part], codes, n_classes)
        known = np.flatnonzero(codes[part] >= 0)
        counts[known, codes[part][known]] += 1
        size = counts.sum(axis=1)
        used = known[size[known] > 0]
        # Σ (O − E)² / E with E = share × size.
        statistic = np.square(counts[used]) @ scale / size[used] - size[used]
        freedom = max(1, int(np.sum(share > 0)) - 1)
        p_values[part.start + used] = chdtrc(freedom, np.maximum(statistic, 0.0))
    return p_values


def _parts(n_tracks: int, n_classes: int = 0) -> Iterator[slice]:
    """Rows in parts of which a table of the classes fits into memory."""
    step = max(1, min(_CHUNK_ROWS, _CHUNK_CELLS // (n_classes + 1)))
    for start in range(0, n_tracks, step):
        yield slice(start, start + step)


def _class_sums(
    indices: Integers, codes: Integers, n_classes: int, weights: Floats | None = None
) -> Floats:
    """Number (or weight) of the neighbours of each class, shape (n_rows, n_classes)."""
    width = n_classes + 1
    # Neighbours without a class, and places without a neighbour (−1), count in one class more.
    cells = np.append(np.where(codes < 0, n_classes, codes), n_classes)[indices]
    cells += (np.arange(len(cells)) * width)[:, None]
    flat = None if weights is None else weights.ravel()
    sums = np.bincount(cells.ravel(), flat, minlength=len(cells) * width)
    return np.asarray(sums.reshape(-1, width)[:, :-1], dtype=np.float64)


def neighbor_weights(neighbors: Neighbors, known: NDArray[np.bool_]) -> Floats:
    """Weight of every neighbour that has the nuisance; rows add up to 1, or to 0 without any.

    It is exp(−β distance), with β such that the perplexity is a third of the neighbours.
    """
    target = np.log(neighbors.n_neighbors // 3)
    weights: Floats = np.zeros(neighbors.indices.shape)
    for part in _parts(len(weights)):
        indices = neighbors.indices[part]
        distances = np.where((indices >= 0) & known[indices], neighbors.distances[part], np.inf)
        weights[part] = _weights(distances, float(target))
    return weights


def _weights(distances: Floats, target: float) -> Floats:
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
    for attempt in range(_TRIES + 1):
        raw = np.exp(-shifted[active] * beta[active, None])
        total = raw.sum(axis=1)
        raw /= total[:, None]
        entropy = np.log(total) + beta[active] * np.einsum("ij,ij->i", finite[active], raw)
        weights[active] = raw
        gap = entropy - target
        going = np.abs(gap) >= _TOLERANCE
        active, gap = active[going], gap[going]
        if not len(active) or attempt == _TRIES:
            break
        wide, narrow = active[gap > 0], active[gap <= 0]
        low[wide], high[narrow] = beta[wide], beta[narrow]
        beta[wide] = np.where(np.isinf(high[wide]), 2 * beta[wide], (beta[wide] + high[wide]) / 2)
        beta[narrow] = np.where(
            np.isinf(low[narrow]), beta[narrow] / 2, (beta[narrow] + low[narrow]) / 2
        )
    return weights
