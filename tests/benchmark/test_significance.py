"""Claims are withheld where the side that is ahead is at chance or degenerate."""

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from scipy import stats

from songscape.benchmark.benchmark import Evaluation, evaluate
from songscape.benchmark.evidence import Evidence
from songscape.benchmark.keys import PartitionKey
from songscape.benchmark.measure import partition_rows
from songscape.benchmark.metric_table import Figures
from songscape.benchmark.significance import above_chance, corrected, withhold
from songscape.benchmark.targets import Targets
from songscape.benchmark.verdicts import FlagKind, Outcome, PairedTest
from songscape.statistics.intervals import Interval, paired_difference

N = 120
GENRE = np.arange(N) % 3
DBSCAN, KMEANS = PartitionKey("dbscan"), PartitionKey("kmeans", 4)


def compared(evidence: list[Evidence], targets: Targets) -> Evaluation:
    return evaluate(evidence, targets, baseline="balanced-pca", headline=DBSCAN)


def outcome(found: Interval, axis: str = "agreement") -> tuple[float, Outcome]:
    """Adjusted p-value and verdict of one test alone."""
    test = PairedTest.of(
        {"model": "m", "axis": axis, "metric": "knn", "column": "c"}
        | {
            "difference": found.estimate,
            "low": found.low,
            "high": found.high,
            "n_groups": found.n_groups,
            "p_value": found.p_value,
            "baseline": "b",
        }
    )
    (said,) = corrected([test], {"m": "vae"})
    return said.adjusted_p, said.verdict


def test_equal_methods_are_not_distinguishable() -> None:
    values = np.random.default_rng(0).normal(size=(3, 50))
    found = paired_difference(values, values)
    assert (found.estimate, found.p_value) == (0.0, 1.0)
    assert outcome(found) == (1.0, Outcome.SAME)


def test_outcomes_turn_round_where_less_is_better() -> None:
    less = Interval(-0.2, -0.3, -0.1, 50, 0.001)
    assert outcome(less)[1] is Outcome.WORSE
    assert outcome(less, "leakage")[1] is Outcome.BETTER
    unsure = Interval(-0.2, -0.5, 0.1, 50, 0.001)
    assert outcome(unsure)[1] is Outcome.SAME, "the interval holds 0"


def withheld(differences: Any, figures: Figures, kinds: dict[str, str]) -> list[PairedTest]:
    tests = [PairedTest.of(row) for row in differences.to_dict(orient="records")]
    return withhold(tests, figures, KMEANS, kinds)


def by_dbscan(model: str, kind: str, clusters: Any, targets: Targets) -> Evidence:
    rng = np.random.default_rng(0)
    rows = partition_rows(clusters, rng.normal(size=(len(clusters), 2)), targets)
    rows = [row | {"seed": 0, "clusterer": "dbscan", "k": None} for row in rows]
    return Evidence(model, kind, rows, {}, {DBSCAN: clusters[None, :]})


@pytest.mark.parametrize(("kept", "word"), [(0.3, "same"), (1, "better")])
def test_clusters_for_the_easy_songs_alone_are_better_than_nothing(kept: float, word: str) -> None:
    rng = np.random.default_rng(1)
    targets = Targets({"genre": GENRE}, {}, None, np.arange(N))
    plain, unrelated = rng.integers(0, 3, N), rng.integers(0, 3, N)
    refusing = np.where(np.arange(N) < kept * N, GENRE, -1)
    evidence = [
        by_dbscan("balanced-pca", "baseline", plain, targets),
        by_dbscan("timbre-pca", "baseline", unrelated, targets),
        by_dbscan("refusing", "vae", refusing, targets),
        by_dbscan("refusing-pca", "baseline", refusing, targets),
    ]
    result = compared(evidence, targets)
    ami = result.summary[
        (result.summary["metric"] == "ami") & (result.summary["model"] == "refusing")
    ]
    assert ami["estimate"].iloc[0] == pytest.approx(1)
    tests = result.differences.set_index("model")
    beside = tests[tests["rival"] == "best"]["baseline"]
    tests = tests[tests["rival"] == "yardstick"]
    assert tests.loc["refusing", "difference"] > 0.9
    assert tests.loc["refusing", "verdict"] == word
    assert tests.loc["refusing", "withheld"] == (FlagKind.MOSTLY_NOISE if kept < 1 else None)
    # And it is not taken for the best baseline.
    assert (beside.get("timbre-pca") == "refusing-pca") == (kept == 1)


