"""Spaces: the decoded tracks, whitened by the noise and balanced over views, as a place to cluster.

The standard normal prior gives every used latent dimension about the same variance, which hides
from k-means how much each of them matters. Decoding brings that back: distances count in units of
the noise that the model learned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from songscape.models.linear import EXACT_LIMIT, Axes, principal_axes
from songscape.models.networks import SongNetwork

__all__ = [
    "SPACES",
    "DecoderSpace",
    "JointSpace",
    "Mixture",
    "decoded_blocks",
    "evenly",
    "fit_decoder_space",
    "fit_joint_space",
    "mixed_blocks",
    "mixture_centres",
]

SPACES = ("latent", "decoder", "joint")

Mixture = tuple[tuple[float, NDArray[np.float32]], ...]
"""Weights that add up to one, and a vector of covariates for each."""
Centres = tuple[Mapping[str, NDArray[np.float64]], ...]
"""Per vector of a mixture, the mean of some views' decoded blocks over the training tracks."""
SHORTEST = 1e-9


@dataclass(frozen=True, eq=False)
class DecoderSpace:
    """Per view, the axes of the decoded block and the factor that gives it unit total variance.

    `centres` belongs to a space at a mixture of covariates, see `mixed_blocks`.
    """

    axes: tuple[Axes, ...]
    factors: tuple[float, ...]
    centres: Centres = ()

    @property
    def n_features(self) -> int:
        return sum(len(axes.squares) for axes in self.axes)

    def project(self, blocks: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
        """Coordinates of decoded blocks, shape (n_tracks, n_features)."""
        parts = [
            axes.project(block) * factor
            for axes, factor, block in zip(self.axes, self.factors, blocks.values())
        ]
        return np.concatenate(parts, axis=1)


@dataclass(frozen=True, eq=False)
class JointSpace:
    """The decoder space and the posterior means side by side, each view and the latents equal.

    Decoding says how much a difference is heard or read, but lets what is loudest in a view speak
    most, among words the language; posterior means give every direction that the model told apart
    the same say.

    Attributes
    ----------
    factor : float
        Gives the latents a total variance of 1, as every view of the decoder space has.
    axes : Axes
        Of both side by side; coordinates along them are what `project` returns.
    """

    factor: float
    axes: Axes

    @property
    def n_features(self) -> int:
        return len(self.axes.squares)

    def project(self, decoded: NDArray[Any], latents: NDArray[Any]) -> NDArray[np.float64]:
        """Places of tracks from their decoder space and posterior means, (n_tracks, n_features)."""
        return self.axes.project(np.concatenate([decoded, self.factor * latents], axis=1))


def evenly(n_tracks: int) -> slice:
    """Evenly spaced tracks, as many as axes can be found of exactly."""
    return slice(None, None, -(-n_tracks // EXACT_LIMIT))


def fit_joint_space(decoded: NDArray[Any], latents: NDArray[Any], n_components: int) -> JointSpace:
    """Weigh the latents against the decoder space and reduce both to `n_components` axes.

    Parameters
    ----------
    decoded : ndarray of shape (n_tracks, n_decoder)
        The tracks in decoder space.
    latents : ndarray of shape (n_tracks, latent_dim)
        Their posterior means.
    """
    variance = float(latents.var(axis=0).sum())
    factor = variance**-0.5 if variance > 0 else 0.0
    both = np.concatenate([decoded, factor * latents], axis=1)
    n_tracks, n_columns = both.shape
    n_components = min(n_components, n_tracks, n_columns)
    return JointSpace(factor, principal_axes(both.__getitem__, n_tracks, n_columns, n_components))


def mixed_blocks(
    network: SongNetwork, latents: NDArray[Any], mixture: Mixture, centres: Centres = ()
) -> dict[str, NDArray[np.float64]]:
    """Every view decoded at each covariate vector of `mixture`, and averaged with its weights.

    An average of covariates is a place where the decoder was never trained: there it would fall
    back on the last trace of the language that the latents have. At a language it needs no trace.

    A word decoder still knows the songs that it learned in a language better than the others: they
    lie farther from the centre of that language, which tells their own. Views with `centres` are
    therefore given as directions from there, all of length 1, times the square root of the weight:
    where languages share few words, squared distances are then averages over languages.
    """
    total: dict[str, NDArray[np.float64]] = {}
    for number, (weight, vector) in enumerate(mixture):
        given = np.repeat(vector[None].astype(np.float64), len(latents), axis=0)
        centre = centres[number] if centres else {}
        for name, block in decoded_blocks(network, latents, given).items():
            if name in centre:
                away = block - centre[name]
                length = np.linalg.norm(away, axis=1, keepdims=True)
                part = weight**0.5 * away / np.maximum(length, SHORTEST)
            else:
                part = weight * block
            total[name] = part + total.get(name, 0.0)
    return total


def mixture_centres(network: SongNetwork, latents: NDArray[Any], mixture: Mixture) -> Centres:
    """Means of the decoded words and embeddings at each covariate vector, by view."""
    if len(mixture) < 2:
        return ()
    names = [plan.name for plan in network.plans if plan.likelihood != "gaussian"]
    found = []
    for _, vector in mixture:
        given = np.repeat(vector[None].astype(np.float64), len(latents), axis=0)
        blocks = decoded_blocks(network, latents, given)
        found.append({name: blocks[name].mean(axis=0) for name in names})
    return tuple(found)


@torch.no_grad()
def decoded_blocks(
    network: SongNetwork, latents: NDArray[Any], covariates: NDArray[Any] | None
) -> dict[str, NDArray[np.float64]]:
    """Every view decoded from `latents`, shape (n_tracks, n_numbers) each.

    Gaussian views are divided by their learned noise; of words, the square root of their
    probabilities is taken, which makes distances Hellinger distances; directions stay directions.
    """
    given = None if covariates is None else torch.as_tensor(covariates)
    outputs = network.decode(torch.as_tensor(latents), given)
    blocks = {}
    for plan in network.plans:
        out = outputs[plan.name]
        if plan.has_words:
            block = torch.softmax(out, 1).sqrt()
        elif plan.likelihood == "von-mises-fisher":
            block = torch.nn.functional.normalize(out, dim=1)
        else:
            block = (out / network.noise_scale(plan.name)).flatten(1)
        blocks[plan.name] = block.double().numpy()
    return blocks


def fit_decoder_space(
    blocks: Mapping[str, NDArray[Any]], n_components: int, seed: int, centres: Centres = ()
) -> DecoderSpace:
    """Reduce every decoded block to at most `n_components` principal axes and unit total variance.

    `centres` are those that the blocks were decoded with.
    """
    fitted, factors = [], []
    for block in blocks.values():
        axes = principal_axes(
            block.__getitem__,
            len(block),
            block.shape[1],
            min(n_components, *block.shape),
            seed=seed,
        )
        variance = float(axes.squares.sum()) / len(block)
        fitted.append(axes)
        factors.append(variance**-0.5 if variance > 0 else 0.0)
    return DecoderSpace(tuple(fitted), tuple(factors), centres)
