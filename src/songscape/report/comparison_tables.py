"""The tables of a comparison's report: a table per axis, every value with its interval drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from songscape.evaluation.measured import Where
from songscape.evaluation.verdict_sentences import partition_flags
from songscape.report.comparison_cells import (
    Compared,
    Content,
    Figures,
    Row,
    draw_columns,
    over_seeds,
    part,
    seeds_range,
    sort_value,
)
from songscape.report.comparison_read import ComparisonResults
from songscape.report.style import number, share, shorten
from songscape.report.tables import Cell, Column, Table

if TYPE_CHECKING:
    pass

__all__ = [
    "artist_table",
    "cost_table",
    "label_table",
    "models_table",
    "nuisance_table",
    "partition_table",
    "reference_spaces",
    "shapes_table",
    "stability_table",
    "structure_table",
    "unsure_tracks",
]

OWN_SPACE = "own space: not comparable between models"
_KIND_NOTES = {"baseline": "baseline", "reference": "reference"}
_UNSURE_SHOWN = 12


def label_table(results: ComparisonResults, label: str) -> Table:
    """Return each model's neighbourhoods and headline clusters beside one label column."""
    knn = "knn_balanced"
    columns = [
        _value_column(results, "kNN", knn, label, "nearest songs that share it"),
        _test_column(results),
        _value_column(results, "AMI", "ami", label, _headline_note(results)),
        _test_column(results),
    ]
    rows = {
        model: [
            results.measured.value(model, knn, label, "agreement"),
            _test(results, model, ("knn_balanced", "knn"), label, "agreement"),
            results.measured.value(model, "ami", label, "agreement", results.setting.headline),
            _test(results, model, ("ami",), label, "agreement"),
        ]
        for model in results.kinds
    }
    return _by_model(results, columns, rows)


def artist_table(results: ComparisonResults) -> Table:
    """Return how well each model's nearest songs lead back to the same artist."""
    columns = [
        _value_column(results, "hit@10", "hit", "artist", "a song of the artist among 10 nearest"),
        _test_column(results),
        _value_column(results, "mAP", "map", "artist", "mean average precision"),
    ]
    rows = {
        model: [
            results.measured.value(model, "hit", "artist", "agreement"),
            _test(results, model, ("hit",), "artist", "agreement"),
            results.measured.value(model, "map", "artist", "agreement"),
        ]
        for model in results.kinds
    }
    return _by_model(results, columns, rows)


def nuisance_table(results: ComparisonResults, nuisance: str) -> Table:
    """Return how much of one nuisance each model's space and headline clusters give away."""
    metrics = ("probe_linear", "probe_nonlinear", "ilisi", "kbet")
    columns = [
        _value_column(results, "kNN", "knn", nuisance, "nearest songs that share it"),
        _test_column(results),
        _value_column(results, "AMI", "ami", nuisance, _headline_note(results)),
        _test_column(results),
        _value_column(results, "Linear probe", "probe_linear", nuisance, "balanced accuracy"),
        _value_column(results, "Non-linear probe", "probe_nonlinear", nuisance, "the same"),
        _value_column(results, "iLISI", "ilisi", nuisance, "1 = mixed"),
        _value_column(results, "kBET", "kbet", nuisance, "1 = mixed"),
    ]
    rows = {}
    for model in results.kinds:
        value = results.measured.value
        rows[model] = [
            value(model, "knn", nuisance, "leakage"),
            _test(results, model, ("knn",), nuisance, "leakage"),
            value(model, "ami", nuisance, "leakage", results.setting.headline),
            _test(results, model, ("ami",), nuisance, "leakage"),
            *(value(model, metric, nuisance, "leakage") for metric in metrics),
        ]
    return _by_model(results, columns, rows, ascending=True)


