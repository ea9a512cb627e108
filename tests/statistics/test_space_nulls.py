"""Nulls against every permutation there is, closed forms, and what p-values must do."""

import math
from itertools import permutations

import numpy as np
import pytest
import sklearn.metrics as reference
from scipy import stats
from sklearn.neighbors import NearestNeighbors

from songscape.benchmark.measure import PARTITION_METRICS, partition_rows, space_rows
from songscape.benchmark.targets import Targets
from songscape.metrics import mixing
from songscape.metrics.neighbours import knn_chance, nearest_neighbors, without_groups
from songscape.metrics.retrieval import hit_samples
from songscape.statistics import permutations as nulls
from songscape.statistics.permutations import (
    PermutationNull,
    affordable,
    labellings,
    permutation_nulls,
)

SKLEARN = {
    "ami": reference.adjusted_mutual_info_score,
    "nmi": reference.normalized_mutual_info_score,
    "ari": reference.adjusted_rand_score,
    "homogeneity": reference.homogeneity_score,
    "completeness": reference.completeness_score,
    "purity": lambda truth, clusters: (
        reference.cluster.contingency_matrix(truth, clusters).max(axis=0).sum() / len(truth)
    ),
}
LABELS = np.array([0, 0, 0, 1, 1, 2, 2])
EVERY = [LABELS[list(order)] for order in permutations(range(7))]


def close(found: PermutationNull, every: list[float], observed: float) -> None:
    """A Monte Carlo null of 2,000 against the exact one."""
    values = np.asarray(every)
    error = values.std() / 2000**0.5
    assert found.observed == pytest.approx(observed)
    assert found.null_mean == pytest.approx(values.mean(), abs=5 * error + 1e-12)
    assert found.p_value == pytest.approx(np.mean(values >= observed - 1e-9), abs=0.05)
    # Few values are possible: the 95th percentile is one of those about there.
    low, high = np.quantile(values, [0.92, 0.98], method="closest_observation")
    assert low - 1e-9 <= found.null_95 <= high + 1e-9


@pytest.mark.parametrize("metric", PARTITION_METRICS)
def test_agreement_nulls_are_those_of_scikit_learn_over_every_permutation(metric):
    clusters = np.array([0, 0, 1, 1, 1, 0, 1])
    found = permutation_nulls(clusters, LABELS, metrics=(metric,), n_permutations=2000)[metric]
    score = SKLEARN[metric]
    seen = {tuple(row): score(row, clusters) for row in {tuple(r) for r in EVERY}}
    close(found, [seen[tuple(row)] for row in EVERY], score(LABELS, clusters))


def test_all_scores_are_taken_from_the_same_permutations():
    rng = np.random.default_rng(0)
    clusters, truth = rng.integers(-1, 4, 90), rng.choice(["a", "b", None], 90)
    together = permutation_nulls(clusters, truth, groups=rng.integers(0, 30, 90), n_permutations=50)
    assert together["nmi"].null_95 == pytest.approx(together["v_measure"].null_95)
    alone = permutation_nulls(clusters, truth, metrics=("purity",), n_permutations=50)
    assert alone["purity"] != together["purity"]
    assert all(null.n_permutations == 50 for null in together.values())


def space(n=7, d=2, seed=3):
    return np.random.default_rng(seed).normal(size=(n, d))


def test_neighbour_agreement_over_every_permutation():
    X = space()
    near = NearestNeighbors(n_neighbors=2).fit(X).kneighbors(return_distance=False)
    found = nulls.knn_nulls(nearest_neighbors(X, 2), LABELS, n_permutations=2000)

    def agreement(labels):
        same = (labels[near] == labels[:, None]).mean(axis=1)
        return same.mean(), np.mean([same[labels == c].mean() for c in range(3)])

    every = np.array([agreement(labels) for labels in EVERY])
    for column, metric in enumerate(("knn", "knn_balanced")):
        close(found[metric], every[:, column], agreement(LABELS)[column])
    assert found["knn"].null_mean == pytest.approx(knn_chance(LABELS)[0], abs=0.02)


def test_hits_over_every_permutation_and_by_the_hypergeometric_law():
    X = space()
    near = NearestNeighbors(n_neighbors=2).fit(X).kneighbors(return_distance=False)
    artists = np.array(["a", "a", "a", "b", "b", "c", "d"])
    found = nulls.hit_null(nearest_neighbors(X, 6), artists, k=2, n_permutations=2000)

    def hit(labels):
        asks = np.isin(labels, ["a", "b"])
        return (labels[near] == labels[:, None]).any(axis=1)[asks].mean()

    close(found, [hit(artists[list(o)]) for o in permutations(range(7))], hit(artists))
    # Of 5 that ask, 3 seek 2 fellows among 6 and 2 seek 1, with 2 draws.
    chance = 1 - np.average([stats.hypergeom.pmf(0, 6, m, 2) for m in (2, 1)], weights=[3, 2])
    assert found.null_mean == pytest.approx(chance, abs=0.03)


def test_the_null_of_hits_leaves_copies_out_as_the_metric_does():
    X, rng = space(90, 3), np.random.default_rng(2)
    artists, copies = rng.integers(0, 12, 90), rng.integers(0, 60, 90)
    near = without_groups(nearest_neighbors(X, 30), copies, 10, X)
    hits = hit_samples(near, artists, copies=copies)
    found = nulls.hit_null(near, artists, copies=copies, n_permutations=20)
    assert found.observed == pytest.approx(np.nanmean(hits))


