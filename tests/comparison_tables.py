"""Small tables of a comparison, built by hand, for tests of what is said about them."""

from __future__ import annotations

from typing import Any

import pandas as pd

from songscape.audit.finding import Check, Finding, Severity
from songscape.benchmark.keys import PartitionKey
from songscape.benchmark.metric_table import KOrigin, Setup
from songscape.benchmark.wording import finding_sentence

SETUP = Setup(
    baseline="balanced-pca",
    headline=PartitionKey("kmeans", 4),
    labels=("genre",),
    nuisances=("language", "duration_s"),
    n_tracks=1000,
    n_groups=200,
    n_seeds=10,
    k_origin=KOrigin.STABLE,
    k_reason="k = 4: more stable than data without clusters",
    has_artists=True,
)
KINDS = {"balanced-pca": "baseline", "tfidf": "baseline", "random": "reference"}


def row(
    model: str, axis: str, metric: str, column: str, value: float, **more: Any
) -> dict[str, Any]:
    partition = metric not in ("knn", "knn_balanced", "hit", "map")
    return {
        "model": model,
        "clusterer": "kmeans" if partition else "",
        "k": 4 if partition else None,
        "axis": axis,
        "metric": metric,
        "column": column,
        "estimate": value,
        "low": value - 0.02,
        "high": value + 0.02,
        "n_seeds": 10,
        "chance": None,
        "null_95": None,
        "p_value": None,
        "interval": "95 %, over groups and seeds",
    } | more


def model_rows(model: str, **given: float) -> list[dict[str, Any]]:
    """A healthy model that knows the genre and little of the language, unless said otherwise."""
    v = {
        "genre_knn": 0.6,
        "genre_ami": 0.3,
        "language_knn": 0.55,
        "language_ami": 0.01,
        "duration_ami": 0.0,
        "own_silhouette": 0.1,
        "n_clusters": 4,
        "noise": 0.0,
        "largest": 0.4,
    } | given
    health = {
        "n_clusters": "n_clusters",
        "noise_share": "noise",
        "largest_cluster_share": "largest",
    }
    return [
        row(model, "agreement", "knn_balanced", "genre", v["genre_knn"], chance=0.25),
        row(model, "agreement", "ami", "genre", v["genre_ami"], null_95=0.05, chance=0.0),
        row(model, "agreement", "hit", "artist", 0.5),
        row(model, "agreement", "map", "artist", 0.2),
        row(model, "leakage", "knn", "language", v["language_knn"], chance=0.5),
        row(model, "leakage", "ami", "language", v["language_ami"], null_95=0.05, chance=0.0),
        row(model, "leakage", "ami", "duration_s", v["duration_ami"], null_95=0.05, chance=0.0),
        row(model, "structure", "silhouette", "timbre", 0.05),
        row(model, "own space", "silhouette", "own space", v["own_silhouette"]),
        *(row(model, "health", name, "", v[key]) for name, key in health.items()),
        row(model, "stability", "ari_over_seeds", "", 0.777),
    ]


def outcome(
    model: str, word: str, metric: str = "hit", column: str = "artist", axis: str = "agreement"
) -> dict[str, Any]:
    gain = {"better": 0.05, "worse": -0.05, "same": 0.0}[word]
    gain = -gain if axis == "leakage" else gain
    return {
        "model": model,
        "axis": axis,
        "metric": metric,
        "column": column,
        "clusterer": "kmeans" if metric == "ami" else "",
        "difference": gain,
        "low": gain - 0.02,
        "high": gain + 0.02,
        "p_value": 0.001,
        "adjusted_p": 0.01,
        "verdict": word,
        "baseline": "balanced-pca",
        "rival": "yardstick",
        "withheld": "",
    }


def tables(
    rows: list[dict[str, Any]], tests: list[dict[str, Any]], **collapsed: bool
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Table, differences and models; `collapsed` by model, underscores for hyphens."""
    names = list(dict.fromkeys(one["model"] for one in rows))
    models = [
        {
            "model": name,
            "kind": KINDS.get(name, "vae"),
            "seed": seed,
            "status": "ok",
            "reason": None,
            "n_latent": 16,
            "active_units": 12.0,
            "collapsed": collapsed.get(name.replace("-", "_"), False),
            "validation_elbo": -10.0,
            "warnings": None,
            "seconds": 1.5,
            "peak_memory_mib": 100.0,
            "summary": "a model",
        }
        for name in names
        for seed in (0, 1)
    ]
    columns = list(outcome("x", "better"))
    return pd.DataFrame(rows), pd.DataFrame(tests, columns=columns), pd.DataFrame(models)


def confounded(column: str, nuisance: str) -> Finding:
    values = {"column": column, "is_function": True, "open_share_given": {nuisance: 0.0}}
    return Finding(Check.CONFOUNDED_LABEL, Severity.WARNING, values=values | {"examples": {}})


def warning_table(*findings: Finding) -> pd.DataFrame:
    rows = [finding.as_row(finding_sentence(finding)) for finding in findings]
    return pd.DataFrame(rows, columns=["check", "severity", "message", "tracks", "values"])
