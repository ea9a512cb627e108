"""Inference: tracks as batches, and what a trained network gives for them, chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from songscape.features.views import Views
from songscape.models.covariate_encoder import CovariateEncoder
from songscape.models.networks import Batch, SongNetwork
from songscape.models.objective import elbo_terms
from songscape.models.rotation import Rotated
from songscape.models.standardisation import InputView, chunks
from songscape.models.view_specs import ViewSpec

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class BatchReader:
    """Reads tracks by their positions.

    `covariates` are encoded and of all tracks, (n_tracks, n_covariates); `rotations` are of views
    that are read in rotated coordinates.
    """

    specs: Sequence[ViewSpec]
    inputs: Mapping[str, InputView]
    views: Views
    covariates: NDArray[Any] | None = None
    rotations: Mapping[str, Rotated] = field(default_factory=dict)
    device: torch.device | None = None
    dtype: torch.dtype = torch.float32

    def __call__(self, rows: NDArray[np.intp]) -> Batch:
        """The tracks at these positions."""
        values, weights, present = {}, {}, {}
        offset: torch.Tensor | None = None
        for spec in self.specs:
            name, view = spec.name, self.views[spec.name]
            present[name] = self._tensor(view.present[rows].astype(np.float32))
            if name in self.rotations:
                rotated = self.rotations[name]
                values[name] = self._tensor(rotated.coordinates[rows])
                weights[name] = present[name][:, None]
                constant = self._tensor(rotated.offset[rows])
                offset = constant if offset is None else offset + constant
            else:
                block, weight = self.inputs[name].read(view, rows)
                values[name], weights[name] = self._tensor(block), self._tensor(weight)
        covariates = None if self.covariates is None else self._tensor(self.covariates[rows])
        return Batch(values, weights, present, covariates, offset=offset)

    def _tensor(self, array: NDArray[Any]) -> torch.Tensor:
        return torch.from_numpy(array).to(device=self.device, dtype=self.dtype)


@dataclass(frozen=True, eq=False)
class Inference:
    """A trained network in double precision, and what its views are read by.

    In double precision a track's latents do not depend on the other tracks of its chunk.
    """

    network: SongNetwork
    prior: nn.Module
    inputs: Mapping[str, InputView]
    covariates: CovariateEncoder | None

    def encoded_covariates(self, views: Views) -> NDArray[np.float32] | None:
        """The own covariates of every track, (n_tracks, n_covariates), if the model has any."""
        return None if self.covariates is None else self.covariates.encode(views)

    def _batches(self, views: Views, rows: Rows) -> Iterator[tuple[Rows, Batch]]:
        """The tracks `rows` in chunks: their positions in `rows`, and the batch."""
        covariates = self.encoded_covariates(views)
        specs = self.network.specs
        read = BatchReader(specs, self.inputs, views, covariates, dtype=torch.float64)
        for piece in chunks(len(rows)):
            yield piece, read(rows[piece])

    @torch.no_grad()
    def posterior(self, views: Views) -> tuple[Floats, Floats]:
        """Means and log-variances, each (n_tracks, latent_dim)."""
        for spec in self.network.specs:
            self.inputs[spec.name].check(views[spec.name])
        means = np.zeros((views.n_tracks, self.network.latent_dim))
        log_variances = np.zeros_like(means)
        for rows, batch in self._batches(views, np.arange(views.n_tracks)):
            mean, log_variance = self.network.encode(batch)
            means[rows], log_variances[rows] = mean.numpy(), log_variance.numpy()
        return means, log_variances

    @torch.no_grad()
    def evidence(self, views: Views, rows: Rows) -> tuple[Floats, Floats]:
        """The evidence of each view of the tracks `rows`, see `SongNetwork.evidence`."""
        shape = (len(rows), len(self.network.specs), self.network.latent_dim)
        weighted, precisions = np.zeros(shape), np.zeros(shape)
        for piece, batch in self._batches(views, rows):
            evidence = self.network.evidence(self.network.encode_experts(batch), batch)
            weighted[piece], precisions[piece] = (part.numpy() for part in evidence)
        return weighted, precisions

    @torch.no_grad()
    def elbo(self, views: Views, rows: Rows, *, variational: bool = True) -> float:
        """Mean ELBO per track with beta = 1, from one draw per track of a fixed generator."""
        generator = torch.Generator().manual_seed(0)
        total = 0.0
        for piece, batch in self._batches(views, rows):
            noise = None
            if variational:
                shape = (len(piece), self.network.latent_dim)
                noise = torch.randn(*shape, generator=generator, dtype=torch.float64)
            terms = elbo_terms(self.network, self.prior, batch, noise)
            total += float(terms.reconstruction.sum() - terms.kl.sum())
        return total / max(len(rows), 1)

    @torch.no_grad()
    def responsibilities(self, means: Floats) -> Floats:
        """p(component | latents) under a mixture prior, (n_tracks, n_components)."""
        shares: torch.Tensor = self.prior.responsibilities(  # type: ignore[operator]
            torch.as_tensor(means)
        )
        return shares.numpy()

    @torch.no_grad()
    def decode(self, latents: Floats, views: Views) -> dict[str, NDArray[Any]]:
        """Every view in its units, as word probabilities, or as unit vectors; float32."""
        specs = self.network.specs
        covariates = self.encoded_covariates(views)
        parts: dict[str, list[NDArray[np.float32]]] = {spec.name: [] for spec in specs}
        for rows in chunks(len(latents)):
            given = None if covariates is None else torch.as_tensor(covariates[rows]).double()
            outputs = self.network.decode(torch.as_tensor(latents[rows]), given)
            for spec in specs:
                out = outputs[spec.name]
                if spec.likelihood == "multinomial":
                    found = torch.softmax(out, 1).float().numpy()
                elif spec.likelihood == "von-mises-fisher":
                    found = nn.functional.normalize(out, dim=1).float().numpy()
                else:
                    found = self.inputs[spec.name].restore(out.expand(-1, *spec.shape).numpy())
                parts[spec.name].append(found)
        return {name: np.concatenate(pieces) for name, pieces in parts.items()}
