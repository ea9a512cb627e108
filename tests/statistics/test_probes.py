"""Probes: what is there is found, what is not there is not."""

import math

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from songscape.metrics import probes
from songscape.metrics.labels import bin_nuisance
from songscape.statistics.permutations import probe


def test_a_linear_trace_of_language_is_found():
    rng = np.random.default_rng(0)
    language = rng.choice(["de", "en", "fr"], 300)
    X = rng.normal(size=(300, 8))
    X[:, 2] += 2 * (language == "de")
    found = probe(X, language)
    assert found.observed > found.null_95
    assert found.p_value == pytest.approx(1 / 200)
    assert found.null_mean == pytest.approx(1 / 3, abs=0.03)


def test_a_ring_is_seen_by_the_nonlinear_probe_only():
    rng = np.random.default_rng(0)
    inner = rng.random(400) < 0.5
    angle = rng.uniform(0, 2 * np.pi, 400)
    X = np.where(inner, 1.0, 3.0)[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    X = np.column_stack([X + 0.2 * rng.normal(size=X.shape), rng.normal(size=(400, 4))])
    assert probe(X, inner.astype(int)).p_value > 0.05
    found = probe(X, inner.astype(int), kind="nonlinear")
    assert found.observed > 0.8
    assert found.p_value < 0.01


@pytest.mark.parametrize("kind", ["linear", "nonlinear"])
def test_nothing_is_found_where_nothing_is(kind):
    p_values = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        X, nuisance = rng.normal(size=(120, 6)), rng.integers(0, 3, 120)
        p_values.append(probe(X, nuisance, kind=kind, n_permutations=39, random_state=seed).p_value)
    assert np.mean(np.array(p_values) <= 0.05) <= 0.17
    assert 0.3 < np.mean(p_values) < 0.7


def test_artists_do_not_pass_for_language():
    """Latents that know the artist only; languages drawn per artist, independent of the latents."""
    rng = np.random.default_rng(0)
    artists = np.repeat(np.arange(40), 10)
    X = 5 * rng.normal(size=(40, 6))[artists] + rng.normal(size=(400, 6))
    language = rng.integers(0, 2, 40)[artists]
    assert probe(X, language, artists).p_value > 0.05
    assert probe(X, language).observed > 0.6


def test_without_its_ridge_the_linear_probe_is_scikit_learns_discriminant_analysis(monkeypatch):
    monkeypatch.setattr(probes, "_ridge", lambda centred: 0.0)
    rng = np.random.default_rng(1)
    labels = rng.choice(3, 240, p=[0.6, 0.3, 0.1])
    X = rng.normal(size=(240, 5))
    X[:, 0] += labels
    train, test = probes._whitened(X[:180], X[180:])
    ours = probes._discriminants(train, test, labels[None, :180], 3)[0].argmax(axis=1)
    model = LinearDiscriminantAnalysis(solver="lsqr").fit(X[:180], labels[:180])
    equal_priors = model.decision_function(X[180:]) - np.log(model.priors_)
    assert (ours == equal_priors.argmax(axis=1)).all()


@pytest.mark.parametrize("n_features", [30, 200])
def test_whitening_gives_the_products_of_the_inverse_covariance(n_features):
    rng = np.random.default_rng(0)
    train, test = rng.normal(size=(60, n_features)) + 3, rng.normal(size=(20, n_features))
    ours, others = probes._whitened(train, test)
    mean = train.mean(axis=0)
    covariance = np.cov(train.T, bias=True) + probes._ridge(train - mean) * np.eye(n_features)
    inverse = np.linalg.solve(covariance, (train - mean).T)
    np.testing.assert_allclose(ours @ ours.T, (train - mean) @ inverse, atol=1e-8)
    np.testing.assert_allclose(others @ ours.T, (test - mean) @ inverse, atol=1e-8)


def test_folds_never_separate_a_group_and_spread_every_class():
    rng = np.random.default_rng(0)
    blocks = rng.integers(0, 40, 300)
    labels = rng.choice(3, 300, p=[0.7, 0.2, 0.1])
    folds = probes._folds(labels, blocks, 5, rng)
    for block in np.unique(blocks):
        assert len(np.unique(folds[blocks == block])) == 1
    for fold in range(5):
        assert set(labels[folds == fold]) == {0, 1, 2}


def test_classes_of_one_group_cannot_be_tested():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 2))
    language = np.repeat([0, 1, 2], [12, 12, 6])
    artists = np.append(np.arange(24) % 4, [4] * 6)
    assert list(probes.probe_tracks(X, language, artists, 3_000, rng)) == list(range(24))
    assert math.isnan(probe(X, artists, artists).observed)


def test_loudness_is_binned_by_quantiles_and_codec_is_not():
    loudness = np.random.default_rng(0).normal(-14, 3, 1000)
    loudness[0] = np.nan
    binned = bin_nuisance(loudness)
    assert binned[0] == -1
    assert np.bincount(binned[1:]).tolist() == pytest.approx([200] * 5, abs=1)
    assert bin_nuisance(["mp3", "", "ogg", "mp3"]).tolist() == [0, -1, 1, 0]
    assert bin_nuisance([44100, 48000, 44100]).tolist() == [0, 1, 0]


def test_mostly_equal_numbers_still_make_classes():
    lengths = np.concatenate([np.full(80, 30.0), np.linspace(3, 29, 20)])
    assert set(bin_nuisance(lengths)) >= {0, 1}


def test_probing_is_deterministic_and_limited():
    rng = np.random.default_rng(0)
    X, nuisance = rng.normal(size=(500, 4)), rng.integers(0, 2, 500)
    first, second = (probe(X, nuisance, random_state=7) for _ in range(2))
    assert first == second
    assert len(probes.probe_tracks(X, nuisance, np.arange(500), 200, rng)) == 200


def test_unknown_probes_are_refused():
    with pytest.raises(ValueError, match="no probe"):
        probe(np.eye(4), [0, 1, 0, 1], kind="quadratic")


@pytest.mark.parametrize("kind", ["linear", "nonlinear"])
def test_a_collapsed_space_leaks_nothing(kind):
    found = probe(np.full((60, 3), 0.3), np.arange(60) % 2, kind=kind, n_permutations=19)
    assert found.observed == pytest.approx(0.5)
    assert found.p_value == 1
