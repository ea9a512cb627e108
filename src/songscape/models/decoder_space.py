"""Decoder space: tracks as their decoded views, in units of the noise and balanced over views.

The standard normal prior gives every used latent dimension about the same variance, which hides
from k-means how much each of them matters. Decoding restores that: distances count in units of the
noise that the model learned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from songscape.models.networks import SongNetwork
from songscape.models.principal_axes import EXACT_LIMIT, Axes, principal_axes
from songscape.models.standardisation import chunks

Floats = NDArray[np.float64]
Covariates = NDArray[Any] | None
"""Of every track, encoded, (n_tracks, n_covariates)."""


@dataclass(frozen=True, eq=False)
class DecoderSpace:
    """Per view, the axes of the decoded block and the factor that gives it unit total variance."""

    axes: tuple[Axes, ...]
    factors: tuple[float, ...]

    def decoded(
        self, network: SongNetwork, latents: NDArray[Any], covariates: Covariates
    ) -> Floats:
        """Coordinates of tracks, each decoded at its own covariates, (n_tracks, n_dimensions)."""
        pieces = []
        for rows in chunks(len(latents)):
            given = None if covariates is None else covariates[rows]
            parts = zip(self.axes, self.factors, _blocks(network, latents[rows], given))
            projected = [axes.project(block) * factor for axes, factor, block in parts]
            pieces.append(np.concatenate(projected, axis=1))
        return np.concatenate(pieces)


def fit_decoder_space(
    network: SongNetwork,
    latents: NDArray[Any],
    covariates: Covariates,
    *,
    reduced_dim: int,
    seed: int,
) -> DecoderSpace:
    """Find the axes from tracks with these latents, evenly spaced ones of a large collection.

    `reduced_dim` is the number of dimensions per view, at most.
    """
    some = slice(None, None, -(-len(latents) // EXACT_LIMIT))
    given = None if covariates is None else covariates[some]
    axes, factors = [], []
    for block in _blocks(network, latents[some], given):
        n_tracks, n_columns = block.shape
        n_axes = min(reduced_dim, n_tracks, n_columns)
        read = block.__getitem__
        axes.append(principal_axes(read, n_tracks, n_columns, n_axes, seed=seed))
        variance = float(axes[-1].squares.sum()) / len(block)
        factors.append(variance**-0.5 if variance > 0 else 0.0)
    return DecoderSpace(tuple(axes), tuple(factors))


@torch.no_grad()
def _blocks(network: SongNetwork, latents: NDArray[Any], covariates: Covariates) -> list[Floats]:
    """Every view decoded from `latents`, shape (n_tracks, n_numbers) each.

    Gaussian views are divided by their learned noise; of words, the square root of their
    probabilities is taken, which makes distances Hellinger distances; directions stay directions.
    """
    given = None if covariates is None else torch.as_tensor(covariates).double()
    outputs = network.decode(torch.as_tensor(latents), given)
    blocks = []
    for spec in network.specs:
        out = outputs[spec.name]
        if spec.likelihood == "multinomial":
            block = torch.softmax(out, 1).sqrt()
        elif spec.likelihood == "von-mises-fisher":
            block = torch.nn.functional.normalize(out, dim=1)
        else:
            block = (out / network.noise_scale(spec.name)).flatten(1)
        blocks.append(block.double().numpy())
    return blocks
