"""Half samples have the right spread, by simulation and by the sign test."""

import numpy as np
import pytest
import sklearn.metrics as reference
from scipy import stats

from songscape.metrics import clusters as metrics
from songscape.statistics.intervals import paired_difference
from songscape.statistics.subsampling import _student, half_sample_difference, half_sample_interval


def test_half_samples_have_the_spread_of_new_collections():
    def sampled(seed):
        rng = np.random.default_rng(seed)
        truth = rng.integers(0, 3, 300)
        return np.where(rng.random(300) < 0.4, truth, rng.integers(0, 3, 300)), truth

    values = [reference.adjusted_mutual_info_score(t, c) for c, t in map(sampled, range(200))]
    intervals = [
        half_sample_interval(metrics.ami, *sampled(seed), n_resamples=60) for seed in range(15)
    ]
    width = np.mean([found.high - found.low for found in intervals])
    assert width == pytest.approx(2 * 1.96 * np.std(values), rel=0.2)


@pytest.mark.parametrize("name", ["ami", "ari", "purity"])
def test_half_samples_by_tables_are_those_by_tracks(name):
    rng = np.random.default_rng(2)
    labels, truth = rng.integers(-1, 5, (3, 90)), rng.choice(["a", "b", "c", None], 90)
    other, groups = rng.integers(0, 3, (2, 90)), rng.integers(0, 25, 90)

    def metric(labels, truth):
        return metrics.agreement(labels, truth)[name]

    options = {"groups": groups, "n_resamples": 12}
    slow = half_sample_interval(metric, labels, truth, **options)
    fast = half_sample_interval(name, labels, truth, **options)
    assert (fast.estimate, fast.low, fast.high) == pytest.approx(
        (slow.estimate, slow.low, slow.high)
    )
    slow = half_sample_difference(metric, labels, other, truth, **options)
    fast = half_sample_difference(name, labels, other, truth, **options)
    assert fast.p_value == pytest.approx(slow.p_value)
    nothing = half_sample_interval(name, np.full(90, -1), truth, **options)
    assert np.isnan([nothing.estimate, nothing.low]).all()


def test_half_samples_find_a_real_difference_and_not_a_false_one():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, 400)
    good = np.where(rng.random((3, 400)) < 0.6, truth, rng.integers(0, 4, (3, 400)))
    poor = np.where(rng.random((3, 400)) < 0.3, truth, rng.integers(0, 4, (3, 400)))
    names = [f"genre {t}" for t in truth]
    found = half_sample_difference(metrics.ami, good, poor, names)
    expected = np.mean([reference.adjusted_mutual_info_score(truth, c) for c in good])
    expected -= np.mean([reference.adjusted_mutual_info_score(truth, c) for c in poor])
    assert found.estimate == pytest.approx(expected)
    assert found.low > 0
    assert found.p_value < 0.001
    same = half_sample_difference(metrics.ami, good, good[::-1], names)
    assert same.p_value > 0.5


@pytest.mark.parametrize("n_groups", [4, 6, 40])
def test_a_difference_that_never_varies_has_the_p_value_of_the_sign_test(n_groups):
    """A perfect partition against a metric that gives the other 0.5 on any tracks."""
    truth = np.arange(4 * n_groups) % 2
    groups = np.repeat(np.arange(n_groups), 4)

    def metric(labels, _truth):
        return 1.0 if labels.max() == 1 else 0.5

    found = half_sample_difference(metric, truth, 0 * truth, truth, groups)
    assert (found.estimate, found.low, found.high) == (0.5, 0.5, 0.5)
    expected = stats.binomtest(n_groups, n_groups).pvalue
    assert found.p_value == pytest.approx(max(expected, 1e-4))
    flips = paired_difference(np.full(len(truth), 0.5), 0.0 * truth, groups)
    assert found.p_value == pytest.approx(flips.p_value, rel=0.2)
    same = half_sample_difference(metric, truth, truth, truth, groups)
    assert (same.estimate, same.low, same.high, same.p_value) == (0.0, 0.0, 0.0, 1.0)


def test_what_rounding_leaves_is_no_difference():
    rng = np.random.default_rng(0)
    values = rng.random((3, 60))
    noise = 1e-16 * rng.choice([0, 1, 2], 60)
    found = paired_difference(values + noise, values)
    assert found.p_value == 1
    assert _student(1e-17, 0.0, 10)[2] == 1
    assert 0 < _student(0.3, 1e-17, 10)[2] <= 0.01
