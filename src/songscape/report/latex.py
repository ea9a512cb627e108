"""What was tested, as one LaTeX table for a paper: methods by figures, intervals, verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from songscape.benchmark.verdicts import Outcome
from songscape.benchmark.wording import metric_name
from songscape.report.read import main_label

if TYPE_CHECKING:
    from songscape.report.read import Results

__all__ = ["escape", "latex_table"]

# More do not fit the width of a page: then the table goes on in another block of rows.
MAX_FIGURES = 4
_MARKS = {Outcome.BETTER: r"$\blacktriangle$", Outcome.WORSE: r"$\triangledown$"}
_ESCAPES = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
} | {sign: f"\\{sign}" for sign in "&%$#_{}"}

Key = tuple[str, str, str]  # axis, metric, column


def latex_table(results: Results) -> str:
    """A `table` environment of booktabs; needs the packages booktabs and amssymb.

    A row per method, references apart; a column per tested figure of agreement, and of leakage for
    the language alone. In a cell the estimate, marked by its verdict, and its 95 % interval.
    """
    blocks = _blocks(_tested(results))
    width = max((len(block) for block in blocks), default=0)
    lines = [
        "% Needs \\usepackage{booktabs,amssymb}. All figures: summary.csv and differences.csv.",
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
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}", ""])


def _tested(results: Results) -> list[Key]:
    """The genre first, then other labels and artists, then the language."""
    setup = results.setup
    genre = main_label(setup.labels)
    order = [("agreement", name) for name in (genre, *setup.labels, "artist")]
    order.append(("leakage", setup.language))
    keys = dict.fromkeys(key[1:] for key in results.tests)
    places = {key: (key[0], key[2]) for key in keys}
    kept = [key for key in keys if places[key] in order]
    return sorted(kept, key=lambda key: order.index(places[key]))


def _blocks(keys: Sequence[Key]) -> list[list[Key]]:
    """Share the columns out over blocks; those of one label stay together."""
    blocks: list[list[Key]] = []
    for _, group in groupby(keys, key=lambda key: (key[0], key[2])):
        found = list(group)
        if blocks and len(blocks[-1]) + len(found) <= MAX_FIGURES:
            blocks[-1] += found
        else:
            blocks.append(found)
    return blocks


def _block(results: Results, block: Sequence[Key], width: int) -> list[str]:
    spans, rules, at = [], [], 2
    for (axis, column), group in groupby(block, key=lambda key: (key[0], key[2])):
        count = len(list(group))
        title = escape(column) + (r" $\downarrow$" if axis == "leakage" else "")
        spans.append(rf"\multicolumn{{{count}}}{{c}}{{{title}}}")
        rules.append(rf"\cmidrule(lr){{{at}-{at + count - 1}}}")
        at += count
    empty = [""] * (width - len(block))
    heads = ["Method", *(escape(metric_name(metric)) for _, metric, _ in block), *empty]
    lines = [_row(["", *spans, *empty]), " ".join(rules), _row(heads), r"\midrule"]
    methods = sorted(results.kinds, key=lambda model: results.kinds[model] == "reference")
    for apart, models in groupby(methods, key=lambda model: results.kinds[model] == "reference"):
        lines += [r"\addlinespace"] if apart else []
        for model in models:
            cells = [_cell(results, model, key) for key in block]
            lines.append(_row([escape(model), *cells, *empty]))
    return lines


def _cell(results: Results, model: str, key: Key) -> str:
    axis, metric, column = key
    where = results.setup.partition_of(metric)
    row = results.figures.known(model, metric, column, axis, where)
    if row is None:
        return "--"
    test = results.tests.get((model, *key))
    mark = "" if test is None else _MARKS.get(test.verdict, "")
    text = _number(row["estimate"]) + (rf"\,{mark}" if mark else "")
    if row["low"] != row["low"]:
        return text
    return rf"{text} {{\tiny[{_number(row['low'])}, {_number(row['high'])}]}}"


def _caption(results: Results) -> str:
    setup = results.setup
    grouped = ", resampled by artist" if setup.has_artists else ""
    seeds = "1 seed" if setup.n_seeds == 1 else f"{setup.n_seeds} seeds"
    better, worse = _MARKS.values()
    return (
        f"{setup.n_tracks} songs, {seeds}; AMI of {escape(setup.headline.title)}. "
        rf"In brackets the 95\,\% interval{grouped}. {better}\,better, {worse}\,worse than "
        f"{escape(setup.baseline)} after Holm's correction; unmarked: not distinguishable. "
        "Columns with an arrow are leakage: lower is better, and so is counted as better."
    )


def _row(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def _number(value: float) -> str:
    text = f"{value:.3f}"
    return f"${text}$" if float(text) < 0 else text.removeprefix("-")


def escape(text: str) -> str:
    """Text with LaTeX's special characters escaped."""
    return "".join(_ESCAPES.get(letter, letter) for letter in text)
