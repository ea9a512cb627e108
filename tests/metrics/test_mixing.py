"""Mixing against scib-metrics and the chi-squared test."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from by_path import load_module
from scipy.stats import chisquare

from songscape.metrics import mixing
from songscape.metrics.labels import encode_labels
from songscape.metrics.neighbours import nearest_neighbors
from songscape.statistics.permutations import mixing_nulls


def ilisi(near, nuisance):
    return mixing.mixing_scores(near, encode_labels(nuisance)[0][None])[0, 0]


def kbet(near, nuisance):
    return mixing.mixing_scores(near, encode_labels(nuisance)[0][None])[0, 1]


def lisi_samples(near, nuisance):
    codes, classes = encode_labels(nuisance)
    weights = mixing.neighbor_weights(near, codes >= 0)
    return mixing.lisi_samples(near.indices, weights, codes, len(classes))


def kbet_samples(near, nuisance):
    codes, classes = encode_labels(nuisance)
    return mixing.kbet_samples(near.indices, codes, len(classes))


scib = load_module(Path(__file__).with_name("scib_reference.py"))


@pytest.mark.parametrize("n_neighbors", [16, 31])
def test_mixing_is_scib_metrics(n_neighbors):
    reference = json.loads(scib.TARGET.read_text())[str(n_neighbors)]
    X, batches = scib.example()
    near = nearest_neighbors(X, n_neighbors - 1)  # scib-metrics counts the track itself
    np.testing.assert_allclose(lisi_samples(near, batches), reference["lisi"], atol=1e-6)
    assert ilisi(near, batches) == pytest.approx(reference["ilisi"], abs=1e-6)
    assert kbet(near, batches) == pytest.approx(reference["kbet"], abs=1e-6)
    p_values = kbet_samples(near, batches)
    np.testing.assert_allclose(p_values, reference["kbet_p_values"], atol=1e-6)


def test_kbet_is_a_chi_squared_test_of_each_neighbourhood():
    rng = np.random.default_rng(2)
    X, batch = rng.normal(size=(90, 2)), rng.choice(3, 90, p=[0.5, 0.3, 0.2])
    near = nearest_neighbors(X, 20)
    share = np.bincount(batch) / 90
    ours = kbet_samples(near, batch)
    for row in range(90):
        counts = np.bincount(batch[[row, *near.indices[row]]], minlength=3)
        assert ours[row] == pytest.approx(chisquare(counts, 21 * share).pvalue)


def test_mixed_and_separated_batches_are_told_apart():
    rng = np.random.default_rng(0)
    X, batch = rng.normal(size=(600, 5)), rng.integers(0, 2, 600)
    mixed = nearest_neighbors(X, 60)
    apart = nearest_neighbors(X + 20 * batch[:, None], 60)
    assert ilisi(mixed, batch) > 0.8
    assert kbet(mixed, batch) > 0.9
    assert ilisi(apart, batch) == pytest.approx(0, abs=1e-9)
    assert kbet(apart, batch) == 0


@pytest.mark.parametrize("scale", [1e-8, 1e8])
def test_mixing_survives_any_units(scale):
    rng = np.random.default_rng(0)
    X, batch = rng.normal(size=(200, 5)), rng.integers(0, 2, 200)
    expected = ilisi(nearest_neighbors(X, 60), batch)
    scaled = ilisi(nearest_neighbors(X * scale, 60), batch)
    assert scaled == pytest.approx(expected, abs=1e-3)


def test_one_class_or_missing_values_have_no_mixing():
    near = nearest_neighbors(np.random.default_rng(0).normal(size=(50, 2)), 20)
    assert math.isnan(ilisi(near, ["x"] * 50))
    assert math.isnan(kbet(near, ["x"] * 50))
    nuisance = ["x", "y", None, "x", ""] * 10
    missing = np.array([v in (None, "") for v in nuisance])
    assert (np.isnan(lisi_samples(near, nuisance)) == missing).all()
    assert (np.isnan(kbet_samples(near, nuisance)) == missing).all()


def test_kbet_tells_languages_apart_in_a_small_collection():
    """Seven languages of 17 tracks far apart: 90 of 119 tracks are nearly the whole collection."""
    rng = np.random.default_rng(0)
    language = np.repeat(np.arange(7), 17)
    X = 20 * np.eye(7)[language] + rng.normal(size=(119, 7))
    near = nearest_neighbors(X, 90)
    assert kbet(near, language) > 0.9
    k_kbet = mixing.kbet_neighbors(language, 90)
    apart = mixing_nulls(near, language, k_kbet=k_kbet, n_permutations=19)["kbet"]
    assert apart.observed == 0
    assert apart.null_mean > 0.85
    among = nearest_neighbors(rng.normal(size=(119, 7)), 90)
    noise = mixing_nulls(among, language, k_kbet=k_kbet, n_permutations=19)["kbet"]
    assert noise.observed > 0.85
    assert k_kbet == 17
    assert mixing.kbet_neighbors(np.arange(119) % 40, 90) == 10
    assert mixing.kbet_neighbors(np.zeros(5000, int), 90) == 90
    assert mixing.kbet_neighbors([], 7) == 7
