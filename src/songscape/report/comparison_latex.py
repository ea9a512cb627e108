"""What was tested, as one LaTeX table for a paper: methods by figures, intervals, verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from songscape.benchmark.wording import METRIC_NAMES
from songscape.report.comparison_pictures import genre_like
from songscape.report.comparison_read import ComparisonResults

__all__ = ["comparison_latex"]

# More do not fit the width of a page: then the table goes on in another block of rows.
MAX_FIGURES = 4
_MARKS = {"better": r"$\blacktriangle$", "worse": r"$\triangledown$"}
_ESCAPES = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
} | {sign: f"\\{sign}" for sign in "&%$#_{}"}


@dataclass(frozen=True)
class _Figure:
    axis: str
    metric: str
    column: str


def comparison_latex(results: ComparisonResults) -> str:
    """Return a `table` environment of booktabs; needs the packages booktabs and amssymb.

    A row per method, references apart; a column per tested figure of agreement, and of leakage for
    the language alone. In a cell the estimate, marked by its verdict, and its 95 % interval.
    """
    figures = list(_tested(results))
    blocks = _blocks(figures)
    width = max((len(block) for block in blocks), default=0)
    lines = [
        "% Needs \\usepackage{booktabs,amssymb}. All figures: table.csv and differences.csv.",
        r"\begin{table}",
        r"\centering\footnotesize\setlength{\tabcolsep}{4pt}",
        rf"\caption{{{_caption(results)}}}",
        r"\label{tab:songscape}",
        rf"\begin{{tabular}}{{l{'c' * width}}}",
        r"\toprule",
    ]
    for number, block in enumerate(blocks):
        lines += [r"\midrule[\heavyrulewidth]"] if number else []
        lines += _block(results, block, width)
    lines += [r"\bottomrule", r"\end{tabular}", r"\end{table}", ""]
    return "\n".join(lines)


def _tested(results: ComparisonResults) -> Iterator[_Figure]:
    """The genre first, then other labels and artists, then the language."""
    setup = results.setup
    tests = results.differences[["axis", "metric", "column"]].drop_duplicates()
    found = [_Figure(*map(str, row)) for row in tests.itertuples(index=False)]
    genre = genre_like(setup.labels)
    for columns in ([genre], [name for name in setup.labels if name != genre], ["artist"]):
        yield from (f for f in found if f.axis == "agreement" and f.column in columns)
    yield from (f for f in found if f.axis == "leakage" and f.column == setup.language)


def _blocks(figures: Sequence[_Figure]) -> list[list[_Figure]]:
    """Share the columns out over blocks; those of one label stay together."""
    blocks: list[list[_Figure]] = []
    for _, group in groupby(figures, key=lambda figure: (figure.axis, figure.column)):
        found = list(group)
        if blocks and len(blocks[-1]) + len(found) <= MAX_FIGURES:
            blocks[-1] += found
        else:
            blocks.append(found)
    return blocks


def _block(results: ComparisonResults, block: Sequence[_Figure], width: int) -> list[str]:
    groups: list[tuple[str, int]] = []
    for figure in block:
        title = escape(figure.column) + (r" $\downarrow$" if figure.axis == "leakage" else "")
        if groups and groups[-1][0] == title:
            groups[-1] = (title, groups[-1][1] + 1)
        else:
            groups.append((title, 1))
    spans, rules, at = [], [], 2
    for title, count in groups:
        spans.append(rf"\multicolumn{{{count}}}{{c}}{{{title}}}")
        rules.append(rf"\cmidrule(lr){{{at}-{at + count - 1}}}")
        at += count
    empty = [""] * (width - len(block))
    heads = ["Method", *(METRIC_NAMES.get(f.metric, escape(f.metric)) for f in block), *empty]
    lines = [_row(["", *spans, *empty]), " ".join(rules), _row(heads), r"\midrule"]
    methods = [m for m, kind in results.kinds.items() if kind != "reference"]
    references = [m for m, kind in results.kinds.items() if kind == "reference"]
    for apart, models in enumerate((methods, references)):
        lines += [r"\addlinespace"] if apart and models else []
        for model in models:
            cells = [_cell(results, model, figure) for figure in block]
            lines.append(_row([escape(model), *cells, *empty]))
    return lines


def _cell(results: ComparisonResults, model: str, figure: _Figure) -> str:
    where = results.setup.partition_of(figure.metric)
    row = results.figures.row(model, figure.metric, figure.column, figure.axis, where)
    if row is None or row["estimate"] != row["estimate"]:
        return "--"
    tests = results.differences
    tests = tests[(tests["model"] == model) & (tests["axis"] == figure.axis)]
    tests = tests[(tests["metric"] == figure.metric) & (tests["column"] == figure.column)]
    mark = _MARKS.get(tests["verdict"].iloc[0], "") if len(tests) else ""
    text = _number(row["estimate"]) + (rf"\,{mark}" if mark else "")
    if row["low"] != row["low"]:
        return text
    return rf"{text} {{\tiny[{_number(row['low'])}, {_number(row['high'])}]}}"


def _caption(results: ComparisonResults) -> str:
    setup = results.setup
    how = escape(setup.headline.title)
    baseline = escape(setup.baseline)
    grouped = ", resampled by artist" if setup.has_artists else ""
    seeds = "1 seed" if setup.n_seeds == 1 else f"{setup.n_seeds} seeds"
    return (
        f"{setup.n_tracks} songs, {seeds}; AMI of {how}. "
        rf"In brackets the 95\,\% interval{grouped}. {_MARKS['better']}\,better, "
        rf"{_MARKS['worse']}\,worse than {baseline} after Holm's correction; "
        "unmarked: not distinguishable. Columns with an arrow are leakage: lower is better, and "
        "so is counted as better."
    )


def _row(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def _number(value: float) -> str:
    text = f"{value:.3f}"
    return f"${text}$" if float(text) < 0 else text.removeprefix("-")


def escape(text: str) -> str:
    """Return text with LaTeX's special characters escaped."""
    return "".join(_ESCAPES.get(letter, letter) for letter in text)
