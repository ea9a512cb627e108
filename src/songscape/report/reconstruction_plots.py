"""Picture of what a decoder gives back: MFCC matrices."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from songscape.report import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SECONDS_PER_FRAME = 512 / 22050


def reconstruction_figure(
    original: ArrayLike,
    reconstructed: ArrayLike,
    mask: ArrayLike,
    titles: Sequence[object],
    *,
    center: ArrayLike | None = None,
    scale: ArrayLike | None = None,
    title: str = "Input and reconstruction",
) -> "Figure":
    """Draw MFCC matrices (m, C, T) beside what the decoder made of them, on one colour scale.

    Coefficient 0 is a hundred times larger than the others and would drown them, so every
    coefficient is shown as its distance from ``center`` in units of ``scale``, shape (C,), the same
    for input and output. Frames that ``mask``, shape (m, T), calls padding are hatched.
    """
    before, after = (np.asarray(a, dtype=float) for a in (original, reconstructed))
    if before.shape != after.shape:
        raise ValueError(f"original {before.shape} and reconstructed {after.shape} differ in shape")
    count, coefficients, frames = before.shape
    real = np.asarray(mask, dtype=bool)
    heard = before.transpose(0, 2, 1)[real]
    middle = heard.mean(axis=0) if center is None else np.asarray(center, dtype=float)
    spread = heard.std(axis=0) if scale is None else np.asarray(scale, dtype=float)
    spread = np.where(spread > 1e-8, spread, 1.0)
    figure = style.new_figure(8.6, 0.7 + 2.0 * count)
    grid = figure.subplots(count, 2, squeeze=False, sharex=True, sharey=True)
    extent = (0.0, frames * _SECONDS_PER_FRAME, -0.5, coefficients - 0.5)
    for i, sides in enumerate(zip(before, after)):
        name = style.drawable(style.shorten(titles[i], 38))
        for axes, values, side in zip(grid[i], sides, ("input", "output of the decoder")):
            shown = np.where(real[i], (values - middle[:, None]) / spread[:, None], np.nan)
            axes.set_facecolor("#F2F2F2")
            axes.patch.set(hatch="////", edgecolor=style.FAINT)
            image = axes.imshow(
                shown,
                cmap=style.levels(style.DIVERGING),
                vmin=-3,
                vmax=3,
                aspect="auto",
                origin="lower",
                extent=extent,
                interpolation="nearest",
            )
            axes.set_title(f"{name}: {side}", fontsize=8)
            axes.tick_params(labelsize=7)
        grid[i, 0].set_ylabel("MFCC index", fontsize=8)
    for axes in grid[-1]:
        axes.set_xlabel("seconds" + ("" if real.all() else " (hatched: padding)"), fontsize=8)
    bar = figure.colorbar(image, ax=list(grid.flat), fraction=0.025, pad=0.01, extend="both")
    bar.set_label("deviations from the coefficient's mean", fontsize=8)
    bar.ax.tick_params(labelsize=7)
    return style.finish(figure, title)
