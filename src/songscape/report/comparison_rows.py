"""Rows and columns that the tables of a comparison share: by model, by partition, tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from songscape.benchmark.keys import PartitionKey
from songscape.benchmark.recommendation import flags_of_partition
from songscape.benchmark.verdicts import FlagKind
from songscape.benchmark.wording import FLAG_WORDS, flag_words
from songscape.report.comparison_cells import Compared, Content, Figures, Row, draw_columns
from songscape.report.comparison_read import ComparisonResults
from songscape.report.run_tables import Cell, Column, Table
from songscape.report.style import number

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "beside_best",
    "best_column",
    "by_model",
    "by_partition",
    "headline_note",
    "own_space",
    "tested",
    "tested_column",
    "value_column",
]

_KIND_NOTES = {"baseline": "baseline", "reference": "reference"}


def tested(
    results: ComparisonResults, model: str, metrics: Sequence[str], column: str, axis: str
) -> Content:
    """Return the test of one model against the yardstick."""
    row = _test_row(results, model, metrics, column, axis)
    if row is None:
        text = "the baseline" if model == results.setup.baseline else "–"
        return Cell(text, 0.0 if text != "–" else None, "verdict same")
    return Compared(
        row["verdict"],
        row["difference"],
        row["low"],
        row["high"],
        results.setup.baseline,
        withheld=FLAG_WORDS[FlagKind(row["withheld"])] if row["withheld"] else "",
    )


def tested_column(results: ComparisonResults) -> Column:
    """Heading of `tested`."""
    return Column(f"Against {results.setup.baseline}", note="difference, 95 % interval")


def beside_best(
    results: ComparisonResults, model: str, metrics: Sequence[str], column: str, axis: str
) -> Content:
    """Return the test of one model against the best training-free baseline other than itself."""
    row = _test_row(results, model, metrics, column, axis)
    if row is None or not isinstance(row["best_baseline"], str):
        return Cell("–", None, "verdict same")
    word = row["verdict_to_best"] if isinstance(row["verdict_to_best"], str) else ""
    ends = (row["difference_to_best"], row["low_to_best"], row["high_to_best"])
    return Compared(word, *ends, row["best_baseline"], named=True)


def best_column() -> Column:
    """Heading of `beside_best`."""
    return Column("Against the best baseline", note="without training, best of this figure")


def _test_row(
    results: ComparisonResults, model: str, metrics: Sequence[str], column: str, axis: str
) -> pd.Series[Any] | None:
    rows = results.differences
    rows = rows[(rows["model"] == model) & (rows["axis"] == axis) & (rows["column"] == column)]
    rows = rows[rows["metric"].isin(metrics)]
    return None if rows.empty else rows.iloc[0]


def headline_note(results: ComparisonResults) -> str:
    """Return the partition that is tested."""
    return results.setup.headline.title


def value_column(
    results: ComparisonResults, title: str, metric: str, column: str, note: str = ""
) -> Column:
    """Heading of a measured value; the note says what its intervals are."""
    rows = results.table[(results.table["metric"] == metric) & (results.table["column"] == column)]
    kinds = [kind for kind in dict.fromkeys(rows["interval"]) if kind]
    kind = next((k for k in kinds if k.startswith("95")), next(iter(kinds), ""))
    return Column(title, True, note="; ".join(part for part in (note, kind) if part))


def by_model(
    results: ComparisonResults,
    columns: Sequence[Column],
    cells: dict[str, list[Content]],
    *,
    digits: Sequence[int] | None = None,
    ascending: bool = False,
    in_order: bool = False,
    from_zero: bool = False,
) -> Table:
    """Make a table with a row per model, the highest first unless told otherwise."""
    flags = {verdict.model: verdict.flags for verdict in results.assessment.verdicts}
    lines = {}
    for model in cells:
        collapsed = any(flag.kind is FlagKind.COLLAPSED for flag in flags.get(model, ()))
        note = "collapsed" if collapsed else _KIND_NOTES.get(results.kinds[model], "")
        tone = "name baseline" if results.kinds[model] == "baseline" else "name"
        lines[model] = (Cell(model, model.casefold(), tone, note=note),)
    drawn = draw_columns(list(cells.values()), digits=digits, from_zero=from_zero)
    rows = [(model, (*lines[model], *drawn[i])) for i, model in enumerate(cells)]
    if not in_order:
        rows.sort(key=lambda item: _rank(item[1][1], ascending))
    return _apart(results, (Column("Model"), *columns), rows)


def by_partition(
    results: ComparisonResults,
    columns: Sequence[Column],
    figures: Callable[[str, PartitionKey], Sequence[Content]],
    *,
    beware: bool = False,
) -> Table:
    """Make a table with a row per model, clusterer and k; `beware` says what is wrong with each."""
    pairs = [(m, where) for m in results.kinds for where in results.figures.partitions(m)]
    drawn = draw_columns([list(figures(*pair)) for pair in pairs])
    rows = []
    for (model, where), cells in zip(pairs, drawn):
        head = _partition_cell(results, model, where)
        tail: Row = ()
        if beware:
            flags = flags_of_partition(model, where, results.figures, results.setup)
            words = ", ".join(map(flag_words, flags))
            tail = (Cell(words, words, "caution short"),)
        rows.append((model, (head, *cells, *tail)))
    rows.sort(key=lambda item: _rank(item[1][1], False))
    heads = (Column("Method"), *columns)
    if beware:
        heads = (*heads, Column("Beware"))
    return _apart(results, heads, rows)


def _partition_cell(results: ComparisonResults, model: str, where: PartitionKey) -> Cell:
    """Name the partition in one cell, which stays in sight where the others are scrolled away."""
    kind = results.kinds[model]
    how = where.title.replace(" = ", "\u00a0=\u00a0")
    note = "; ".join(part for part in (how, _KIND_NOTES.get(kind, "")) if part)
    tone = "name baseline" if kind == "baseline" else "name"
    return Cell(model, f"{model.casefold()} {how}", tone, note=note)


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


def own_space(value: Figures) -> Cell:
    """Return a figure from a method's own space, which cannot be sorted on."""
    return Cell("–" if value is None else number(value["estimate"]), tone="own")


def _rank(cell: Cell, ascending: bool) -> tuple[bool, float]:
    value = cell.sort if isinstance(cell.sort, float) else None
    return value is None, (value or 0.0) * (1 if ascending else -1)
