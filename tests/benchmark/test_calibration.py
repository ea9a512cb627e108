"""Calibration: against scipy, isotonic fits made elsewhere, and cases whose answer is planted."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import isotonic_regression
from scipy.stats import spearmanr

from songscape.benchmark.calibration import calibrate, instability_over_runs, spearman

N = 200


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def planted(rng: np.random.Generator, noise: float = 0.02) -> tuple[np.ndarray, np.ndarray]:
    spread = rng.uniform(size=N)
    return spread, np.clip(0.1 + 0.7 * spread**3 + noise * rng.normal(size=N), 0, 1)


def test_correlation_is_the_mean_of_scipys_over_seeds_ties_included(
    rng: np.random.Generator,
) -> None:
    spread, instability = rng.integers(0, 9, (3, N)), rng.integers(0, 9, N)
    found = spearman(spread, instability, np.arange(N) // 2)
    wanted = np.mean([spearmanr(one, instability).statistic for one in spread])
    assert found.estimate == pytest.approx(wanted, abs=1e-12)
    assert found.low < found.estimate < found.high
    assert found.n_groups == N // 2
    perfect = spearman(instability + 1.0, instability)
    assert (perfect.estimate, perfect.low, perfect.high) == pytest.approx((1.0, 1.0, 1.0))


def test_songs_of_an_artist_are_no_independent_evidence(rng: np.random.Generator) -> None:
    """Ten copies of 20 songs are as wide an interval as the 20 songs, and wider than 200 songs."""
    spread, instability = rng.uniform(size=20), rng.uniform(size=20)
    alone = spearman(spread, instability)
    copies = spearman(np.tile(spread, 10), np.tile(instability, 10), np.tile(np.arange(20), 10))
    assert (copies.low, copies.high) == pytest.approx((alone.low, alone.high))
    apart = spearman(np.tile(spread, 10), np.tile(instability, 10))
    assert apart.high - apart.low < 0.5 * (copies.high - copies.low)


def test_expected_is_the_isotonic_fit_to_the_other_groups(rng: np.random.Generator) -> None:
    """With five groups every fold is one of them."""
    spread, instability = rng.uniform(size=(2, N)), rng.uniform(size=N)
    groups = rng.integers(0, 5, N)
    wanted = np.zeros(N)
    for one, group in itertools.product(spread, range(5)):
        order = np.argsort(one)
        others = order[groups[order] != group]
        curve = isotonic_regression(instability[others]).x
        mine = groups == group
        # np.interp clips beyond the ends.
        wanted[mine] += np.interp(one[mine], one[others], curve) / 2
    found = calibrate(spread, instability, groups)
    np.testing.assert_allclose(found.expected, wanted, atol=1e-12)
    residual, deviation = instability - wanted, instability - instability.mean()
    assert found.r2 == pytest.approx(1 - (residual @ residual) / (deviation @ deviation))
    edges = [-np.inf, *np.quantile(wanted, [0.2, 0.4, 0.6, 0.8]), np.inf]
    fifths = pd.Series(residual).groupby(pd.cut(wanted, edges), observed=True).agg(["mean", "size"])
    wanted_error = (fifths["mean"].abs() * fifths["size"]).sum() / N
    assert found.error == pytest.approx(wanted_error)


def test_a_spread_that_decides_the_instability_is_found_out(rng: np.random.Generator) -> None:
    spread, instability = planted(rng)
    found = calibrate(spread, instability, np.arange(N) // 2)
    assert found.spearman.low > 0.9
    assert found.error < 0.02
    assert found.r2 > 0.95
    assert np.abs(found.expected - instability).max() < 0.15
    assert found.n_tracks == N


def test_a_spread_that_says_nothing_expects_about_the_same_of_all(
    rng: np.random.Generator,
) -> None:
    spread, instability = planted(rng)
    found = calibrate(rng.permutation(spread), instability, np.arange(N) // 2)
    assert found.spearman.low < 0 < found.spearman.high
    assert found.expected.std() < 0.25 * instability.std()
    assert found.expected.mean() == pytest.approx(instability.mean(), abs=0.02)
    assert found.r2 < 0.05


def test_a_spread_that_points_the_wrong_way_expects_the_mean(rng: np.random.Generator) -> None:
    spread, instability = planted(rng)
    found = calibrate(-spread, instability)
    assert found.spearman.high < -0.9
    assert found.r2 < 0.02
    assert found.expected.std() < 0.1 * instability.std()


def test_no_song_is_calibrated_on_itself_or_its_copies(rng: np.random.Generator) -> None:
    spread, instability = planted(rng)
    groups = np.array([f"artist {i % 39}" for i in range(N)], dtype=object)
    mine = groups == "artist 7"
    moved = np.where(mine, 1.0 - instability, instability)
    before, after = (calibrate(spread, y, groups).expected for y in (instability, moved))
    np.testing.assert_array_equal(before[mine], after[mine])
    assert (before[~mine] != after[~mine]).any()
    alone = [calibrate(spread, y).expected for y in (instability, moved)]
    assert (alone[0][mine] != alone[1][mine]).any(), "without groups its copies calibrate it"


def test_the_order_of_the_songs_changes_nothing(rng: np.random.Generator) -> None:
    spread, instability = planted(rng, noise=0.2)
    spread = spread.round(1)
    groups = np.array([f"artist {i % 39}" for i in range(N)], dtype=object)
    order = rng.permutation(N)
    one = calibrate(spread, instability, groups)
    other = calibrate(spread[order], instability[order], groups[order])
    np.testing.assert_allclose(other.expected, one.expected[order], atol=1e-12)
    ours, theirs = (
        (c.spearman.estimate, c.spearman.low, c.spearman.high, c.error, c.r2) for c in (one, other)
    )
    assert theirs == pytest.approx(ours, abs=1e-12)


def test_songs_in_no_repeat_and_without_a_place_are_left_out(rng: np.random.Generator) -> None:
    spread, instability = planted(rng)
    unknown, unplaced = np.arange(N) < 5, np.arange(N) >= N - 5
    whole = calibrate(spread[5:-5], instability[5:-5], np.arange(5, N - 5))
    found = calibrate(
        np.where(unplaced, np.nan, spread), np.where(unknown, np.nan, instability), np.arange(N)
    )
    assert found.n_tracks == whole.n_tracks == N - 10
    assert found.spearman == whole.spearman
    assert np.isfinite([found.error, found.r2]).all()
    assert np.isfinite(found.expected[unknown]).all(), "its spread is known, so something can be"
    assert np.isnan(found.expected[unplaced]).all()


@pytest.mark.parametrize(
    ("spread", "instability"),
    [
        ([], []),
        ([0.5], [0.1]),
        ([0.1, 0.2, 0.3, 0.4], [0.4, 0.3, 0.2, 0.1]),
        ([np.nan] * 9, [0.1] * 9),
        (list(range(9)), [np.nan] * 9),
        (list(range(9)), [0.1] * 4 + [np.nan] * 5),
    ],
)
def test_too_few_groups_are_nan_and_no_error(spread: list[float], instability: list[float]) -> None:
    found = calibrate(spread, instability)
    assert np.isnan([found.spearman.estimate, found.spearman.low, found.error, found.r2]).all()
    assert np.isnan(found.expected).all()
    assert len(found.expected) == len(spread)


def test_what_is_constant_correlates_with_nothing(rng: np.random.Generator) -> None:
    values = rng.uniform(size=N)
    flat = calibrate(np.full(N, 0.3), values)
    assert np.isnan([flat.spearman.estimate, flat.spearman.low, flat.spearman.high]).all()
    assert flat.expected.mean() == pytest.approx(values.mean(), abs=1e-9)
    assert flat.r2 <= 0
    sure = calibrate(values, np.zeros(N))
    assert np.isnan([sure.spearman.estimate, sure.r2]).all()
    assert (sure.error, sure.expected.max()) == (0.0, 0.0)


def test_arrays_of_other_tracks_are_refused() -> None:
    for spread in (np.zeros(9), np.zeros((0, 8)), np.zeros((1, 1, 8))):
        with pytest.raises(ValueError, match="the same tracks"):
            calibrate(spread, np.zeros(8))


def test_instability_over_runs_is_the_share_of_companions_that_differ(
    rng: np.random.Generator,
) -> None:
    runs = rng.integers(0, 3, (4, 20))

    def company(labels: np.ndarray, track: int) -> set[int]:
        return set(np.flatnonzero(labels == labels[track]).tolist()) - {track}

    wanted = [
        np.mean(
            [
                1 - len(company(a, i) & company(b, i)) / max(1, len(company(a, i) | company(b, i)))
                for a, b in itertools.combinations(runs, 2)
            ]
        )
        for i in range(20)
    ]
    assert instability_over_runs(runs) == pytest.approx(np.array(wanted))
    assert instability_over_runs([runs[0], (runs[0] + 1) % 3]) == pytest.approx(np.zeros(20))
    assert np.isnan(instability_over_runs(runs[:1])).all()
