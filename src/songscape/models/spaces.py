"""Spaces: what a model returns of tracks beside posterior means.

The standard normal prior gives every used latent dimension about the same variance, which hides
from k-means how much each of them matters. The decoder space has the decoded views, in units of the
noise that the model learned and balanced over views. The joint space has linear coordinates and
latents side by side: the first tell most of genre and artist where every view is there, the latents
add what views share, and say of a track that lacks one which complete tracks it is like.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from songscape.models.linear import BlockPCA
from songscape.models.networks import SongNetwork
from songscape.models.parameters import WORD_COMPONENTS
from songscape.models.principal_axes import EXACT_LIMIT, Axes, principal_axes
from songscape.models.standardisation import chunks

Floats = NDArray[np.float64]
Covariates = NDArray[Any] | None
"""Of every track, encoded, (n_tracks, n_covariates)."""
N_COMPONENTS = 16
"""Dimensions per view of the decoder space and of the linear coordinates, at most."""
LATENT_WEIGHT = 0.7
"""Of the latents beside the linear coordinates, whose sound and words have a weight of 1 each."""


def linear_coordinates(
    names: Iterable[str], covariates: Sequence[str] | None, seed: int
) -> BlockPCA:
    """The linear model beside the latents, unfitted: "balanced-lda", or "neutral-lda"."""
    return BlockPCA(
        list(names),
        n_components=N_COMPONENTS,
        word_components=WORD_COMPONENTS,
        within_song=True,
        covariates=list(covariates or ())[:1] or None,
        neutral=bool(covariates),
        random_state=seed,
    )


def latent_weights(means: Floats, log_variances: Floats) -> Floats:
    """What latents are multiplied by beside a space with a total variance of 1, (latent_dim,).

    In units of what is usually left uncertain of them: the prior gives every used dimension about
    the same variance, however surely the views tell it. From posterior means and log-variances,
    (n_tracks, latent_dim).
    """
    weights = np.exp(-0.5 * np.median(log_variances, axis=0))
    variance = float((weights * means).var(axis=0).sum())
    return np.asarray(LATENT_WEIGHT * weights * variance**-0.5 if variance > 0 else 0.0 * weights)


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
    network: SongNetwork, latents: NDArray[Any], covariates: Covariates, *, seed: int
) -> DecoderSpace:
    """Find the axes from tracks with these latents, evenly spaced ones of a large collection."""
    some = slice(None, None, -(-len(latents) // EXACT_LIMIT))
    given = None if covariates is None else covariates[some]
    axes, factors = [], []
    for block in _blocks(network, latents[some], given):
        n_tracks, n_columns = block.shape
        n_axes = min(N_COMPONENTS, n_tracks, n_columns)
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
