"""Permutation nulls: the metric on permuted labels, uniform p-values, groups kept whole."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from songscape.metrics import clusters as metrics
from songscape.statistics.permutations import (
    PermutationNull,
    labellings,
    permutation_nulls,
)


def ami_null(clusters, truth, **options):
    return permutation_nulls(clusters, truth, metrics=("ami",), **options)["ami"]


@settings(deadline=None, max_examples=30)
@given(
    st.sampled_from(["ami", "nmi", "ari", "purity", "homogeneity", "completeness", "v_measure"]),
    st.integers(0, 1000),
)
def test_the_vectorised_null_is_the_metric_on_permuted_labels(metric, seed):
    rng = np.random.default_rng(seed)
    clusters, truth = rng.integers(-1, 4, 60), rng.integers(0, 3, 60)
    options = {"metrics": (metric,), "n_permutations": 20, "random_state": seed}
    found = permutation_nulls(clusters, truth, **options)[metric]
    kept = clusters >= 0
    rows = labellings(truth[kept], None, 20, np.random.default_rng(seed))
    assert (rows[0] == truth[kept]).all()
    expected = PermutationNull.of([metrics.agreement(clusters[kept], r)[metric] for r in rows])
    assert found.observed == pytest.approx(expected.observed, abs=1e-9)
    assert found.null_mean == pytest.approx(expected.null_mean, abs=1e-9)
    assert found.null_95 == pytest.approx(expected.null_95, abs=1e-9)
    assert found.p_value == expected.p_value


def test_the_null_p_value_is_uniform_for_unrelated_labels():
    p_values = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        clusters, truth = rng.integers(0, 5, 100), rng.integers(0, 4, 100)
        p_values.append(ami_null(clusters, truth, n_permutations=99).p_value)
    assert stats.kstest(p_values, "uniform").pvalue > 0.001


@pytest.mark.parametrize("sizes", [[8] * 30, [1] * 20 + [3] * 10 + list(range(4, 40, 3))])
def test_artists_alone_are_no_evidence_when_permuted_in_blocks(sizes):
    """Clusters that follow artists, genres that follow artists, and nothing else."""
    below = {"blocks": 0, "tracks": 0}
    artists = np.repeat(np.arange(len(sizes)), sizes)
    for seed in range(80):
        rng = np.random.default_rng(seed)
        clusters = rng.integers(0, 4, len(sizes))[artists]
        genres = rng.integers(0, 3, len(sizes))[artists]
        for name, groups in (("blocks", artists), ("tracks", None)):
            found = ami_null(clusters, genres, groups=groups, n_permutations=99)
            below[name] += found.p_value <= 0.05
    assert below["blocks"] <= 10
    assert below["tracks"] >= 50


@given(st.integers(2, 12), st.integers(1, 6), st.integers(0, 999))
def test_groups_of_one_size_swap_their_labels_whole(n_groups, size, seed):
    rng = np.random.default_rng(seed)
    codes, groups = rng.integers(0, 3, n_groups * size), np.repeat(np.arange(n_groups), size)
    for row in labellings(codes, groups, 3, rng):
        before = sorted(
            np.bincount(part, minlength=3).tolist() for part in np.split(codes, n_groups)
        )
        after = sorted(np.bincount(part, minlength=3).tolist() for part in np.split(row, n_groups))
        assert before == after


@given(st.integers(1, 60), st.integers(0, 999))
def test_permuting_tracks_keeps_every_label(n, seed):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 5, n)
    for row in labellings(codes, None, 3, rng):
        assert (np.sort(row) == np.sort(codes)).all()


def test_nothing_to_say_has_no_null():
    assert np.isnan(ami_null([0, 0, 0], ["a", "b", "c"]).p_value)
