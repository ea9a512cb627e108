"""The tables of the report as plain rows and cells, ready for the template."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from songscape.benchmark.significance import MAX_NOISE, MAX_ONE_CLUSTER
from songscape.report.categories import group_labels
from songscape.report.findings import featured, method_name, mostly_language
from songscape.report.run_read import AGREEMENT, Results
from songscape.report.style import number, share, shorten

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Cell",
    "Column",
    "Strip",
    "Table",
    "Whisker",
    "agreement_table",
    "cluster_table",
    "course_table",
    "ledger_table",
    "models_table",
    "structure_table",
]

MAX_LEDGER_ROWS = 200
_OWN_SPACE = "own space: not comparable between models"


@dataclass(frozen=True)
class Whisker:
    """An interval to draw: everything in per cent of the column's range; NaN is not drawn."""

    estimate: float
    low: float
    high: float
    chance: float


@dataclass(frozen=True)
class Strip:
    """Bars side by side, in per cent of the tallest; the first `n_marked` are filled."""

    heights: tuple[float, ...]
    n_marked: int


@dataclass(frozen=True)
class Cell:
    """Text, the value to sort by, a tone for the style sheet, and a bar's length from 0 to 1.

    `note` is small print below the text, `whisker` an interval and `strip` bars drawn beside it.
    """

    text: str
    sort: float | str | None = None
    tone: str = ""
    bar: float | None = None
    note: str = ""
    whisker: Whisker | None = None
    strip: Strip | None = None


@dataclass(frozen=True)
class Column:
    """Heading, whether it holds numbers, whether it may be sorted on, and a note under it.

    `own` marks figures from a method's own space.
    """

    title: str
    numeric: bool = False
    sortable: bool = True
    note: str = ""
    own: bool = False


@dataclass(frozen=True)
class Table:
    """Columns, rows of cells, a sentence for what was left out, and rows that stand apart."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    left_out: str = ""
    references: tuple[tuple[Cell, ...], ...] = ()


def _figure(value: Any, digits: int = 3, *, bar: float | None = None, tone: str = "") -> Cell:
    missing = value is None or value != value
    return Cell(number(value, digits), None if missing else float(value), tone, bar)


def _part(value: Any) -> Cell:
    return Cell(share(value), None if value != value else float(value))


def _text(value: Any, tone: str = "") -> Cell:
    text = "–" if value is None or value != value or value == "" else str(value)
    return Cell(text, text.casefold(), tone)


def _space(value: Any) -> Any:
    """Return "pca, 16 dimensions" for "own space (pca, 16 dimensions)"."""
    text = str(value)
    return text[11:-1] if text.startswith("own space (") and text.endswith(")") else value


_METHOD = (Column("Model"), Column("Clusterer"), Column("k", True))


def _method(row: "pd.Series[Any]") -> tuple[Cell, ...]:
    return (_text(row["model"], "name"), _text(row["clusterer"], "name"), _figure(row["k"], 0))


def agreement_table(results: Results, label: str) -> Table:
    """Return every method's agreement with one label column, the highest AMI first."""
    column = f"{label}_ami"
    shown = results.methods.dropna(subset=[column])
    shown = shown.sort_values(column, ascending=False, kind="stable")
    top = max(float(shown[column].max()), 1e-9) if len(shown) else 1.0
    guilty = {method_name(row) for _, row in mostly_language(results).iterrows()}
    measures = [m for m in AGREEMENT if f"{label}_{m}" in shown.columns]
    seeds = bool((shown["n_seeds"] > 1).any())
    heads = {"ami": "AMI", "nmi": "NMI", "ari": "ARI"}
    columns = [*_METHOD, *(Column(heads.get(m, m.capitalize()), True) for m in measures)]
    if seeds:
        columns.append(Column("AMI over seeds", True, sortable=False))
    columns += [Column("Noise", True), Column("Beware")]
    rows = []
    for _, row in shown.iterrows():
        cells = list(_method(row))
        for m in measures:
            bar = max(0.0, float(row[column])) / top if m == "ami" else None
            cells.append(_figure(row[f"{label}_{m}"], bar=bar))
        if seeds:
            low, high = number(row[f"{column}_low"]), number(row[f"{column}_high"])
            cells.append(Cell(f"{low} to {high}"))
        beware = []
        if method_name(row) in guilty:
            beware.append("mostly the language")
        if row["noise_share"] > MAX_NOISE:
            beware.append("mostly noise")
        if row["largest_cluster_share"] > MAX_ONE_CLUSTER:
            beware.append("one cluster")
        cells += [
            _part(row["noise_share"]),
            Cell(", ".join(beware), ", ".join(beware), "caution short"),
        ]
        rows.append(tuple(cells))
    return Table(tuple(columns), tuple(rows))


def structure_table(results: Results) -> Table:
    """Return sizes and own-space structure of every method; the latter can't be sorted on."""
    columns = (
        *_METHOD,
        Column("Clusters", True),
        Column("Noise", True),
        Column("Largest cluster", True),
        Column("Silhouette", True, sortable=False, note=_OWN_SPACE),
        Column("Davies–Bouldin", True, sortable=False, note=_OWN_SPACE),
        Column("Calinski–Harabasz", True, sortable=False, note=_OWN_SPACE),
        Column("Own space of", sortable=False),
    )
    rows = tuple(
        (
            *_method(row),
            _figure(row["n_clusters"], 0 if float(row["n_clusters"]).is_integer() else 1),
            _part(row["noise_share"]),
            _part(row["largest_cluster_share"]),
            _figure(row["silhouette"], tone="own"),
            _figure(row["davies_bouldin"], tone="own"),
            _figure(row["calinski_harabasz"], 1, tone="own"),
            _text(_space(row["space"]), "own"),
        )
        for _, row in results.methods.dropna(subset=["n_clusters"]).iterrows()
    )
    return Table(columns, rows)


