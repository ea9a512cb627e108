"""Cells of a comparison's tables: figures with their interval drawn to the scale of the column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from songscape.report.run_tables import Cell, Whisker
from songscape.report.style import number, share

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Compared",
    "Content",
    "Figures",
    "Row",
    "draw_columns",
    "over_seeds",
    "part",
    "seeds_range",
    "sort_value",
]

Figures = dict[str, float] | None
Row = tuple[Cell, ...]
NAN = float("nan")
VERDICT_MARKS = {
    "better": ("▲ better", "better"),
    "worse": ("▼ worse", "worse"),
    "same": ("= not distinguishable", "same"),
}


@dataclass(frozen=True)
class Compared:
    """A test: difference to the baseline, 95 % interval, and the corrected verdict.

    Without an outcome there was no test, and only the difference is shown; `named` where columns
    differ in their baseline from row to row; `withheld` says why nothing is claimed.
    """

    outcome: str
    difference: float
    low: float
    high: float
    baseline: str
    named: bool = False
    withheld: str = ""


Content = Figures | Compared | Cell


def draw_columns(
    lines: Sequence[Sequence[Content]],
    *,
    digits: Sequence[int] | None = None,
    from_zero: bool = False,
) -> list[Row]:
    """Make cells of figures; the intervals of one column are drawn to one scale.

    Parameters
    ----------
    lines : sequence of sequences
        A line per row; figures are drawn, cells stay as they are.
    digits : sequence of int, optional
        Decimals of each column; 3 by default.
    from_zero : bool
        Whether scales start at 0 even where all values are far from it.
    """
    finished: list[list[Cell]] = [[] for _ in lines]
    for column in range(len(lines[0]) if lines else 0):
        values = [line[column] for line in lines]
        ends = [end for value in values for end in _ends(value) if end == end]
        low, high = min([0.0, *ends]), max([0.0, *ends])
        if not from_zero and min(ends, default=0.0) > 0.2 * high:
            low = min(ends)
        places = digits[column] if digits else 3
        for line, value in zip(finished, values):
            if isinstance(value, Cell):
                line.append(value)
            elif isinstance(value, Compared):
                line.append(_compared(value, low, high - low))
            else:
                line.append(_figure(value, low, high - low, places))
    return [tuple(line) for line in finished]


def _ends(value: Content) -> list[float]:
    if isinstance(value, Compared):
        return [value.difference, value.low, value.high]
    if isinstance(value, dict):
        return [value[name] for name in ("estimate", "low", "high", "chance", "null_95")]
    return []


def _compared(test: Compared, low: float, width: float) -> Cell:
    text, tone = f"to {test.baseline}", "same"
    if test.outcome:
        text, tone = VERDICT_MARKS[test.outcome]
        if tone != "same":
            text += f" than {test.baseline}"
        elif test.named:
            text += f" from {test.baseline}"
    if test.difference != test.difference:
        return Cell("–", tone="verdict same", note="not measured")
    sign = "" if test.difference < 0 else "+"
    figures = f"{sign}{number(test.difference)} ({number(test.low)} … {number(test.high)})"
    if test.withheld:
        figures += f"; not claimed: {test.withheld}"
    whisker = _whisker((test.difference, test.low, test.high, 0.0), low, width)
    return Cell(text, sort_value(test.difference), f"verdict {tone}", note=figures, whisker=whisker)


def _whisker(ends: tuple[float, float, float, float], low: float, width: float) -> Whisker:
    """Estimate, low, high and chance in per cent of the column's range."""
    scale = 100 / width if width > 0 else 0.0
    return Whisker(*((end - low) * scale for end in ends))


def _figure(value: Figures, low: float, width: float, digits: int) -> Cell:
    if value is None or value["estimate"] != value["estimate"]:
        return Cell("–")
    chance = value["null_95"] if value["null_95"] == value["null_95"] else value["chance"]
    whisker = _whisker((value["estimate"], value["low"], value["high"], chance), low, width)
    text = number(value["estimate"], digits)
    note = ""
    if value["low"] == value["low"] and value["high"] > value["low"]:
        note = f"{number(value['low'], digits)} … {number(value['high'], digits)}"
    if chance == chance:
        word = "null 95 %" if value["null_95"] == value["null_95"] else "chance"
        note += f"{', ' if note else ''}{word} {number(chance, digits)}"
    return Cell(text, value["estimate"], "figure", note=note, whisker=whisker)


def part(value: float) -> Cell:
    """Return a share as per cent."""
    return Cell(share(value), sort_value(value))


def seeds_range(values: pd.Series[float]) -> dict[str, float]:
    """Return mean and range over seeds as figures to draw."""
    known = values.dropna().astype(float)
    ends = (known.mean(), known.min(), known.max()) if len(known) else (NAN, NAN, NAN)
    names = ("estimate", "low", "high")
    return dict(zip(names, map(float, ends))) | {"chance": NAN, "null_95": NAN}


def over_seeds(values: pd.Series[float], digits: int) -> Cell:
    """Return mean and range over seeds in words."""
    figures = seeds_range(values)
    text, note = number(figures["estimate"], digits), ""
    if figures["high"] > figures["low"]:
        note = f"{number(figures['low'], digits)} … {number(figures['high'], digits)}"
        text = number(figures["estimate"], max(digits, 1))
    return Cell(text, sort_value(figures["estimate"]), note=note)


def sort_value(value: float) -> float | None:
    """Return what to sort by; None where there is no value."""
    return float(value) if value == value else None
