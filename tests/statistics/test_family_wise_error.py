"""With labels that mean nothing no method is called better, in 19 of 20 comparisons at least."""

from pathlib import Path
from types import ModuleType

import pytest
from by_path import load_module
from scipy import stats

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "family_wise_error.py"


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    return load_module(SCRIPT)


def test_simulated_comparisons_test_all_there_is_to_test(benchmark: ModuleType) -> None:
    tests = benchmark.simulated_tests(0, n_artists=20, n_candidates=2, n_seeds=2)
    made = tests[tests["model"].str.startswith("candidate")].set_index("axis")
    agreement = made.loc["agreement"]
    pairs = {("knn_balanced", "genre"), ("ami", "genre"), ("knn_balanced", "mood"), ("ami", "mood")}
    assert set(zip(agreement["metric"], agreement["column"])) == pairs
    assert set(made.loc["leakage", "metric"]) == {"ami", "knn"}
    assert agreement[["p_value", "adjusted_p"]].notna().all(axis=None)


def test_claims_are_counted_where_they_are_made(benchmark: ModuleType) -> None:
    tests = benchmark.simulated_tests(1, n_artists=20, n_candidates=2, n_seeds=2)
    assert not any(benchmark.claims(tests.assign(verdict="")).values())
    candidate = tests["model"] == "candidate 1"
    one = tests.assign(verdict="")
    one.loc[candidate & (tests["axis"] == "leakage"), "verdict"] = "better"
    assert [name for name, made in benchmark.claims(one).items() if made] == [
        "leaks less than balanced-pca"
    ]
    reference = tests.assign(verdict="")
    reference.loc[tests["model"] == "random", "verdict"] = "better"
    assert not any(benchmark.claims(reference).values())


@pytest.mark.slow
def test_no_method_is_called_better_more_often_than_in_one_comparison_of_twenty(
    benchmark: ModuleType,
) -> None:
    made = [benchmark.claims(benchmark.simulated_tests(seed)) for seed in range(200)]
    for name in made[0]:
        count = sum(run[name] for run in made)
        assert stats.binomtest(count, 200, 0.05, alternative="greater").pvalue > 0.025, name
