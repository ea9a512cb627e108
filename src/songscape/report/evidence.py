"""The tables of "How do we know?": agreement, leakage, structure, stability, models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from songscape.benchmark import wording
from songscape.benchmark.keys import PartitionKey
from songscape.benchmark.recommendation import flags_of_partition
from songscape.benchmark.verdicts import FlagKind, PairedTest
from songscape.report.read import Results
from songscape.report.style import number
from songscape.report.table_cells import (
    EMPTY,
    Cell,
    Column,
    Table,
    difference_cell,
    figure_cell,
    number_cell,
    share_cell,
    text_cell,
    to_scale,
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
AGREEMENT = ("AMI", "NMI", "ARI", "Purity", "Homogeneity", "Completeness")
STRUCTURE = {
    "silhouette": ("Silhouette", "higher is tidier"),
    "davies_bouldin": ("Davies–Bouldin", "lower is tidier"),
    "calinski_harabasz": ("Calinski–Harabasz", "higher is tidier"),
}
Part = tuple[Column, Sequence[Cell]]
"""A column with its cells, one per row."""


def _count(value: float) -> Cell:
    return number_cell(value, 0 if value.is_integer() else 1)


def _own(value: float) -> Cell:
    """A figure from a method's own space, which cannot be sorted on."""
    return Cell(number(value), tone="own")


@dataclass(frozen=True)
class Measure:
    """A column of a table; `cell` makes plain cells where no interval is to be drawn."""

    title: str
    metric: str
    axis: str
    column: str = ""
    note: str = ""
    cell: Callable[[float], Cell] | None = None


NOISE = Measure("Noise", "noise_share", "health", cell=share_cell)
SHAPE = (
    Measure("Clusters", "n_clusters", "health", cell=_count),
    NOISE,
    Measure("Largest cluster", "largest_cluster_share", "health", cell=share_cell),
    *(
        Measure(title, metric, "own space", "own space", OWN_SPACE, _own)
        for metric, (title, _) in STRUCTURE.items()
    ),
)
STABILITY = (
    Measure("Other seeds", "ari_over_seeds", "stability", note="ARI, training included"),
    Measure("80 % of the songs", "ari_over_subsamples", "stability", note="ARI, same space"),
    Measure("Weakest cluster", "jaccard_of_weakest", "stability", note="Jaccard"),
    Measure("Unsure songs", "unsure_share", "stability", note="change sides", cell=share_cell),
)


def label_measures(label: str) -> list[Measure]:
    """How far partitions agree with a label column."""
    return [*(Measure(name, name.lower(), "agreement", label) for name in AGREEMENT), NOISE]


def structure_measures(space: str) -> list[Measure]:
    """How tidy partitions are in one space that all methods share."""
    return [Measure(t, m, "structure", space, note) for m, (t, note) in STRUCTURE.items()]


def by_model(
    results: Results, axis: str, column: str, *metrics: str, ascending: bool = False
) -> Table | None:
    """A row per model: figures of one column, and tests; the highest of the first metric first."""
    titles = BY_MODEL | {"ami": ("AMI", results.setup.headline.title)}
    parts: list[Part] = []
    for metric in metrics:
        one = Measure(titles[metric][0], metric, axis, column, titles[metric][1])
        where = results.setup.partition_of(metric)
        parts.append(_part(results, one, [(model, where) for model in results.kinds]))
        parts += _tests(results, (axis, metric, column))
    return _table(results, "Model", _model_heads(results), parts, order=1 if ascending else -1)


def by_partition(
    results: Results, measures: Sequence[Measure], *, flagged: bool = True
) -> Table | None:
    """A row per model, clusterer and k, the highest of the first measure first."""
    parts = [_part(results, one, results.partitions) for one in measures]
    heads, flags = [], []
    for model, key in results.partitions:
        note = "; ".join(filter(None, (key.title.replace(" ", "\u00a0"), _kind(results, model))))
        head = _head(results, model, note)
        heads.append((model, replace(head, sort=f"{head.sort} {key.title}")))
        found = flags_of_partition(model, key, results.figures, results.setup)
        flags.append(text_cell(", ".join(map(wording.flag_words, found)), "caution short"))
    parts += [(Column("Beware"), flags)] if flagged else []
    return _table(results, "Method", heads, parts, order=-1)


def models_table(results: Results) -> Table | None:
    """Health and cost of every model, mean and range over its seeds."""
    every = [rows for _, rows in results.models.groupby("model", sort=False)]
    fitted = [rows[rows["status"] == "ok"] for rows in every]
    counts = [Cell(f"{len(f)} of {len(r)}", float(len(f))) for f, r in zip(fitted, every)]
    seeds = [cell if len(rows) > 1 else EMPTY for cell, rows in zip(counts, every)]
    said = [[t.rstrip(".") for n in ("reason", "warnings") for t in rows[n] if t] for rows in every]
    summaries = [next((text for text in rows["summary"] if text), "") for rows in every]
    elbo = Column("Held-out ELBO", True, sortable=False, note="nats per song; not comparable")
    parts: list[Part] = [
        (Column("Seeds", True), seeds),
        (Column("Dimensions", True, note="active of all"), list(map(_dimensions, fitted))),
        (Column("Collapsed"), list(map(_collapsed, fitted))),
        (elbo, [_over_seeds(rows["validation_elbo"], 1) for rows in fitted]),
        (Column("Seconds", True, note="per seed"), [_over_seeds(r["seconds"], 1) for r in every]),
        (
            Column("Peak memory", True, note="MiB"),
            [_over_seeds(rows["peak_memory_mib"], 0) for rows in every],
        ),
        (Column("What it is"), [text_cell(text, "prose") for text in summaries]),
        (
            Column("Beware"),
            [text_cell("; ".join(dict.fromkeys(texts)), "caution prose") for texts in said],
        ),
    ]
    return _table(results, "Model", _model_heads(results), parts)