@pytest.mark.parametrize("n_tests", [1, 20])
@pytest.mark.parametrize("n_groups", [12, float("nan")])
def test_above_chance_is_a_one_sided_test_corrected_for_all_tests(n_tests, n_groups):
    law = stats.norm if np.isnan(n_groups) else stats.t(n_groups - 1)
    value, error = 0.5, 0.01
    row = {"estimate": value, "low": value - error * law.ppf(0.975)}
    edge = value - error * law.ppf(1 - 0.025 / n_tests)
    for chance in (edge - 1e-9, edge + 1e-9):
        said = above_chance(row | {"chance": chance}, "knn", n_tests=n_tests, n_groups=n_groups)
        assert said == (chance < edge)


def test_a_value_just_above_chance_among_many_tests_is_no_win(made: ModuleType) -> None:
    """Where the baseline is below chance, one of twenty values clears it by luck."""
    shown = {"low": 0.1597, "high": 0.214, "chance": 0.1594}
    rows = [made.row("tidy-vae", "agreement", "knn_balanced", "genre", 0.186, **shown)]
    tests = [made.outcome("tidy-vae", "better", "knn_balanced", "genre")]
    others = [
        made.outcome(f"{number}-vae", "same", "knn_balanced", "genre") for number in range(19)
    ]
    for given, word in ((tests, "better"), (tests + others, "same")):
        _, differences, _ = made.tables(rows, given)
        figures = Figures(made.tables(rows, [])[0])
        found = withheld(differences, figures, {})
        assert found[0].verdict == word
        assert (found[0].withheld is FlagKind.AT_CHANCE) == (len(given) > 1)
        assert withhold(found, figures, KMEANS, {}) == found


def test_a_method_at_chance_gives_nothing_away(made: ModuleType) -> None:
    """The baseline is below chance (a nuisance dealt evenly): noise has no more to give away."""
    shown = {"axis": "leakage", "metric": "knn", "column": "language"}
    values = {"balanced-pca": 0.84, "random": 0.889, "poet": 0.95}
    rows = [made.row(name, value=v, chance=0.889, **shown) for name, v in values.items()]
    tests = [made.outcome(name, "worse", **shown) for name in ("random", "poet")]
    table, differences, _ = made.tables(rows, tests)
    found = withheld(differences, Figures(table), {"random": "reference"})
    assert [test.verdict for test in found] == ["same", "worse"]


def test_clusters_that_follow_artists_are_no_better_on_labels_dealt_to_artists() -> None:
    """AMI of two things that are clumped by artist is above 0 by chance; the baseline's isn't."""
    claimed = {"ahead": 0, "better": 0}
    for run in range(30):
        rng = np.random.default_rng(run)
        artist = rng.permutation(np.repeat(np.arange(20), 6))
        by_artist, dealt = rng.integers(0, 6, 20)[artist], rng.integers(0, 4, 20)[artist]
        targets = Targets({"genre": dealt}, {}, None, artist)
        evidence = [
            by_dbscan("balanced-pca", "baseline", rng.integers(0, 6, N), targets),
            by_dbscan("timbre-pca", "baseline", by_artist, targets),
        ]
        test = compared(evidence, targets).differences.iloc[0]
        claimed["ahead"] += test["adjusted_p"] <= 0.05 and test["difference"] > 0
        claimed["better"] += test["verdict"] == "better"
    assert claimed["ahead"] > 10, "without the guard there would be nothing to withhold"
    assert claimed["better"] <= 3
