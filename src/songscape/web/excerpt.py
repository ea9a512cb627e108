"""Where a song begins in its file, and where its most typical half minute is."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from songscape.library import Library

EXCERPT_S = 30.0


def excerpt(
    library: Library, track_id: str, span: tuple[float, float | None] | None
) -> dict[str, Any]:
    """Seconds in the file: `start` and `end` of the song, `typical` where its excerpt begins.

    `end` is None where the song ends with its file.
    """
    start, end = span or (0.0, None)
    typical = start
    segments = dict(library.each_feature("segments", track_id)).get(track_id)
    duration = library.duration(track_id)
    if segments is not None and duration is not None:
        typical += most_typical(segments, duration)
    return {"start": start, "end": end, "typical": round(typical, 2)}


def most_typical(segments: NDArray[np.float32], duration: float) -> float:
    """Where the 30 seconds begin whose mean is nearest to the song's, in seconds.

    Segments, (n_segments, n_features), are of equal length and fill the `duration`.
    """
    n = len(segments)
    wide = int(np.ceil(EXCERPT_S / max(duration, 1e-9) * n))
    if wide >= n:
        return 0.0
    scale = np.maximum(segments.std(axis=0), 1e-6)
    sums = np.cumsum(np.vstack([np.zeros_like(segments[:1]), segments / scale]), axis=0)
    means = (sums[wide:] - sums[:-wide]) / wide
    far = np.square(means - sums[-1] / n).sum(axis=1)
    return float(far.argmin()) * duration / n
