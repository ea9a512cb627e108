"""Intervals cover, p-values are right, corrections hold: scipy, closed forms, simulation."""

import numpy as np
import pytest
import sklearn.metrics as reference
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from songscape.evaluation import metrics
from songscape.evaluation import statistics as ev
from songscape.evaluation.permutations import (
    PermutationNull,
    group_permutations,
    permutation_null,
)


def test_the_bootstrap_of_independent_tracks_has_the_textbook_width():
    values = np.random.default_rng(0).normal(3, 2, 400)
    found = ev.bootstrap_mean(values, n_resamples=4000)
    assert found.estimate == pytest.approx(values.mean())
    low, high = stats.norm.interval(0.95, values.mean(), stats.sem(values))
    assert found.low == pytest.approx(low, abs=0.02)
    assert found.high == pytest.approx(high, abs=0.02)
    assert found.n_groups == 400


def test_tracks_of_one_artist_are_not_independent_evidence():
    rng = np.random.default_rng(0)
    artists = np.repeat(np.arange(40), 10)
    values = rng.normal(size=40)[artists]
    by_track, by_artist = ev.bootstrap_mean(values), ev.bootstrap_mean(values, artists)
    assert by_artist.high - by_artist.low > 2.5 * (by_track.high - by_track.low)
    assert by_artist.n_groups == 40


def test_intervals_over_artists_cover_the_truth():
    hits = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        artists = rng.integers(0, 50, 200)
        values = rng.normal(size=50)[artists] + rng.normal(size=200)
        found = ev.bootstrap_mean(values, artists, n_resamples=300, random_state=seed)
        hits += found.low <= 0 <= found.high
    assert 0.88 <= hits / 200 <= 0.99


def test_seeds_widen_the_interval():
    rng = np.random.default_rng(0)
    tracks = rng.normal(size=300)
    lucky = tracks + rng.normal(0, 1, (8, 1))
    one, many = ev.bootstrap_mean(tracks), ev.bootstrap_mean(lucky)
    assert many.high - many.low > 2 * (one.high - one.low)


def test_missing_values_are_left_out():
    found = ev.bootstrap_mean([1.0, np.nan, 3.0], ["a", None, "b"])
    assert (found.estimate, found.n_groups) == (2.0, 2)
    assert np.isnan(ev.bootstrap_mean([np.nan, np.nan]).estimate)


def test_paired_p_values_are_those_of_scipys_sign_flips():
    rng = np.random.default_rng(4)
    a, b = rng.normal(0.3, 1, 25), rng.normal(0, 1, 25)
    ours = ev.paired_difference(a, b)
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
    assert ev.paired_difference(a, b).p_value == pytest.approx(expected, abs=0.005)


def test_equal_methods_are_not_distinguishable():
    values = np.random.default_rng(0).normal(size=(3, 50))
    found = ev.paired_difference(values, values)
    assert (found.estimate, found.p_value) == (0.0, 1.0)
    verdict = ev.verdicts({"pca": found}, "balanced-pca")["pca"]
    assert str(verdict) == "not distinguishable from balanced-pca"


def test_neighbour_agreement_of_unrelated_labels_differs_no_more_often_than_said():
    """Neighbours of each other share their agreement, so groups are not independent."""
    from songscape.evaluation.neighbor_agreement import knn_agreement_samples
    from songscape.evaluation.neighbors import nearest_neighbors

    p_values = {1.0: [], 2.0: []}
    for seed in range(300):
        rng = np.random.default_rng(seed)
        labels = rng.integers(0, 3, 80)
        a, b = (
            knn_agreement_samples(nearest_neighbors(rng.normal(size=(80, 2)), 5), labels)
            for _ in range(2)
        )
        for inflation, found in p_values.items():
            found.append(ev.paired_difference(a, b, n_resamples=2, inflation=inflation).p_value)
    shares = {inflation: np.mean(np.array(found) <= 0.05) for inflation, found in p_values.items()}
    assert shares[1.0] > 0.08
    assert stats.binomtest(round(300 * shares[2.0]), 300, 0.05, "greater").pvalue > 0.01


