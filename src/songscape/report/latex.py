"""What was tested, as one LaTeX table for a paper: methods by figures, intervals, verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from songscape.benchmark.verdicts import Outcome
from songscape.benchmark.wording import metric_name
from songscape.report.read import main_label

if TYPE_CHECKING:
    from songscape.report.read import Results

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

    A row per method; a column per tested figure of agreement, and of leakage for the language
    alone. In a cell the estimate, marked by its verdict, and its 95 % interval.
    """
    import pandas as pd

    keys, kinds = _tested(results), results.kinds
    methods = sorted(kinds, key=lambda model: kinds[model] == "reference")
    names = [escape(one) + " (reference)" * (kinds[one] == "reference") for one in methods]
    cells = [[_cell(results, model, key) for key in keys] for model in methods]
    heads = [
        (escape(column) + r" $\downarrow$" * (axis == "leakage"), escape(metric_name(metric)))
        for axis, metric, column in keys
    ]
    columns = pd.MultiIndex.from_tuples(heads) if heads else None
    table = pd.DataFrame(cells, index=names, columns=columns).to_latex(
        escape=False,
        column_format="l" + "c" * len(keys),
        multicolumn_format="c",
        caption=_caption(results),
        label="tab:songscape",
    )
    needs = "% Needs \\usepackage{booktabs,amssymb}."
    return f"{needs} All figures: summary.csv and differences.csv.\n{table}"


def _tested(results: Results) -> list[Key]:
    """The genre first, then other labels and artists, then the language."""
    setup = results.setup
    columns = (main_label(setup.labels), *setup.labels, "artist")
    order = [*(("agreement", name) for name in columns), ("leakage", setup.language)]
    keys = dict.fromkeys(key[1:] for key in results.tests)
    kept = [key for key in keys if (key[0], key[2]) in order]
    return sorted(kept, key=lambda key: order.index((key[0], key[2])))


def _cell(results: Results, model: str, key: Key) -> str:
    axis, metric, column = key
    where = results.setup.partition_of(metric)
    row = results.figures.known(model, metric, column, axis, where)
    if row is None:
        return "--"
    test = results.tests.get((model, *key))
    mark = _MARKS.get(test.verdict) if test else None
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


def _number(value: float) -> str:
    text = f"{value:.3f}"
    return f"${text}$" if float(text) < 0 else text.removeprefix("-")


def escape(text: str) -> str:
    """Text with LaTeX's special characters escaped."""
    return "".join(_ESCAPES.get(letter, letter) for letter in text)
