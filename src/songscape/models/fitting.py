"""Fitting: from standardised views to a trained network, rotated on the way where that is exact."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from songscape.errors import SongscapeError
from songscape.models import rotation
from songscape.models.batches import BatchReader
from songscape.models.checkpoint import Checkpoint
from songscape.models.hardware import chosen_device
from songscape.models.networks import SongNetwork
from songscape.models.objective import Objective
from songscape.models.parameters import Hardware, Training
from songscape.models.priors import MixturePrior, StandardNormal
from songscape.models.standardisation import word_shares
from songscape.models.training import Progress, hold_out, train
from songscape.models.view_specs import ViewSpec

__all__ = ["fit_network", "split_rows"]

MIN_TRACKS_TO_HOLD_OUT = 10
Rows = NDArray[np.intp]
Prior = StandardNormal | MixturePrior


def split_rows(present: NDArray[np.bool_], share: float, seed: int) -> tuple[Rows, Rows]:
    """Tracks to train on and tracks to hold out, of those that have any view.

    Single tracks and not whole artists: a network places tracks that it did not see apart from
    those that it did, and would separate the held-out artists from the others.

    Parameters
    ----------
    present : ndarray of bool, shape (n_tracks, n_views)
    share : float
        Of the tracks, to be held out; none are with fewer than 10 tracks.
    """
    rows = np.flatnonzero(present.any(axis=1))
    if len(rows) < 2:
        raise SongscapeError(
            f"{len(rows)} track(s) with data cannot train a model; two are the least"
        )
    share = 0.0 if len(rows) < MIN_TRACKS_TO_HOLD_OUT else share
    held_out = hold_out(len(rows), share, np.random.default_rng(seed))
    return rows[~held_out], rows[held_out]


def fit_network(
    make_network: Callable[[Sequence[ViewSpec]], SongNetwork],
    prior: Prior,
    reader: BatchReader,
    rows: Rows,
    held_out: Rows,
    training: Training,
    objective: Objective,
    *,
    seed: int,
    hardware: Hardware,
    callback: Progress | None = None,
    checkpoint: Checkpoint | None = None,
) -> tuple[SongNetwork, Prior, list[dict[str, float]]]:
    """Train a network, made by `make_network` from specs, on the tracks `rows`.

    The network and the prior come back on the CPU, with one row of history per epoch.
    """
    specs, inputs, views = reader.specs, reader.inputs, reader.views
    device = chosen_device(hardware.device)
    rotations = rotation.rotate_wide_views(specs, inputs, views, rows) if training.rotate else {}
    network = make_network(rotation.rotated_specs(specs, rotations))
    rotation.prepare(network, rotations)
    for spec in specs:
        if spec.decoder == "linear" and spec.has_words:
            shares = word_shares(inputs[spec.name], views[spec.name], rows)
            network.start_at(spec.name, torch.from_numpy(shares))
    history = train(
        network.to(device),
        prior.to(device),
        replace(reader, rotations=rotations, device=device),
        rows,
        held_out,
        training,
        objective,
        seed=seed,
        hardware=hardware,
        callback=callback,
        checkpoint=checkpoint,
    )
    network, prior = network.cpu(), prior.cpu()
    if rotations:
        trained, network = network, make_network(specs)
        rotation.fold(trained, network, rotations)
    return network.eval(), prior, history
