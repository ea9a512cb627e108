"""What no space could fail or pass is not measured, and says why; the rest is as nulls or not."""

import json
from typing import Any

import numpy as np
import pytest

from songscape.benchmark.benchmark import evaluate
from songscape.benchmark.evidence import Evidence
from songscape.benchmark.keys import SPACE, PartitionKey, SampleKey
from songscape.benchmark.measure import Measurements, measure
from songscape.benchmark.targets import Targets

N = 60
KMEANS = PartitionKey("kmeans", 3)
RNG = np.random.default_rng(0)
SPACE_OF_SONGS = RNG.normal(size=(N, 4))
GENRE = np.array(["waltz", "blues", "raga"], dtype=object)[np.arange(N) % 3]
ARTIST = np.array([f"singer {i // 4}" for i in range(N)], dtype=object)


def targets(**changed: Any) -> Targets:
    usual: dict[str, Any] = {"labels": {"genre": GENRE}, "nuisances": {}, "artists": None}
    return Targets(**usual | {"groups": np.arange(N)} | changed)


def rows(found: Measurements, metric: str, column: str = "") -> list[dict[str, Any]]:
    return [r for r in found.rows if r["metric"] == metric and column in ("", r["column"])]


def named(**options: Any) -> tuple[Measurements, Measurements]:
    """What is measured with nulls, and without."""
    X = options.pop("X", SPACE_OF_SONGS)
    given = targets(**options)
    return tuple(measure(X, given, (SPACE, KMEANS), nulls=nulls) for nulls in (True, False))  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("changed", "metric", "column", "reason"),
    [
        ({"artists": np.full(N, "one")}, "hit", "artist", "all tracks are by one artist"),
        ({"artists": np.full(N, "one")}, "map", "artist", "all tracks are by one artist"),
        ({"artists": np.arange(N).astype(str)}, "hit", "artist", "no artist has two tracks"),
        ({"artists": ARTIST, "copies": np.arange(N) // 4}, "hit", "artist", "no copies of each"),
        ({"labels": {"genre": np.full(N, "waltz")}}, "knn", "genre", "the same value"),
        ({"labels": {"genre": np.full(N, "waltz")}}, "ami", "genre", "the same value"),
        ({"labels": {"genre": np.arange(N).astype(str)}}, "knn_balanced", "genre", "no two tracks"),
        ({"labels": {"genre": np.arange(N).astype(str)}}, "ami", "genre", "share a value"),
        ({"labels": {"genre": np.full(N, None)}}, "ami", "genre", "no clustered track has a label"),
        ({"groups": np.zeros(N, int)}, "knn", "genre", "no value occurs in two groups"),
        ({"labels": {"album": ARTIST}, "groups": np.arange(N) // 4}, "knn", "album", "two groups"),
        ({"references": {"timbre": np.zeros((N, 5))}}, "silhouette", "timbre", "same for every"),
    ],
)
def test_what_says_nothing_whatever_the_space_is_not_measured(
    changed: dict[str, Any], metric: str, column: str, reason: str
) -> None:
    for found in named(**changed):
        measured = rows(found, metric, column)
        assert measured
        for row in measured:
            assert np.isnan(row["value"])
            assert reason in row["reason"]
            assert not {"chance", "null_95", "p_value"} & row.keys()
        sample = SampleKey({"map": "ap", "knn_balanced": "knn"}.get(metric, metric), column)
        assert sample not in found.samples, "or its interval would be a figure"


@pytest.mark.parametrize("n", [4, 8, 11])
def test_neighbours_that_are_all_the_others_say_nothing(n: int) -> None:
    few = Targets({"genre": GENRE[:n]}, {}, np.arange(n) // 2, np.arange(n))
    found = measure(SPACE_OF_SONGS[:n], few, (SPACE, PartitionKey("kmeans", 2)))
    for metric in ("knn", "hit"):
        (row,) = rows(found, metric)
        assert np.isnan(row["value"])
        assert f"more than {n - 1} others" in row["reason"]
    assert np.isfinite(rows(found, "map")[0]["value"]), "the ranking still says something"


@pytest.mark.parametrize("value", [0.0, 1e6, 0.1])
def test_a_space_that_is_the_same_for_every_track_is_left_out_by_name(value: float) -> None:
    for found in named(X=np.full((N, 3), value)):
        (row,) = found.rows
        assert (row["axis"], row["metric"]) == ("failed", "space")
        assert "same for every track" in row["reason"]
        assert not found.partitions
        assert not found.samples


def test_one_cluster_and_all_noise_have_no_structure() -> None:
    for eps in (1e6, 1e-9):
        keys = (SPACE, PartitionKey("dbscan"))
        found = measure(SPACE_OF_SONGS, targets(), keys, {"dbscan": {"eps": eps}})
        for metric in ("silhouette", "davies_bouldin", "ami", "nmi"):
            for row in rows(found, metric):
                assert np.isnan(row["value"])
                assert row["reason"] in (
                    "fewer than two clusters",
                    "no clustered track has a label",
                )


def test_values_without_nulls_are_those_with_nulls() -> None:
    nuisances = {"language": np.array(["x", "y"], dtype=object)[RNG.integers(0, 2, N)]}
    full, plain = named(nuisances=nuisances, artists=ARTIST, groups=np.arange(N) // 4)
    values = [
        {
            (r["axis"], r["metric"], r["column"], r.get("clusterer")): r["value"]
            for r in found.rows
            if r["axis"] != "stability" and not r["metric"].startswith("probe")
        }
        for found in (full, plain)
    ]
    assert values[0] == pytest.approx(values[1], nan_ok=True)
    assert any("p_value" in row for row in full.rows)
    assert not any({"p_value", "null_95"} & row.keys() for row in plain.rows)
    assert not [r for r in plain.rows if r["axis"] == "stability" or "probe" in r["metric"]]
    assert {key.metric for key in plain.samples} == {"knn", "hit", "ap", "border"}
    assert all("chance" in row for row in rows(plain, "knn", "genre"))


def test_nothing_that_failed_stops_the_rest_and_an_unmeasured_k_is_missing() -> None:
    """DBSCAN can cluster 60 songs, but not four fifths of them, and k-means as many clusters."""
    options = {"dbscan": {"min_samples": 55}}
    keys = (SPACE, KMEANS, PartitionKey("kmeans", N + 1), PartitionKey("dbscan"))
    found = measure(SPACE_OF_SONGS, targets(), keys, options)
    failed = [row for row in found.rows if row["axis"] == "failed"]
    assert [(row["metric"], row["clusterer"], row["k"]) for row in failed] == [
        ("partition", "kmeans", N + 1),
        ("stability", "dbscan", None),
    ]
    assert set(found.partitions) == {PartitionKey("kmeans", 3), PartitionKey("dbscan")}
    evidence = Evidence.of("pca", "baseline", {0: found})
    result = evaluate([evidence], targets(), baseline="pca", headline=PartitionKey("dbscan"))
    assert set(result.table["reason"]) > {""}
    assert PartitionKey("dbscan") in {
        PartitionKey.of(c, k) for c, k in zip(result.summary["clusterer"], result.summary["k"])
    }


@pytest.mark.parametrize(
    "key",
    [
        SampleKey("knn", "genre"),
        SampleKey("knn", "a:b@c|3"),
        SampleKey("border", partition=PartitionKey("kmeans", 6)),
        SampleKey("unsure", partition=PartitionKey("dbscan")),
        SampleKey("spread"),
        PartitionKey("kmeans", 6),
        PartitionKey("hdbscan"),
    ],
)
def test_keys_come_back_from_files(key: SampleKey | PartitionKey) -> None:
    assert type(key).parse(json.loads(json.dumps(str(key)))) == key


def test_a_missing_k_is_one_thing_however_a_table_has_it() -> None:
    import pandas as pd

    for missing in (None, float("nan"), pd.NA, np.nan, ""):
        assert PartitionKey.of("dbscan", missing) == PartitionKey("dbscan")
        assert PartitionKey.of(missing, missing) == SPACE
    assert PartitionKey.of("kmeans", np.float64(6.0)) == PartitionKey("kmeans", 6)
