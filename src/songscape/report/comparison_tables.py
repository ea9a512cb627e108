"""The tables of a comparison's report: agreement, leakage and structure, a table per axis."""

from __future__ import annotations

from collections.abc import Sequence

from songscape.benchmark.wording import METRIC_NAMES
from songscape.report.comparison_cells import Content
from songscape.report.comparison_read import ComparisonResults
from songscape.report.comparison_rows import (
    beside_best,
    best_column,
    by_model,
    by_partition,
    headline_note,
    own_space,
    tested,
    tested_column,
    value_column,
)
from songscape.report.run_tables import Column, Table

__all__ = [
    "artist_table",
    "label_table",
    "nuisance_table",
    "partition_table",
    "reference_spaces",
    "structure_table",
]

OWN_SPACE = "own space: not comparable between models"


def label_table(results: ComparisonResults, label: str) -> Table:
    """Return each model's neighbourhoods and headline clusters beside one label column."""
    knn = "knn_balanced"
    columns = [
        value_column(results, "kNN", knn, label, "nearest songs that share it"),
        *_test_columns(results),
        value_column(results, "AMI", "ami", label, headline_note(results)),
        *_test_columns(results),
    ]
    rows = {
        model: [
            results.figures.row(model, knn, label, "agreement"),
            *_tests(results, model, ("knn_balanced", "knn"), label, "agreement"),
            results.figures.row(model, "ami", label, "agreement", results.setup.headline),
            *_tests(results, model, ("ami",), label, "agreement"),
        ]
        for model in results.kinds
    }
    return by_model(results, columns, rows)


def artist_table(results: ComparisonResults) -> Table:
    """Return how well each model's nearest songs lead back to the same artist."""
    columns = [
        value_column(results, "hit@10", "hit", "artist", "a song of the artist among 10 nearest"),
        *_test_columns(results),
        value_column(results, "mAP", "map", "artist", "mean average precision"),
    ]
    rows = {
        model: [
            results.figures.row(model, "hit", "artist", "agreement"),
            *_tests(results, model, ("hit",), "artist", "agreement"),
            results.figures.row(model, "map", "artist", "agreement"),
        ]
        for model in results.kinds
    }
    return by_model(results, columns, rows)


def _test_columns(results: ComparisonResults) -> list[Column]:
    return [tested_column(results), best_column()]


def _tests(
    results: ComparisonResults, model: str, metrics: Sequence[str], column: str, axis: str
) -> list[Content]:
    return [of(results, model, metrics, column, axis) for of in (tested, beside_best)]


def nuisance_table(results: ComparisonResults, nuisance: str) -> Table:
    """Return how much of one nuisance each model's space and headline clusters give away."""
    # Measured only where they are asked for.
    mixing = [name for name in ("ilisi", "kbet") if (results.table["metric"] == name).any()]
    metrics = ("probe_linear", "probe_nonlinear", *mixing)
    columns = [
        value_column(results, "kNN", "knn", nuisance, "nearest songs that share it"),
        tested_column(results),
        value_column(results, "AMI", "ami", nuisance, headline_note(results)),
        tested_column(results),
        value_column(results, "Linear probe", "probe_linear", nuisance, "balanced accuracy"),
        value_column(results, "Non-linear probe", "probe_nonlinear", nuisance, "the same"),
        *(value_column(results, METRIC_NAMES[m], m, nuisance, "1 = mixed") for m in mixing),
    ]
    rows = {}
    for model in results.kinds:
        value = results.figures.row
        rows[model] = [
            value(model, "knn", nuisance, "leakage"),
            tested(results, model, ("knn",), nuisance, "leakage"),
            value(model, "ami", nuisance, "leakage", results.setup.headline),
            tested(results, model, ("ami",), nuisance, "leakage"),
            *(value(model, metric, nuisance, "leakage") for metric in metrics),
        ]
    return by_model(results, columns, rows, ascending=True)


def partition_table(results: ComparisonResults, label: str) -> Table:
    """Return every partition's agreement with one label column."""
    metrics = ("ami", "nmi", "ari", "purity", "homogeneity", "completeness")
    names = ("AMI", "NMI", "ARI", "Purity", "Homogeneity", "Completeness")
    columns = [value_column(results, n, m, label) for n, m in zip(names, metrics)]
    return by_partition(
        results,
        columns,
        lambda model, where: [
            results.figures.row(model, metric, label, "agreement", where) for metric in metrics
        ],
        beware=True,
    )


def reference_spaces(results: ComparisonResults) -> list[str]:
    """Return the shared spaces that structure was measured in."""
    rows = results.table[results.table["axis"] == "structure"]
    return [str(name) for name in dict.fromkeys(rows["column"])]


def structure_table(results: ComparisonResults, space: str) -> Table:
    """Return every partition's structure in one shared space, and its silhouette in its own."""
    metrics = ("silhouette", "davies_bouldin", "calinski_harabasz")
    columns = [
        value_column(results, "Silhouette", metrics[0], space, "higher is tidier"),
        value_column(results, "Davies–Bouldin", metrics[1], space, "lower is tidier"),
        value_column(results, "Calinski–Harabasz", metrics[2], space, "higher is tidier"),
        Column("Silhouette", True, sortable=False, note=OWN_SPACE, own=True),
    ]
    return by_partition(
        results,
        columns,
        lambda model, where: [
            *(results.figures.row(model, m, space, "structure", where) for m in metrics),
            own_space(results.figures.row(model, "silhouette", "own space", "own space", where)),
        ],
    )
