"""The tables of "How do we know?": agreement, leakage, structure, stability, models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from songscape.benchmark import wording
from songscape.benchmark.keys import PartitionKey
from songscape.benchmark.verdicts import FlagKind
from songscape.report.read import Results
from songscape.report.style import number
from songscape.report.tables import (
    EMPTY,
    Cell,
    Column,
    Content,
    Figure,
    Table,
    Tested,
    drawn,
    number_cell,
    share_cell,
    text_cell,
)

if TYPE_CHECKING:
    import pandas as pd

OWN_SPACE = "own space: not comparable between models"
KIND_NOTES = {"baseline": "no training", "reference": "reference"}
BY_MODEL = {
    "knn": ("kNN", "nearest songs that share it"),
    "knn_balanced": ("kNN", "nearest songs that share it"),
    "hit": ("hit@10", "a song of the artist among 10 nearest"),
    "map": ("mAP", "mean average precision"),
    "probe_linear": ("Linear probe", "balanced accuracy"),
    "probe_nonlinear": ("Non-linear probe", "balanced accuracy"),
    "ilisi": ("iLISI", "1 = mixed"),
    "kbet": ("kBET", "1 = mixed"),
}
AGREEMENT = {
    "ami": "AMI",
    "nmi": "NMI",
    "ari": "ARI",
    "purity": "Purity",
    "homogeneity": "Homogeneity",
    "completeness": "Completeness",
}
STRUCTURE = {
    "silhouette": ("Silhouette", "higher is tidier"),
    "davies_bouldin": ("Davies–Bouldin", "lower is tidier"),
    "calinski_harabasz": ("Calinski–Harabasz", "higher is tidier"),
}


def _count(value: float) -> Cell:
    return number_cell(value, 0 if value == value and float(value).is_integer() else 1)


def _own(value: float) -> Cell:
    """A figure from a method's own space, which cannot be sorted on."""
    return EMPTY if value != value else Cell(number(value), tone="own")


@dataclass(frozen=True)
class _Measure:
    """A column of a table; `cell` makes plain cells where no interval is to be drawn."""

    title: str
    metric: str
    axis: str
    column: str = ""
    note: str = ""
    cell: Callable[[float], Cell] | None = None


_NOISE = _Measure("Noise", "noise_share", "health", cell=share_cell)


def label_table(results: Results, label: str) -> Table | None:
    """Agreement of each model's neighbourhoods and headline clusters with one label column."""
    return _by_model(results, _of_column(results, "agreement", label, "knn_balanced", "ami"))


def artist_table(results: Results) -> Table | None:
    """How well each model's nearest songs lead back to the same artist."""
    return _by_model(results, _of_column(results, "agreement", "artist", "hit", "map"))


def nuisance_table(results: Results, name: str) -> Table | None:
    """How much of one nuisance each model's space and headline clusters give away."""
    metrics = ("knn", "ami", "probe_linear", "probe_nonlinear", "ilisi", "kbet")
    return _by_model(results, _of_column(results, "leakage", name, *metrics), ascending=True)


def partition_label_table(results: Results, label: str) -> Table | None:
    """Every partition's agreement with one label column."""
    measures = [_Measure(t, m, "agreement", label) for m, t in AGREEMENT.items()]
    return _by_partition(results, [*measures, _NOISE])


def structure_table(results: Results, space: str) -> Table | None:
    """Every partition's structure in one space that all methods share."""
    measures = [_Measure(t, m, "structure", space, n) for m, (t, n) in STRUCTURE.items()]
    return _by_partition(results, measures, flagged=False)


def shape_table(results: Results) -> Table | None:
    """Cluster counts, noise, the largest cluster, and structure in each method's own space."""
    own = ("own space", "own space", OWN_SPACE, _own)
    measures = [
        _Measure("Clusters", "n_clusters", "health", cell=_count),
        _NOISE,
        _Measure("Largest cluster", "largest_cluster_share", "health", cell=share_cell),
        *(_Measure(title, metric, *own) for metric, (title, _) in STRUCTURE.items()),
    ]
    return _by_partition(results, measures)


