"""Pictures of a comparison: forest plot, agreement against leakage, stability by k."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.report import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["agreement_leakage_figure", "forest_figure", "pareto_front", "stability_figure"]


def forest_figure(
    names: Sequence[object],
    differences: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    verdicts: Sequence[str],
    *,
    axis_label: str = "difference in AMI",
    baseline: str = "balanced-pca",
    title: str | None = None,
    higher_is_better: bool = True,
) -> Figure:
    """Draw each method's difference to the baseline with its interval, the best on top.

    Parameters
    ----------
    names : sequence of m names
        Methods.
    differences, low, high : array, shape (m,)
        Method minus baseline, and the ends of the interval.
    verdicts : sequence of {"better", "same", "worse"}
        Colour and shape of the points.
    axis_label, baseline, title : str
        Names for the picture.
    higher_is_better : bool
        False for leakage: the lowest comes on top.

    Raises
    ------
    ValueError
        If a verdict is none of the three.
    """
    unknown = sorted(set(verdicts) - set(style.VERDICT_STYLE))
    if unknown:
        raise ValueError(f"verdict {unknown[0]!r}: must be one of {', '.join(style.VERDICT_STYLE)}")
    middle, left, right = (np.asarray(a, dtype=float) for a in (differences, low, high))
    sign = -1 if higher_is_better else 1
    order = sorted(range(len(names)), key=lambda i: (sign * middle[i], str(names[i])))
    figure = style.new_figure(7.2, 1.5 + 0.28 * max(len(order), 1))
    axes = figure.subplots()
    seen: set[str] = set()
    for row, i in enumerate(order):
        color, marker, meaning = style.VERDICT_STYLE[verdicts[i]]
        label = None if meaning in seen else meaning.replace("the baseline", baseline)
        axes.plot([left[i], right[i]], [row, row], color=color, linewidth=1.6)
        axes.plot(middle[i], row, marker, color=color, markersize=6, label=label)
        seen.add(meaning)
    axes.axvline(0, color=style.INK, linewidth=1)
    heads = [style.drawable(style.shorten(names[i], 34)) for i in order]
    axes.set_yticks(range(len(order)), heads)
    axes.set_ylim(len(order) - 0.4, -0.6)
    axes.set_xlabel(f"{axis_label} to {baseline} (0 = no difference; lines: interval)", fontsize=9)
    style.plain_axes(axes, grid="x")
    if seen:
        _legend_on_top(axes)
    return style.finish(figure, title or f"Better or worse than {baseline}?")


def pareto_front(agreement: ArrayLike, leakage: ArrayLike) -> NDArray[np.intp]:
    """Return which methods no other beats on both axes, sorted by leakage.

    Parameters
    ----------
    agreement, leakage : array, shape (m,)
        Higher and lower is better; rows with NaN are never on the front.
    """
    gain, cost = np.asarray(agreement, dtype=float), np.asarray(leakage, dtype=float)
    front: list[int] = []
    best = -np.inf
    for i in np.lexsort((-gain, cost)):
        if np.isfinite(gain[i]) and np.isfinite(cost[i]) and gain[i] > best:
            front.append(int(i))
            best = gain[i]
    return np.array(front, dtype=np.intp)


def agreement_leakage_figure(
    names: Sequence[object],
    agreement: ArrayLike,
    leakage: ArrayLike,
    *,
    agreement_interval: ArrayLike | None = None,
    leakage_interval: ArrayLike | None = None,
    agreement_label: str = "agreement with genre (AMI)",
    leakage_label: str = "leakage of language (AMI)",
    title: str | None = None,
    also_named: Sequence[object] = (),
) -> Figure:
    """Draw methods by what they should find against what they should not know, with the frontier.

    Parameters
    ----------
    names : sequence of m names
        Methods; those on the frontier are named in the picture.
    agreement, leakage : array, shape (m,)
        Up is better, left is better.
    agreement_interval, leakage_interval : array, shape (m, 2), optional
        Ends of the intervals.
    agreement_label, leakage_label, title : str
        Names for the picture.
    also_named : sequence of names
        Methods to name in the picture wherever they lie.
    """
    y, x = np.asarray(agreement, dtype=float), np.asarray(leakage, dtype=float)
    figure = style.new_figure(6.4, 4.8)
    axes = figure.subplots()
    front = pareto_front(y, x)
    rest = np.setdiff1d(np.arange(len(y)), front)
    if agreement_interval is not None:
        axes.vlines(x, *np.asarray(agreement_interval, dtype=float).T, color=style.FAINT, zorder=1)
    if leakage_interval is not None:
        axes.hlines(y, *np.asarray(leakage_interval, dtype=float).T, color=style.FAINT, zorder=1)
    axes.scatter(x[rest], y[rest], c=style.OTHER_COLOR, s=26, zorder=2, label="beaten on both axes")
    color = style.CATEGORY_COLORS[0]
    axes.plot(x[front], y[front], ":", color=color, linewidth=1.2, zorder=2)
    label = "frontier: nothing beats it on both axes"
    axes.scatter(x[front], y[front], c=color, marker="D", s=38, zorder=3, label=label)
    named = [i for i in rest if names[i] in also_named and np.isfinite(x[i] + y[i])]
    for i in [*front, *named]:
        text = style.drawable(style.shorten(names[i], 30))
        axes.annotate(text, (x[i], y[i]), (6, 5), textcoords="offset points", fontsize=8)
    axes.margins(0.14)
    axes.set_xlabel(f"{style.drawable(leakage_label)}   ← better", fontsize=9)
    axes.set_ylabel(f"{style.drawable(agreement_label)}   better →", fontsize=9)
    style.plain_axes(axes, grid="both")
    _legend_on_top(axes)
    return style.finish(figure, title or "Agreement and leakage")


def stability_figure(
    ks: ArrayLike,
    stability: ArrayLike,
    low: ArrayLike | None = None,
    high: ArrayLike | None = None,
    *,
    null_low: ArrayLike | None = None,
    null_high: ArrayLike | None = None,
    chosen: int | None = None,
    axis_label: str = "stability (ARI over subsamples)",
    title: str | None = None,
) -> Figure:
    """Draw stability by number of clusters over the band that structureless data reaches.

    Parameters
    ----------
    ks : array of int, shape (m,)
        Numbers of clusters.
    stability, low, high : array, shape (m,)
        Mean and ends of the interval.
    null_low, null_high : array, shape (m,), optional
        The band of the null reference.
    chosen : int, optional
        The k that was taken.
    axis_label, title : str
        Names for the picture.
    """
    from matplotlib.ticker import MaxNLocator

    x, y = np.asarray(ks, dtype=float), np.asarray(stability, dtype=float)
    figure = style.new_figure(6.0, 3.6)
    axes = figure.subplots()
    color = style.CATEGORY_COLORS[0]
    if null_low is not None and null_high is not None:
        bottom, top = np.asarray(null_low, dtype=float), np.asarray(null_high, dtype=float)
        axes.fill_between(x, bottom, top, color=style.FAINT, label="data without structure")
    if low is not None and high is not None:
        bottom, top = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
        axes.fill_between(x, bottom, top, color=color, alpha=0.2, linewidth=0, label="interval")
    axes.plot(x, y, "o-", color=color, markersize=4, linewidth=1.4, label="this collection")
    if chosen is not None:
        label = f"chosen: k = {chosen}"
        axes.axvline(chosen, color=style.CATEGORY_COLORS[3], ls="--", lw=1.2, label=label)
    axes.set_xlabel("k, number of clusters", fontsize=9)
    axes.set_ylabel(axis_label, fontsize=9)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    style.plain_axes(axes)
    axes.legend(fontsize=8, frameon=False)
    return style.finish(figure, title or "How stable is each k?")


def _legend_on_top(axes: Axes) -> None:
    axes.legend(fontsize=8, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
