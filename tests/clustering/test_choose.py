"""Choosing k finds the clusters that are there, and says so when there are none."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_blobs

from songscape.clustering import choose
from songscape.clustering.choose import choose_k
from songscape.errors import SongscapeError

QUICK = {"ks": range(2, 7)}


@pytest.fixture(scope="module")
def blobs():
    return make_blobs(200, centers=4, n_features=5, cluster_std=1.5, random_state=1)[0]


def test_four_blobs_are_four_clusters(blobs):
    found = choose_k(blobs, **QUICK)
    assert found.k == 4
    assert found.p_value == pytest.approx(0.05)
    assert "k = 4" in found.reason
    assert found.curve[2]["stability"] > found.curve[2]["null_high"]


def test_one_stretched_cloud_has_no_structure():
    chosen = []
    for seed in range(4):
        X = np.random.default_rng(seed).normal(size=(150, 4)) * [4, 2, 1, 1]
        chosen.append(choose_k(X, random_state=seed, **QUICK))
    assert [c.k for c in chosen].count(1) >= 3
    none = next(c for c in chosen if c.k == 1)
    assert "no number of clusters is more stable than in a cloud" in none.reason
    assert none.p_value > 0.05


def test_same_seed_same_curve_and_ordered_bands(blobs, monkeypatch):
    monkeypatch.setattr(choose, "_MOST_TRACKS", 100)
    first, second = (choose_k(blobs, random_state=3, **QUICK) for _ in range(2))
    assert first.curve == second.curve
    curve = pd.DataFrame(first.curve)
    assert (curve["low"] <= curve["stability"]).all()
    assert (curve["stability"] <= curve["high"]).all()
    assert (curve["null_low"] <= curve["null_high"]).all()


def test_units_and_place_do_not_matter(blobs):
    assert choose_k(1e6 * blobs - 5e6, **QUICK).k == choose_k(blobs, **QUICK).k


def test_what_cannot_be_chosen_is_refused(blobs):
    with pytest.raises(SongscapeError, match=r"1 of 200 tracks .* row 7;"):
        choose_k(np.where(np.arange(200)[:, None] == 7, np.nan, blobs))
    with pytest.raises(SongscapeError, match="too few"):
        choose_k(blobs[:3])
