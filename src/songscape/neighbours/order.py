"""Orders songs so that tempo, loudness and key change little; finds transitions that are rough."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from songscape.neighbours.songs import Song

Floats = NDArray[np.float64]

TEMPO_OCTAVES, LOUDNESS_DB, KEY_STEPS = 0.12, 6.0, 2.0
"""What counts as one step: 9 % of tempo, 6 dB, two fifths on the circle of keys."""
ROUGH = 2.0
"""A transition of more steps than this is rough."""
_MOST_IMPROVED = 300
_ROUNDS = 20


def smooth_order(songs: Sequence[Song], distances: Floats) -> list[int]:
    """Positions of songs in an order whose neighbours fit: tempo, loudness, key, and the space.

    It begins with the first. Each song is followed by the one that fits best; then parts are turned
    round as long as that makes the whole smoother. `distances`, (n_songs, n_songs), may be of any
    scale.
    """
    n = len(songs)
    if n < 3:
        return list(range(n))
    usual = float(np.median(distances[~np.eye(n, dtype=bool)])) or 1.0
    cost = steps(songs).sum(axis=2) + 2 * distances / usual
    left, order = set(range(1, n)), [0]
    while left:
        row = cost[order[-1]]
        order.append(min(left, key=lambda i: (row[i], i)))
        left.remove(order[-1])
    return _untangled(order, cost) if n <= _MOST_IMPROVED else order


def smooth_way(songs: Sequence[Song]) -> list[int]:
    """Positions of songs that lead from the first to the last: up to four in a row are turned."""
    return _untangled(list(range(len(songs))), steps(songs).sum(axis=2), 4)


def _untangled(order: list[int], cost: Floats, longest: int = 0) -> list[int]:
    """Two-opt: parts are reversed while that makes the sum of costs smaller.

    With `longest`, parts of up to that many songs, and the last song stays last.
    """
    n = len(order)
    path, cost = np.append(order, n), np.pad(cost, (0, 1))  # nothing comes after the last
    for _ in range(_ROUNDS):
        changed = False
        for i in range(1, n - 1):
            ends = np.arange(i + 1, min(i + longest, n - 1) if longest else n)
            if not len(ends):
                continue
            before = cost[path[i - 1], path[i]] + cost[path[ends], path[ends + 1]]
            gain = before - cost[path[i - 1], path[ends]] - cost[path[i], path[ends + 1]]
            best = int(gain.argmax())
            if gain[best] > 1e-9:
                path[i : ends[best] + 1] = path[i : ends[best] + 1][::-1]
                changed = True
        if not changed:
            break
    return [int(i) for i in path[:n]]


def rough_transitions(songs: Sequence[Song]) -> list[str]:
    """Where one song follows another and tempo, loudness or key break, in words."""
    found = []
    for before, after in pairwise(songs):
        tempo, loudness, key = steps([before, after])[0, 1]
        reasons = []
        if tempo > ROUGH and before.tempo_bpm and after.tempo_bpm:
            reasons.append(f"{before.tempo_bpm:.0f} to {after.tempo_bpm:.0f} beats a minute")
        if loudness > ROUGH and before.loudness_db is not None and after.loudness_db is not None:
            louder = after.loudness_db - before.loudness_db
            reasons.append(f"{abs(louder):.0f} dB {'louder' if louder > 0 else 'quieter'}")
        if key > ROUGH:
            reasons.append("keys far apart")
        if reasons:
            found.append(f"{before.name} → {after.name}: {', '.join(reasons)}")
    return found


def steps(songs: Sequence[Song]) -> Floats:
    """How far songs are apart in tempo, loudness and key, in steps, shape (n, n, 3).

    What is not known of one of two songs counts as one step, as much as it usually is. A tempo and
    its double are the same.
    """
    tempo = np.log2(np.array([s.tempo_bpm for s in songs], np.float64))
    octaves = np.abs(tempo[:, None] - tempo)
    octaves = np.minimum(octaves, np.abs(octaves - 1) + TEMPO_OCTAVES)
    loudness = np.array([s.loudness_db for s in songs], np.float64)
    # Every key at its place among the keys with the same notes: A minor is at C major.
    majors = [None if s.key is None else (s.key + 3 * bool(s.minor)) % 12 for s in songs]
    fifths = np.mod(7 * np.array(majors, np.float64), 12)
    around = np.abs(fifths[:, None] - fifths)
    around = np.minimum(around, 12 - around)
    louder = np.abs(loudness[:, None] - loudness)
    found = np.stack([octaves / TEMPO_OCTAVES, louder / LOUDNESS_DB, around / KEY_STEPS], axis=2)
    return np.where(np.isnan(found), 1.0, found)
