"""Stability: per run, per cluster, per track, against brute force over pairs of tracks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score

from songscape.clustering.methods import cluster
from songscape.metrics import stability as sb


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
def test_assurance_by_co_assignment_matrices(pair):
    labels, other = pair
    found = sb.assurance(labels, other)
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
        assert found[track] == pytest.approx(expected)


def test_blobs_come_back_and_the_track_in_between_is_unsure():
    X, _ = make_blobs([60, 60], centers=[[-5, 0], [5, 0]], random_state=0)
    X = np.vstack([X, [[0.0, 0.0]]])
    reference = cluster("kmeans", X, k=2).labels
    repeats = sb.subsample_partitions(
        lambda rows, seed: cluster("kmeans", X[rows], k=2, random_state=seed).labels,
        len(X),
        n_repeats=30,
    )
    found = sb.stability(reference, repeats)
    assert found.mean_ari > 0.95
    assert (found.jaccard > 0.95).all()
    assert found.unsure.argmax() == 120
    assert found.unsure[:120].max() < 0.1


def test_random_partitions_are_unstable():
    rng = np.random.default_rng(0)
    found = sb.stability(rng.integers(0, 5, 300), rng.integers(0, 5, (10, 300)))
    assert abs(found.mean_ari) < 0.02
    assert (found.jaccard < 0.3).all()
    assert found.unsure_tracks().all()


def test_equal_partitions_under_other_names_are_perfectly_stable():
    labels = np.array([0, 0, 1, 1, 2, 2, -1])
    found = sb.stability(labels, [[2, 2, 0, 0, 1, 1, -1]] * 3)
    assert found.mean_ari == 1
    assert found.jaccard.tolist() == [1, 1, 1]
    assert found.unsure.tolist() == [0] * 7


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
    found = sb.stability([0, 0, 1, 1], [[0, 0, 1, sb.NOT_DRAWN]])
    assert np.isnan(found.unsure[3])
    assert not found.unsure_tracks()[3]
