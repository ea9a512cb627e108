"""Audio fingerprints: which clips sound the same, whatever codec, gain or cut.

Two clips sound the same when their spectra rise and fall together. Following Haitsma and Kalker
("A highly robust audio fingerprinting system", ISMIR 2002), the fingerprint is how the difference
of neighbouring frequency bands changes over time: a gain, a filter and a codec leave it nearly as
it is, while two songs by the same instruments have nothing of it in common.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from songscape.features.views import View, Views

Integers = NDArray[np.int64]
Floats = NDArray[np.float32]

AUDIO_THRESHOLD = 0.6
"""Least correlation of two fingerprints: between that of copies at the lowest bit rates and that of
different songs by the same instruments."""
WORST_PART = 0.4
"""Least correlation in each quarter of the overlap: songs that only begin alike fail here."""
SEGMENT_THRESHOLD = 0.6
"""Least correlation of the course over the whole clip, where both clips are as long."""

_N_MELS = 128
_MELS_BELOW_4_KHZ = 70  # a codec at a low bit rate keeps nothing that is worth comparing above
_N_BANDS = 13
_STEP = 2  # frames to a step: 46 ms
_RISE = 4  # steps over which a change is taken
_MAX_LAG = 22  # steps: one second
_MIN_STEPS = 40  # two seconds; of shorter clips only exact copies are found
_MIN_OVERLAP = 0.8
_N_FFT = 256
_NEIGHBOURS = 5
_SAME_LENGTH_S = 1.0
_PAIRS_AT_ONCE = 512
_TRACKS_AT_ONCE = 2048


def same_audio_pairs(views: Views, rows: Integers, durations: NDArray[np.float64]) -> Integers:
    """Pairs of tracks, among these rows, that sound the same: shape (n_pairs, 2), smaller first.

    From `mfcc`, and `segments` where it is; `durations` are in seconds, NaN where unknown.
    """
    prints, n_steps = _fingerprints(views["mfcc"])
    loud = views["mfcc"].present & (n_steps >= _MIN_STEPS) & prints.any(axis=(1, 2))
    rows = rows[loud[rows]]
    if len(rows) < 2:
        return np.zeros((0, 2), np.int64)
    spaces = [_rhythm_vectors(prints[rows])]
    course = None
    if "segments" in views and views["segments"].present[rows].all():
        course = _course(views["segments"])
        spaces.append(course[rows])
    found = np.unique(np.concatenate([_neighbour_pairs(space) for space in spaces]), axis=0)
    candidates = rows[found]
    accepted = []
    for start in range(0, len(candidates), _PAIRS_AT_ONCE):
        chunk = candidates[start : start + _PAIRS_AT_ONCE]
        lags, scores = _best_lags(prints, n_steps, chunk)
        for (i, j), lag, score in zip(chunk.tolist(), lags.tolist(), scores.tolist()):
            if score < AUDIO_THRESHOLD or _worst_part(prints, n_steps, i, j, lag) < WORST_PART:
                continue
            as_long = abs(durations[i] - durations[j]) <= _SAME_LENGTH_S
            if course is None or not as_long or course[i] @ course[j] >= SEGMENT_THRESHOLD:
                accepted.append((i, j))
    return np.array(accepted, np.int64).reshape(-1, 2)


def _band_projection(n_mfcc: int) -> Floats:
    """MFCC -> differences of neighbouring bands; coefficient 0, the level, is left out."""
    from scipy.fft import idct

    bands = idct(np.eye(n_mfcc), n=_N_MELS, axis=1, norm="ortho")[:, :_MELS_BELOW_4_KHZ]
    bands[0] = 0
    parts = np.array_split(bands, _N_BANDS, axis=1)
    means = np.column_stack([part.mean(axis=1) for part in parts])
    return np.diff(means, axis=1).astype(np.float32)


def _fingerprints(mfcc: View) -> tuple[NDArray[np.int8], Integers]:
    """Changes of band differences, (n_tracks, 12, n_steps), clipped and scaled to ±127.

    Clipping at five times the median keeps the first note after a silence from deciding alone.
    """
    n, n_mfcc, n_frames = mfcc.shape
    projection = _band_projection(n_mfcc)
    n_valid = (
        np.full(n, n_frames) if mfcc.mask is None else mfcc.mask.sum(axis=1)
    ) // _STEP - _RISE
    width = max(1, n_frames // _STEP - _RISE)
    prints = np.zeros((n, _N_BANDS - 1, width), np.int8)
    for track in np.flatnonzero(mfcc.present & (n_valid > 0)):
        length = int(n_valid[track])
        frames = mfcc.values[track][:, : (length + _RISE) * _STEP]
        steps = (projection.T @ frames).reshape(_N_BANDS - 1, -1, _STEP).mean(axis=2)
        change = steps[:, _RISE:] - steps[:, :-_RISE]
        moving = np.abs(change[np.abs(change) > 1e-3])
        if len(moving):
            scaled = np.clip(change / (5 * np.median(moving)), -1, 1)
            prints[track, :, :length] = np.rint(127 * scaled)
    return prints, np.minimum(np.maximum(n_valid, 0), width).astype(np.int64)


def _rhythm_vectors(prints: NDArray[np.int8]) -> Floats:
    """Magnitudes of slow modulations per band: the same wherever the clip begins."""
    vectors = []
    for start in range(0, len(prints), _TRACKS_AT_ONCE):
        spectrum = np.abs(np.fft.rfft(prints[start : start + _TRACKS_AT_ONCE], _N_FFT, axis=2))
        vectors.append(np.sqrt(spectrum[:, :, 2:66:2] + spectrum[:, :, 3:67:2]).astype(np.float32))
    stacked: Floats = np.concatenate(vectors).reshape(len(prints), -1)
    return stacked


def _course(segments: View) -> Floats:
    """Unit vectors of how the mean MFCC move from segment to segment, constants taken out."""
    means = segments.values[:, :, 1:13].astype(np.float32)
    flat = (means - means.mean(axis=1, keepdims=True)).reshape(len(means), -1)
    lengths = np.linalg.norm(flat, axis=1, keepdims=True)
    unit: Floats = np.divide(flat, lengths, out=np.zeros_like(flat), where=lengths > 1e-6)
    return unit


def _reduced(vectors: Floats, n_axes: int = 32) -> Floats:
    centred: Floats = vectors - vectors.mean(axis=0)
    _, axes = np.linalg.eigh(np.asarray(centred.T @ centred, np.float64))
    reduced: Floats = centred @ axes[:, -n_axes:].astype(np.float32)
    return reduced


def _neighbour_pairs(space: Floats) -> Integers:
    """Each row with its nearest few, smaller index first."""
    from sklearn.neighbors import NearestNeighbors

    k = min(_NEIGHBOURS, len(space) - 1)
    near = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(_reduced(space))
    neighbours = near.kneighbors(return_distance=False)
    pairs = np.column_stack([np.repeat(np.arange(len(space)), k), neighbours.ravel()])
    return np.sort(pairs, axis=1).astype(np.int64)


def _best_lags(
    prints: NDArray[np.int8], n_steps: Integers, pairs: Integers
) -> tuple[Integers, NDArray[np.float64]]:
    """Lag of the second track behind the first where they correlate best, and how well."""
    left, right = (prints[pairs[:, side]].astype(np.float32) for side in (0, 1))
    lengths = n_steps[pairs]
    spectra = np.fft.rfft(left, _N_FFT, axis=2) * np.conj(np.fft.rfft(right, _N_FFT, axis=2))
    products = np.fft.irfft(spectra.sum(axis=1), _N_FFT, axis=1)
    energies = [
        np.pad(np.cumsum(np.sum(side**2, axis=1, dtype=np.float64), axis=1), ((0, 0), (1, 0)))
        for side in (left, right)
    ]
    best = np.full(len(pairs), -1.0)
    lags = np.zeros(len(pairs), np.int64)
    every = np.arange(len(pairs))
    for lag in range(-_MAX_LAG, _MAX_LAG + 1):
        starts = (max(lag, 0), max(-lag, 0))
        overlap = np.minimum(lengths[:, 0] - starts[0], lengths[:, 1] - starts[1])
        enough = overlap >= _MIN_OVERLAP * lengths.min(axis=1)
        overlap = np.maximum(overlap, 0)
        norms = [e[every, s + overlap] - e[:, s] for e, s in zip(energies, starts)]
        scale = np.sqrt(np.maximum(norms[0] * norms[1], 1.0))
        score = np.where(enough, products[:, lag] / scale, -1.0)
        better = score > best
        best[better], lags[better] = score[better], lag
    return lags, best


def _worst_part(
    prints: NDArray[np.int8], n_steps: Integers, i: int, j: int, lag: int, n_parts: int = 4
) -> float:
    left = prints[i][:, max(lag, 0) : n_steps[i]].astype(np.float64)
    right = prints[j][:, max(-lag, 0) : n_steps[j]].astype(np.float64)
    overlap = min(left.shape[1], right.shape[1])
    worst = 1.0
    for columns in np.array_split(np.arange(overlap), n_parts):
        a, b = left[:, columns], right[:, columns]
        scale = np.sqrt(np.sum(a * a) * np.sum(b * b))
        if scale > 0:  # a silent quarter says nothing
            worst = min(worst, float(np.sum(a * b) / scale))
    return worst
