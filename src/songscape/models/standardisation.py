"""Standardisation: how each view is scaled and read; what is absent is never treated as data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songscape.errors import SongscapeError
from songscape.features.views import View, Views

CHUNK_ROWS = 512
SMOOTHING = 0.1


@dataclass(frozen=True, eq=False)
class InputView:
    """One view as a model reads it.

    `shape` is that of one track's block; steps run along `step_axis` of the whole array (tracks
    first), 0 where there are none. `mean` and `scale` broadcast to `shape`. A sequence has one pair
    per feature, over all valid steps, so that a frame that few tracks reach is standardised like
    every other frame.
    """

    name: str
    shape: tuple[int, ...]
    step_axis: int
    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    feature_names: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Numbers per track."""
        return int(np.prod(self.shape))

    def check(self, view: View) -> None:
        """Raise unless `view` has the columns that this input was fitted on."""
        if view.shape[1:] != self.shape:
            raise SongscapeError(
                f"view {self.name!r} has shape {view.shape[1:]} per track, the model was fitted on "
                f"{self.shape}; extract the features again with the settings of the model"
            )
        if self.feature_names and view.feature_names and view.feature_names != self.feature_names:
            raise SongscapeError(
                f"view {self.name!r} has other columns than the model was fitted on; "
                "extract the features again with the vocabulary of the model"
            )

    def read(
        self, view: View, rows: NDArray[np.intp]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Standardised values, of shape (n_rows, *shape), zero where not data, and their weight.

        The weight is 1 where a number is data and 0 where it is not, broadcasting to the values.
        """
        valid = view.present[rows][:, None]
        if view.mask is not None and self.step_axis:
            valid = view.mask[rows] & valid
        layout = [len(rows), *(1 for _ in self.shape)]
        layout[max(self.step_axis, 1)] = valid.shape[1]
        weight = valid.astype(np.float32).reshape(layout)
        values = view.values[rows]
        values = np.asarray(values.toarray() if view.is_sparse else values, dtype=np.float32)
        # np.where and not a product: NaN in the padding must not get through either.
        standardised = np.where(weight > 0, (values - self.mean) / self.scale, np.float32(0))
        if not np.isfinite(standardised).all():
            raise SongscapeError(
                f"view {self.name!r} holds NaN or infinity; extract the features again"
            )
        return standardised.astype(np.float32, copy=False), weight

    def restore(self, standardised: NDArray[Any]) -> NDArray[np.float32]:
        """Standardised numbers back in the units of the view."""
        block = standardised.reshape(-1, *self.shape) * self.scale + self.mean
        return np.asarray(block, dtype=np.float32)


def chunks(n_rows: int) -> Iterator[NDArray[np.intp]]:
    """Consecutive row numbers in pieces of at most `CHUNK_ROWS`."""
    for start in range(0, n_rows, CHUNK_ROWS):
        yield np.arange(start, min(start + CHUNK_ROWS, n_rows))


def fit_input(
    name: str, view: View, *, standardise: bool = True, signed: bool = False
) -> InputView:
    """Learn the standardisation of a view from present tracks and valid steps only.

    Without `standardise`, zeros stay zeros (words under a multinomial likelihood) and the whole
    block is only brought to a mean square of 1, the scale that a dense layer expects; negative
    numbers are then refused unless `signed`.
    """
    if not view.present.any():
        raise SongscapeError(f"no track has the view {name!r}; choose a model that does not use it")
    shape = view.shape[1:]
    step_axis = view.step_axis if len(shape) > 1 else 0
    per_feature = tuple(1 if axis == step_axis else n for axis, n in enumerate(shape, start=1))
    zeros, ones = np.zeros(per_feature, np.float32), np.ones(per_feature, np.float32)
    identity = InputView(name, shape, step_axis, zeros, ones, view.feature_names)
    if not standardise:
        return replace(identity, scale=ones * np.float32(_root_mean_square(name, view, signed)))
    mean = _average(identity, view, np.zeros(per_feature))
    scale = np.sqrt(_average(identity, view, mean, squared=True))
    constant = scale <= 1e-6 * np.maximum(1.0, np.abs(mean))
    scale = np.where(constant, 1.0, scale).astype(np.float32)
    return replace(identity, mean=mean.astype(np.float32), scale=scale)


def _average(
    reader: InputView, view: View, centre: NDArray[np.float64], *, squared: bool = False
) -> NDArray[np.float64]:
    """Mean over tracks and valid steps of (x - centre), or of its square."""
    axes = (0, reader.step_axis) if reader.step_axis else (0,)
    total = np.zeros(centre.shape)
    count = np.zeros(1)
    for rows in chunks(view.shape[0]):
        values, weight = reader.read(view, rows)
        deviation = (values - centre) * weight
        total += (deviation**2 if squared else deviation).sum(axis=axes).reshape(centre.shape)
        # Without a mask one weight stands for all steps of a track.
        repeats = values.shape[axes[-1]] // weight.shape[axes[-1]] if reader.step_axis else 1
        count = count + weight.sum() * repeats
    return total / np.maximum(count, 1.0)


def _root_mean_square(name: str, view: View, signed: bool) -> float:
    """The root mean square of a block, checked to be finite and, unless `signed`, not negative."""
    values = view.values[view.present]
    data = values.data if view.is_sparse else values
    if not np.isfinite(data).all():
        raise SongscapeError(f"view {name!r} holds NaN or infinity; extract the features again")
    if not signed and (data < 0).any():
        raise SongscapeError(
            f"view {name!r} holds negative numbers, which no multinomial can; use the likelihood "
            "'gaussian' for it"
        )
    n_numbers = int(view.present.sum()) * view.shape[1]
    mean_square = float(np.square(data, dtype=np.float64).sum()) / n_numbers
    return float(np.sqrt(mean_square)) or 1.0


def word_shares(reader: InputView, view: View, rows: NDArray[np.intp]) -> NDArray[np.float64]:
    """Mean share of every word in the lyrics of `rows`, shape (n_words,); adds up to 1.

    Every track counts the same. A share of `SMOOTHING` is spread evenly: no word is impossible.
    """
    total = np.zeros(view.shape[1])
    for piece in chunks(len(rows)):
        values, weight = reader.read(view, rows[piece])
        words = values.astype(np.float64) * weight
        total += (words / np.maximum(words.sum(axis=1, keepdims=True), 1e-12)).sum(axis=0)
    total += max(float(total.sum()), 1.0) * SMOOTHING / len(total)
    return np.asarray(total / total.sum())


def sorted_by_id(views: Views) -> Views:
    """The tracks in the order of their ids, so that the order of the input changes nothing."""
    order = sorted(range(views.n_tracks), key=views.track_ids.__getitem__)
    return views if order == list(range(views.n_tracks)) else views.take(order)
