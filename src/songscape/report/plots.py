"""Pictures: maps, heat maps, training and k-distance curves, stability by k, reconstructions.

Every function takes arrays and returns a `matplotlib.figure.Figure`; none touches pyplot's state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.report import style
from songscape.report.categories import Category, group_clusters, group_labels

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
NATS = "nats per song"
_SECONDS_PER_FRAME = 512 / 22050
TRAINING_PANELS = (
    ("ELBO: higher is better", NATS, ("train_elbo", "validation_elbo")),
    ("Reconstruction term", NATS, ("reconstruction",)),
    ("KL divergence: what the latents hold", NATS, ("kl",)),
    ("β: weight of the KL term", "β", ("beta",)),
)


def map_figure(
    xy: ArrayLike,
    clusters: Sequence[int] | NDArray[np.integer],
    labels: Mapping[str, Sequence[object]] | None = None,
    *,
    title: str | None = None,
    cluster_name: str = "cluster",
    method: str = "UMAP",
) -> Figure:
    """Draw one map several times: coloured by cluster (−1 is noise), then by each label column.

    The ten commonest values get a colour, empty cells are grey. `method` says how the positions
    were made, see `songscape.report.maps.map_method`.
    """
    points = np.asarray(xy, dtype=float).reshape(-1, 2)
    panels: list[tuple[str, list[Category]]] = [(cluster_name, group_clusters(clusters))]
    panels += [(name, group_labels(values)) for name, values in (labels or {}).items()]
    columns = min(len(panels), 3)
    rows = -(-len(panels) // columns)
    figure = style.new_figure(4.1 * columns + 0.2, 5.1 * rows + 0.3)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    for axes, (name, groups) in zip(grid.flat, panels):
        _scatter(axes, points, groups)
        axes.set_title(f"coloured by {style.drawable(name)}", fontsize=10)
    _number_clusters(grid[0, 0], points, panels[0][1])
    grid[0, 0].set_xlabel(f"{method} map, no unit: near = similar", fontsize=8)
    return style.finish(figure, title or f"{len(points)} songs, one point each", size=12)


def heatmap_figure(
    clusters: Sequence[int] | NDArray[np.integer],
    labels: Sequence[object],
    label_name: str = "label",
    *,
    title: str | None = None,
    cluster_name: str = "cluster",
) -> Figure:
    """Draw which share of each cluster carries which label, with counts, and the same of all songs.

    Each row sums to 100 %. Noise has a row of its own, set apart; the last row is the collection as
    a whole: a cluster that looks like it says nothing about the label.
    """
    columns = group_labels(labels, limit=12)
    everyone = Category("all songs", "all", np.ones(len(np.asarray(clusters)), dtype=bool))
    rows = [*group_clusters(clusters, limit=24), everyone]
    counts = np.array([[int((r.members & c.members).sum()) for c in columns] for r in rows])
    shares = counts / np.maximum([[row.count] for row in rows], 1)
    figure = style.new_figure(max(4.6, 1.9 + 0.78 * len(columns)), max(2.4, 1.5 + 0.42 * len(rows)))
    axes = figure.subplots()
    image = axes.imshow(shares, cmap=style.levels(style.SEQUENTIAL), vmin=0, vmax=1, aspect="auto")
    for (i, j), part in np.ndenumerate(shares):
        if counts[i, j]:
            text = f"{style.share(part)}\n({counts[i, j]:,})"
            color = "white" if part > 0.55 else style.INK
            axes.text(j, i, text, ha="center", va="center", fontsize=7, color=color)
    for i, row in enumerate(rows):
        if row.kind in {"noise", "all"}:
            axes.axhline(i - 0.5, color="white", linewidth=3)
    names = [f"{cluster_name} {row.name}" if row.kind == "category" else row.name for row in rows]
    names = [f"{name} (n = {row.count:,})" for name, row in zip(names, rows)]
    axes.set_yticks(range(len(rows)), names, fontsize=8)
    heads = [style.drawable(style.shorten(c.name, 18)) for c in columns]
    tilted = max(map(len, heads)) > 8 and len(heads) > 2
    look: dict[str, Any] = {"rotation": 35, "ha": "right", "rotation_mode": "anchor"}
    axes.set_xticks(range(len(columns)), heads, fontsize=8, **(look if tilted else {}))
    axes.tick_params(length=0)
    axes.set_xlabel(style.drawable(label_name))
    axes.spines[:].set_visible(False)
    bar = figure.colorbar(image, ax=axes, fraction=0.05, pad=0.02)
    bar.set_label("share of the row's songs", fontsize=8)
    bar.set_ticks([0, 0.5, 1], labels=["0 %", "50 %", "100 %"], fontsize=8)
    bar.outline.set_visible(False)
    return style.finish(figure, title or f"Which {label_name} fills which cluster")


def training_figure(history: Sequence[Mapping[str, Any]], *, title: str = "Training") -> Figure:
    """Draw ELBO, reconstruction term, KL divergence (nats per song) and β over the epochs.

    A row of the history has ``epoch`` and any of ``train_elbo``, ``validation_elbo``,
    ``reconstruction``, ``kl`` and ``beta``; absent series are left out.
    """
    import pandas as pd

    known = ["epoch", *(name for *_, names in TRAINING_PANELS for name in names)]
    rows = pd.DataFrame(history, columns=known).astype(float)
    best = rows["validation_elbo"].idxmax() if rows["validation_elbo"].notna().any() else None
    # A deterministic autoencoder has neither KL nor β: a row of zeros is no picture.
    present = [panel for panel in TRAINING_PANELS if rows[[*panel[2]]].fillna(0).any(axis=None)]
    columns = max(1, min(2, len(present)))
    n_rows = max(1, -(-len(present) // columns))
    figure = style.new_figure(4.4 * columns, 2.6 * n_rows + 0.4)
    grid = figure.subplots(n_rows, columns, squeeze=False)
    looks = {"validation_elbo": (style.CATEGORY_COLORS[3], "validation (songs held out)")}
    for axes in grid.flat[len(present) :]:
        axes.set_axis_off()
    for axes, (heading, unit, names) in zip(grid.flat, present):
        # Where no songs are held out, no line of theirs is named.
        drawn = rows[[*names]].dropna(axis="columns", how="all")
        for name, values in drawn.items():
            color, label = looks.get(str(name), (style.CATEGORY_COLORS[0], "training"))
            axes.plot(rows["epoch"], values, color=color, label=label, linewidth=1.4)
        cut = names != ("beta",) and _cut_start(axes, [*drawn.to_numpy().T])
        if best is not None:
            epoch = int(rows["epoch"][best])
            label = f"weights kept: epoch {epoch}"
            axes.axvline(epoch, color=style.INK, linestyle=":", linewidth=1, label=label)
        axes.set_title(heading, fontsize=9)
        axes.set_ylabel(unit, fontsize=8)
        axes.set_xlabel("epoch (the first ones are off the scale)" if cut else "epoch", fontsize=8)
        style.plain_axes(axes)
    if present:
        grid[0, 0].legend(fontsize=7, frameon=False, loc="lower right")
    if best is not None and best < len(rows) - 1:
        title += f": stopped after epoch {int(rows['epoch'].iloc[-1])}"
    return style.finish(figure, title)


def k_distance_figure(
    k_distances: ArrayLike, eps: float, min_samples: int, *, title: str | None = None
) -> Figure:
    """Draw every song's distance to its ``min_samples``-th neighbour, sorted, and the chosen eps.

    The curve of Ester, Kriegel, Sander & Xu (KDD 1996): songs above the line lie in no dense
    region, unless a dense one is within eps.
    """
    distances = np.sort(np.asarray(k_distances, dtype=float).ravel())
    above = int((distances > eps).sum())
    figure = style.new_figure(5.6, 3.4)
    axes = figure.subplots()
    ranks = np.arange(1, len(distances) + 1)
    axes.plot(ranks, distances, color=style.CATEGORY_COLORS[0], linewidth=1.6)
    axes.axhline(eps, color=style.CATEGORY_COLORS[3], linestyle="--", linewidth=1.2)
    said = f"eps = {style.number(eps)}: {above:,} of {len(distances):,} songs lie above"
    look: dict[str, Any] = {"fontsize": 8, "color": style.CATEGORY_COLORS[3]}
    look |= {"xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
    axes.annotate(said, (0.02, eps), (0, 4), **look)
    axes.set_ylim(0, max(float(distances.max(initial=0)), float(eps)) * 1.12 or 1)
    axes.set_xlabel("songs, sorted by this distance", fontsize=9)
    axes.set_ylabel(f"distance to neighbour {min_samples}\n(units of the latent space)", fontsize=9)
    style.plain_axes(axes)
    return style.finish(figure, title or f"k-distance curve, min_samples = {min_samples}")


def stability_figure(curve: pd.DataFrame, chosen: int | None = None, *, title: str) -> Figure:
    """Draw stability by k (`stability.csv`) over the band that data without structure reaches."""
    from matplotlib.ticker import MaxNLocator

    figure = style.new_figure(6.0, 3.6)
    axes = figure.subplots()
    color, k = style.CATEGORY_COLORS[0], curve["k"]
    low, high, name = curve["null_low"], curve["null_high"], "data without structure"
    axes.fill_between(k, low, high, color=style.FAINT, label=name)
    low, high = curve["low"], curve["high"]
    axes.fill_between(k, low, high, color=color, alpha=0.2, linewidth=0, label="interval")
    name = "this collection"
    axes.plot(k, curve["stability"], "o-", color=color, markersize=4, linewidth=1.4, label=name)
    if chosen is not None:
        label = f"chosen: k = {chosen}"
        axes.axvline(chosen, color=style.CATEGORY_COLORS[3], ls="--", lw=1.2, label=label)
    axes.set_xlabel("k, number of clusters", fontsize=9)
    axes.set_ylabel("stability (ARI over subsamples)", fontsize=9)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    style.plain_axes(axes)
    axes.legend(fontsize=8, frameon=False)
    return style.finish(figure, title)


def reconstruction_figure(
    original: ArrayLike,
    reconstructed: ArrayLike,
    mask: ArrayLike,
    titles: Sequence[object],
    *,
    center: ArrayLike | None = None,
    scale: ArrayLike | None = None,
    title: str = "Input and reconstruction",
) -> Figure:
    """Draw MFCC matrices (m, C, T) and what the decoder made of them, on one colour scale.

    Coefficient 0 is a hundred times larger than the others and would drown them, so every
    coefficient is shown as its distance from ``center`` in units of ``scale``, shape (C,), the same
    for input and output. Frames that ``mask``, shape (m, T), calls padding are hatched.
    """
    before, after = (np.asarray(a, dtype=float) for a in (original, reconstructed))
    count, coefficients, frames = before.shape
    real = np.asarray(mask, dtype=bool)
    heard = before.transpose(0, 2, 1)[real]
    middle = np.asarray(heard.mean(axis=0) if center is None else center, dtype=float)[:, None]
    spread = np.asarray(heard.std(axis=0) if scale is None else scale, dtype=float)[:, None]
    spread = np.where(spread > 1e-8, spread, 1.0)
    figure = style.new_figure(8.6, 0.7 + 2.0 * count)
    grid = figure.subplots(count, 2, squeeze=False, sharex=True, sharey=True)
    extent = (0.0, frames * _SECONDS_PER_FRAME, -0.5, coefficients - 0.5)
    look: dict[str, Any] = {"cmap": style.levels(style.DIVERGING), "vmin": -3, "vmax": 3}
    look |= {"aspect": "auto", "origin": "lower", "interpolation": "nearest", "extent": extent}
    for i, sides in enumerate(zip(before, after)):
        name = style.drawable(style.shorten(titles[i], 38))
        for axes, values, side in zip(grid[i], sides, ("input", "output of the decoder")):
            axes.set_facecolor("#F2F2F2")
            axes.patch.set(hatch="////", edgecolor=style.FAINT)
            image = axes.imshow(np.where(real[i], (values - middle) / spread, np.nan), **look)
            axes.set_title(f"{name}: {side}", fontsize=8)
            axes.tick_params(labelsize=7)
        grid[i, 0].set_ylabel("MFCC index", fontsize=8)
    for axes in grid[-1]:
        axes.set_xlabel("seconds" + ("" if real.all() else " (hatched: padding)"), fontsize=8)
    bar = figure.colorbar(image, ax=list(grid.flat), fraction=0.025, pad=0.01, extend="both")
    bar.set_label("deviations from the coefficient's mean", fontsize=8)
    bar.ax.tick_params(labelsize=7)
    return style.finish(figure, title)


def _scatter(axes: Axes, points: Floats, groups: Sequence[Category]) -> None:
    """Draw the groups, the faint ones first and the smallest category last, so none is hidden."""
    size = float(np.clip(7000 / max(len(points), 1), 5, 40))
    faint = {"missing": 0, "noise": 1, "other": 2}
    order = sorted(groups, key=lambda g: (faint.get(g.kind, 3), -g.count))
    handles = []
    for place, group in enumerate(groups):  # categories come first
        label = f"{style.drawable(style.shorten(group.name))} ({group.count:,})"
        look = _look(group.kind, place, size) | {"zorder": 2 + order.index(group)}
        handles.append(axes.scatter(*points[group.members].T, label=label, **look))
    if groups:
        where: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.04), "ncols": 2}
        room: dict[str, Any] = {"fontsize": 8, "handletextpad": 0.2, "columnspacing": 1.0}
        legend = axes.legend(handles=handles, frameon=False, **where, **room)
        for handle in legend.legend_handles:
            handle.set_sizes([34])  # type: ignore[union-attr]
    axes.set(xticks=[], yticks=[])
    axes.margins(0.04)
    axes.spines[:].set_color(style.FAINT)


def _look(kind: str, place: int, size: float) -> dict[str, Any]:
    """Return scatter arguments: a colour, and from the ninth category on another shape as well."""
    if kind == "noise":
        return {"c": style.NOISE_COLOR, "marker": "x", "s": 0.6 * size, "linewidths": 0.7}
    if kind == "missing":
        return {"c": style.MISSING_COLOR, "marker": ".", "s": 0.8 * size, "linewidths": 0}
    if kind == "other":
        rim = {"facecolors": "none", "edgecolors": style.OTHER_COLOR, "linewidths": 0.6}
        return {**rim, "marker": "o", "s": 0.7 * size}
    lap, color = divmod(place, len(style.CATEGORY_COLORS))
    marker = style.CATEGORY_MARKERS[lap % len(style.CATEGORY_MARKERS)]
    look = {"c": style.CATEGORY_COLORS[color], "marker": marker, "s": size}
    return look | {"edgecolors": "white", "linewidths": 0.25}


def _number_clusters(axes: Axes, points: Floats, groups: Sequence[Category]) -> None:
    from matplotlib.patheffects import withStroke

    for group in groups:
        if group.kind == "category" and group.count:
            x, y = np.median(points[group.members], axis=0)
            text = axes.text(x, y, group.name, ha="center", va="center", weight="bold", zorder=50)
            text.set_path_effects([withStroke(linewidth=3, foreground="white")])


def _cut_start(axes: Axes, shown: Sequence[Floats]) -> bool:
    """Keep a wild start from flattening the rest of the curves; say whether anything was cut."""
    late = np.concatenate([values[max(1, len(values) // 10) :] for values in shown])
    everything = np.concatenate(shown)
    late, everything = late[np.isfinite(late)], everything[np.isfinite(everything)]
    if len(late) < 5 or float(np.ptp(everything)) <= 3 * max(float(np.ptp(late)), 1e-12):
        return False
    low, high = float(late.min()), float(late.max())
    room = 0.08 * max(high - low, 1e-9)
    axes.set_ylim(low - room, high + room)
    return True
