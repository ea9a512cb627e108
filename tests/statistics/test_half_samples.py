"""Half samples have the right spread, by simulation and by the sign test."""

import numpy as np
import pytest
import sklearn.metrics as reference
from scipy import stats

from songscape.statistics import intervals
from songscape.statistics.intervals import half_sample_ami, paired_difference, student_interval


def test_half_samples_have_the_spread_of_new_collections():
    def sampled(seed):
        rng = np.random.default_rng(seed)
        truth = rng.integers(0, 3, 300)
        return np.where(rng.random(300) < 0.4, truth, rng.integers(0, 3, 300)), truth

    values = [reference.adjusted_mutual_info_score(t, c) for c, t in map(sampled, range(200))]
    intervals = [half_sample_ami(*sampled(seed), n_resamples=60) for seed in range(15)]
    width = np.mean([found.high - found.low for found in intervals])
    assert width == pytest.approx(2 * 1.96 * np.std(values), rel=0.2)


def test_half_samples_by_tables_are_scikit_learns_by_tracks(monkeypatch):
    rng = np.random.default_rng(2)
    labels, truth = rng.integers(-1, 5, (3, 90)), rng.choice(["a", "b", "c", None], 90)
    other, groups = rng.integers(0, 3, (2, 90)), rng.integers(0, 25, 90)
    options = {"groups": groups, "n_resamples": 12}

    def both():
        return (
            half_sample_ami(labels, truth, **options),
            half_sample_ami(labels, truth, baseline=other, **options),
        )

    def by_tracks(labels, codes, blocks, chosen):
        used = (labels >= 0) & (codes >= 0)

        def ami(rows):
            return reference.adjusted_mutual_info_score(codes[rows & used], labels[rows & used])

        return ami(used), np.array([ami(row[blocks]) for row in chosen])

    fast = both()
    monkeypatch.setattr(intervals, "_halved", by_tracks)
    for ours, slow in zip(fast, both()):
        assert tuple(vars(ours).values()) == pytest.approx(tuple(vars(slow).values()))


def test_noise_alone_has_no_interval():
    nothing = half_sample_ami(np.full(90, -1), np.arange(90) % 3)
    assert np.isnan([nothing.estimate, nothing.low]).all()


def test_half_samples_find_a_real_difference_and_not_a_false_one():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, 400)
    good = np.where(rng.random((3, 400)) < 0.6, truth, rng.integers(0, 4, (3, 400)))
    poor = np.where(rng.random((3, 400)) < 0.3, truth, rng.integers(0, 4, (3, 400)))
    names = [f"genre {t}" for t in truth]
    found = half_sample_ami(good, names, baseline=poor)
    expected = np.mean([reference.adjusted_mutual_info_score(truth, c) for c in good])
    expected -= np.mean([reference.adjusted_mutual_info_score(truth, c) for c in poor])
    assert found.estimate == pytest.approx(expected)
    assert found.low > 0
    assert found.p_value < 0.001
    same = half_sample_ami(good, names, baseline=good[::-1])
    assert same.p_value > 0.5


@pytest.mark.parametrize("n_groups", [4, 6, 40])
def test_a_difference_that_never_varies_has_the_p_value_of_the_sign_test(n_groups):
    """A difference of 0.5 in every half sample and every seed."""
    found = student_interval(0.5, 0.0, n_groups)
    assert (found.estimate, found.low, found.high) == (0.5, 0.5, 0.5)
    expected = stats.binomtest(n_groups, n_groups).pvalue
    assert found.p_value == pytest.approx(max(expected, 1e-4))
    groups = np.repeat(np.arange(n_groups), 4)
    flips = paired_difference(np.full(len(groups), 0.5), np.zeros(len(groups)), groups)
    assert found.p_value == pytest.approx(flips.p_value, rel=0.2)
    truth = np.arange(4 * n_groups) % 2
    same = half_sample_ami(truth, truth, groups, baseline=truth)
    assert (same.estimate, same.low, same.high, same.p_value) == (0.0, 0.0, 0.0, 1.0)


def test_what_rounding_leaves_is_no_difference():
    rng = np.random.default_rng(0)
    values = rng.random((3, 60))
    noise = 1e-16 * rng.choice([0, 1, 2], 60)
    found = paired_difference(values + noise, values)
    assert found.p_value == 1
    assert student_interval(1e-17, 0.0, 10).p_value == 1
    assert 0 < student_interval(0.3, 1e-17, 10).p_value <= 0.01
