"""Inference: what a network says of tracks, chunk by chunk: posteriors, ELBO, decoded views."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from songscape.features.views import Views
from songscape.models.networks import Batch, SongNetwork, ViewPlan
from songscape.models.objective import elbo_terms
from songscape.models.rotation import Rotated
from songscape.models.standardisation import InputView, chunks

__all__ = ["Given", "Inference", "fitted", "make_batch"]

Floats = NDArray[np.float64]
Given = NDArray[Any] | None


def make_batch(
    plans: Sequence[ViewPlan],
    inputs: Mapping[str, InputView],
    views: Views,
    rows: NDArray[np.intp],
    covariates: Given = None,
    rotations: Mapping[str, Rotated] | None = None,
    *,
    device: torch.device | None = None,
    dtype: torch.dtype = torch.float32,
) -> Batch:
    """The given tracks as tensors; `covariates` are of all tracks, (n_tracks, n_covariates)."""

    def tensor(array: NDArray[Any]) -> torch.Tensor:
        return torch.from_numpy(array).to(device=device, dtype=dtype)

    values, weights, present = {}, {}, {}
    offset: torch.Tensor | None = None
    for plan in plans:
        name, view = plan.name, views[plan.name]
        there = view.present[rows]
        present[name] = tensor(there.astype(np.float32))
        if rotations and name in rotations:
            rotated = rotations[name]
            values[name] = tensor(rotated.coordinates[rows])
            weights[name] = present[name][:, None]
            constant = tensor(rotated.offset[rows])
            offset = constant if offset is None else offset + constant
        else:
            block, weight = inputs[name].read(view, rows)
            values[name], weights[name] = tensor(block), tensor(weight)
    given = None if covariates is None else tensor(covariates[rows])
    return Batch(values, weights, present, given, offset=offset)


def fitted(network: SongNetwork, inputs: Mapping[str, InputView]) -> Inference:
    """Inference with a copy of `network` in double precision.

    A track's latents then do not depend on the tracks beside it in a chunk.
    """
    return Inference(copy.deepcopy(network).double(), inputs)


@dataclass(frozen=True, eq=False)
class Inference:
    """A trained network in double precision and what its views are standardised by."""

    network: SongNetwork
    inputs: Mapping[str, InputView]

    def _batch(self, views: Views, rows: NDArray[np.intp], covariates: Given) -> Batch:
        plans = self.network.plans
        return make_batch(plans, self.inputs, views, rows, covariates, dtype=torch.float64)

    @torch.no_grad()
    def posterior(self, views: Views, covariates: Given = None) -> tuple[Floats, Floats]:
        """Means and log-variances, each (n_tracks, latent_dim)."""
        for plan in self.network.plans:
            self.inputs[plan.name].check(views[plan.name])
        means = np.zeros((views.n_tracks, self.network.latent_dim))
        log_variances = np.zeros_like(means)
        for rows in chunks(views.n_tracks):
            mean, log_variance = self.network.encode(self._batch(views, rows, covariates))
            means[rows], log_variances[rows] = mean.numpy(), log_variance.numpy()
        return means, log_variances

    @torch.no_grad()
    def evidence(
        self, views: Views, rows: NDArray[np.intp], covariates: Given = None
    ) -> tuple[Floats, Floats]:
        """What each view of the tracks `rows` says, see `SongNetwork.evidence`."""
        shape = (len(rows), len(self.network.plans), self.network.latent_dim)
        weighted, precisions = np.zeros(shape), np.zeros(shape)
        for piece in chunks(len(rows)):
            batch = self._batch(views, rows[piece], covariates)
            found = self.network.evidence(self.network.say(batch), batch)
            weighted[piece], precisions[piece] = (part.numpy() for part in found)
        return weighted, precisions

    @torch.no_grad()
    def elbo(
        self,
        prior: nn.Module,
        views: Views,
        rows: NDArray[np.intp],
        covariates: Given = None,
        *,
        variational: bool = True,
    ) -> float:
        """Mean ELBO per track with beta = 1, from one draw per track of a fixed generator."""
        generator = torch.Generator().manual_seed(0)
        total = 0.0
        for piece in chunks(len(rows)):
            noise = None
            if variational:
                shape = (len(piece), self.network.latent_dim)
                noise = torch.randn(*shape, generator=generator, dtype=torch.float64)
            batch = self._batch(views, rows[piece], covariates)
            terms = elbo_terms(self.network, prior, batch, noise)
            total += float(terms.reconstruction.sum() - terms.kl.sum())
        return total / max(len(rows), 1)

    @torch.no_grad()
    def decode(self, latents: NDArray[Any], covariates: Given = None) -> dict[str, NDArray[Any]]:
        """Every view in its units, as word probabilities, or as unit vectors; float32."""
        plans = self.network.plans
        parts: dict[str, list[NDArray[np.float32]]] = {plan.name: [] for plan in plans}
        for rows in chunks(len(latents)):
            given = None if covariates is None else torch.as_tensor(covariates[rows]).double()
            outputs = self.network.decode(torch.as_tensor(latents[rows]), given)
            for plan in plans:
                out = outputs[plan.name]
                if plan.has_words:
                    parts[plan.name].append(torch.softmax(out, 1).float().numpy())
                elif plan.likelihood == "von-mises-fisher":
                    directions = nn.functional.normalize(out, dim=1)
                    parts[plan.name].append(directions.float().numpy())
                else:
                    full = out.expand(-1, *plan.shape).numpy()
                    parts[plan.name].append(self.inputs[plan.name].restore(full))
        return {name: np.concatenate(pieces) for name, pieces in parts.items()}
