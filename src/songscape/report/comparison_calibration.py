"""The table of a comparison's report on whether unsure songs can be told beforehand."""

from __future__ import annotations

from typing import Any

from songscape.report.comparison_cells import NAN, Content, part
from songscape.report.comparison_read import ComparisonResults
from songscape.report.comparison_rows import by_model, headline_note
from songscape.report.style import number, share
from songscape.report.run_tables import Cell, Column, Table

__all__ = ["calibration_table"]


def calibration_table(results: ComparisonResults) -> Table | None:
    """Return how well border and posterior spread tell which songs lose company, None without."""
    rows = {
        (row["model"], row["figure"], row["kind"]): row
        for row in results.calibration.to_dict(orient="records")
        if row["model"] in results.kinds
    }
    if not rows:
        return None
    note = f"rank correlation, 95 %, over groups; {headline_note(results)}"
    columns = [
        Column("Border", True, note=note),
        Column("Other seeds", True, note="the same, training included"),
        Column("Expected loss", True, note="surest and least sure tenth"),
        Column("Off by", True, note="mean over fifths"),
        Column("Explained", True, note="of the differences"),
        Column("Spread", True, note="rank correlation"),
        Column("Explained", True, note="by the spread"),
    ]
    cells: dict[str, list[Content]] = {}
    for model in dict.fromkeys(model for model, *_ in rows):
        again, seeds = (rows.get((model, "border", kind)) for kind in ("subsamples", "seeds"))
        spread = rows.get((model, "spread", "subsamples"))
        cells[str(model)] = [
            *(_correlation(again), _correlation(seeds), *_expected(again), _explained(again)),
            _correlation(spread) if spread else Cell("–", note="no posterior"),
            _explained(spread),
        ]
    return by_model(results, columns, cells, digits=(2,) * len(columns))


def _correlation(row: dict[Any, Any] | None) -> Content:
    """Return the correlation to draw, beside none at all."""
    if row is None:
        return Cell("–", note="not measured")
    ends = {"estimate": row["spearman"], "low": row["low"], "high": row["high"]}
    return ends | {"chance": 0.0, "null_95": NAN}


def _expected(row: dict[Any, Any] | None) -> list[Cell]:
    """Return the range of the expected share of company lost, and its error."""
    if row is None or row["expected"] != row["expected"]:
        return [Cell("–")] * 2
    low, high = share(row["expected_p10"]), share(row["expected_p90"])
    return [
        Cell(f"{low} … {high}", row["expected"], note=f"on average {share(row['expected'])}"),
        part(row["error"]),
    ]


def _explained(row: dict[Any, Any] | None) -> Cell:
    """Return the part of the differences between songs that the expected share explains."""
    if row is None or row["r2"] != row["r2"]:
        return Cell("–")
    if row["r2"] <= 0:
        return Cell("nothing", row["r2"], note=f"R² {number(row['r2'], 2)}")
    return part(row["r2"])
