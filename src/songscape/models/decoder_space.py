"""Decoder space: tracks as their decoded views, in units of the noise and balanced over views.

The standard normal prior gives every used latent dimension about the same variance, which hides
from k-means how much each of them matters. Decoding restores that: distances count in units of the
noise that the model learned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from songscape.models.networks import SongNetwork
from songscape.models.principal_axes import EXACT_LIMIT, Axes, principal_axes
from songscape.models.standardisation import chunks

__all__ = ["DecoderSpace", "Spaces", "decoded_blocks", "fit_spaces", "mixed_blocks"]

Floats = NDArray[np.float64]
Covariates = NDArray[Any] | None
"""Of every track, encoded, (n_tracks, n_covariates)."""
Mixture = tuple[tuple[float, NDArray[np.float32]], ...]
"""Weights that add up to one, and a vector of covariates for each."""
Centres = tuple[Mapping[str, Floats], ...]
"""Per vector of a mixture, the mean of some views' decoded blocks over the training tracks."""
MIN_LENGTH = 1e-9


@dataclass(frozen=True, eq=False)
class DecoderSpace:
    """Per view, the axes of the decoded block and the factor that gives it unit total variance.

    `centres` belong to a space at a mixture of covariates, see `mixed_blocks`.
    """

    axes: tuple[Axes, ...]
    factors: tuple[float, ...]
    centres: Centres = ()

    def project(self, blocks: Mapping[str, NDArray[Any]]) -> Floats:
        """Coordinates of decoded blocks, shape (n_tracks, n_dimensions)."""
        parts = zip(self.axes, self.factors, blocks.values())
        return np.concatenate([axes.project(block) * factor for axes, factor, block in parts], 1)


@dataclass(frozen=True, eq=False)
class Spaces:
    """The spaces of tracks decoded at their own covariates, or all at the average."""

    own: DecoderSpace
    average: DecoderSpace | None

    def decoded(
        self,
        network: SongNetwork,
        latents: NDArray[Any],
        covariates: Covariates,
        mixture: Mixture | None,
        *,
        average: bool = False,
    ) -> Floats:
        """Decoder space, (n_tracks, n_dimensions).

        Every track at its own `covariates`, or all at the same `mixture`; `average` says that the
        mixture is the one over all categories.
        """
        space = self.average if average and self.average is not None else self.own
        pieces = []
        for rows in chunks(len(latents)):
            if mixture is not None:
                blocks = mixed_blocks(network, latents[rows], mixture, space.centres)
            else:
                given = None if covariates is None else covariates[rows]
                blocks = decoded_blocks(network, latents[rows], given)
            pieces.append(space.project(blocks))
        return np.concatenate(pieces)


def fit_spaces(
    network: SongNetwork,
    latents: NDArray[Any],
    covariates: Covariates,
    mixture: Mixture | None,
    *,
    reduced_dim: int,
    seed: int,
) -> Spaces:
    """Find the axes from tracks with these latents, evenly spaced ones of a large collection.

    `mixture` is the average over the covariates, if there are any; `reduced_dim` is the number of
    dimensions per view, at most.
    """
    some = slice(None, None, -(-len(latents) // EXACT_LIMIT))
    latents = latents[some]
    blocks = decoded_blocks(network, latents, None if covariates is None else covariates[some])
    own = _fit_decoder_space(blocks, reduced_dim, seed)
    if mixture is None:
        return Spaces(own, None)
    centres = _mixture_centres(network, latents, mixture)
    blocks = mixed_blocks(network, latents, mixture, centres)
    return Spaces(own, _fit_decoder_space(blocks, reduced_dim, seed, centres))


@torch.no_grad()
def decoded_blocks(
    network: SongNetwork, latents: NDArray[Any], covariates: Covariates
) -> dict[str, Floats]:
    """Every view decoded from `latents`, shape (n_tracks, n_numbers) each.

    Gaussian views are divided by their learned noise; of words, the square root of their
    probabilities is taken, which makes distances Hellinger distances; directions stay directions.
    """
    given = None if covariates is None else torch.as_tensor(covariates).double()
    outputs = network.decode(torch.as_tensor(latents), given)
    blocks = {}
    for spec in network.specs:
        out = outputs[spec.name]
        if spec.has_words:
            block = torch.softmax(out, 1).sqrt()
        elif spec.likelihood == "von-mises-fisher":
            block = torch.nn.functional.normalize(out, dim=1)
        else:
            block = (out / network.noise_scale(spec.name)).flatten(1)
        blocks[spec.name] = block.double().numpy()
    return blocks


def mixed_blocks(
    network: SongNetwork, latents: NDArray[Any], mixture: Mixture, centres: Centres = ()
) -> dict[str, Floats]:
    """Every view decoded at each covariate vector of `mixture`, and averaged with its weights.

    The decoder was never trained at an average of covariates: there it would use the last trace of
    the language that the latents have. At a language it needs no trace.

    A word decoder knows the songs that it learned in a language better than the others: they lie
    farther from the centre of that language, which gives their own language away. Views with
    `centres` are therefore given as directions from there, all of length 1, times the square root
    of the weight: squared distances are then averages over languages that share few words.
    """
    total: dict[str, Floats] = {}
    for number, (weight, vector) in enumerate(mixture):
        centre = centres[number] if centres else {}
        for name, block in _blocks_at(network, latents, vector).items():
            if name in centre:
                away = block - centre[name]
                length = np.linalg.norm(away, axis=1, keepdims=True)
                part = weight**0.5 * away / np.maximum(length, MIN_LENGTH)
            else:
                part = weight * block
            total[name] = part + total.get(name, 0.0)
    return total


def _blocks_at(
    network: SongNetwork, latents: NDArray[Any], vector: NDArray[np.float32]
) -> dict[str, Floats]:
    """All tracks decoded at the same covariates."""
    return decoded_blocks(network, latents, np.repeat(vector[None], len(latents), axis=0))


def _mixture_centres(network: SongNetwork, latents: NDArray[Any], mixture: Mixture) -> Centres:
    """Means of the decoded words and embeddings at each covariate vector, by view."""
    if len(mixture) < 2:
        return ()
    names = [spec.name for spec in network.specs if spec.likelihood != "gaussian"]
    centres = []
    for _, vector in mixture:
        blocks = _blocks_at(network, latents, vector)
        centres.append({name: blocks[name].mean(axis=0) for name in names})
    return tuple(centres)


def _fit_decoder_space(
    blocks: Mapping[str, NDArray[Any]], n_components: int, seed: int, centres: Centres = ()
) -> DecoderSpace:
    """Reduce every decoded block to at most `n_components` axes and unit total variance."""
    axes = tuple(_axes(block, n_components, seed) for block in blocks.values())
    variances = (each.squares.sum() / len(b) for each, b in zip(axes, blocks.values()))
    return DecoderSpace(axes, tuple(map(_unit_variance, variances)), centres)


def _axes(block: NDArray[Any], n_components: int, seed: int = 0) -> Axes:
    n_tracks, n_columns = block.shape
    n_axes = min(n_components, n_tracks, n_columns)
    return principal_axes(block.__getitem__, n_tracks, n_columns, n_axes, seed=seed)


def _unit_variance(variance: float) -> float:
    """The factor that gives coordinates of this total variance a total variance of 1."""
    return float(variance) ** -0.5 if variance > 0 else 0.0