def stability_table(results: Results) -> Table | None:
    """How far every partition comes back."""
    axis = "stability"
    measures = [
        _Measure("Other seeds", "ari_over_seeds", axis, note="ARI, training included"),
        _Measure("80 % of the songs", "ari_over_subsamples", axis, note="ARI, same space"),
        _Measure("Weakest cluster", "jaccard_of_weakest", axis, note="Jaccard"),
        _Measure("Unsure songs", "unsure_share", axis, note="change sides", cell=share_cell),
    ]
    return _by_partition(results, measures, flagged=False)


def _of_column(results: Results, axis: str, column: str, *metrics: str) -> list[_Measure]:
    notes = BY_MODEL | {"ami": ("AMI", results.setup.headline.title)}
    return [_Measure(notes[m][0], m, axis, column, notes[m][1]) for m in metrics]


def models_table(results: Results) -> Table | None:
    """Health and cost of every model, mean and range over its seeds."""
    of_model = {str(name): rows for name, rows in results.models.groupby("model", sort=False)}
    columns = [
        Column("Seeds", True),
        Column("Dimensions", True, note="active of all"),
        Column("Collapsed"),
        Column("Held-out ELBO", True, sortable=False, note="nats per song; not comparable"),
        Column("Seconds", True, note="per seed"),
        Column("Peak memory", True, note="MiB"),
        Column("What it is"),
        Column("Beware"),
    ]
    lines: list[list[Content]] = []
    for rows in of_model.values():
        fitted = rows[rows["status"] == "ok"]
        latent, active = (_over_seeds(fitted[name], 0) for name in ("n_latent", "active_units"))
        if active != EMPTY:
            latent = Cell(f"{active.text} of {latent.text}", active.sort, note=active.note)
        collapsed = fitted["collapsed"].astype(str).str.casefold()
        n_collapsed = int((collapsed == "true").sum())
        state = Cell("no", "no") if (collapsed == "false").any() else EMPTY
        if n_collapsed:
            state = Cell(f"yes ({n_collapsed} of {len(fitted)})", "yes", "caution")
        said = [t.rstrip(".") for name in ("reason", "warnings") for t in rows[name] if t]
        seeds = Cell(f"{len(fitted)} of {len(rows)}", float(len(fitted)))
        lines.append(
            [
                seeds if len(rows) > 1 else EMPTY,
                latent,
                state,
                _over_seeds(fitted["validation_elbo"], 1),
                _over_seeds(rows["seconds"], 1),
                _over_seeds(rows["peak_memory_mib"], 0),
                text_cell(next((text for text in rows["summary"] if text), ""), "prose"),
                text_cell("; ".join(dict.fromkeys(said)), "caution prose"),
            ]
        )
    return _table(results, "Model", _model_heads(results), columns, lines)


def _by_model(
    results: Results, measures: Sequence[_Measure], *, ascending: bool = False
) -> Table | None:
    """A row per model, the highest of the first measure first."""
    columns: list[Column] = []
    lines: list[list[Content]] = [[] for _ in results.kinds]
    for one in measures:
        columns.append(_heading(results, one))
        where = results.setup.partition_of(one.metric)
        for model, line in zip(results.kinds, lines):
            line.append(_content(results, one, model, where))
        if any(key[1:] == (one.axis, one.metric, one.column) for key in results.tests):
            _add_tests(results, one, columns, lines)
    heads = _model_heads(results)
    return _table(results, "Model", heads, columns, lines, order=1 if ascending else -1)


def _add_tests(
    results: Results, one: _Measure, columns: list[Column], lines: list[list[Content]]
) -> None:
    """Differences to the baseline; on agreement to the best method without training as well."""
    baseline = results.setup.baseline
    columns.append(Column(f"Against {baseline}", note="difference, 95 % interval"))
    others = {test.best_baseline for test in results.tests.values() if test.axis == one.axis}
    best = bool(others - {None, baseline})
    if best:
        note = "without training, best of this figure"
        columns.append(Column("Against the best baseline", note=note))
    for model, line in zip(results.kinds, lines):
        test = results.tests.get((model, one.axis, one.metric, one.column))
        if test is None:
            line.append(Cell("the baseline", 0.0, "verdict same") if model == baseline else EMPTY)
            line += [EMPTY] * best
            continue
        why = "" if test.withheld is None else wording.FLAG_WORDS[test.withheld]
        ends = (test.difference, test.low, test.high)
        line.append(Tested(test.verdict, *ends, withheld=why))
        if best and test.best_baseline is None:
            line.append(EMPTY)
        elif best and test.best_baseline is not None:
            ends = (test.difference_to_best, test.low_to_best, test.high_to_best)
            line.append(Tested(test.verdict_to_best, *ends, test.best_baseline))


