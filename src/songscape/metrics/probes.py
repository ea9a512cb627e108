"""Probes: can a classifier tell a nuisance from the latents, better than shuffled labels?

Both probes are linear discriminant analysis with equal class priors (so that balanced accuracy is
what they aim at), on the latents themselves or on random Fourier features of them. The covariance
does not depend on the labels until a small correction, so one factorisation per fold serves the
observed labels and all permutations together: an exact null costs about as much as one fit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_MAX_CLASSES, _SPLITS = 50, 5
_N_FEATURES = 256
_BATCH_NUMBERS = 20_000_000


def probe_tracks(
    space: Floats, codes: Integers, blocks: Integers, max_tracks: int, rng: np.random.Generator
) -> Integers:
    """Rows to probe: those whose class is in at least 2 groups.

    Rows with missing values and tracks without a class (−1) are left out; of more than `max_tracks`
    a random sample is taken.
    """
    used = np.flatnonzero((codes >= 0) & np.isfinite(space).all(axis=1))
    if len(used) > max_tracks:
        used = np.sort(rng.choice(used, max_tracks, replace=False))
    return used[np.isin(codes[used], _testable(codes[used], blocks[used]))]


def probe_scores(
    space: Floats,
    labellings: Integers,
    blocks: Integers,
    rng: np.random.Generator,
    *,
    kind: str = "linear",
) -> Floats:
    """Balanced accuracy of a probe for each of many labellings, in grouped cross-validation.

    Labellings, shape (n_labellings, n_tracks), have classes 0 … n; folds are dealt by the first.
    `blocks` are groups, never on both sides of a split; `kind` is "linear" or "nonlinear".
    """
    if kind not in ("linear", "nonlinear"):
        raise ValueError(f"no probe {kind!r}: linear or nonlinear")
    n_classes = int(labellings.max()) + 1
    folds = _folds(labellings[0], blocks, _SPLITS, rng)
    features = _standardised(space)
    if kind == "nonlinear":
        features = _fourier(features, rng)
    predicted = _cross_predict(features, labellings, n_classes, folds)
    return _balanced_accuracy(labellings, predicted, n_classes)


def _testable(codes: Integers, blocks: Integers) -> Integers:
    """The classes with tracks in at least 2 groups, the most common ones first."""
    pairs = np.unique(np.column_stack([codes, blocks]), axis=0)[:, 0]
    classes, n_groups = np.unique(pairs, return_counts=True)
    classes = classes[n_groups >= 2]
    sizes = np.bincount(codes, minlength=1)[classes] if len(classes) else classes
    return classes[np.argsort(-sizes, kind="stable")][:_MAX_CLASSES]


def _folds(labels: Integers, blocks: Integers, n_splits: int, rng: np.random.Generator) -> Integers:
    """A fold per track: whole groups, dealt so that every class is spread over the folds.

    Groups come largest first; each goes where its classes are least represented so far.
    """
    ids, members = np.unique(blocks, return_inverse=True)
    counts = np.zeros((len(ids), int(labels.max()) + 1))
    np.add.at(counts, (members, labels), 1)
    n_splits = max(2, min(n_splits, len(ids)))
    share = counts / counts.sum(axis=0)
    load = np.zeros((n_splits, counts.shape[1]))
    fold = np.zeros(len(ids), dtype=np.int64)
    shuffled = rng.permutation(len(ids))
    for group in shuffled[np.argsort(-counts[shuffled].sum(axis=1), kind="stable")]:
        crowded = load @ share[group]
        # Between equals the fold with the fewest tracks of all classes.
        best = np.flatnonzero(crowded <= crowded.min() + 1e-12)
        chosen = best[np.argmin(load[best].sum(axis=1))]
        load[chosen] += share[group]
        fold[group] = chosen
    return fold[members]


def _standardised(space: Floats) -> Floats:
    spread = space.std(axis=0)
    varying = spread > 1e-9 * float(np.abs(space).max(initial=0.0))
    if not varying.any():
        return np.zeros((len(space), 1))
    result: Floats = (space[:, varying] - space[:, varying].mean(axis=0)) / spread[varying]
    return result


def _fourier(features: Floats, rng: np.random.Generator) -> Floats:
    """Random Fourier features of a Gaussian kernel (Rahimi & Recht 2007), beside the originals.

    The kernel is as wide as the median distance, halved once to see finer shapes.
    """
    from scipy.spatial.distance import pdist

    drawn = features[rng.permutation(len(features))[:500]]
    width = float(np.median(pdist(drawn))) / 2 or 1.0
    directions = rng.normal(size=(features.shape[1], _N_FEATURES)) / width
    phases = rng.uniform(0, 2 * np.pi, _N_FEATURES)
    waves = np.cos(features @ directions + phases)
    return np.column_stack([features, _standardised(waves)])


def _cross_predict(features: Floats, labels: Integers, n_classes: int, folds: Integers) -> Integers:
    """Predicted classes of every row of `labels` (observed first, then permutations)."""
    predicted = np.full(labels.shape, -1, dtype=np.int64)
    for fold in range(int(folds.max()) + 1):
        inside, outside = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        if not len(inside) or len(outside) < 2:
            continue
        train, test = _whitened(features[outside], features[inside])
        step = max(1, _BATCH_NUMBERS // (len(outside) * n_classes))
        for start in range(0, len(labels), step):
            rows = slice(start, start + step)
            scores = _discriminants(train, test, labels[rows][:, outside], n_classes)
            predicted[rows, inside] = scores.argmax(axis=2)
    return predicted


def _whitened(train: Floats, test: Floats) -> tuple[Floats, Floats]:
    """Both in coordinates where the training covariance, plus a ridge, is the identity.

    With more features than tracks, in the coordinates that the training tracks span: class means
    lie there, so nothing else takes part in the scores.
    """
    mean = train.mean(axis=0)
    centred = train - mean
    n, ridge = len(train), _ridge(centred)
    wide = centred.shape[1] > n
    values, vectors = np.linalg.eigh((centred @ centred.T if wide else centred.T @ centred) / n)
    if wide:
        spanned = values > 1e-12 * values[-1]
        values = values[spanned]
        vectors = centred.T @ vectors[:, spanned] / np.sqrt(n * values)
    scale = vectors / np.sqrt(np.maximum(values + ridge, np.finfo(float).tiny))
    return centred @ scale, (test - mean) @ scale


def _ridge(centred: Floats) -> float:
    """The shrinkage of Ledoit & Wolf (2004), to be added to the diagonal instead of mixed in.

    Mixed in, it could leave the within-class covariance of well separated classes indefinite.
    """
    from sklearn.covariance import ledoit_wolf_shrinkage

    shrinkage = float(ledoit_wolf_shrinkage(centred, assume_centered=True))
    return max(shrinkage, 1e-6) * float(centred.var())


def _discriminants(train: Floats, test: Floats, labels: Integers, n_classes: int) -> Floats:
    """LDA scores, shape (n_labellings, n_test, n_classes), for many labellings at once.

    With class means M (rows) and shares Π in whitened coordinates the within-class covariance is
    I − Mᵀ Π M, and Woodbury's identity turns its inverse into a problem of n_classes rows.
    """
    n = len(train)
    one_hot = (labels[:, :, None] == np.arange(n_classes)).astype(np.float64)
    counts = one_hot.sum(axis=1)
    seen = counts > 0
    flat = one_hot.transpose(1, 0, 2).reshape(n, -1)
    means = (train.T @ flat).reshape(train.shape[1], len(labels), n_classes).transpose(1, 2, 0)
    means /= np.maximum(counts, 1)[:, :, None]
    gram = means @ means.transpose(0, 2, 1)
    core = np.where(seen, n / np.maximum(counts, 1), 1.0)[:, :, None] * np.eye(n_classes) - gram
    turn = np.eye(n_classes) + np.linalg.solve(core, gram)
    flat_means = means.transpose(2, 0, 1).reshape(train.shape[1], -1)
    projected = (test @ flat_means).reshape(len(test), len(labels), n_classes).transpose(1, 0, 2)
    offset = np.einsum("pcd,pdc->pc", gram, turn) / 2
    scores: Floats = projected @ turn - offset[:, None, :]
    scores[~np.broadcast_to(seen[:, None, :], scores.shape)] = -np.inf
    return scores


def _balanced_accuracy(labels: Integers, predicted: Integers, n_classes: int) -> Floats:
    """Mean recall over the classes that a labelling holds."""
    hits = [np.sum((labels == c) & (predicted == c), axis=1) for c in range(n_classes)]
    sizes = np.array([np.sum(labels == c, axis=1) for c in range(n_classes)])
    recalls = np.array(hits) / np.maximum(sizes, 1)
    result: Floats = recalls.sum(axis=0) / np.sum(sizes > 0, axis=0)
    return result
