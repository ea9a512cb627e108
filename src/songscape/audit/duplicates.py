"""Which tracks are copies of each other, in sound or in words, and what splits keep together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.audit.fingerprints import same_audio_pairs
from songscape.features.views import View, Views
from songscape.spellings import known_artists

if TYPE_CHECKING:
    import pandas as pd

Integers = NDArray[np.int64]

LYRICS_THRESHOLD = 0.8
"""Least cosine of two TF-IDF rows."""
MIN_WORDS = 5
"""Distinct words that lyrics need before they can be called alike."""

_ROWS_AT_ONCE = 512


def duplicate_groups(views: Views, audio_facts: pd.DataFrame) -> Integers:
    """Group tracks whose audio is the same, byte for byte or to the ear.

    Same are tracks with equal digests, and tracks whose fingerprints (from `mfcc`, about the first
    seven seconds) correlate: re-encoded, louder, filtered, or cut by up to a second at the start.
    Candidates are nearest neighbours of two compact vectors; each is verified by the correlation of
    the fingerprints at the best lag (`AUDIO_THRESHOLD`), in each quarter (`WORST_PART`), and over
    the whole clip by `segments` where the lengths agree. Group ids are numbered by first
    appearance; a track without a copy is alone.
    """
    n, facts = views.n_tracks, audio_facts.reindex(list(views.track_ids))
    digests = facts.get("digest", [None] * n)
    groups = _equal_values(None if v is None or v != v else v for v in digests)
    pairs = [np.column_stack([np.arange(n), groups])]
    if "mfcc" in views:
        durations = np.array(facts.get("duration_s", [np.nan] * n), np.float64)
        pairs.append(same_audio_pairs(views, np.unique(groups), durations))
    return _components(n, pairs)


def duplicate_lyrics_groups(views: Views, *, threshold: float = LYRICS_THRESHOLD) -> Integers:
    """Group tracks whose `lyrics` are the same or nearly so: cosine of TF-IDF, chained.

    Memory stays bounded and common words cost little: of each row, the part in the most common
    words whose norm stays below the threshold is left out of the index (Bayardo, Ma and Srikant,
    "Scaling up all pairs similarity search", WWW 2007), and what is found is compared in full.
    Tracks with fewer than `MIN_WORDS` distinct words are alone.
    """
    n = views.n_tracks
    if "lyrics" not in views:
        return np.arange(n, dtype=np.int64)
    pairs = [np.zeros((0, 2), np.int64), *_similar_rows(views["lyrics"], threshold)]
    return _components(n, pairs)


def split_groups(copies: ArrayLike, artists: Iterable[Any] | None = None) -> Integers:
    """The units that a split never separates: copies or one artist, chained.

    Placeholders of artists (`known_artists`) tie nothing together.
    """
    columns = [_equal_values(np.asarray(copies).tolist())]
    if artists is not None:
        names = known_artists(artists)
        columns.append(
            _equal_values(None if a is None else " ".join(a.casefold().split()) for a in names)
        )
    n = len(columns[0])
    return _components(n, [np.column_stack([np.arange(n), column]) for column in columns])


# -- lyrics ----------------------------------------------------------------------------------


def _similar_rows(lyrics: View, threshold: float) -> Iterator[Integers]:
    import scipy.sparse as sp

    matrix = sp.csr_array(lyrics.values)
    kept = np.flatnonzero(lyrics.present & (np.diff(matrix.indptr) >= MIN_WORDS))
    if len(kept) < 2:
        return
    rows = sp.csr_array(matrix[kept])
    index, left_out = _indexed(rows, threshold)
    for start in range(0, len(kept), _ROWS_AT_ONCE):
        partial = sp.coo_array(rows[start : start + _ROWS_AT_ONCE] @ index)
        i, j = partial.row + start, partial.col
        likely = (i < j) & (partial.data + left_out[j] >= threshold - 1e-6)
        i, j = i[likely], j[likely]
        for at in range(0, len(i), 100_000):
            a, b = i[at : at + 100_000], j[at : at + 100_000]
            cosines = np.asarray((rows[a] * rows[b]).sum(axis=1)).ravel()
            alike = cosines >= threshold - 1e-6
            yield np.column_stack([kept[a[alike]], kept[b[alike]]]).astype(np.int64)


def _indexed(rows: Any, threshold: float) -> tuple[Any, NDArray[np.float64]]:
    """Transposed rows without their most common words, and the norm of what was left out."""
    import scipy.sparse as sp

    frequency = np.bincount(rows.indices, minlength=rows.shape[1])
    owner = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    order = np.lexsort((rows.indices, -frequency[rows.indices], owner))
    squares = rows.data[order].astype(np.float64) ** 2
    total = np.concatenate([[0.0], np.cumsum(squares)])
    within = total[1:] - total[rows.indptr[owner]]
    common = within < (0.9 * threshold) ** 2
    left_out = np.sqrt(np.bincount(owner[common], squares[common], minlength=rows.shape[0]))
    rare = order[~common]
    shape = rows.shape
    index = sp.csr_array((rows.data[rare], (rows.indices[rare], owner[~common])), shape=shape[::-1])
    return index, left_out


# -- groups ----------------------------------------------------------------------------------


def _components(n: int, pairs: Sequence[Integers]) -> Integers:
    """Groups that these pairs chain, numbered by first appearance."""
    import pandas as pd
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edges = np.concatenate(pairs) if pairs else np.zeros((0, 2), np.int64)
    graph = coo_array((np.ones(len(edges), np.int8), (edges[:, 0], edges[:, 1])), shape=(n, n))
    groups = connected_components(graph, directed=False)[1]
    numbered: Integers = pd.factorize(groups)[0].astype(np.int64)
    return numbered


def _equal_values(values: Iterable[Any]) -> Integers:
    """Position of the first track with the same value; missing values equal nothing."""
    seen: dict[Any, int] = {}
    return np.array(
        [i if v is None else seen.setdefault(v, i) for i, v in enumerate(values)], np.int64
    )
