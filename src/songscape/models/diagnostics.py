"""Diagnostics: is the model healthy, or did its posterior collapse?"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from songscape.features.views import Views
from songscape.models.inference import Inference
from songscape.models.priors import MixturePrior, normal_kl
from songscape.models.training import TrainingSettings

ACTIVE_VARIANCE = 0.01


@dataclass(frozen=True)
class Diagnostics:
    """Health of a fitted autoencoder.

    `elbo` is the mean evidence lower bound per track (beta = 1), in nats, of held-out tracks if
    `held_out`, else of the training tracks; `kl_per_dimension` the mean KL divergence from the
    standard normal, in nats. `active_units` are dimensions whose posterior mean varies over tracks
    by more than 0.01 (Burda et al. 2016). A model has `collapsed` if no more than one dimension in
    ten tells tracks apart, and at most one of fewer than ten. `warnings` are sentences for the
    reader of a report.
    """

    elbo: float
    kl_per_dimension: tuple[float, ...]
    active_units: int
    n_latent: int
    collapsed: bool
    warnings: tuple[str, ...]
    held_out: bool = True


def active_units(means: NDArray[Any]) -> int:
    """Number of latent dimensions with Var(E[z | x]) > 0.01 (Burda et al. 2016, eq. 10)."""
    return int((np.var(np.asarray(means, dtype=np.float64), axis=0) > ACTIVE_VARIANCE).sum())


def diagnose(
    inference: Inference,
    views: Views,
    posterior: tuple[NDArray[np.float64], NDArray[np.float64]],
    rows: NDArray[np.intp],
    held_out: NDArray[np.intp],
    settings: TrainingSettings,
) -> Diagnostics:
    """Judge a trained network, and warn if its posterior or its mixture prior collapsed.

    `posterior` are the means and log-variances of all tracks, each (n_tracks, latent_dim); `rows`
    and `held_out` the tracks that were trained on and those that were not.
    """
    variational = settings.variational
    elbo = inference.elbo(views, held_out if len(held_out) else rows, variational=variational)
    has_data = np.sort(np.concatenate([rows, held_out]))
    means, log_variances = (part[has_data] for part in posterior)
    n_latent = means.shape[1]
    kl = np.zeros(n_latent)
    if variational:
        kl = normal_kl(torch.as_tensor(means), torch.as_tensor(log_variances)).numpy().mean(axis=0)
    active = active_units(means)
    collapsed = active <= (max(1, n_latent // 10) if n_latent > 1 else 0)
    alarms, notes = [], []
    if collapsed:
        mend = "lower beta" if variational else "train longer"
        alarms.append(
            f"The posterior collapsed: {active} of {n_latent} latent dimensions tell tracks apart, "
            f"so clusters of these latents mean nothing; {mend}."
        )
    elif active <= n_latent // 2:
        notes.append(
            f"Only {active} of {n_latent} latent dimensions tell tracks apart; "
            "a smaller latent_dim would do."
        )
    if settings.training.validation_fraction > 0 and not len(held_out):
        notes.append("Too few tracks to hold any out: the ELBO is that of the training tracks.")
    if isinstance(inference.prior, MixturePrior):
        shares = inference.responsibilities(means)
        if len(np.unique(shares.argmax(1))) == 1:
            alarms.append(
                f"The mixture prior has all tracks in one of its {shares.shape[1]} components: its "
                "memberships say nothing; use a clusterer."
            )
    for sentence in alarms:
        warnings.warn(sentence, stacklevel=3)
    return Diagnostics(
        float(elbo),
        tuple(float(value) for value in kl),
        active,
        n_latent,
        collapsed,
        (*alarms, *notes),
        len(held_out) > 0,
    )
