"""New songs go where they would have gone, and nowhere where there is nothing like them."""

from __future__ import annotations

import numpy as np

from songscape.clustering.levels import find_levels
from songscape.neighbours.assigning import assign, far_limit


def test_new_songs_go_where_a_new_grouping_would_put_them() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(6, size=440)
    X = rng.normal(size=(440, 10)) + 2.0 * rng.normal(size=(6, 10))[truth]
    before = find_levels(X[:400])
    limit = far_limit(X[:400])
    regions, _ = assign(X[400:], X[:400], before.regions, before.share, limit)
    again = find_levels(X)
    # The name of a group of the new grouping is the old group that most of its songs were in.
    name = {
        one: np.bincount(before.regions[again.regions[:400] == one]).argmax()
        for one in range(again.n_regions)
    }
    sure = regions >= 0
    assert sure.mean() > 0.8
    same = [regions[i] == name[again.regions[400 + i]] for i in np.flatnonzero(sure)]
    assert np.mean(same) >= 0.9


def test_what_is_like_nothing_known_is_unknown() -> None:
    rng = np.random.default_rng(2)
    X = rng.normal(size=(200, 5))
    levels = find_levels(X)
    far = np.full((2, 5), 30.0)
    regions, confidence = assign(far, X, levels.regions, levels.share, far_limit(X))
    assert (regions == -1).all()
    assert (confidence == 0).all()
