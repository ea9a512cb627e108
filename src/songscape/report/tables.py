"""Tables of the page as plain cells; the intervals of a column are drawn to one scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from songscape.benchmark.verdicts import Outcome
from songscape.report.style import number, share

NAN = float("nan")
MARKS = {
    Outcome.BETTER: ("▲ better", "than"),
    Outcome.WORSE: ("▼ worse", "than"),
    Outcome.SAME: ("= not distinguishable", "from"),
    None: ("difference", "to"),
}


@dataclass(frozen=True)
class Whisker:
    """An interval to draw: everything in per cent of the column's range; NaN is not drawn."""

    estimate: float
    low: float
    high: float
    chance: float


@dataclass(frozen=True)
class Cell:
    """Text, the value to sort by, and a tone for the style sheet.

    `note` is small print below the text, `whisker` an interval drawn beside it.
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
    """Columns, rows of cells, a sentence for what was left out, and rows that stand apart."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    left_out: str = ""
    references: tuple[Row, ...] = ()


@dataclass(frozen=True)
class Figure:
    """A value with its interval, to be drawn to the scale of its column; NaN where unknown."""

    estimate: float
    low: float = NAN
    high: float = NAN
    chance: float = NAN
    null_95: float = NAN


@dataclass(frozen=True)
class Tested:
    """A difference to another method.

    Without an outcome there was no test, and only the difference is shown; `other` names the method
    where the heading does not, and `withheld` says in words why nothing is claimed.
    """

    outcome: Outcome | None
    difference: float
    low: float
    high: float
    other: str = ""
    withheld: str = ""


Content = Figure | Tested | Cell


def number_cell(value: float, digits: int = 3, tone: str = "", note: str = "") -> Cell:
    """A number; an en dash where there is none."""
    return Cell(number(value, digits), float(value) if value == value else None, tone, note)


def share_cell(value: float) -> Cell:
    """A share as per cent."""
    return Cell(share(value), float(value) if value == value else None)


def text_cell(value: str, tone: str = "", note: str = "") -> Cell:
    """Text that sorts without regard to case; an en dash where there is none."""
    return Cell(value, value.casefold(), tone, note) if value else EMPTY


def drawn(lines: Sequence[Sequence[Content]]) -> list[Row]:
    """Make cells of figures and tests, a line per row; cells stay as they are."""
    finished: list[list[Cell]] = [[] for _ in lines]
    for contents in zip(*lines, strict=True):
        ends = [end for content in contents for end in _ends(content) if end == end]
        low, high = min([0.0, *ends]), max([0.0, *ends])
        if min(ends, default=0.0) > 0.2 * high:
            low = min(ends)
        for line, content in zip(finished, contents):
            line.append(_cell(content, low, high - low))
    return [tuple(line) for line in finished]


def _ends(content: Content) -> tuple[float, ...]:
    if isinstance(content, Cell):
        return ()
    if isinstance(content, Tested):
        return content.difference, content.low, content.high, 0.0
    chance = content.null_95 if content.null_95 == content.null_95 else content.chance
    return content.estimate, content.low, content.high, chance


def _cell(content: Content, low: float, width: float) -> Cell:
    if isinstance(content, Cell):
        return content
    scale = 100 / width if width > 0 else 0.0
    ends = _ends(content)
    whisker = Whisker(*((end - low) * scale for end in ends))
    middle, left, right, chance = ends
    if middle != middle:
        return EMPTY
    if isinstance(content, Tested):
        tone = content.outcome or Outcome.SAME
        sign = "" if middle < 0 else "+"
        note = f"{sign}{number(middle)} ({number(left)} … {number(right)})"
        if content.withheld:
            note += f"; not claimed: {content.withheld}"
        text, link = MARKS[content.outcome]
        text += f" {link} {content.other}" if content.other else ""
        return Cell(text, middle, f"verdict {tone.value}", note, whisker)
    parts = [f"{number(left)} … {number(right)}"] if right > left else []
    if chance == chance:
        name = "null 95 %" if content.null_95 == content.null_95 else "chance"
        parts.append(f"{name} {number(chance)}")
    return Cell(number(middle), middle, "figure", ", ".join(parts), whisker if parts else None)