def test_inflated_differences_have_wider_intervals():
    rng = np.random.default_rng(0)
    a, b = rng.normal(0.2, 1, 60), rng.normal(0, 1, 60)
    plain, wide = (ev.paired_difference(a, b, inflation=factor) for factor in (1.0, 4.0))
    assert wide.estimate == plain.estimate
    assert wide.high - wide.low == pytest.approx(2 * (plain.high - plain.low))
    assert wide.p_value > plain.p_value


def test_different_tracks_cannot_be_paired():
    with pytest.raises(ValueError, match="pair the same tracks"):
        ev.paired_difference([1.0, 2.0], [1.0])


def test_half_samples_have_the_spread_of_new_collections():
    def sampled(seed):
        rng = np.random.default_rng(seed)
        truth = rng.integers(0, 3, 300)
        return np.where(rng.random(300) < 0.4, truth, rng.integers(0, 3, 300)), truth

    values = [reference.adjusted_mutual_info_score(t, c) for c, t in map(sampled, range(200))]
    intervals = [
        ev.half_sample_interval(metrics.ami, *sampled(seed), n_resamples=60) for seed in range(15)
    ]
    width = np.mean([found.high - found.low for found in intervals])
    assert width == pytest.approx(2 * 1.96 * np.std(values), rel=0.2)


@pytest.mark.parametrize("name", ["ami", "ari", "purity"])
def test_half_samples_by_tables_are_those_by_tracks(name):
    rng = np.random.default_rng(2)
    labels, truth = rng.integers(-1, 5, (3, 90)), rng.choice(["a", "b", "c", None], 90)
    other, groups = rng.integers(0, 3, (2, 90)), rng.integers(0, 25, 90)
    metric = getattr(metrics, name)
    options = {"groups": groups, "n_resamples": 12}
    slow = ev.half_sample_interval(metric, labels, truth, **options)
    fast = ev.half_sample_interval(name, labels, truth, **options)
    assert (fast.estimate, fast.low, fast.high) == pytest.approx(
        (slow.estimate, slow.low, slow.high)
    )
    slow = ev.half_sample_difference(metric, labels, other, truth, **options)
    fast = ev.half_sample_difference(name, labels, other, truth, **options)
    assert fast.p_value == pytest.approx(slow.p_value)
    nothing = ev.half_sample_interval(name, np.full(90, -1), truth, **options)
    assert np.isnan([nothing.estimate, nothing.low]).all()


def test_half_samples_find_a_real_difference_and_not_a_false_one():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, 400)
    good = np.where(rng.random((3, 400)) < 0.6, truth, rng.integers(0, 4, (3, 400)))
    poor = np.where(rng.random((3, 400)) < 0.3, truth, rng.integers(0, 4, (3, 400)))
    names = [f"genre {t}" for t in truth]
    found = ev.half_sample_difference(metrics.ami, good, poor, names)
    expected = np.mean([reference.adjusted_mutual_info_score(truth, c) for c in good])
    expected -= np.mean([reference.adjusted_mutual_info_score(truth, c) for c in poor])
    assert found.estimate == pytest.approx(expected)
    assert found.low > 0
    assert found.p_value < 0.001
    same = ev.half_sample_difference(metrics.ami, good, good[::-1], names)
    assert same.p_value > 0.5


@pytest.mark.parametrize("n_groups", [4, 6, 40])
def test_a_difference_that_never_varies_has_the_p_value_of_the_sign_test(n_groups):
    """A perfect partition against a metric that gives the other 0.5 on any tracks."""
    truth = np.arange(4 * n_groups) % 2
    groups = np.repeat(np.arange(n_groups), 4)

    def metric(labels, _truth):
        return 1.0 if labels.max() == 1 else 0.5

    found = ev.half_sample_difference(metric, truth, 0 * truth, truth, groups)
    assert (found.estimate, found.low, found.high) == (0.5, 0.5, 0.5)
    expected = stats.binomtest(n_groups, n_groups).pvalue
    assert found.p_value == pytest.approx(max(expected, 1e-4))
    flips = ev.paired_difference(np.full(len(truth), 0.5), 0.0 * truth, groups)
    assert found.p_value == pytest.approx(flips.p_value, rel=0.2)
    same = ev.half_sample_difference(metric, truth, truth, truth, groups)
    assert (same.estimate, same.low, same.high, same.p_value) == (0.0, 0.0, 0.0, 1.0)


