"""Intervals cover and p-values are right: scipy, closed forms, simulation."""

import numpy as np
import pytest
from scipy import stats

from songscape.statistics.intervals import bootstrap_mean, paired_difference


def test_the_bootstrap_of_independent_tracks_has_the_textbook_width():
    values = np.random.default_rng(0).normal(3, 2, 400)
    found = bootstrap_mean(values, n_resamples=4000)
    assert found.estimate == pytest.approx(values.mean())
    low, high = stats.norm.interval(0.95, values.mean(), stats.sem(values))
    assert found.low == pytest.approx(low, abs=0.02)
    assert found.high == pytest.approx(high, abs=0.02)
    assert found.n_groups == 400


def test_tracks_of_one_artist_are_not_independent_evidence():
    rng = np.random.default_rng(0)
    artists = np.repeat(np.arange(40), 10)
    values = rng.normal(size=40)[artists]
    by_track, by_artist = bootstrap_mean(values), bootstrap_mean(values, artists)
    assert by_artist.high - by_artist.low > 2.5 * (by_track.high - by_track.low)
    assert by_artist.n_groups == 40


def test_intervals_over_artists_cover_the_truth():
    hits = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        artists = rng.integers(0, 50, 200)
        values = rng.normal(size=50)[artists] + rng.normal(size=200)
        found = bootstrap_mean(values, artists, n_resamples=300, random_state=seed)
        hits += found.low <= 0 <= found.high
    assert 0.88 <= hits / 200 <= 0.99


def test_seeds_widen_the_interval():
    rng = np.random.default_rng(0)
    tracks = rng.normal(size=300)
    lucky = tracks + rng.normal(0, 1, (8, 1))
    one, many = bootstrap_mean(tracks), bootstrap_mean(lucky)
    assert many.high - many.low > 2 * (one.high - one.low)


def test_missing_values_are_left_out():
    found = bootstrap_mean([1.0, np.nan, 3.0], ["a", None, "b"])
    assert (found.estimate, found.n_groups) == (2.0, 2)
    assert np.isnan(bootstrap_mean([np.nan, np.nan]).estimate)


def test_paired_p_values_are_those_of_scipys_sign_flips():
    rng = np.random.default_rng(4)
    a, b = rng.normal(0.3, 1, 25), rng.normal(0, 1, 25)
    ours = paired_difference(a, b)
    theirs = stats.permutation_test(
        (a, b),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        permutation_type="samples",
        n_resamples=20_000,
        vectorized=True,
        rng=rng,
    )
    assert ours.estimate == pytest.approx(np.mean(a - b))
    assert ours.p_value == pytest.approx(theirs.pvalue, abs=0.02)


def test_many_groups_use_the_limit_of_the_same_test():
    rng = np.random.default_rng(4)
    a, b = rng.normal(0.04, 1, 3000), rng.normal(0, 1, 3000)
    expected = stats.ttest_rel(a, b).pvalue
    assert paired_difference(a, b).p_value == pytest.approx(expected, abs=0.005)


def test_neighbour_agreement_of_unrelated_labels_differs_no_more_often_than_said():
    """Neighbours of each other share their agreement, so groups are not independent."""
    from songscape.metrics.neighbours import knn_agreement_samples, nearest_neighbors

    p_values = {1.0: [], 2.0: []}
    for seed in range(300):
        rng = np.random.default_rng(seed)
        labels = rng.integers(0, 3, 80)
        a, b = (
            knn_agreement_samples(nearest_neighbors(rng.normal(size=(80, 2)), 5), labels)
            for _ in range(2)
        )
        for inflation, found in p_values.items():
            found.append(paired_difference(a, b, n_resamples=2, inflation=inflation).p_value)
    shares = {inflation: np.mean(np.array(found) <= 0.05) for inflation, found in p_values.items()}
    assert shares[1.0] > 0.08
    assert stats.binomtest(round(300 * shares[2.0]), 300, 0.05, "greater").pvalue > 0.01


def test_inflated_differences_have_wider_intervals():
    rng = np.random.default_rng(0)
    a, b = rng.normal(0.2, 1, 60), rng.normal(0, 1, 60)
    plain, wide = (paired_difference(a, b, inflation=factor) for factor in (1.0, 4.0))
    assert wide.estimate == plain.estimate
    assert wide.high - wide.low == pytest.approx(2 * (plain.high - plain.low))
    assert wide.p_value > plain.p_value


def test_different_tracks_cannot_be_paired():
    with pytest.raises(ValueError, match="pair the same tracks"):
        paired_difference([1.0, 2.0], [1.0])
