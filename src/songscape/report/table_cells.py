"""Tables of the page as plain cells; the intervals of a column are drawn to one scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from songscape.benchmark.verdicts import Outcome
from songscape.report.style import number, share

MARKS = {
    Outcome.BETTER: ("▲ better", "than"),
    Outcome.WORSE: ("▼ worse", "than"),
    Outcome.SAME: ("= not distinguishable", "from"),
}


class Whisker(NamedTuple):
    """An interval to draw; NaN is not drawn."""

    estimate: float
    low: float
    high: float
    chance: float


@dataclass(frozen=True)
class Cell:
    """Text, the value to sort by, and a tone for the style sheet.

    `note` is small print below the text, `whisker` an interval drawn beside it: in the column's own
    units, after `to_scale` in per cent of the column's range.
    """

    text: str
    sort: float | str | None = None
    tone: str = ""
    note: str = ""
    whisker: Whisker | None = None


Row = tuple[Cell, ...]
EMPTY = Cell("–")


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
    """Columns, rows of cells, and rows that stand apart."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    references: tuple[Row, ...] = ()


def number_cell(value: float, digits: int = 3, note: str = "") -> Cell:
    """A number with this many decimals."""
    return Cell(number(value, digits), value, note=note)


def share_cell(value: float) -> Cell:
    """A share as per cent."""
    return Cell(share(value), value)


def text_cell(value: str, tone: str = "", note: str = "") -> Cell:
    """Text that sorts without regard to case; an en dash where there is none."""
    return Cell(value, value.casefold(), tone, note) if value else EMPTY


def figure_cell(value: float, low: float, high: float, chance: float, null_95: float) -> Cell:
    """A value with its interval, beside the null if there is one, else beside chance."""
    notes = [f"{number(low)} … {number(high)}"] if high > low else []
    name, end = ("null 95 %", null_95) if null_95 == null_95 else ("chance", chance)
    notes += [f"{name} {number(end)}"] if end == end else []
    drawn = Whisker(value, low, high, end) if notes else None
    return Cell(number(value), value, "figure", ", ".join(notes), drawn)


def difference_cell(
    outcome: Outcome, ends: tuple[float, float, float], other: str = "", withheld: str = ""
) -> Cell:
    """A difference to another method, with its interval.

    `other` names the method where the heading does not, and `withheld` says in words why nothing is
    claimed.
    """
    difference, low, high = ends
    if difference != difference:
        return EMPTY
    sign = "" if difference < 0 else "+"
    note = f"{sign}{number(difference)} ({number(low)} … {number(high)})"
    note += f"; not claimed: {withheld}" if withheld else ""
    text, link = MARKS[outcome]
    text += f" {link} {other}" if other else ""
    return Cell(
        text, difference, f"verdict {outcome.value}", note, Whisker(difference, low, high, 0.0)
    )


def to_scale(cells: Sequence[Cell]) -> list[Cell]:
    """The cells of a column, with their intervals in per cent of the column's range."""
    shown = [end for cell in cells for end in (cell.sort, *(cell.whisker or ()))]
    ends = [end for end in shown if isinstance(end, float) and end == end]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    if min(ends, default=0.0) > 0.2 * high:
        low = min(ends)
    scale = 100 / (high - low) if high > low else 0.0
    return [
        replace(cell, whisker=Whisker(*((end - low) * scale for end in cell.whisker)))
        if cell.whisker
        else cell
        for cell in cells
    ]
