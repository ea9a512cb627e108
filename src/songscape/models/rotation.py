"""Rotation: train wide Gaussian views on their n - 1 principal coordinates, then turn back.

With fewer tracks than columns, the training tracks span at most n - 1 directions. A Gaussian with
the same noise in every column is the same density in any orthonormal coordinates, so a decoder that
predicts the coordinates along those directions (and the mean elsewhere) has exactly the likelihood
of one that predicts all columns. First and last layers become 10 to 30 times narrower; after
training both are multiplied by the directions, which gives an ordinary network. Padding breaks the
symmetry, so a view with padded steps is trained as it is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from songscape.features.views import View
from songscape.models.networks import SongNetwork
from songscape.models.principal_axes import EXACT_LIMIT, Axes, principal_axes
from songscape.models.standardisation import InputView, chunks
from songscape.models.view_specs import ViewSpec

MIN_COLUMNS = 256


@dataclass(frozen=True, eq=False)
class Rotated:
    """A view in rotated coordinates, divided by `scale` for a mean square of 1.

    `coordinates` is (n_tracks, n_axes), float32; `offset`, (n_tracks,), is what to add to the
    log-likelihood of the coordinates to get that of the columns.
    """

    axes: Axes
    scale: float
    coordinates: NDArray[np.float32]
    offset: NDArray[np.float32]

    @property
    def n_axes(self) -> int:
        return int(self.coordinates.shape[1])

    @property
    def spread(self) -> NDArray[np.float64]:
        """Relative standard deviation of every coordinate; their mean square is 1."""
        squares = self.axes.squares
        return np.asarray(np.sqrt(squares / squares.mean()))


def can_rotate(spec: ViewSpec, reader: InputView, view: View, training: NDArray[np.intp]) -> bool:
    """Whether rotating loses nothing and makes the view narrower."""
    n_training = int(view.present[training].sum())
    padded = view.mask is not None and not view.mask[view.present].all()
    isotropic = spec.likelihood == "gaussian" and spec.noise == "fixed"
    wide = reader.size >= MIN_COLUMNS and 1 < n_training <= min(EXACT_LIMIT, 3 * reader.size // 4)
    return spec.encoder == "dense" and isotropic and wide and not padded


def rotate(reader: InputView, view: View, training: NDArray[np.intp]) -> Rotated:
    """Rotate a view onto the principal axes of its training tracks (those present)."""
    present = training[view.present[training]]

    def read(rows: NDArray[np.intp]) -> NDArray[np.float32]:
        return reader.read(view, rows)[0].reshape(len(rows), -1)

    axes = principal_axes(
        lambda rows: read(present[rows]), len(present), reader.size, len(present) - 1
    )
    n_axes = len(axes.squares)
    scale = math.sqrt(axes.squares.sum() / (len(present) * max(n_axes, 1))) or 1.0
    coordinates = np.zeros((view.shape[0], n_axes), np.float32)
    offset = np.zeros(view.shape[0])
    outside_normaliser = 0.5 * (reader.size - n_axes) * math.log(2.0 * math.pi)
    for rows in chunks(view.shape[0]):
        values = read(rows)
        projected = axes.project(values)
        squared = ((values - axes.mean) ** 2).sum(axis=1)
        outside = np.maximum(squared - (projected**2).sum(axis=1), 0.0)
        coordinates[rows] = projected / scale
        offset[rows] = -0.5 * outside - outside_normaliser - n_axes * math.log(scale)
    coordinates[~view.present] = 0.0
    offset[~view.present] = 0.0
    return Rotated(axes, scale, coordinates, offset.astype(np.float32))


def rotated_spec(spec: ViewSpec, rotated: Rotated) -> ViewSpec:
    """The spec of a view in rotated coordinates.

    Adam moves every weight by about the same amount, and the first coordinates vary a hundred times
    more than the last: the gain lets the decoder's output move in proportion to what it predicts.
    """
    return replace(spec, shape=(rotated.n_axes,), gain=tuple(rotated.spread.tolist()))


@torch.no_grad()
def prepare(network: SongNetwork, rotations: Mapping[str, Rotated]) -> None:
    """Set the noise of rotated views: one standardised unit is 1 / scale coordinates."""
    for name, rotated in rotations.items():
        network.log_noise[network.key[name]].fill_(-math.log(rotated.scale))


@torch.no_grad()
def fold(trained: SongNetwork, full: SongNetwork, rotations: Mapping[str, Rotated]) -> None:
    """Copy `trained` into `full`, with first and last layers of rotated views turned back."""
    state = trained.state_dict()
    for name, rotated in rotations.items():
        key = trained.key[name]
        directions = torch.as_tensor(rotated.axes.directions)
        mean = torch.as_tensor(rotated.axes.mean)
        entry, head = trained.entries[key], trained.heads[key]
        assert isinstance(entry, nn.Linear), "only dense views are rotated"
        assert isinstance(head, nn.Linear), "only dense views are rotated"
        into = entry.weight.cpu().double() @ directions / rotated.scale
        back = directions.T * torch.as_tensor(rotated.spread * rotated.scale)
        state |= {
            f"entries.{key}.weight": into,
            f"entries.{key}.bias": entry.bias.cpu().double() - into @ mean,
            f"heads.{key}.weight": back @ head.weight.cpu().double(),
            f"heads.{key}.bias": mean + back @ head.bias.cpu().double(),
            f"log_noise.{key}": torch.zeros_like(full.log_noise[key]),
        }
    full.load_state_dict(state)
