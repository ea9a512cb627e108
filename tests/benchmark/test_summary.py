"""The comparison says "better" where it is, and nothing where labels mean nothing."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from songscape.benchmark.benchmark import Evaluation, evaluate
from songscape.benchmark.evidence import Evidence
from songscape.benchmark.keys import SPACE, PartitionKey, SampleKey
from songscape.benchmark.measure import measure, space_rows
from songscape.benchmark.summary import summarise
from songscape.benchmark.targets import Targets
from songscape.metrics.neighbours import class_mean

N_TRACKS, N_GROUPS, N_SEEDS = 240, 48, 2
KEYS = (SPACE, PartitionKey("kmeans", 3))


def spaces(rng: np.random.Generator) -> tuple[dict[str, list[NDArray[Any]]], Targets]:
    genre = np.repeat(["a", "b", "c"], N_TRACKS // 3)
    language = np.tile(["x", "y"], N_TRACKS // 2)
    groups = np.repeat(np.arange(N_GROUPS), N_TRACKS // N_GROUPS)
    centres = {"a": (3, 0), "b": (0, 3), "c": (-3, -3)}
    place = np.array([centres[g] for g in genre], dtype=float)
    side = np.where(language == "x", 4.0, -4.0)[:, None]

    def space(*blocks: NDArray[Any]) -> list[NDArray[Any]]:
        noise = [rng.normal(size=(N_TRACKS, 4)) for _ in range(N_SEEDS)]
        return [np.hstack([*blocks, draw]) for draw in noise]

    found = {
        "balanced-pca": space(0.3 * place, side),
        "good": space(place),
        "language": space(side),
        "random": space(),
    }
    return found, Targets({"genre": genre}, {"language": language}, None, groups)


def evidence_of(
    found: dict[str, list[NDArray[Any]]], targets: Targets, more_kinds: dict[str, str] | None = None
) -> list[Evidence]:
    kinds = {"balanced-pca": "baseline", "random": "reference"} | (more_kinds or {})
    return [
        Evidence.of(
            model,
            kinds.get(model, "vae"),
            {seed: measure(X, targets, KEYS, seed=seed) for seed, X in enumerate(seeds)},
        )
        for model, seeds in found.items()
    ]


def compare(evidence: list[Evidence], targets: Targets) -> Evaluation:
    return evaluate(evidence, targets, baseline="balanced-pca", headline=PartitionKey("kmeans", 3))


@pytest.fixture(scope="module")
def compared() -> Any:
    found, targets = spaces(np.random.default_rng(0))
    return compare(evidence_of(found, targets), targets), found, targets


def verdict(result: Any, model: str, metric: str, column: str) -> str:
    rows = result.differences
    rows = rows[(rows["model"] == model) & (rows["metric"] == metric)]
    return str(rows[rows["column"] == column]["verdict"].iloc[0])


def test_what_is_better_is_called_better_and_what_is_worse_worse(compared: Any) -> None:
    result = compared[0]
    assert verdict(result, "good", "knn_balanced", "genre") == "better"
    assert verdict(result, "good", "ami", "genre") == "better"
    assert verdict(result, "language", "knn_balanced", "genre") == "worse"
    assert verdict(result, "random", "knn_balanced", "genre") == "worse"


def test_leaking_less_is_better(compared: Any) -> None:
    result = compared[0]
    assert verdict(result, "good", "knn", "language") == "better"
    assert verdict(result, "language", "knn", "language") != "better"


def test_the_estimate_lies_in_its_interval_and_is_the_mean_over_seeds(compared: Any) -> None:
    result, _, targets = compared
    table = result.summary
    ranged = table[table["interval"].str.startswith("95 %")]
    assert (ranged["low"] <= ranged["estimate"]).all()
    assert (ranged["estimate"] <= ranged["high"]).all()
    samples = space_rows(compared[1]["good"][0], targets)[1][SampleKey("knn", "genre")]
    other = space_rows(compared[1]["good"][1], targets)[1][SampleKey("knn", "genre")]
    row = table[(table["model"] == "good") & (table["metric"] == "knn_balanced")]
    expected = np.mean([class_mean(each, targets.labels["genre"]) for each in (samples, other)])
    assert row[row["column"] == "genre"]["estimate"].iloc[0] == pytest.approx(expected)


def test_own_space_silhouettes_are_on_an_axis_of_their_own(compared: Any) -> None:
    table = compared[0].summary
    own = table[table["column"] == "own space"]
    assert set(own["axis"]) == {"own space"}
    assert "own space" not in set(compared[0].differences["axis"])


def test_the_best_baseline_is_tested_against_too(compared: Any) -> None:
    """With a second baseline that knows the genre nearly as well, only the first is beaten."""
    _, found, targets = compared
    rng = np.random.default_rng(5)
    simple = [X[:, :2] + 1.2 * rng.normal(size=(N_TRACKS, 2)) for X in found["good"]]
    better = [np.hstack([1.5 * X[:, :2], X[:, 2:]]) for X in found["good"]]
    models = {"balanced-pca": found["balanced-pca"], "simple": simple} | {
        "good": found["good"],
        "better": better,
        "poor": [rng.normal(size=(N_TRACKS, 4)) for _ in range(N_SEEDS)],
        "random": found["random"],
    }
    targets = Targets(targets.labels, {}, None, targets.groups)
    evidence = evidence_of(models, targets, {"simple": "baseline"})
    tests = compare(evidence, targets).differences
    tests = tests.set_index(["model", "metric"]).sort_index()
    best = tests[tests["rival"] == "best"]
    tests = tests[tests["rival"] == "yardstick"]
    assert set(best["baseline"]) == {"simple"}
    assert set(best.index.get_level_values("model")) == {"good", "better", "poor"}
    assert set(best.loc["poor", "verdict"]) == {"worse"}
    assert tests.loc[("good", "knn_balanced"), "verdict"] == "better"
    by_name = {one.model: one for one in evidence}
    # Neighbours (classes are of one size): sign flips of the groups. Then Holm by hand.
    for model in ("good", "better", "poor"):
        gap = (
            by_name[model].samples[SampleKey("knn", "genre")]
            - by_name["simple"].samples[SampleKey("knn", "genre")]
        )
        sums = np.bincount(np.asarray(targets.groups), gap.mean(axis=0))
        signs = rng.choice([-1, 1], size=(5_000, len(sums)))
        # Neighbours share their agreement: twice the variance.
        expected = np.mean(np.abs(signs @ sums) * 2**0.5 >= abs(sums.sum()))
        row = best.loc[(model, "knn_balanced")]
        assert row["difference"] == pytest.approx(gap.mean())
        # Behind either of two baselines by luck of the pick: twice the p-value.
        expected = min(1, expected * (2 if gap.mean() < 0 else 1))
        assert row["p_value"] == pytest.approx(expected, abs=0.03)
    order = best["p_value"].sort_values()
    steps = np.minimum(1, np.maximum.accumulate(order.to_numpy() * np.arange(len(order), 0, -1)))
    assert best.loc[order.index, "adjusted_p"].to_numpy() == pytest.approx(steps)
    sure = best["adjusted_p"] <= 0.05
    assert (best[~sure]["verdict"] == "same").all()


def test_every_cluster_says_whether_other_seeds_find_it_too() -> None:
    first = np.array([0, 0, 0, 0, 1, 1, 2, 2, 2, -1])
    others = [[1, 1, 1, 1, 0, 0, 2, 2, -1, -1], [2, 2, 2, 0, 1, 1, 0, 0, 0, 0]]
    partitions = {
        PartitionKey("kmeans", 3): np.array([first, *others]),
        PartitionKey("dbscan"): -np.ones((3, 10)),
    }
    rows = [{"seed": 0, "axis": "health", "metric": "x", "column": "", "value": 0.0}]
    one = Evidence("m", "vae", rows, {}, {k: v.astype(int) for k, v in partitions.items()})
    table = summarise([one], Targets({}, {}, None, np.arange(10)))
    table = table[table["axis"] == "stability"].set_index(["clusterer", "metric", "column"])
    # By sets: 4/4 and 3/4; 2/2 and 2/2; 2/3 and 3/5.
    expected = {"0": (0.875, 0.75, 1.0), "1": (1.0, 1.0, 1.0), "2": (19 / 30, 0.6, 2 / 3)}
    for number, values in expected.items():
        row = table.loc[("kmeans", "cluster_jaccard_over_seeds", number)]
        assert tuple(row[["estimate", "low", "high"]]) == pytest.approx(values)
        assert row["n_seeds"] == 3
    weakest = table.loc[("kmeans", "jaccard_of_weakest_over_seeds", "")]
    assert tuple(weakest[["estimate", "low", "high"]]) == pytest.approx(expected["2"])
    assert set(table.index.get_level_values("clusterer")) == {"kmeans"}


def test_with_shuffled_labels_nothing_is_better(compared: Any) -> None:
    _, found, targets = compared
    rng = np.random.default_rng(1)
    shuffled = Targets(
        {"genre": rng.permutation(np.asarray(targets.labels["genre"]))},
        {},
        None,
        np.arange(N_TRACKS),
    )
    result = compare(evidence_of(found, shuffled), shuffled)
    assert "better" not in set(result.differences["verdict"])
