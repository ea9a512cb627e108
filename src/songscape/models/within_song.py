"""Whitening within songs: what changes from one part of a song to the next counts for little.

Where a song's segments differ, it is the arrangement that changes; where songs differ, it is the
recording, the voice, the style. This is the first half of linear discriminant analysis with songs
as the classes (Fisher 1936), or within-class covariance normalisation (Hatch, Kajarekar & Stolcke
2006) as speaker recognition has it; nothing is learned from labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songscape.features.views import View
from songscape.models.standardisation import InputView, chunks

Floats = NDArray[np.float64]
RIDGE = 1.0
"""Added to every variance within songs, in mean variances: few songs tell few directions well."""


@dataclass(frozen=True, eq=False)
class SongMeans:
    """Reads a view of steps as one whitened mean per track.

    `whitener` times its own transpose is the inverse of the covariance within songs, with its
    ridge.
    """

    whitener: Floats

    def read(self, reader: InputView, view: View, rows: NDArray[np.intp]) -> Floats:
        """The means over each track's valid steps, whitened, (n_rows, n_features)."""
        return _steps(reader, view, rows)[2] @ self.whitener


def fit_song_means(reader: InputView, view: View) -> SongMeans:
    """Learn the covariance within songs from all steps of the tracks that have the view.

    Without songs of two steps there is none, and the means stay as they are.
    """
    n_features = reader.size // reader.shape[reader.step_axis - 1]
    within, n_steps, n_songs = np.zeros((n_features, n_features)), 0.0, 0
    for piece in chunks(int(view.present.sum())):
        rows = np.flatnonzero(view.present)[piece]
        steps, weight, means = _steps(reader, view, rows)
        away = ((steps - means[:, None]) * weight).reshape(-1, n_features)
        within += away.T @ away
        n_steps += float(weight.sum())
        n_songs += int((weight.sum(axis=(1, 2)) > 0).sum())
    within /= max(n_steps - n_songs, 1.0)
    ridge = RIDGE * float(np.trace(within)) / n_features
    if ridge <= 0:
        return SongMeans(np.eye(n_features))
    variances, directions = np.linalg.eigh(within + ridge * np.eye(n_features))
    return SongMeans(directions / np.sqrt(variances))


def _steps(
    reader: InputView, view: View, rows: NDArray[np.intp]
) -> tuple[Floats, NDArray[Any], Floats]:
    """Standardised steps (n, n_steps, n_features), their weight (n, n_steps, 1), their means."""
    values, weight = (
        np.moveaxis(part, reader.step_axis, 1).astype(np.float64)
        for part in reader.read(view, rows)
    )
    weight = np.broadcast_to(weight, (*values.shape[:2], 1))
    counts = np.maximum(weight.sum(axis=1), 1.0)
    return values, weight, (values * weight).sum(axis=1) / counts
