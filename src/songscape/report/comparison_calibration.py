"""The table of a comparison's report on whether models know which songs are unsure."""

from __future__ import annotations

from typing import Any

from songscape.report.comparison_cells import NAN, Content, part
from songscape.report.comparison_read import ComparisonResults
from songscape.report.comparison_rows import by_model, headline_note
from songscape.report.style import number, share
from songscape.report.tables import Cell, Column, Table

__all__ = ["calibration_table"]


def calibration_table(results: ComparisonResults) -> Table | None:
    """Return how well each posterior spread tells which songs lose company, None without any."""
    rows = {
        (row["model"], row["kind"]): row
        for row in results.calibration.to_dict(orient="records")
        if row["model"] in results.kinds
    }
    if not rows:
        return None
    note = f"rank correlation, 95 %, over groups; {headline_note(results)}"
    columns = [
        Column("80 % of the songs", True, note=note),
        Column("Other seeds", True, note="the same, training included"),
        Column("Expected to be lost", True, note="80 % of the songs; surest and least sure tenth"),
        Column("Off by", True, note="mean over fifths of the songs"),
        Column("Explained", True, note="of the differences between songs"),
    ]
    cells: dict[str, list[Content]] = {}
    for model in dict.fromkeys(model for model, _ in rows):
        again, seeds = (rows.get((model, kind)) for kind in ("subsamples", "seeds"))
        cells[str(model)] = [_correlation(again), _correlation(seeds), *_expected(again)]
    return by_model(results, columns, cells, digits=(2,) * len(columns))


def _correlation(row: dict[Any, Any] | None) -> Content:
    """Return the correlation to draw, beside none at all."""
    if row is None:
        return Cell("–", note="not measured")
    ends = {"estimate": row["spearman"], "low": row["low"], "high": row["high"]}
    return ends | {"chance": 0.0, "null_95": NAN}


def _expected(row: dict[Any, Any] | None) -> list[Cell]:
    """Return the range of the expected share of company lost, its error and what it explains."""
    if row is None or row["expected"] != row["expected"]:
        return [Cell("–")] * 3
    low, high = share(row["expected_p10"]), share(row["expected_p90"])
    explained = row["r2"]
    return [
        Cell(f"{low} … {high}", row["expected"], note=f"on average {share(row['expected'])}"),
        part(row["error"]),
        Cell("nothing", explained, note=f"R² {number(explained, 2)}")
        if explained <= 0
        else part(explained),
    ]