def test_what_rounding_leaves_is_no_difference():
    rng = np.random.default_rng(0)
    values = rng.random((3, 60))
    noise = 1e-16 * rng.choice([0, 1, 2], 60)
    found = ev.paired_difference(values + noise, values)
    assert found.p_value == 1
    assert ev._student(1e-17, 0.0, 10, confidence=0.95)[2] == 1
    assert 0 < ev._student(0.3, 1e-17, 10, confidence=0.95)[2] <= 0.01


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_by_its_definition(p_values):
    adjusted = ev.holm(p_values)
    for alpha in (0.01, 0.05, 0.3):
        rejected = set()
        for rank, index in enumerate(np.argsort(p_values, kind="stable")):
            if p_values[index] * (len(p_values) - rank) > alpha:
                break
            rejected.add(int(index))
        assert {i for i, p in enumerate(adjusted) if p <= alpha} == rejected


def test_untested_methods_do_not_count_as_tests():
    adjusted = ev.holm([0.03, np.nan])
    assert adjusted[0] == 0.03
    assert np.isnan(adjusted[1])


def test_verdicts_turn_round_where_less_is_better():
    less = ev.Difference(-0.2, -0.3, -0.1, 0.001, 50)
    assert ev.verdicts({"m": less}, "b")["m"].word == "worse than"
    assert ev.verdicts({"m": less}, "b", higher_is_better=False)["m"].word == "better than"
    unsure = ev.Difference(-0.2, -0.5, 0.1, 0.001, 50)
    assert ev.verdicts({"m": unsure}, "b")["m"].word == "not distinguishable from"


@settings(deadline=None, max_examples=30)
@given(
    st.sampled_from(["ami", "nmi", "ari", "purity", "homogeneity", "completeness", "v_measure"]),
    st.integers(0, 1000),
)
def test_the_vectorised_null_is_the_metric_on_permuted_labels(metric, seed):
    rng = np.random.default_rng(seed)
    clusters, truth = rng.integers(-1, 4, 60), rng.integers(0, 3, 60)
    found = permutation_null(clusters, truth, metric=metric, n_permutations=20, random_state=seed)
    kept = clusters >= 0
    permuted = group_permutations(truth[kept], None, 20, np.random.default_rng(seed))
    function = getattr(metrics, metric)
    null = [function(clusters[kept], row) for row in permuted]
    expected = PermutationNull.of(function(clusters, truth), null)
    assert found.observed == pytest.approx(expected.observed, abs=1e-9)
    assert found.null_mean == pytest.approx(expected.null_mean, abs=1e-9)
    assert found.null_95 == pytest.approx(expected.null_95, abs=1e-9)
    assert found.p_value == expected.p_value


def test_the_null_p_value_is_uniform_for_unrelated_labels():
    p_values = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        clusters, truth = rng.integers(0, 5, 100), rng.integers(0, 4, 100)
        p_values.append(permutation_null(clusters, truth, n_permutations=99).p_value)
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
            found = permutation_null(clusters, genres, groups=groups, n_permutations=99)
            below[name] += found.p_value <= 0.05
    assert below["blocks"] <= 10
    assert below["tracks"] >= 50


@given(st.integers(2, 12), st.integers(1, 6), st.integers(0, 999))
def test_groups_of_one_size_swap_their_labels_whole(n_groups, size, seed):
    rng = np.random.default_rng(seed)
    codes, groups = rng.integers(0, 3, n_groups * size), np.repeat(np.arange(n_groups), size)
    for row in group_permutations(codes, groups, 3, rng):
        before = sorted(
            np.bincount(part, minlength=3).tolist() for part in np.split(codes, n_groups)
        )
        after = sorted(np.bincount(part, minlength=3).tolist() for part in np.split(row, n_groups))
        assert before == after


@given(st.integers(1, 60), st.integers(0, 999))
def test_permuting_tracks_keeps_every_label(n, seed):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 5, n)
    for row in group_permutations(codes, None, 3, rng):
        assert (np.sort(row) == np.sort(codes)).all()


def test_nothing_to_say_has_no_null():
    assert np.isnan(permutation_null([0, 0, 0], ["a", "b", "c"]).p_value)