def partition_table(results: ComparisonResults, label: str) -> Table:
    """Return every partition's agreement with one label column."""
    metrics = ("ami", "nmi", "ari", "purity", "v_measure")
    names = ("AMI", "NMI", "ARI", "Purity", "V-measure")
    columns = [_value_column(results, n, m, label) for n, m in zip(names, metrics)]
    return _by_partition(
        results,
        columns,
        lambda model, where: [
            results.measured.value(model, metric, label, "agreement", where) for metric in metrics
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
        _value_column(results, "Silhouette", metrics[0], space, "higher is tidier"),
        _value_column(results, "Davies–Bouldin", metrics[1], space, "lower is tidier"),
        _value_column(results, "Calinski–Harabasz", metrics[2], space, "higher is tidier"),
        Column("Silhouette", True, sortable=False, note=OWN_SPACE, own=True),
    ]
    return _by_partition(
        results,
        columns,
        lambda model, where: [
            *(results.measured.value(model, m, space, "structure", where) for m in metrics),
            _own(results.measured.value(model, "silhouette", "own space", "own space", where)),
        ],
    )


def stability_table(results: ComparisonResults) -> Table:
    """Return how surely every partition comes back."""
    metrics = ("ari_over_seeds", "ari_over_subsamples", "jaccard_of_weakest")
    columns = [
        _value_column(results, "Other seeds", metrics[0], "", "ARI, training included"),
        _value_column(results, "80 % of the songs", metrics[1], "", "ARI, same space"),
        _value_column(results, "Weakest cluster", metrics[2], "", "Jaccard"),
        Column("Unsure songs", True, note="change sides"),
    ]
    return _by_partition(
        results,
        columns,
        lambda model, where: [
            *(results.measured.value(model, m, "", "stability", where) for m in metrics),
            part(results.measured.number(model, "unsure_share", "", "stability", where)),
        ],
    )


def shapes_table(results: ComparisonResults) -> Table:
    """Return cluster counts, noise and the largest cluster of every partition."""
    columns = [
        Column("Clusters", True),
        Column("Noise", True),
        Column("Largest cluster", True),
    ]

    def cells(model: str, where: Where) -> list[Cell]:
        count, noise, largest = (
            results.measured.number(model, name, "", "health", where)
            for name in ("n_clusters", "noise_share", "largest_cluster_share")
        )
        whole = 0 if count == count and float(count).is_integer() else 1
        return [Cell(number(count, whole), sort_value(count)), part(noise), part(largest)]

    return _by_partition(results, columns, cells, beware=True)


def models_table(results: ComparisonResults) -> Table:
    """Return the health of every model over its seeds."""
    columns = [
        Column("Seeds", True),
        Column("Dimensions", True),
        Column("Active", True, note="over seeds"),
        Column("Collapsed"),
        Column("Held-out ELBO", True, sortable=False, note="nats per song; not comparable"),
        Column("What it is"),
        Column("Beware"),
    ]
    cells: dict[str, list[Content]] = {}
    for model, rows in results.models.groupby("model", sort=False):
        fitted = rows[rows["status"] == "ok"]
        collapsed = fitted["collapsed"].astype(str).str.casefold()
        count = int((collapsed == "true").sum())
        known = collapsed.isin(["true", "false"]).any()
        state = f"yes ({count} of {len(fitted)})" if count else "no" if known else "–"
        said = dict.fromkeys(
            text.rstrip(".")
            for name in ("reason", "warnings")
            for text in rows[name]
            if isinstance(text, str)
        )
        summary = next((s for s in rows["summary"] if isinstance(s, str)), "–")
        cells[str(model)] = [
            Cell(f"{len(fitted)} of {len(rows)}", float(len(fitted))),
            over_seeds(fitted["n_latent"], 0),
            over_seeds(fitted["active_units"], 0),
            Cell(state, state, "caution" if count else ""),
            over_seeds(fitted["validation_elbo"], 1),
            Cell(summary, summary.casefold()),
            Cell("; ".join(said), "; ".join(said), "caution"),
        ]
    return _by_model(results, columns, cells, in_order=True)


def cost_table(results: ComparisonResults) -> Table:
    """Return seconds and peak memory of training and clustering, mean and range over seeds."""
    columns = [Column("Seconds", True, note="per seed"), Column("Peak memory", True, note="MiB")]
    cells: dict[str, list[Content]] = {}
    figures = {}
    for model, rows in results.models.groupby("model", sort=False):
        figures[str(model)] = [seeds_range(rows[name]) for name in ("seconds", "peak_memory_mib")]
        cells[str(model)] = list(figures[str(model)])
    return _by_model(results, columns, cells, digits=(1, 0), ascending=True, from_zero=True)


def unsure_tracks(results: ComparisonResults) -> tuple[str, list[tuple[str, str]]] | None:
    """Return a partition and the songs whose place in it is least sure, with their shares."""
    model, (clusterer, k) = results.advice.recommendation.model, results.setting.headline
    column = f"{model}|{clusterer}|{'' if k is None else k}"
    if column not in results.tracks.columns:
        return None
    known = results.tracks[["track_id", column]].dropna()
    known = known[known[column] > 0].sort_values([column, "track_id"], ascending=[False, True])
    songs = [(shorten(i, 60), share(v)) for i, v in known.head(_UNSURE_SHOWN).to_numpy()]
    name = f"{model} + {clusterer}" + ("" if k is None else f", k = {k}")
    return (name, songs) if songs else None


def _test(
    results: ComparisonResults, model: str, metrics: Sequence[str], column: str, axis: str
) -> Content:
    rows = results.differences
    rows = rows[(rows["model"] == model) & (rows["axis"] == axis) & (rows["column"] == column)]
    rows = rows[rows["metric"].isin(metrics)]
    if rows.empty:
        text = "the yardstick" if model == results.setting.baseline else "–"
        return Cell(text, 0.0 if text != "–" else None, "verdict same")
    row = rows.iloc[0]
    return Compared(
        row["verdict"], row["difference"], row["low"], row["high"], results.setting.baseline
    )


def _test_column(results: ComparisonResults) -> Column:
    return Column(f"Against {results.setting.baseline}", note="difference, 95 % interval")


def _headline_note(results: ComparisonResults) -> str:
    clusterer, k = results.setting.headline
    return clusterer if k is None else f"{clusterer}, k = {k}"


def _value_column(
    results: ComparisonResults, title: str, metric: str, column: str, note: str = ""
) -> Column:
    """Heading of a measured value; the note says what its intervals are."""
    rows = results.table[(results.table["metric"] == metric) & (results.table["column"] == column)]
    kinds = [kind for kind in dict.fromkeys(rows["interval"]) if kind]
    kind = next((k for k in kinds if k.startswith("95")), next(iter(kinds), ""))
    return Column(title, True, note="; ".join(part for part in (note, kind) if part))


def _by_model(
    results: ComparisonResults,
    columns: Sequence[Column],
    cells: dict[str, list[Content]],
    *,
    digits: Sequence[int] | None = None,
    ascending: bool = False,
    in_order: bool = False,
    from_zero: bool = False,
) -> Table:
    flags = {verdict.model: verdict.flags for verdict in results.advice.verdicts}
    lines = {}
    for model in cells:
        collapsed = any(flag.startswith("collapsed") for flag in flags.get(model, ()))
        note = "collapsed" if collapsed else _KIND_NOTES.get(results.kinds[model], "")
        tone = "name baseline" if results.kinds[model] == "baseline" else "name"
        lines[model] = (Cell(model, model.casefold(), tone, note=note),)
    drawn = draw_columns(list(cells.values()), digits=digits, from_zero=from_zero)
    rows = [(model, (*lines[model], *drawn[i])) for i, model in enumerate(cells)]
    if not in_order:
        rows.sort(key=lambda item: _rank(item[1][1], ascending))
    return _apart(results, (Column("Model"), *columns), rows)


def _by_partition(
    results: ComparisonResults,
    columns: Sequence[Column],
    figures: Callable[[str, Where], Sequence[Content]],
    *,
    beware: bool = False,
) -> Table:
    pairs = [(m, where) for m in results.kinds for where in results.measured.partitions(m)]
    drawn = draw_columns([list(figures(*pair)) for pair in pairs])
    rows = []
    for (model, where), cells in zip(pairs, drawn):
        clusterer, k = where
        tone = "name baseline" if results.kinds[model] == "baseline" else "name"
        head = (
            Cell(model, model.casefold(), tone, note=_KIND_NOTES.get(results.kinds[model], "")),
            Cell(clusterer, clusterer, "name"),
            Cell(number(k, 0), None if k is None else float(k)),
        )
        tail: Row = ()
        if beware:
            flags = partition_flags(model, where, results.measured, results.setting)
            tail = (Cell(", ".join(flags), ", ".join(flags), "caution short"),)
        rows.append((model, (*head, *cells, *tail)))
    rows.sort(key=lambda item: _rank(item[1][3], False))
    heads = (Column("Model"), Column("Clusterer"), Column("k", True), *columns)
    if beware:
        heads = (*heads, Column("Beware"))
    return _apart(results, heads, rows)


def _apart(
    results: ComparisonResults, columns: tuple[Column, ...], rows: Iterable[tuple[str, Row]]
) -> Table:
    rows = list(rows)
    reference = {m for m, kind in results.kinds.items() if kind == "reference"}
    return Table(
        columns,
        tuple(cells for model, cells in rows if model not in reference),
        references=tuple(cells for model, cells in rows if model in reference),
    )


def _own(value: Figures) -> Cell:
    return Cell("–" if value is None else number(value["estimate"]), tone="own")


def _rank(cell: Cell, ascending: bool) -> tuple[bool, float]:
    value = cell.sort if isinstance(cell.sort, float) else None
    return value is None, (value or 0.0) * (1 if ascending else -1)