def _by_partition(
    results: Results, measures: Sequence[_Measure], *, flagged: bool = True
) -> Table | None:
    """A row per model, clusterer and k, the highest of the first measure first."""
    columns = [_heading(results, one) for one in measures]
    columns += [Column("Beware")] if flagged else []
    heads, lines = [], []
    for one in results.partitions:
        kind = results.kinds[one.model]
        how = one.key.title.replace(" ", "\u00a0")
        note = "; ".join(part for part in (how, KIND_NOTES.get(kind, "")) if part)
        sort = f"{one.model.casefold()} {one.key.title}"
        tone = "name baseline" if kind == "baseline" else "name"
        heads.append((one.model, Cell(one.model, sort, tone, note)))
        line = [_content(results, measure, one.model, one.key) for measure in measures]
        if flagged:
            words = ", ".join(map(wording.flag_words, results.flags(one)))
            line.append(text_cell(words, "caution short"))
        lines.append(line)
    return _table(results, "Method", heads, columns, lines, order=-1)


def _heading(results: Results, one: _Measure) -> Column:
    """The note says what the intervals are, where there are any."""
    if one.cell is not None:
        own = one.axis == "own space"
        return Column(one.title, True, sortable=not own, note=one.note, own=own)
    rows = results.summary
    rows = rows[(rows["metric"] == one.metric) & (rows["column"] == one.column)]
    kinds = list(dict.fromkeys(rows["interval"][rows["high"] > rows["low"]]))
    kind = next((k for k in kinds if k.startswith("95")), next(iter(kinds), ""))
    return Column(one.title, True, note="; ".join(part for part in (one.note, kind) if part))


def _content(results: Results, one: _Measure, model: str, key: PartitionKey) -> Content:
    row = results.figures.known(model, one.metric, one.column, one.axis, key)
    if row is None:
        return EMPTY
    if one.cell is not None:
        return one.cell(row["estimate"])
    names = ("estimate", "low", "high", "chance", "null_95")
    return Figure(*(row[name] for name in names))


def _model_heads(results: Results) -> list[tuple[str, Cell]]:
    flagged = {v.model: v.flags for v in results.assessment.verdicts}
    heads = []
    for model, kind in results.kinds.items():
        collapsed = any(flag.kind is FlagKind.COLLAPSED for flag in flagged.get(model, ()))
        note = "collapsed" if collapsed else KIND_NOTES.get(kind, "")
        tone = "name baseline" if kind == "baseline" else "name"
        heads.append((model, text_cell(model, tone, note)))
    return heads


def _table(
    results: Results,
    head: str,
    heads: Sequence[tuple[str, Cell]],
    columns: Sequence[Column],
    lines: Sequence[Sequence[Content]],
    order: int | None = None,
) -> Table | None:
    """References stand apart; empty columns and rows are left out, None without any figures."""
    kept = [i for i in range(len(columns)) if any(line[i] != EMPTY for line in lines)]
    rows = [
        (model, (first, *cells))
        for (model, first), cells in zip(heads, drawn([[line[i] for i in kept] for line in lines]))
        if any(cell != EMPTY and columns[i].title != "Beware" for i, cell in zip(kept, cells))
    ]
    if not rows:
        return None
    if order is not None:
        rows.sort(key=lambda item: _rank(item[1][1], order))
    reference = {model for model, kind in results.kinds.items() if kind == "reference"}
    return Table(
        (Column(head), *(columns[i] for i in kept)),
        tuple(cells for model, cells in rows if model not in reference),
        references=tuple(cells for model, cells in rows if model in reference),
    )


def _rank(cell: Cell, order: int) -> tuple[bool, float]:
    value = cell.sort if isinstance(cell.sort, float) else None
    return value is None, (value or 0.0) * order


def _over_seeds(values: pd.Series[float], digits: int) -> Cell:
    """Mean and range over seeds in words."""
    known = values.dropna()
    if not len(known):
        return EMPTY
    if known.max() <= known.min():
        return number_cell(float(known.iloc[0]), digits)
    note = f"{number(known.min(), digits)} … {number(known.max(), digits)}"
    return number_cell(float(known.mean()), max(digits, 1), note=note)
