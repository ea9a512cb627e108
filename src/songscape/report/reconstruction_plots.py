"""Pictures of what a decoder gives back: MFCC matrices and words."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from songscape.report import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["reconstruction_figure", "words_figure"]


def reconstruction_figure(
    original: ArrayLike,
    reconstructed: ArrayLike,
    mask: ArrayLike | None = None,
    titles: Sequence[object] | None = None,
    *,
    seconds_per_frame: float = 512 / 22050,
    center: ArrayLike | None = None,
    scale: ArrayLike | None = None,
    title: str | None = None,
) -> "Figure":
    """Draw MFCC matrices beside what the decoder made of them, on one colour scale.

    Coefficient 0 is a hundred times larger than the others and would drown them, so every
    coefficient is shown as its distance from ``center`` in units of ``scale``, the same for input
    and output.

    Parameters
    ----------
    original, reconstructed : array, shape (C, T) or (m, C, T)
        MFCC of one or several songs, in the same units.
    mask : array of bool, shape (T,) or (m, T), optional
        True where the frame is real; padded frames are hatched, not drawn.
    titles : sequence of m names, optional
        Names of the songs.
    seconds_per_frame : float
        Hop length over sampling rate.
    center, scale : array, shape (C,), optional
        Mean and deviation of each coefficient, best over the training songs; by default over the
        real frames of the inputs shown.

    Raises
    ------
    ValueError
        If the two arrays differ in shape.
    """
    before, after = (_songs(a) for a in (original, reconstructed))
    if before.shape != after.shape:
        raise ValueError(f"original {before.shape} and reconstructed {after.shape} differ in shape")
    count, coefficients, frames = before.shape
    real = np.ones((count, frames), dtype=bool)
    if mask is not None:
        real = np.broadcast_to(np.asarray(mask, dtype=bool), (count, frames))
    heard = before.transpose(0, 2, 1)[real]
    middle = heard.mean(axis=0) if center is None else np.asarray(center, dtype=float)
    spread = heard.std(axis=0) if scale is None else np.asarray(scale, dtype=float)
    spread = np.where(spread > 1e-8, spread, 1.0)

    figure = style.new_figure(8.6, 0.7 + 2.0 * count)
    grid = figure.subplots(count, 2, squeeze=False, sharex=True, sharey=True)
    extent = (0.0, frames * seconds_per_frame, -0.5, coefficients - 0.5)
    image = None
    for i, sides in enumerate(zip(before, after)):
        name = style.drawable(style.shorten(titles[i], 38)) if titles is not None else ""
        for axes, values, side in zip(grid[i], sides, ("input", "output of the decoder")):
            shown = (values - middle[:, None]) / spread[:, None]
            shown = np.where(real[i][None, :], shown, np.nan)
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
            axes.set_title(f"{name}: {side}" if name else side, fontsize=8)
            axes.tick_params(labelsize=7)
        grid[i, 0].set_ylabel("MFCC index", fontsize=8)
    for axes in grid[-1]:
        axes.set_xlabel("seconds" + ("" if real.all() else " (hatched: padding)"), fontsize=8)
    if image is not None:
        bar = figure.colorbar(image, ax=list(grid.flat), fraction=0.025, pad=0.01, extend="both")
        bar.set_label("deviations from the coefficient's mean", fontsize=8)
        bar.ax.tick_params(labelsize=7)
    return style.finish(figure, title or "Input and reconstruction")


def words_figure(
    words_in: Sequence[tuple[str, float]],
    words_out: Sequence[tuple[str, float]],
    *,
    title: str | None = None,
    limit: int = 12,
) -> "Figure":
    """Draw a song's heaviest words before and after the model; words on both sides are dark.

    Parameters
    ----------
    words_in, words_out : sequence of (word, weight)
        TF-IDF weights of the song and the weights that the decoder gives back, in any order.
    limit : int
        Words per side.
    """
    sides = [sorted(s, key=lambda pair: (-pair[1], pair[0]))[:limit] for s in (words_in, words_out)]
    both = {word for word, _ in sides[0]} & {word for word, _ in sides[1]}
    figure = style.new_figure(7.0, 1.3 + 0.24 * max(1, *(len(side) for side in sides)))
    grid = figure.subplots(1, 2)
    for axes, side, heading in zip(grid, sides, ("words of the song", "words of the decoder")):
        colors = [
            style.CATEGORY_COLORS[0] if word in both else style.MISSING_COLOR for word, _ in side
        ]
        axes.barh(range(len(side)), [weight for _, weight in side], color=colors, height=0.7)
        names = [style.drawable(style.shorten(word)) for word, _ in side]
        axes.set_yticks(range(len(side)), names)
        axes.invert_yaxis()
        axes.set_title(heading, fontsize=9)
        axes.set_xlabel("weight", fontsize=8)
        style.plain_axes(axes, grid="x")
    heading = title or "The heaviest words, in and out"
    shared = f"{heading} (dark: on both sides, {len(both)} of {len(sides[0])})"
    return style.finish(figure, shared)


def _songs(values: ArrayLike) -> "np.ndarray[tuple[int, int, int], np.dtype[np.float64]]":
    array = np.asarray(values, dtype=float)
    if array.ndim not in (2, 3):
        raise ValueError(f"MFCC of shape {array.shape}; needs (C, T) or (m, C, T)")
    first = array if array.ndim == 3 else array[None]
    return first.reshape(first.shape[0], first.shape[1], first.shape[2])