def _dimensions(fitted: pd.DataFrame) -> Cell:
    latent, active = (_over_seeds(fitted[name], 0) for name in ("n_latent", "active_units"))
    if active == EMPTY:
        return latent
    return Cell(f"{active.text} of {latent.text}", active.sort, note=active.note)


def _collapsed(fitted: pd.DataFrame) -> Cell:
    said = fitted["collapsed"].astype(str).str.casefold()
    if n_collapsed := int((said == "true").sum()):
        return Cell(f"yes ({n_collapsed} of {len(fitted)})", "yes", "caution")
    return Cell("no", "no") if (said == "false").any() else EMPTY


def _over_seeds(values: pd.Series[float], digits: int) -> Cell:
    """Mean and range over seeds in words."""
    known = values.dropna()
    if not len(known):
        return EMPTY
    if known.max() <= known.min():
        return number_cell(float(known.iloc[0]), digits)
    note = f"{number(known.min(), digits)} … {number(known.max(), digits)}"
    return number_cell(float(known.mean()), max(digits, 1), note=note)


def _part(results: Results, one: Measure, where: Sequence[tuple[str, PartitionKey]]) -> Part:
    """A measure of some partitions; the note says what the intervals are, where there are any."""
    figures = [results.figures.known(m, one.metric, one.column, one.axis, key) for m, key in where]
    if make := one.cell:
        own = one.axis == "own space"
        head = Column(one.title, True, sortable=not own, note=one.note, own=own)
        return head, [EMPTY if row is None else make(row["estimate"]) for row in figures]
    rows = results.summary
    rows = rows[(rows["metric"] == one.metric) & (rows["column"] == one.column)]
    kinds = list(dict.fromkeys(rows["interval"][rows["high"] > rows["low"]]))
    kind = next((k for k in kinds if k.startswith("95")), next(iter(kinds), ""))
    head = Column(one.title, True, note="; ".join(part for part in (one.note, kind) if part))
    names = ("estimate", "low", "high", "chance", "null_95")
    return head, [EMPTY if r is None else figure_cell(*(r[n] for n in names)) for r in figures]


def _tests(results: Results, key: tuple[str, str, str]) -> list[Part]:
    """Differences to the baseline; on agreement to the best method without training as well."""
    if not any((model, *key) in results.tests for model in results.kinds):
        return []
    baseline = results.setup.baseline
    against = {baseline: Cell("the baseline", 0.0, "verdict same")}
    against |= {m: _tested(t) for m in results.kinds if (t := results.tests.get((m, *key)))}
    parts = [(Column(f"Against {baseline}", note="difference, 95 % interval"), against)]
    if any(axis == key[0] for _, axis, *_ in results.against_best):
        note = "without training, best of this figure where that is another"
        besides = ((m, results.against_best.get((m, *key))) for m in results.kinds)
        best = {model: _tested(test, test.baseline) for model, test in besides if test}
        parts.append((Column("Against the best baseline", note=note), best))
    return [(head, [cells.get(model, EMPTY) for model in results.kinds]) for head, cells in parts]


def _tested(test: PairedTest, other: str = "") -> Cell:
    why = "" if test.withheld is None else wording.FLAG_WORDS[test.withheld]
    return difference_cell(test.verdict, (test.difference, test.low, test.high), other, why)


def _kind(results: Results, model: str) -> str:
    return KIND_NOTES.get(results.kinds[model], "")


def _head(results: Results, model: str, note: str) -> Cell:
    tone = "name baseline" if results.kinds[model] == "baseline" else "name"
    return text_cell(model, tone, note)


def _model_heads(results: Results) -> list[tuple[str, Cell]]:
    verdicts = results.assessment.verdicts
    flagged = {v.model for v in verdicts for f in v.flags if f.kind is FlagKind.COLLAPSED}
    notes = {m: "collapsed" if m in flagged else _kind(results, m) for m in results.kinds}
    return [(model, _head(results, model, note)) for model, note in notes.items()]


def _table(
    results: Results,
    title: str,
    heads: Sequence[tuple[str, Cell]],
    parts: Sequence[Part],
    order: int = 0,
) -> Table | None:
    """References stand apart; empty columns and rows are left out, None without any figures."""
    kept = [(head, to_scale(cells)) for head, cells in parts if any(c != EMPTY for c in cells)]
    rows = [
        (model, (first, *cells))
        for (model, first), *cells in zip(heads, *(cells for _, cells in kept))
        if any(cell != EMPTY and head.title != "Beware" for (head, _), cell in zip(kept, cells))
    ]
    if not rows:
        return None
    if order:
        rows.sort(key=lambda item: _rank(item[1][1], order))
    apart = {model for model, kind in results.kinds.items() if kind == "reference"}
    return Table(
        (Column(title), *(head for head, _ in kept)),
        tuple(cells for model, cells in rows if model not in apart),
        references=tuple(cells for model, cells in rows if model in apart),
    )


def _rank(cell: Cell, order: int) -> tuple[bool, float]:
    value = cell.sort if isinstance(cell.sort, float) else None
    return value is None, (value or 0.0) * order
