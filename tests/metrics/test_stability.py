"""Stability: per run, per cluster, per track, against brute force over pairs of tracks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score

from songscape.clustering.methods import cluster
from songscape.metrics import stability as sb
from songscape.metrics.clusters import ari


@st.composite
def reference_and_repeat(draw):
    n = draw(st.integers(1, 25))
    lists = [
        draw(st.lists(st.integers(low, 3), min_size=n, max_size=n)) for low in (-1, sb.NOT_DRAWN)
    ]
    return np.array(lists[0]), np.array(lists[1])


@given(reference_and_repeat())
def test_jaccard_by_sets(pair):
    labels, other = pair
    drawn = other != sb.NOT_DRAWN
    found = sb.cluster_jaccard(labels, other)
    for c in range(labels.max() + 1):
        mine = set(np.flatnonzero((labels == c) & drawn))
        best = 0.0
        for d in set(other[other >= 0]):
            theirs = set(np.flatnonzero(other == d))
            best = max(best, len(mine & theirs) / len(mine | theirs))
        assert found[c] == pytest.approx(best)


@given(reference_and_repeat())
def test_unsure_shares_by_co_assignment_matrices(pair):
    labels, other = pair
    found = sb.unsure_shares(labels, other)
    drawn = other != sb.NOT_DRAWN
    before = labels[:, None] == labels[None]
    after = other[:, None] == other[None]
    for track in range(len(labels)):
        if not drawn[track]:
            assert np.isnan(found[track])
            continue
        company = drawn & (np.arange(len(labels)) != track)
        union = company & (before[track] | after[track])
        shared = company & before[track] & after[track]
        expected = shared.sum() / union.sum() if union.any() else 1.0
        assert found[track] == pytest.approx(1 - expected)


def test_blobs_come_back_and_the_track_in_between_is_unsure():
    X, _ = make_blobs([60, 60], centers=[[-5, 0], [5, 0]], random_state=0)
    X = np.vstack([X, [[0.0, 0.0]]])
    reference = cluster("kmeans", X, k=2).labels
    repeats = np.full((30, len(X)), sb.NOT_DRAWN)
    for seed, rows in enumerate(sb.subsamples(len(X), n_repeats=30)):
        repeats[seed, rows] = cluster("kmeans", X[rows], k=2, random_state=seed).labels
    assert np.mean([ari(reference, other) for other in repeats]) > 0.95
    jaccard = np.mean([sb.cluster_jaccard(reference, other) for other in repeats], axis=0)
    assert (jaccard > 0.95).all()
    unsure = sb.unsure_shares(reference, repeats)
    assert unsure.argmax() == 120
    assert unsure[:120].max() < 0.1


def test_random_partitions_are_unstable():
    rng = np.random.default_rng(0)
    labels, repeats = rng.integers(0, 5, 300), rng.integers(0, 5, (10, 300))
    assert np.mean([sb.cluster_jaccard(labels, other) for other in repeats], axis=0).max() < 0.3
    assert (sb.unsure_shares(labels, repeats) > 0.5).all()


def test_equal_partitions_under_other_names_are_perfectly_stable():
    labels = np.array([0, 0, 1, 1, 2, 2, -1])
    renamed = np.array([2, 2, 0, 0, 1, 1, -1])
    assert sb.cluster_jaccard(labels, renamed).tolist() == [1, 1, 1]
    assert sb.unsure_shares(labels, [renamed] * 3).tolist() == [0] * 7


def test_pairs_of_seeds_are_compared_once_each():
    partitions = np.random.default_rng(0).integers(0, 3, (4, 50))
    found = sb.pairwise_ari(partitions)
    assert len(found) == 6
    assert found[0] == pytest.approx(adjusted_rand_score(partitions[0], partitions[1]))


def test_subsamples_keep_duplicates_together():
    groups = np.random.default_rng(0).integers(0, 30, 100)
    for rows in sb.subsamples(100, groups=groups):
        inside = np.isin(np.arange(100), rows)
        assert all(inside[groups == g].all() or not inside[groups == g].any() for g in range(30))
    assert [len(rows) for rows in sb.subsamples(50, n_repeats=3)] == [40, 40, 40]


def test_a_track_never_drawn_has_no_answer():
    assert np.isnan(sb.unsure_shares([0, 0, 1, 1], [[0, 0, 1, sb.NOT_DRAWN]])[3])
