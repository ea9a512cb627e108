"""Places: where the tracks of a fitted network are clustered, in decoder or joint space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songscape.models.decoder_space import (
    DecoderSpace,
    JointSpace,
    Mixture,
    decoded_blocks,
    evenly,
    fit_decoder_space,
    fit_joint_space,
    mixed_blocks,
    mixture_centres,
)
from songscape.models.networks import SongNetwork
from songscape.models.standardisation import chunks

__all__ = ["Places", "fit_places"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Places:
    """The axes of every space but that of the latents.

    Attributes
    ----------
    own : DecoderSpace
        Tracks decoded at their own covariates, if there are any.
    average : DecoderSpace or None
        All decoded at the average of the covariates; None without covariates.
    joint : JointSpace
    """

    own: DecoderSpace
    average: DecoderSpace | None
    joint: JointSpace

    def n_features(self, space: str) -> int:
        """Dimensions of space "decoder" or "joint"."""
        return self.joint.n_features if space == "joint" else self.own.n_features

    def decoded(
        self,
        network: SongNetwork,
        latents: NDArray[Any],
        covariates: NDArray[Any] | None,
        mixture: Mixture | None,
        *,
        average: bool = False,
    ) -> Floats:
        """Decoder space, (n_tracks, n_features).

        Every track at its own `covariates`, or all at the same `mixture`; `average` says that it is
        the one over all covariates.
        """
        space = self.average if average and self.average is not None else self.own
        found = np.zeros((len(latents), space.n_features))
        for rows in chunks(len(latents)):
            if mixture is not None:
                blocks = mixed_blocks(network, latents[rows], mixture, space.centres)
            else:
                given = None if covariates is None else covariates[rows].astype(np.float64)
                blocks = decoded_blocks(network, latents[rows], given)
            found[rows] = space.project(blocks)
        return found


def fit_places(
    network: SongNetwork,
    latents: NDArray[Any],
    covariates: NDArray[Any] | None,
    mixture: Mixture | None,
    *,
    reduced_dim: int,
    joint_dim: int,
    seed: int,
) -> Places:
    """Find the axes of tracks with these latents.

    Those of a large collection come from evenly spaced tracks, as many as can be solved exactly.

    Parameters
    ----------
    latents : ndarray of shape (n_tracks, latent_dim)
    covariates : ndarray of shape (n_tracks, n_covariates) or None
    mixture : Mixture or None
        The average over the covariates.
    reduced_dim, joint_dim : int
        Dimensions per view of the decoder space, and of the joint space, at most.
    """
    few = evenly(len(latents))
    some = latents[few]
    given = None if covariates is None else covariates[few].astype(np.float64)
    blocks = decoded_blocks(network, some, given)
    own = fit_decoder_space(blocks, reduced_dim, seed)
    joint = fit_joint_space(own.project(blocks), some, joint_dim)
    if mixture is None:
        return Places(own, None, joint)
    centres = mixture_centres(network, some, mixture)
    blocks = mixed_blocks(network, some, mixture, centres)
    return Places(own, fit_decoder_space(blocks, reduced_dim, seed, centres), joint)