def course_table(results: Results) -> Table:
    """Return `course.csv` as it stands; figures from a method's own space can't be sorted on."""
    frame = results.course
    columns, numeric = [], []
    for name in map(str, frame.columns):
        lowered = name.casefold()
        own = "silhouette" in lowered or "davies" in lowered
        numeric.append(frame[name].dtype.kind in "ifu")
        title = name.replace("Davies-Bouldin", "Davies–Bouldin")
        columns.append(Column(title, numeric[-1], sortable=not own, note="own space" * own))
    rows = []
    for values in frame.itertuples(index=False):
        cells = []
        for column, is_number, value in zip(columns, numeric, values):
            if "share" in column.title.casefold() and is_number:
                cells.append(_part(value))
            elif is_number:
                whole = column.title == "k" and float(value).is_integer()
                cells.append(_figure(value, 0 if whole else 1 if column.title == "k" else 4))
            else:
                cells.append(
                    _text(_space(value), "own") if column.title == "Space" else _text(value)
                )
        rows.append(tuple(cells))
    return Table(tuple(columns), tuple(rows))


def models_table(results: Results) -> Table:
    """Return the health of every model: latent and active dimensions, ELBO, warnings."""
    frame = results.models
    heads = {
        "model": Column("Model"),
        "seed": Column("Seed", True),
        "summary": Column("What it is"),
        "n_latent": Column("Dimensions", True),
        "active_units": Column("Active", True),
        "collapsed": Column("Collapsed"),
        "validation_elbo": Column("Held-out ELBO", True, sortable=False, note="nats per song"),
        "warnings": Column("Beware"),
    }
    names = [name for name in heads if name in frame.columns]
    rows = []
    for _, row in frame.iterrows():
        cells = []
        for name in names:
            if name in {"seed", "n_latent", "active_units"}:
                cells.append(_figure(row[name], 0))
            elif name == "validation_elbo":
                cells.append(_figure(row[name], 1))
            elif name == "collapsed":
                collapsed = str(row[name]).lower()
                text = {"true": "yes", "false": "no"}.get(collapsed, "–")
                cells.append(Cell(text, text, "caution" if text == "yes" else ""))
            elif name == "warnings":
                parts = [row.get("reason"), row[name]]
                text = "; ".join(p for p in parts if isinstance(p, str))
                cells.append(Cell(text, text, "caution"))
            elif name == "model":
                cells.append(_text(row[name], "name"))
            else:
                cells.append(_text(row[name]))
        rows.append(tuple(cells))
    return Table(tuple(heads[name] for name in names), tuple(rows))


def ledger_table(results: Results) -> Table:
    """Return the ledger rows that are not "ok"; long ledgers are cut, and say so."""
    frame = results.ledger
    if frame.empty:
        return Table((), ())
    rows = frame[frame["status"] != "ok"]
    cells = tuple(
        (_text(r["track_id"]), _text(r["stage"]), _text(r["status"]), _text(r["reason"]))
        for _, r in rows.head(MAX_LEDGER_ROWS).iterrows()
    )
    rest = len(rows) - MAX_LEDGER_ROWS
    left_out = f"{rest:,} more rows are in ledger.csv." if rest > 0 else ""
    return Table(
        (Column("Track"), Column("Stage"), Column("Status"), Column("Reason")), cells, left_out
    )


def cluster_table(results: Results) -> tuple[str, Table] | None:
    """Return the name and the clusters of the featured method: size, labels, words, typical songs.

    Words and typical songs are those of `descriptions.csv`.
    """
    row = featured(results)
    if row is None or results.clusters.empty:
        return None
    mine, described = _of_method(results.clusters, row), _of_method(results.descriptions, row)
    columns = [c for c in results.label_columns if c in results.labels.columns][:4]
    rows = []
    for value, group in mine.groupby("cluster", sort=True):
        ids = list(group["track_id"])
        name = "noise" if int(value) < 0 else str(value)
        cells = [Cell(name, float(value)), Cell(f"{len(ids):,}", float(len(ids)))]
        for column in columns:
            labels = list(results.labels[column].reindex(ids))
            parts = [
                f"{shorten(g.name, 28)} {share(g.count / len(ids))}"
                for g in group_labels(labels, limit=3)
                if g.kind == "category"
            ][:3]
            cells.append(Cell(" · ".join(parts) or "–", parts[0] if parts else ""))
        for told in ("words", "typical"):
            found = [] if described.empty else list(described[described["cluster"] == value][told])
            parts = found[0].split("; ") if found and isinstance(found[0], str) else []
            cells.append(Cell(" · ".join(shorten(part, 40) for part in parts) or "–"))
        rows.append(tuple(cells))
    heads = (
        Column("Cluster", True),
        Column("Songs", True),
        *(Column(f"{name}, commonest") for name in columns),
        Column("Words that stand out", sortable=False),
        Column("Typical songs", sortable=False),
    )
    return method_name(row), Table(heads, tuple(rows))


def _of_method(frame: "pd.DataFrame", row: "pd.Series[Any]") -> "pd.DataFrame":
    """The rows of a table that belong to one model, clusterer, k and seed."""
    for key in ("model", "clusterer", "k", "seed"):
        if len(frame) and row[key] == row[key]:
            frame = frame[frame[key] == row[key]]
    return frame
