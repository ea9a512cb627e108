"""Batches: some tracks of a collection as the tensors that a network reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from songscape.features.views import Views
from songscape.models.networks import Batch
from songscape.models.rotation import Rotated
from songscape.models.standardisation import InputView
from songscape.models.view_specs import ViewSpec

__all__ = ["BatchReader"]


@dataclass(frozen=True, eq=False)
class BatchReader:
    """Reads tracks by their positions.

    Attributes
    ----------
    specs, inputs, views : sequence of ViewSpec, mapping of name to InputView, Views
    covariates : ndarray of shape (n_tracks, n_covariates) or None
        Encoded, of all tracks.
    rotations : mapping of name to Rotated
        Views that are read in rotated coordinates.
    device, dtype : torch.device or None, torch.dtype
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