@pytest.mark.parametrize("with_artists", [False, True])
def test_finding_the_copies_of_a_song_is_no_merit(with_artists):
    """Noise, in which every song lies four times: nothing there knows a genre or an artist."""
    rng = np.random.default_rng(1)
    song = np.repeat(np.arange(50), 4)
    X = rng.normal(size=(50, 6))[song] + 0.01 * rng.normal(size=(200, 6))
    artists = rng.permutation(np.repeat(np.arange(10), 5))[song] if with_artists else None
    groups = song if artists is None else artists
    genre = rng.integers(0, 3, groups.max() + 1)[groups]
    rows, _ = space_rows(X, Targets({"genre": genre}, {}, artists, groups, copies=song))
    found = {row["metric"]: row for row in rows}
    assert {*found} == {"knn", "knn_balanced", *(("hit", "map") if with_artists else ())}
    for metric, row in found.items():
        assert row["value"] < row.get("null_95", 1.0), metric
        assert row["value"] < row["chance"] + 0.1, metric


def test_mixing_nulls_are_the_metrics_on_permuted_nuisances():
    rng = np.random.default_rng(0)
    X, artists = rng.normal(size=(150, 4)), rng.integers(0, 40, 150)
    nuisance = np.where(rng.random(150) < 0.1, -1, rng.choice(3, 150, p=[0.6, 0.3, 0.1]))
    near = nearest_neighbors(X, 40)
    found = nulls.mixing_nulls(near, nuisance, artists, n_permutations=30, random_state=7)
    rows = labellings(nuisance, artists, 30, np.random.default_rng(7))[1:]
    assert ((rows < 0) == (nuisance < 0)).all()
    for column, name in enumerate(("ilisi", "kbet")):
        null = mixing.mixing_scores(near, rows)[:, column]
        observed = mixing.mixing_scores(near, nuisance[None])[0, column]
        assert found[name].observed == pytest.approx(observed)
        assert found[name].null_mean == pytest.approx(null.mean(), abs=1e-3)
        assert found[name].null_95 == pytest.approx(np.quantile(null, 0.05), abs=1e-2)
        reached = np.sum(null <= observed + 1e-12)
        assert found[name].p_value == pytest.approx((1 + reached) / 31)


def test_little_mixing_is_what_is_remarkable():
    rng = np.random.default_rng(0)
    X, batch = rng.normal(size=(200, 5)), rng.integers(0, 2, 200)
    apart = nulls.mixing_nulls(nearest_neighbors(X + 9 * batch[:, None], 40), batch)
    for null in apart.values():
        assert null.observed < null.null_95 < null.null_mean
        assert null.p_value == pytest.approx(1 / 200)


def null_of(metric, X, labels, seed):
    options = {"n_permutations": 39, "random_state": seed}
    near = nearest_neighbors(X, 30)
    if metric == "knn":
        return nulls.knn_nulls(near.first(5), labels, **options)["knn"]
    if metric == "hit":
        return nulls.hit_null(near, labels, k=2, **options)
    return nulls.mixing_nulls(near, labels, **options)[metric]


@pytest.mark.parametrize("metric", ["knn", "hit", "ilisi", "kbet"])
def test_p_values_of_unrelated_labels_are_uniform(metric):
    p_values = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        X, labels = rng.normal(size=(60, 3)), rng.integers(0, 4, 60)
        p_values.append(null_of(metric, X, labels, seed).p_value)
    # Ties (shares of few neighbourhoods) push p-values up, never down.
    assert np.mean(np.array(p_values) <= 0.05) <= 0.13
    assert stats.kstest(p_values, "uniform", alternative="greater").pvalue > 0.001


def test_nothing_to_permute_has_no_null():
    near = nearest_neighbors(space(), 3)
    assert math.isnan(nulls.hit_null(near, list("abcdefg")).p_value)
    assert math.isnan(nulls.knn_nulls(near, [None] * 7)["knn"].null_mean)
    assert math.isnan(nulls.mixing_nulls(near, ["x"] * 7)["kbet"].p_value)


def test_dear_permutations_are_fewer_and_never_too_few_for_five_per_cent():
    assert affordable(199, 72_000) == 199
    assert 19 < affordable(199, 9_000_000) < 199
    assert affordable(199, 10**9) == 19
    assert affordable(5, 10**9) == 5


def test_every_agreement_and_mixing_figure_stands_beside_chance():
    rng = np.random.default_rng(0)
    artists = np.repeat(np.arange(30), 4)
    X = rng.normal(size=(30, 5))[artists] + rng.normal(size=(120, 5))
    targets = Targets(
        {"genre": rng.integers(0, 3, 120)}, {"codec": rng.integers(0, 2, 120)}, artists, artists
    )
    rows, _ = space_rows(X, targets, measures=("ilisi", "kbet"))
    rows += partition_rows(rng.integers(-1, 4, 120), X, targets)
    measured = [row for row in rows if row["axis"] in ("agreement", "leakage")]
    assert {row["metric"] for row in measured} == {
        *PARTITION_METRICS,
        *("knn", "knn_balanced", "hit", "map", "ilisi", "kbet", "probe_linear", "probe_nonlinear"),
    }
    for row in measured:
        # What random rankings give has a closed form for average precision.
        for name in ("chance",) if row["metric"] == "map" else ("chance", "null_95", "p_value"):
            assert np.isfinite(row[name]), (row["metric"], name)
